"""Which language models can be chosen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.models.catalog import find_model
from rag.models.choices import generator_choices
from rag.models.weights import generator_file


@pytest.mark.model
def test_bundled_models_and_files_at_hand_are_offered(models_cache: Path, tmp_path: Path):
    prepared = generator_file(find_model("SmolLM2-135M-Instruct", "generator"), models_cache)
    (tmp_path / "mine.gguf").symlink_to(prepared)
    (tmp_path / prepared.name).symlink_to(prepared)  # a prepared copy is no model of its own
    (tmp_path / "broken.gguf").write_bytes(b"GGUF nonsense")
    choices = generator_choices(tmp_path, "SmolLM2-135M-Instruct")
    assert [each.name for each in choices] == ["SmolLM2-135M-Instruct", "mine.gguf"]
    assert {each.context for each in choices} == {8192}
    assert choices[1].size == prepared.stat().st_size
    beside = generator_choices(tmp_path / "none", str(tmp_path / "mine.gguf"))
    assert os.path.samefile(beside[1].place, prepared)
