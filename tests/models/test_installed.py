"""What was fetched or added is remembered, one file each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models.catalog import find_model
from rag.models.installed import (
    Installed,
    Speed,
    forget,
    installed,
    remember,
    remember_speed,
    speed_of,
)

ONE = Installed("org/one", "generator", "/m/one.gguf", 5, "", "MIT", "added by hand")


def test_models_are_remembered_and_forgotten(tmp_path: Path):
    assert installed(tmp_path) == []
    remember(tmp_path, ONE)
    remember(tmp_path, replace(ONE, name="Two", fetched=("/a", "/b")))
    assert [each.name for each in installed(tmp_path)] == ["org/one", "Two"]
    assert installed(tmp_path)[1].fetched == ("/a", "/b")
    remember(tmp_path, replace(ONE, licence="GPL"))
    assert installed(tmp_path)[0].licence == "GPL"
    remember_speed(tmp_path, "org/one", Speed(100.0, 20.5, "2026-11-21"))
    assert speed_of(tmp_path, "org/one") == Speed(100.0, 20.5, "2026-11-21")
    forget(tmp_path, ONE)
    assert [each.name for each in installed(tmp_path)] == ["Two"]
    assert speed_of(tmp_path, "org/one") is None


def test_a_name_is_given_once(tmp_path: Path):
    remember(tmp_path, ONE)
    with pytest.raises(ModelError, match="Another model is called org/one"):
        remember(tmp_path, replace(ONE, path="/elsewhere.gguf"))
    for path in (ONE.path, "/elsewhere.gguf"):  # a name that is written to the same file
        with pytest.raises(ModelError, match=r"called org/one: .*--name"):
            remember(tmp_path, replace(ONE, name="org_one", path=path))
    assert installed(tmp_path) == [ONE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 3}', '{"name": "x", "new": 1}', "\0"])
def test_a_file_that_cannot_be_read_is_left_out(tmp_path: Path, text: str):
    remember(tmp_path, ONE)
    (tmp_path / "models" / "x.model.json").write_text(text)
    (tmp_path / "models" / "org_one.speed.json").write_text(text)
    assert installed(tmp_path) == [ONE]
    assert speed_of(tmp_path, "org/one") is None


def test_they_are_found_by_name(tmp_path: Path):
    assert find_model("org/one", "generator", [ONE.spec]).file == "/m/one.gguf"
    with pytest.raises(ModelError, match="rag models pull hf:org/one"):
        find_model("org/one", "embedder", [ONE.spec])
    with pytest.raises(ModelError, match="rag models pull Qwen3-8B"):
        find_model("qwen3-8B", "generator")
