"""Prepared models are noticed to be damaged, and prepared again without asking."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.answering.generation import LlamaGenerator
from rag.answering.messages import Message
from rag.indexing.embeddings import OnnxEmbedder
from rag.models import reader as reader_module
from rag.models.catalog import find_model
from rag.models.prepared import find_damage, is_sound, remembered, seal, take_notices
from rag.models.reader import prepared_reader
from rag.models.weights import generator_file, verified

Harm = Callable[[Path], None]
OTHER = bytes(range(256)) * 30


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(1, 1))


def swap_with_an_older_one(file: Path) -> None:
    file.write_bytes(OTHER)
    os.utime(file, ns=(5, 5))


def rot(file: Path) -> None:
    """As a disk does it: no size and no time tells."""
    stat = file.stat()
    file.write_bytes(b"\xff" * stat.st_size)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "model.onnx"
    made.write_bytes(OTHER[::-1])
    seal(made)
    take_notices()
    return made


@pytest.mark.parametrize("harm", [cut, empty, flip, swap_with_an_older_one])
def test_a_file_that_is_not_as_it_was_written_goes(file: Path, harm: Harm):
    assert is_sound(file)
    harm(file)
    assert not is_sound(file)
    assert not list(file.parent.iterdir())
    (notice,) = take_notices()
    assert notice == "The prepared model model.onnx was damaged; it is prepared again."
    assert not take_notices()


def test_a_file_that_rots_is_found_by_the_doctor(file: Path):
    assert find_damage(file.parent) == []
    rot(file)
    assert is_sound(file), "what a glance tells"
    assert find_damage(file.parent) == ["model.onnx"]
    assert not is_sound(file)


def test_a_file_that_was_only_copied_stays(file: Path):
    os.utime(file, ns=(7, 7))
    assert is_sound(file)
    assert not take_notices()


@pytest.mark.parametrize("text", ["", "{", "00000000 [1, 2, 3]", '"x"', "null", "\udcff"])
def test_a_damaged_seal_is_no_seal(file: Path, text: str):
    (file.parent / "model.onnx.seal").write_text(text, errors="surrogateescape")
    assert is_sound(file)
    cut(file)
    assert not is_sound(file)


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text.replace("abc", "abd"),
        lambda text: text[:20],
        lambda text: "",
        lambda text: "5",
        lambda text: "[1, 2]",
        lambda text: json.dumps(dict.fromkeys(json.loads(text), 5)),
        lambda text: json.dumps({key: [1, 2, "abd"] for key in json.loads(text)}),
    ],
)
def test_a_damaged_memory_is_a_lost_one(file: Path, harm: Callable[[str], str]):
    memory = file.parent / "verified.json"
    assert remembered(memory, file, lambda: "abc") == "abc"
    assert remembered(memory, file, lambda: "computed") == "abc"
    memory.write_text(harm(memory.read_text()))
    assert remembered(memory, file, lambda: "computed") == "computed"
    assert remembered(memory, file, lambda: "again") == "computed"


@pytest.mark.model
def test_sound_weights_are_not_called_damaged_for_what_was_remembered(models_cache, tmp_path):
    spec = find_model("all-MiniLM-L6-v2", "embedder")
    verified(spec, tmp_path)
    memory = tmp_path / "verified.json"
    memory.write_text(memory.read_text().replace(spec.sha256, "0" + spec.sha256[1:]))
    assert verified(spec, tmp_path)[1] == spec.sha256


# The three that are prepared


@pytest.mark.model
@pytest.mark.parametrize("harm", [cut, rot])
def test_the_reader_is_prepared_again(models_cache: Path, tmp_path: Path, monkeypatch, harm: Harm):
    (whole,) = models_cache.glob("reader-*.onnx")
    exports = []

    def export(_module: str, _folder: str, _learnt: str, target: str):
        exports.append(shutil.copy(whole, target))
        return type("Done", (), {"returncode": 0, "stderr": ""})()

    monkeypatch.setattr(reader_module, "run_apart", export)
    older = tmp_path / "reader-01234567-89abcdef.onnx"
    older.write_bytes(OTHER)
    seal(older)
    assert prepared_reader(tmp_path) is not None
    assert len(list(tmp_path.glob("reader-*"))) == 2, "what an older version prepared is dropped"
    harm(Path(exports[0]))
    take_notices()
    reader = prepared_reader(tmp_path)
    assert reader is not None
    ((pointed, *_),) = reader.read("Who built it?", [("", "It was built by Otto Lund.")])
    assert pointed.end > pointed.start
    assert len(exports) == 2
    assert "was damaged; it is prepared again" in take_notices()[0]


@pytest.mark.model
def test_the_embedder_is_prepared_again(embedder: OnnxEmbedder, tmp_path: Path):
    files = embedder._model.files
    assert files.onnx is not None
    mine = Path(shutil.copy(files.onnx, tmp_path))
    seal(mine)
    rot(mine)
    again = OnnxEmbedder(
        replace(files, onnx=mine), prepare=lambda: shutil.copy(files.onnx, tmp_path)
    )
    assert np.allclose(again.embed_query("hive"), embedder.embed_query("hive"))


@pytest.mark.model
def test_the_language_model_is_prepared_again(models_cache: Path, tmp_path: Path):
    spec = find_model("SmolLM2-135M-Instruct", "generator")
    whole = generator_file(spec, models_cache)
    mine = Path(shutil.copy(whole, tmp_path))
    seal(mine)
    rot(mine)
    generator = LlamaGenerator(mine, "mine", 512, 2, prepare=lambda: shutil.copy(whole, tmp_path))
    assert any(each.text for each in generator.stream([Message("user", "Hello")], 3))
    generator.close()


@pytest.mark.model
def test_a_file_of_ones_own_gets_no_seal_and_is_not_removed(tmp_path: Path):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"GGUF" + OTHER)
    generator = LlamaGenerator(mine, "mine", 512, 2, prepare=pytest.fail)
    with pytest.raises(Exception, match="could not be loaded"):
        generator.load()
    assert [each.name for each in tmp_path.iterdir()] == ["mine.gguf"]
