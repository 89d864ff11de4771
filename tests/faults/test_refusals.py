"""The disk refuses: each write, fsync, rename and truncation in turn, below SQLite, FAISS and
tantivy. The reader gets a sentence, the last complete generation stays, the next run goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.vault import Vault, figure, scale

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    source = str(HERE / "shim.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


def test_each_call_in_turn(shim: Path, tmp_path: Path):
    for seed in range(scale(1, 3)):
        root = tmp_path / str(seed)
        root.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.failing", str(root), str(scale(23, 1)), str(seed)],
            env={**os.environ, "LD_PRELOAD": str(shim)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        result = json.loads(done.stdout.splitlines()[-1])
        assert not result["wrong"], "\n".join(result["wrong"])[:6000]
        assert result["said"]["StorageError"] > result["cases"] / 4, result["said"]
        figure({key: result[key] for key in ("calls", "cases", "said")})


@pytest.mark.parametrize("kilobytes", [0, 20, 80])
def test_files_that_may_not_grow(tmp_path: Path, kilobytes: int):
    """RLIMIT_FSIZE instead of the shim: also where nothing can be compiled."""
    script = (
        "import random, resource, sys; from pathlib import Path; from rag.errors import RagError\n"
        "from tests.faults.vault import Vault\n"
        "vault = Vault(Path(sys.argv[1])); chance = random.Random(3); limit = int(sys.argv[2])\n"
        "vault.change(chance) if vault.notes.exists() else vault.fill(14, chance)\n"
        "if limit >= 0: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "try: vault.index(remove_missing=True)\n"
        "except RagError as error: sys.stderr.write(str(error)); sys.exit(2)\n"
    )

    def run(limit: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, str(tmp_path), str(limit)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run(-1).returncode == 0
    done = run(kilobytes << 10)
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert "disk" in done.stderr.lower(), done.stderr
    vault = Vault(tmp_path)
    engine = vault.engine()
    assert engine.search("honey in the meadow")
    engine.close()
    assert run(-1).returncode == 0
    assert vault.indexed() == vault.hashes()
