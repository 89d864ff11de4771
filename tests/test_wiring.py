"""Switching the language model and the notes folder of an engine that runs."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.generation import Generator
from rag.config import Config
from rag.engine import Engine
from rag.errors import ModelError, NoIndex
from rag.loading import Models
from rag.models.catalog import find_model
from rag.models.weights import generator_file
from rag.wiring import build_engine, open_folder, use_generator
from tests.conftest import Box

pytestmark = pytest.mark.model


def test_another_model_answers_and_a_bad_one_changes_nothing(
    engine: Engine, models_cache: Path, tmp_path: Path
):
    old = engine.models.generator()
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF nonsense")
    for place in (str(bad), "no such model"):
        with pytest.raises(ModelError):
            use_generator(engine, place)
    assert engine.models.generator() is old
    # As it was before it was taught: what it says itself is what the notes bear out.
    spec = find_model("SmolLM2-135M-Instruct", "generator")
    prepared = generator_file(replace(spec, adapter="", adapter_sha256=""), models_cache)
    (tmp_path / "mine.gguf").symlink_to(prepared)
    use_generator(engine, str(tmp_path / "mine.gguf"))
    assert engine.status().generator == "mine.gguf"
    assert engine.models.generator() is not old
    *_, done = engine.ask("Where does the hive stand?")
    assert done.model == "mine.gguf"


def test_another_folder_shares_the_models(box: Box, engine: Engine, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "hen.md").write_text("# Hens\n\nThe hens lay five eggs a day.\n")
    generator = engine.models.generator()
    other = open_folder(engine, tmp_path / "other")
    with pytest.raises(NoIndex):
        other.library()
    for _ in other.index():
        pass
    assert [each.path for each in other.search("How many eggs?")] == ["hen.md"]
    assert [each.title for each in other.library().notes()] == ["Hens"]
    assert other.models.generator() is generator
    assert engine.search("rain barrel")[0].path == "barrel.md"


def test_what_fails_behind_is_told_where_it_is_needed_and_not_before(tmp_path: Path, monkeypatch):
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def half_a_module() -> Generator:
        raise AttributeError("module 'psutil' has no attribute 'cpu_count'")

    engine = build_engine(Config(notes=tmp_path, data_dir=tmp_path / "data"))
    models = Models(replace(engine.parts, open_generator=half_a_module))
    models.load_behind()
    models.wait()
    assert told == []
    with pytest.raises(AttributeError):
        models.generator()
