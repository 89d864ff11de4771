"""`rag open`: the note that was meant, at the line that matters, in the reader's editor."""

from __future__ import annotations

import json
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.shell.jump import Spot
from tests.conftest import Box

pytestmark = pytest.mark.model
LONG = "# Shed\n\n" + "\n\n".join(f"Plank {n} is oak." for n in range(4)) + "\n\nThe key of the "
LONG += "shed hangs behind the door.\n"


def printed(box: Box, *words: str) -> tuple[str, int]:
    done = box.rag("open", "--print", *words)
    assert done.returncode == 0, done.stderr
    path, _, line = done.stdout.strip().rpartition(":")
    return str(Path(path).relative_to(box.notes)), int(line)


def test_by_words_by_title_and_by_path(box: Box):
    (box.notes / "shed.md").write_text(LONG)
    assert printed(box, "where does the key hang?") == ("shed.md", 11)
    assert printed(box, "how", "many", "litres?") == ("barrel.md", 3)
    assert printed(box, "rain barrel") == ("barrel.md", 1)
    assert printed(box, "[[Bees]]") == ("bees.md", 1)
    assert printed(box, "trips/rhine.md") == ("trips/rhine.md", 1)
    assert printed(box, "--path", "trips/", "a barrel") == ("trips/rhine.md", 3)
    spot = json.loads(box.rag("open", "--json", "rain barrel").stdout)
    file = str(box.notes / "barrel.md")
    assert spot == {"path": "barrel.md", "line": 1, "place": "", "file": file}


def test_a_section_that_title_and_headings_name_is_opened_at_its_heading(box: Box):
    (box.notes / "garden plan.md").write_text(
        "---\ntags: garden\n---\n\n# Garden plan\n\nTo be dug in May.\n\n## Water\n\n"
        "![[pump.png]]\n\n- [ ] buy seeds\n- [ ] ask Ada for the hose of the water butt\n\n"
        "## Soil\n\nLoam.\n"
    )
    assert printed(box, "water") == ("garden plan.md", 9)
    assert printed(box, "Garden plan water") == ("garden plan.md", 9)
    assert printed(box, "who has the hose?") == ("garden plan.md", 14)


def test_what_no_note_is_about_opens_none(box: Box):
    box.index()
    done = box.rag("open", "--print", "zzz qqq xylophone blargh")
    assert (done.returncode, done.stdout) == (1, "")
    said = done.stderr
    assert "Nothing in your notes" in said
    nearest = said.rpartition("The nearest is ")[2].strip().partition(":")[0]
    assert (box.notes / nearest).is_file()
    as_json = box.rag("open", "--json", "zzz qqq xylophone blargh")
    assert as_json.returncode == 1
    assert nearest in json.loads(as_json.stdout)["remedy"]
    assert printed(box, "--path", "trips/", "xylophone")[0] == "trips/rhine.md"


def test_in_the_editor(box: Box):
    box.index()
    (box.folder / "vi").write_text('#!/bin/sh\necho "$@" > opened\nexit ${FAILS:-0}\n')
    (box.folder / "vi").chmod(0o755)
    box.env |= {"EDITOR": str(box.folder / "vi"), "VISUAL": ""}
    box.refused("open", "rain barrel", says="--print")
    box.refused("open", "", says='No note is named. By its title, or by words of it: rag open "…"')
    assert in_terminal(box, "open", "how many litres?") == 0
    opened = (box.folder / "opened").read_text()
    assert opened.strip() == f"+3 {box.notes / 'barrel.md'}"
    box.env["FAILS"] = "3"
    assert in_terminal(box, "open", "rain barrel") == 2
    box.env["EDITOR"] = "/nowhere/vi"
    assert in_terminal(box, "open", "rain barrel") == 2
    box.refused("open", "rain barrel", says="There is no editor '/nowhere/vi'")


def test_a_document_opens_in_its_own_program(box: Box, opener: Path):
    pytest.importorskip("pypdfium2")
    shutil.copy(Path(__file__).parents[1] / "data" / "documents" / "heat.pdf", box.notes)
    box.index()
    assert box.rag("open", "heat.pdf").returncode == 0
    assert (opener / "opened").read_text() == f"{box.notes / 'heat.pdf'}\n"
    (opener / "status").write_text("3")
    box.refused("open", "heat.pdf", says="found no program that opens heat.pdf")
    box.env["DISPLAY"] = ""
    box.refused("open", "heat.pdf", says="no display here to open heat.pdf on. Its place: rag open")


def test_a_link_to_a_page_leads_there(box: Box):
    pytest.importorskip("pypdfium2")
    (box.notes / "papers").mkdir()
    shutil.copy(Path(__file__).parents[1] / "data" / "documents" / "heat.pdf", box.notes / "papers")
    (box.notes / "a.md").write_text("# Heat\n\n![[heat.pdf#page=2]]\n")
    file = box.notes / "papers" / "heat.pdf"
    for words in ("[[heat.pdf#page=2]]", "papers/heat.pdf#page=2"):
        assert box.rag("open", "--print", words).stdout == f"{file}, p. 2\n"
    spot = json.loads(box.rag("open", "--json", "[[heat.pdf#page=2]]").stdout)
    assert spot["place"] == "p. 2"
    assert spot["line"] > 1
    done = box.rag("open", "--print", "[[heat.pdf#page=99]]")
    assert done.stdout == f"{file}\n"
    assert "No page 99 of papers/heat.pdf can be read, or it has none" in done.stderr
    assert box.rag("open", "--print", "papers/heat.pdf").stdout == f"{file}\n"


def test_a_note_that_is_gone(box: Box):
    box.index()
    (box.notes / "barrel.md").unlink()
    box.refused("open", "--no-refresh", "--print", "rain barrel", says="no longer there")


def in_terminal(box: Box, *arguments: str) -> int:
    """The status of `rag` run in a terminal."""
    ours, theirs = pty.openpty()
    return subprocess.run(
        [sys.executable, "-m", "rag", *arguments],
        env=box.environ(), cwd=box.folder, stdin=theirs, stdout=theirs, stderr=theirs,
        timeout=120, check=False, pass_fds=(ours,),
    ).returncode  # fmt: skip


def test_a_page_is_named_in_place_of_a_line_that_no_file_has():
    file = Path("/notes/manual.pdf")
    assert Spot("manual.pdf", 40, file, "p. 3").written() == "/notes/manual.pdf, p. 3"
    assert Spot("manual.pdf", 1, file).written() == "/notes/manual.pdf"
    assert Spot("a.docx", 4, Path("/notes/a.docx")).written() == "/notes/a.docx"
    assert Spot("a.ipynb", 4, Path("/notes/a.ipynb"), "cell 2").written() == "/notes/a.ipynb:4"
