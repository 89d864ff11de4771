"""What a command may import: every package here is waited for at each start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
SHELL = {"platformdirs", "psutil", "rich", "markdown_it", "mdurl", "pygments", "regex", "pathspec"}
SEARCH = {*SHELL, "numpy", "onnxruntime", "tantivy", "tokenizers"}
MODEL = {*SEARCH, "llama_cpp", "diskcache", "jinja2", "markupsafe", "typing_extensions"}
ALLOWED = {
    ("index",): {*SHELL, "tantivy"},  # to see whether the words lag
    ("status",): SHELL,
    ("ask", "Which notes mention the hive?"): {*SHELL, "tantivy"},
    ("search", "hive"): SEARCH,
    ("ask", "--quote", "What colour is the hive?"): SEARCH,
    ("ask", "How many litres does the rain barrel hold?"): MODEL,
}
SCRIPT = """
import json, os, sys
from rag.cli import main
status = main(json.loads(sys.argv[1]))
names = set()
for name, module in list(sys.modules.items()):
    if "site-packages" in (getattr(module, "__file__", None) or ""):
        names.add(name.partition(".")[0])
os.write(2, ("\\n" + json.dumps(sorted(names))).encode())
raise SystemExit(status)
"""


@pytest.fixture
def indexed(box: Box) -> Box:
    box.index()
    return box


def imported(box: Box, *command: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(command)],
        env=box.environ(),
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("command", ALLOWED, ids=" ".join)
def test_no_command_imports_more_than_it_needs(indexed: Box, command: tuple[str, ...]):
    names = {each for each in imported(indexed, *command) if not each.startswith(("_", "rag"))}
    assert names <= ALLOWED[command]
