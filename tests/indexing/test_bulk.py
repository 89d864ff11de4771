"""Many passages are embedded in bfloat16 where that is faster, and nothing but the time differs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import rag.models.bulk
from rag.indexing.embeddings import Embedded, OnnxEmbedder, PassageText, directions
from rag.models.bulk import BulkSession, is_installed, start_bulk_session
from tests.conftest import Box

pytestmark = pytest.mark.model
needs_openvino = pytest.mark.skipif(not is_installed(), reason="OpenVINO has no wheels here")
TOPICS = ("the barrel", "a hive", "Zürich", "an ox-cart", "the year 1848", "tea")
PASSAGES = [
    PassageText(f"Notes\nOf {topic} it says {n}. " + f"More of {topic}. " * (n % 30), 5, ((6, 20),))
    for n in range(40)
    for topic in TOPICS
]


@pytest.fixture
def fresh(embedder: OnnxEmbedder) -> OnnxEmbedder:
    """One that has not sought a bulk session yet."""
    return OnnxEmbedder(embedder._model.files)


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor with the instructions; on others OpenVINO computes in float32."""
    monkeypatch.setattr(rag.models.bulk, "_is_faster", lambda core: True)


def in_order(batches: Sequence[Embedded]) -> tuple[np.ndarray, np.ndarray]:
    """Vectors, and the directions of first sentences."""
    order = np.argsort([index for batch in batches for index in batch.indices])
    vectors = np.concatenate([batch.vectors for batch in batches])
    sentences = np.concatenate([each for batch in batches for each in batch.sentences])
    return vectors[order], directions(sentences)[order]


@needs_openvino
def test_many_passages_have_the_vectors_of_few(fresh: OnnxEmbedder, able: None):
    vectors, sentences = in_order(list(fresh.embed_passages(PASSAGES)))
    assert isinstance(fresh._bulk, BulkSession)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    few = [list(fresh.embed_passages(PASSAGES[n : n + 60])) for n in range(0, len(PASSAGES), 60)]
    exact = [in_order(batches) for batches in few]
    assert np.sum(vectors * np.concatenate([v for v, _ in exact]), axis=1).min() >= 0.999
    assert np.sum(sentences * np.concatenate([s for _, s in exact]), axis=1).min() >= 0.999


def test_few_passages_load_nothing_more(fresh: OnnxEmbedder, able: None):
    list(fresh.embed_passages(PASSAGES[:100]))
    assert fresh._bulk is None
    assert not fresh._bulk_sought


class Wrong:
    """A session that computes something else."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def run(self, names: Sequence[str], inputs: dict[str, Any]) -> list[Any]:
        if self.error:
            raise self.error
        return [np.ones((len(inputs["input_ids"]), 384), dtype=np.float32) for _ in names]


@pytest.mark.parametrize("session", [Wrong(), Wrong(RuntimeError("no such operation")), None])
def test_one_that_disagrees_is_not_used(
    fresh: OnnxEmbedder, session: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rag.indexing.embeddings.start_bulk_session", lambda *_: session)
    vectors, _ = in_order(list(fresh.embed_passages(PASSAGES)))
    assert fresh._bulk is None
    exact = fresh.embed([each.text for each in PASSAGES])
    assert np.sum(vectors * exact, axis=1).min() >= 0.9999


@needs_openvino
def test_a_damaged_file_is_left_to_the_other(able: None, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    assert start_bulk_session(broken, 1) is None
    assert start_bulk_session(tmp_path / "missing.onnx", 1) is None


def test_without_it_or_its_instructions_there_is_none(
    fresh: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
):
    file = fresh._model.files.onnx
    assert file is not None
    monkeypatch.setattr(rag.models.bulk, "_is_faster", lambda core: False)
    assert start_bulk_session(file, 1) is None
    monkeypatch.setattr(rag.models.bulk, "is_installed", lambda: False)
    assert start_bulk_session(file, 1) is None


@needs_openvino
def test_its_import_is_not_reported(box: Box, embedder: OnnxEmbedder):
    """The package that would report it cannot be imported once a session was started."""
    script = (
        "import sys; from pathlib import Path; from rag.models.bulk import start_bulk_session\n"
        "start_bulk_session(Path(sys.argv[1]), 1)\n"
        "assert 'openvino' in sys.modules\n"
        "print([name for name, module in sys.modules.items() if module and 'telemetry' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(embedder._model.files.onnx)],
        env=box.environ(), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "openvino_telemetry" not in done.stdout
    assert "telemetry_stub" in done.stdout
