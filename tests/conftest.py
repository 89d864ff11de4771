"""Bundled models prepared once for all tests, and a box: a folder of notes with its own index."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.config import Config
from rag.engine import Engine
from rag.indexing.build import IndexReport
from rag.indexing.embeddings import OnnxEmbedder
from rag.models.catalog import find_model
from rag.models.reader import prepared_reader
from rag.models.weights import embedder_files, generator_file
from rag.wiring import build_engine

# A test run in the background ignores Ctrl-C, and its children would too: the tests that stop a
# command would wait for nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)

NOTES = {
    "barrel.md": "# Rain barrel\n\nThe rain barrel holds 300 litres.\n\n## Care\n\nEmpty it "
    "before the first frost.\n",
    "bees.md": "# Bees\n\nThe hive stands behind the shed. It was painted green in 2019.\n",
    "trips/rhine.md": "# Rhine\n\nWe cycled along the Rhine from Basel to Koblenz in nine days.\n",
}


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's own settings, on the machine that tests, count for nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no config"))


@pytest.fixture(scope="session")
def models_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared models; `RAG_TEST_CACHE` names a folder that keeps them between runs."""
    kept = os.environ.get("RAG_TEST_CACHE")
    models = Path(kept) if kept else tmp_path_factory.mktemp("cache") / "models"
    with ThreadPoolExecutor() as beside:
        steps = [
            beside.submit(prepared_reader, models),
            beside.submit(embedder_files, find_model("all-MiniLM-L6-v2", "embedder"), models),
            beside.submit(generator_file, find_model("SmolLM2-135M-Instruct", "generator"), models),
        ]
    for step in steps:
        step.result()
    return models


@pytest.fixture(scope="session")
def embedder(models_cache: Path) -> OnnxEmbedder:
    return OnnxEmbedder(embedder_files(find_model("all-MiniLM-L6-v2", "embedder"), models_cache))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder of three notes."""
    folder = tmp_path / "notes"
    for name, text in NOTES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@dataclass
class Box:
    """Notes, an index of their own, and the shell in front of them."""

    folder: Path
    notes: Path
    cache: Path
    embedder: OnnxEmbedder
    env: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def index_dir(self) -> Path:
        (found,) = (self.data / "indexes").iterdir()
        return found

    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("RAG_")}
        return {
            **kept,
            "RAG_DATA_DIR": str(self.data),
            "RAG_CACHE_DIR": str(self.cache),
            "RAG_CONFIG_DIR": str(self.folder / "config"),
            "RAG_NOTES": str(self.notes),
            **self.env,
        }

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command `rag` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "rag", *arguments],
            env=self.environ(),
            cwd=options.pop("cwd", self.folder),
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def rag(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run the command `rag`; no run may end in a traceback."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*arguments, **options)
        out, err = process.communicate(input, timeout=120)
        assert "Traceback" not in out + err, err
        assert "unforeseen" not in err, err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def refused(self, *arguments: str, says: str, **options: Any) -> str:
        """Run `rag`, which must end with one sentence and status 2, and give that sentence."""
        done = self.rag(*arguments, **options)
        assert done.returncode == 2, done
        assert says.casefold() in done.stderr.casefold(), done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2, done.stderr
        return done.stderr

    def engine(self, **settings: Any) -> Engine:
        config = Config(notes=self.notes, data_dir=self.data, cache_dir=self.cache)
        from dataclasses import replace

        engine = build_engine(replace(config, **settings))
        if not settings:
            engine.models._embedder = self.embedder
        return engine

    def elsewhere(self) -> Engine:
        """An engine whose language model is on another machine, which nothing here can reach."""
        engine = self.engine(
            generator_model="endpoint",
            endpoint_url="https://ai.example.org/v1",
            endpoint_model="big",
        )
        engine.models._embedder = self.embedder
        return engine

    def index(self, rebuild: bool = False) -> IndexReport:
        *_, done = self.engine().index(rebuild)
        assert done.report is not None
        return done.report

    def finds(self, question: str) -> list[str]:
        """The notes found for a question, best first."""
        engine = self.engine()
        try:
            return [each.path for each in engine.search(question)]
        finally:
            engine.close()


@pytest.fixture
def box(tmp_path: Path, notes: Path, models_cache: Path, embedder: OnnxEmbedder) -> Box:
    return Box(tmp_path, notes, models_cache.parent, embedder)


@pytest.fixture
def engine(box: Box) -> Engine:
    box.index()
    return box.engine()


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a desktop's opener that writes what it opens to `opened`, and ends with the
    number in `status`."""
    folder = tmp_path / "desktop"
    folder.mkdir()
    for name in ("xdg-open", "open"):
        program = folder / name
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$1" > {folder}/opened\n'
            f"exit $(cat {folder}/status 2>/dev/null || echo 0)\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return folder


def mortal() -> Callable[[], None] | None:
    """What makes a child obey file permissions, also where the tests run as root."""
    if os.geteuid() != 0:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    set_bounding, may_override, may_read = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_*

    def drop() -> None:
        for capability in (may_override, may_read):
            if library.prctl(set_bounding, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")

    return drop
