"""The example notes, indexed once."""

from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Config
from rag.wiring import build_engine

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
