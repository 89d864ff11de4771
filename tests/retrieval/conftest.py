"""The example notes, indexed once, and an index over a fake embedder."""

from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Config
from rag.wiring import build_engine
from tests.indexing.conftest import desk

__all__ = ["desk"]
CORPUS = Path(__file__).parents[2] / "corpus"


@pytest.fixture(scope="session")
def corpus_engine(models_cache, tmp_path_factory):
    config = replace(
        Config(),
        notes=CORPUS,
        data_dir=tmp_path_factory.mktemp("corpus-data"),
        cache_dir=models_cache.parent,
    )
    engine = build_engine(config)
    for _ in engine.index():
        pass
    yield engine
    engine.close()
