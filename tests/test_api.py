"""The Python API: what a program or a notebook user sees."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from rag import Entries, RagError, Statuses, open_notes
from rag.api import Notes
from rag.display import place
from rag.errors import Cancelled, NotesError, QuestionError
from rag.events import Answered, Retrieved
from tests.answering.test_answer import Said
from tests.conftest import Box

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"
BORNE_OUT_AND_NOT = "The rain barrel holds 300 litres. The rain barrel was a gift."
LIGHT = """
import sys
before = set(sys.modules)
import rag
assert rag.__version__ and "open_notes" in dir(rag)
ours = {"rag", "typing", "collections"}
print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in ours))
"""


@pytest.fixture
def opened(box: Box) -> Notes:
    notes = open_notes(box.notes, data_dir=box.data, cache_dir=box.cache)
    notes.engine.models._embedder = box.embedder
    return notes


class Tags(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert {name for name, _ in attrs} <= {"style", "open"}
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_importing_it_loads_nothing():
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() in ("[]", "['_typing']")


def test_a_question_and_its_follow_up(opened: Notes):
    with opened as notes:
        answer = notes.ask(BARREL)
        assert answer
        assert "300" in answer.text
        (cited,) = {each.path for each in answer.citations}
        assert cited == "barrel.md"
        assert "[1] barrel.md:3" in str(answer)
        assert answer.to_dict()["citations"][0]["path"] == "barrel.md"
        later = notes.ask("and when should it be emptied?", after=answer, quote=True)
        assert "frost" in later.text
        assert later.passages[0].path == "barrel.md"


def test_strict_leaves_out_what_the_notes_do_not_bear_out(opened: Notes):
    opened.refresh()
    opened.engine.models._generator = Said(BORNE_OUT_AND_NOT)
    said = opened.ask(BARREL)
    assert said.text == "The rain barrel holds 300 litres. [1] The rain barrel was a gift."
    assert str(said).startswith(f"{said.text} (?)\n")
    assert str(said).endswith("\n(?) not in your notes")
    page = Tags(said._repr_html_()).text
    assert "was a gift. (?)" in page
    assert page.endswith("(?) not in your notes")
    strict = opened.ask(BARREL, strict=True)
    assert strict.text == "The rain barrel holds 300 litres. [1]"
    assert "not in your notes" not in str(strict)
    *_, last = opened.stream(BARREL, strict=True)
    assert isinstance(last, Answered)
    assert [each.support for each in last.sentences] == ["supported"]


def test_what_the_notes_do_not_say(opened: Notes):
    answer = opened.ask("Who won the chess tournament in Reykjavik?")
    assert not answer
    assert answer.citations == ()
    assert answer.confidence < 0.5
    assert str(answer).startswith("Your notes do not say.\n\nNearest notes:\n[1] ")
    assert "Nearest notes:[1] " in Tags(answer._repr_html_()).text
    assert repr(answer).endswith(", 0 citations>")


def test_values_of_another_type_are_told_in_a_sentence(opened: Notes):
    for wrong, says in (
        (lambda: opened.ask(None), "The question is None, not a text."),
        (lambda: opened.search(5), "The question is 5, not a text."),
        (lambda: opened.ask("x", k="x"), "k is 'x', not a number"),
        (lambda: opened.ask("x", after="x"), "after is 'x', no answer"),
        (lambda: opened.ask("x", after=5), "after is 5, no answer"),
        (lambda: opened.search("x", tags=5), "tags is 5, no text"),
        (lambda: opened.search("x", where={"status": "x"}), "no list of texts. Write it as where="),
        (lambda: opened.entries(tag=5), "tag is 5, not a text"),
        (lambda: opened.entries(folder=None), "folder is None, not a text"),
        (lambda: opened.search("x", since=""), "since: has no value"),
        (lambda: opened.read(5), "5 is no path"),
        (lambda: open_notes(5), "5 is no folder"),
        (lambda: open_notes(b"notes"), "b'notes' is no folder"),
    ):
        with pytest.raises(RagError, match=re.escape(says)):
            wrong()


def test_filters_by_keyword(opened: Notes):
    assert [each.path for each in opened.search("Rhine", paths="trips/")] == ["trips/rhine.md"]
    assert opened.search("Rhine", paths=["trips/"], until=date.today())
    with pytest.raises(RagError, match="2000"):
        opened.search("Rhine", until=date(2000, 1, 1))
    with pytest.raises(TypeError, match="tagged"):
        opened.search("Rhine", tagged="x")  # type: ignore[call-arg]
    listed = opened.ask("Which notes mention the hive?")
    assert [each.path for each in listed.notes] == ["bees.md"]


def test_what_was_searched_for_a_mistyped_word_is_told(opened: Notes):
    found = opened.search("Did we cycle to Koblnz?").to_dict()
    assert found["passages"][0]["path"] == "trips/rhine.md"
    assert found["respelled"] == [{"typed": "Koblnz", "searched": "Koblenz"}]
    assert opened.search(BARREL).to_dict()["respelled"] == []


def test_notes_by_name(opened: Notes, box: Box):
    report = opened.index()
    assert report.added == 3
    assert [each.path for each in opened.entries()] == ["barrel.md", "bees.md", "trips/rhine.md"]
    assert [each.title for each in opened.entries(folder="trips/")] == ["Rhine"]
    assert opened.read("bees.md") == (box.notes / "bees.md").read_text()
    (box.notes / "bees.md").write_text("# Bees\n\n#garden/hive The hive is gone.\n")
    opened.refresh()
    assert [each.path for each in opened.entries(tag="#Garden")] == ["bees.md"]
    assert opened.status()[0].notes == 3
    for within, said in (
        ({"tag": "#nope"}, "No note is tagged 'nope'."),
        ({"tag": "gardn"}, "Did you mean 'garden'?"),
        ({"folder": "nope"}, "No note lies in 'nope'."),
        ({"folder": "trip"}, "Did you mean 'trips/'?"),
        ({"tag": "garden", "folder": "trips"}, "No note is tagged 'garden' and lies in 'trips'."),
    ):
        with pytest.raises(QuestionError) as told:
            opened.entries(**within)
        assert said in f"{told.value.message} {told.value.remedy}"
    with pytest.raises(QuestionError, match="No note is tagged 'nope'"):
        opened.search("hive", tags="nope")


def test_jupyter_shows_notes_and_counts_escaped(opened: Notes, box: Box):
    (box.notes / "<b>odd.md").write_text("---\ntitle: <script>x\ntags: [a]\n---\n\nOdd.\n")
    assert "not indexed yet" in Tags(opened._repr_html_()).text
    opened.index()
    entries, states = opened.entries(), opened.status()
    assert (type(entries), type(states)) == (Entries, Statuses)
    assert isinstance(entries, list)
    assert isinstance(states, list)
    shown = Tags(entries._repr_html_())
    assert set(shown.names) == {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert "<b>odd.md<script>xa" in shown.text
    assert "trips/rhine.mdRhine" in shown.text
    for page in (states._repr_html_(), opened._repr_html_()):
        assert str(box.notes) in Tags(page).text
    assert "… and 50 more" in Tags(Entries([entries[0]] * 250)._repr_html_()).text
    assert Tags(Entries()._repr_html_()).text == "No notes."


def test_the_types_of_what_is_given_can_be_named(opened: Notes):
    import rag

    assert set(rag.__all__) <= {*dir(rag)}
    answer = opened.ask(BARREL, quote=True)
    for value, name in (
        (answer, "Answer"),
        (answer.citations[0], "Citation"),
        (answer.passages[0], "Passage"),
        (opened.entries()[0], "NoteEntry"),
        (opened.status()[0], "Status"),
    ):
        assert type(value) is getattr(rag, name)


def test_only_indexed_notes_can_be_read(opened: Notes, box: Box):
    (box.folder / "secret.md").write_text("The key lies under the mat.\n")
    (box.notes / ".ragignore").write_text("private/\n")
    (box.notes / "private").mkdir()
    (box.notes / "private" / "diary.md").write_text("Nobody reads this.\n")
    opened.index()
    outside = ["../secret.md", str(box.folder / "secret.md"), "private/diary.md", "", "."]
    for path in [*outside, "trips/../../secret.md", "barrel.md\0", ".ragignore"]:
        with pytest.raises(NotesError):
            opened.read(path)
    (box.notes / "barrel.md").unlink()
    (box.notes / "barrel.md").symlink_to(box.folder / "secret.md")
    with pytest.raises(NotesError, match="leads out"):
        opened.read("barrel.md")
    with pytest.raises(NotesError, match="Did you mean 'bees"):
        opened.read("bee.md")


def test_what_cannot_be_opened(box: Box, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(NotesError, match="There is no folder"):
        open_notes(box.folder / "nowhere")
    with pytest.raises(NotesError, match=r"barrel\.md is a file, not a folder"):
        open_notes(box.notes / "barrel.md")
    with pytest.raises(RagError, match="No generator is called"):
        open_notes(box.notes, model="Gpt-9")
    monkeypatch.setenv("HOME", str(box.notes))
    home = open_notes("~", data_dir=box.data, cache_dir=box.cache)
    with pytest.raises(NotesError, match="much more"):
        home.index()
    with pytest.raises(NotesError, match="whole_home"):
        home.ask("Where is the hive?")
    whole = open_notes("~", data_dir=box.data, cache_dir=box.cache, whole_home=True)
    assert whole.index().added == 3


def test_an_answer_can_be_stopped(opened: Notes):
    stop = threading.Event()
    events = opened.stream(BARREL, cancel=stop.is_set)
    assert isinstance(next(events), Retrieved)
    stop.set()
    with pytest.raises(Cancelled):
        list(events)
    assert opened.ask(BARREL)


def test_threads_share_it(opened: Notes):
    done: list[bool] = []

    def work(number: int) -> None:
        for _ in range(3):
            if number % 2:
                *_, last = opened.stream(BARREL)
                done.append(isinstance(last, Answered) and last.answered)
            else:
                done.append(opened.search("hive", k=1)[0].path == "bees.md")
                done.append(bool(opened.read("bees.md")))

    opened.index()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert done == [True] * 18


def test_jupyter_shows_it_escaped(opened: Notes, box: Box):
    (box.notes / "<img src=x onerror=alert(1)>.md").write_text(
        "# Vault <script>alert(1)</script>\n\nThe vault code of the bank is "
        '<b onclick="x">4711</b> & not </details><script>alert(2)</script>.\n'
    )
    question = "What is the vault code of the bank?"
    page = Tags(opened.ask(question, quote=True)._repr_html_())
    assert set(page.names) <= {"div", "details", "summary", "mark", "sup"}
    assert "<script>alert(2)</script>" in page.text
    assert "<img src=x onerror=alert(1)>.md:3" in page.text
    assert page.names.count("mark") == 1
    found = Tags(opened.search(question)._repr_html_())
    assert set(found.names) <= {"div", "details", "summary", "span"}
    assert "4711" in found.text
    assert Tags(opened.search(question, k=1).__class__(())._repr_html_()).text == (
        "No passage was found."
    )


def test_what_leaves_the_machine_is_told(box: Box, monkeypatch: pytest.MonkeyPatch):
    box.index()
    notes = Notes(box.elsewhere())
    assert "questions go to big at ai.example.org" in repr(notes)
    notes.engine.models._generator = Said("The rain barrel holds 300 litres. [1]")
    answer = notes.ask(BARREL)
    said = "Written by big at ai.example.org: the question and these passages went there."
    assert str(answer).endswith(said)
    assert said in Tags(answer._repr_html_()).text
    assert "went there" not in str(notes.ask(BARREL, quote=True))
    monkeypatch.setenv("RAG_GENERATOR_MODEL", "endpoint")
    monkeypatch.setenv("RAG_ENDPOINT_MODEL", "big")
    places = {"data_dir": box.data, "cache_dir": box.cache}
    monkeypatch.setenv("RAG_ENDPOINT_URL", "https://ai.example.org/v1")
    with pytest.warns(UserWarning, match="go to big at ai.example.org"):
        open_notes(box.notes, **places)
    monkeypatch.setenv("RAG_ENDPOINT_URL", "http://localhost:8080/v1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "go to" not in repr(open_notes(box.notes, **places))


def test_jupyter_shows_a_list_without_its_marks(opened: Notes, box: Box):
    (box.notes / "hive.md").write_text("# Two * hives & [9]\n\nOf the hive: a*b < c.\n")
    answer = opened.ask("Which notes mention the hive?")
    page = Tags(answer._repr_html_())
    assert "Two * hives & [9] hive.md:3" in page.text
    assert "Of the hive: a*b < c." in page.text
    assert page.names.count("b") == 2
    assert "\\" not in page.text
    assert "**" not in page.text


def test_a_citation_of_a_notebook_names_the_cell_of_its_line(opened: Notes, box: Box):
    """A passage may go over several cells."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["The shed is painted red.\n"]},
        {"cell_type": "markdown", "metadata": {}, "source": ["The ladder is five metres long.\n"]},
    ]
    (box.notes / "lab.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}, indent=1))
    answer = opened.ask("How long is the ladder?", quote=True)
    (cited,) = answer.citations
    assert (cited.first, cited.place) == (14, "cell 2")
    assert "lab.ipynb:7-14 (cell 2)" in str(answer)
    assert "lab.ipynb:7-14 (cell 2)" in answer._repr_html_()
    assert opened.search("How long is the ladder?")[0].place == "cell 1"
    assert "lab.ipynb:7-14 (cell 2)" in box.rag("ask", "--quote", "How long is the ladder?").stdout


def test_a_page_is_named_where_there_are_pages(opened: Notes):
    passage = opened.search("rain barrel")[0]
    paged = replace(passage, path="heat.pdf", place="p. 3", headings=("Care",))
    assert place(paged) == "heat.pdf, p. 3  Care"
    assert place(passage).startswith("barrel.md:")
