"""Conversations that are kept: found, renamed, deleted and brought back, branched."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.conversation_file import DATABASE
from rag.answering.conversations import TITLE_CHARS, Conversations, title_of
from rag.answering.saved import SavedTurn, from_json, to_json
from rag.answering.steps import Citation, Sentence
from rag.errors import RagError
from rag.retrieval.found import Answering, Evidence, Passage

TEXT = "The rain barrel holds 300 litres.\nTap at the back."
PASSAGE = Passage(
    7, "house/\udcff barrel.md", "Barrel", ("House", "Water"), 3, 4, TEXT, 0.9, 0.8, None,
    place="cell 1", later=((4, "cell 2"),),
)  # fmt: skip
CITATION = Citation(1, PASSAGE.path, 3, 3, PASSAGE.headings, TEXT.split("\n")[0])
TURN = SavedTurn(
    question="How much does the rain barrel hold?",
    answer="It holds 300 litres. [1]",
    answered=True,
    query="rain barrel hold",
    sentences=(Sentence("It holds 300 litres. [1]", (CITATION,), "supported"),),
    citations=(CITATION,),
    passages=(PASSAGE,),
    evidence=(Evidence(1, CITATION.quote, 3, 3, 0, 33, 0.9, 0.8),),
    model="small",
    tokens_per_s=40.0,
    seconds=1.5,
    asked=1_700_000_000.0,
)
OTHER = replace(
    TURN, question="Où est la ruche ?", answer="Derrière l'abri.", asked=1_700_000_100.0
)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(tmp_path: Path, notes: Path):
    conversations = Conversations(tmp_path / "data", notes)
    yield conversations
    conversations.close()


def ids(found) -> list[int]:
    return [each.id for each in found]


def test_a_turn_comes_back_as_it_was(kept: Conversations):
    first = kept.add(None, TURN)
    assert kept.add(first, OTHER) == first
    assert kept.turns(first) == (TURN, OTHER)
    (found,) = kept.all()
    assert (found.title, found.turns) == (TURN.question, 2)
    assert (found.created, found.updated) == (TURN.asked, OTHER.asked)


def test_where_a_reader_pointed_is_not_kept(kept: Conversations):
    places = tuple(Answering(n, n + 9, 1.0 - n) for n in range(24))
    pointed = replace(PASSAGE, answering=Answering(26, 36, 3.0, places))
    (turn,) = kept.turns(kept.add(None, replace(TURN, passages=(pointed,))))
    assert turn == TURN
    _, *columns, shown = to_json(TURN)
    values = json.loads(shown)
    values["passages"][0]["answering"] = {"start": 26, "end": 36, "odds": 3.0}  # as it once was
    old = from_json(TURN.question, *columns[:3], TURN.asked, json.dumps(values))
    assert old.passages == TURN.passages


def test_the_latest_comes_first_and_survives_reopening(
    kept: Conversations, tmp_path: Path, notes: Path
):
    old, new = kept.add(None, OTHER), kept.add(None, TURN)
    assert ids(kept.all()) == [old, new]
    kept.add(new, replace(TURN, asked=OTHER.asked + 1))
    again = Conversations(tmp_path / "data", notes)
    assert ids(again.all()) == [new, old]
    assert again.latest() == again.get(new)


def test_words_are_found_in_questions_answers_and_titles(kept: Conversations):
    barrel, hive = kept.add(None, TURN), kept.add(None, OTHER)
    assert ids(kept.search("litres 300")) == [barrel]
    assert "300 litres" in kept.search("litr")[0].found
    assert ids(kept.search("derriere RUCHE")) == [hive]
    assert kept.search("barrel ruche") == []
    kept.rename(hive, "Where the bees live")
    assert ids(kept.search("bees")) == [hive]
    assert ids(kept.search(" ?! ")) == [hive, barrel]


@pytest.mark.parametrize("text", ['"', "a OR", "NEAR(", "col:x", "-not", "*", "it's \"x", "\x00"])
def test_a_search_is_words_not_syntax(kept: Conversations, text: str):
    kept.add(None, TURN)
    kept.search(text)


def test_deleting_can_be_undone_until_it_is_purged(kept: Conversations):
    first, second = kept.add(None, TURN), kept.add(None, OTHER)
    kept.delete(first)
    assert ids(kept.all()) == [second]
    assert kept.search("litres") == []
    with pytest.raises(RagError, match="no conversation"):
        kept.get(first)
    kept.restore(first)
    assert kept.turns(first) == (TURN,)
    kept.delete(first)
    kept.purge(time.time() - 60)  # deleted just now: stays
    kept.restore(first)
    assert kept.turns(first) == (TURN,)
    kept.delete(first)
    kept.purge(time.time() + 60)
    kept.restore(first)
    assert ids(kept.all()) == [second]
    assert kept.turns(first) == ()
    assert ids(kept.search("litres")) == []


def test_a_branch_keeps_the_turns_before_and_leaves_the_old_one(kept: Conversations):
    first = kept.add(None, TURN)
    kept.add(first, OTHER)
    branch = kept.branch(first, 1)
    kept.add(branch, replace(OTHER, question="Another way?"))
    assert [turn.question for turn in kept.turns(branch)] == [TURN.question, "Another way?"]
    assert kept.turns(first) == (TURN, OTHER)
    assert kept.get(branch).title.endswith("(branch)")


def test_questions_are_remembered_once_in_order(kept: Conversations):
    first = kept.add(None, TURN)
    kept.add(first, OTHER)
    kept.add(None, TURN)
    assert kept.questions() == [OTHER.question, TURN.question]
    assert kept.questions(1) == [TURN.question]
    kept.delete(first)
    assert kept.questions() == [TURN.question]


def test_the_last_turn_can_be_asked_anew(kept: Conversations):
    first = kept.add(None, TURN)
    kept.add(first, OTHER)
    anew = replace(TURN, question="Anew?", answer="Otherwise.", asked=OTHER.asked + 5)
    kept.replace_last(first, anew)
    assert kept.turns(first) == (TURN, anew)
    assert kept.search("ruche") == []
    assert ids(kept.search("otherwise")) == [first]
    assert kept.get(first).updated == anew.asked


def test_titles_are_short_and_never_blank(kept: Conversations):
    assert title_of("  Why\n\n now? ") == "Why now?"
    assert len(title_of("word " * 100)) <= TITLE_CHARS
    assert len(title_of("x" * 500)) <= TITLE_CHARS
    first = kept.add(None, TURN)
    kept.rename(first, "  \n ")
    assert kept.get(first).title == TURN.question


def test_each_folder_has_its_own_and_they_follow_it(kept: Conversations, tmp_path: Path):
    mine = kept.add(None, TURN)
    (tmp_path / "other").mkdir()
    other = Conversations(tmp_path / "data", tmp_path / "other")
    assert other.all() == []
    assert other.latest() is None
    moved = tmp_path / "renamed"
    kept.notes_folder.rename(moved)
    assert ids(Conversations(tmp_path / "data", moved).all()) == [mine]
    kept.notes_folder.mkdir()  # a new folder at the old place is another one
    assert Conversations(tmp_path / "data", kept.notes_folder).all() == []


def test_half_characters_in_names_and_questions_are_kept_somehow(tmp_path: Path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    kept = Conversations(tmp_path / "data", folder)
    first = kept.add(None, replace(TURN, question="What is \udce9?"))
    assert Conversations(tmp_path / "data", folder).get(first).title == "What is ??"


def test_deleting_the_indexes_deletes_no_conversation(
    kept: Conversations, tmp_path: Path, notes: Path
):
    kept.add(None, TURN)
    (tmp_path / "data" / "indexes" / "x").mkdir(parents=True)
    (tmp_path / "data" / "folders.json").write_text("[]")
    shutil.rmtree(tmp_path / "data" / "indexes")
    (tmp_path / "data" / "folders.json").unlink()
    assert Conversations(tmp_path / "data", notes).latest()


def test_speeds_are_averages_of_the_last_answers(kept: Conversations):
    for speed in (*[10.0] * 5, *[40.0] * 20, 0.0):
        kept.add(None, replace(TURN, tokens_per_s=speed))
    kept.add(None, replace(TURN, model="big", tokens_per_s=5.0))
    assert kept.speeds() == {"small": 40.0, "big": 5.0}


def test_two_processes_and_many_threads_may_write(kept: Conversations, tmp_path: Path, notes: Path):
    other = Conversations(tmp_path / "data", notes)
    first = kept.add(None, TURN)

    def write(conversations: Conversations) -> None:
        for _ in range(10):
            conversations.add(first, TURN)

    threads = [threading.Thread(target=write, args=(each,)) for each in (kept, kept, other)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert kept.get(first).turns == 31


def test_what_a_newer_version_wrote_is_refused_and_its_fields_are_skipped(
    kept: Conversations, tmp_path: Path, notes: Path
):
    first = kept.add(None, TURN)
    db = sqlite3.connect(kept.file)
    db.execute("UPDATE turns SET shown = json_set(shown, '$.passages[0].colour', 'green')")
    db.execute("DELETE FROM turn_sums")  # it would write its own
    db.commit()
    assert kept.turns(first) == (TURN,)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(RagError, match="newer version"):
        Conversations(tmp_path / "data", notes)


def test_a_file_that_is_none_is_set_aside(tmp_path: Path, notes: Path):
    (tmp_path / DATABASE).write_bytes(b"not a database " * 300)
    kept = Conversations(tmp_path, notes)
    assert "was damaged; 0 turns could be read" in kept.notice
    kept.add(None, TURN)
    kept.close()
    (aside,) = tmp_path.glob("*.damaged-*")
    assert aside.read_bytes() == b"not a database " * 300
    assert [each.turns for each in Conversations(tmp_path, notes).all()] == [1]


def test_a_conversation_that_was_forgotten_meanwhile_begins_anew(tmp_path: Path):
    here = Conversations(tmp_path / "data", tmp_path)
    there = Conversations(tmp_path / "data", tmp_path)
    for write in (here.add, here.replace_last):
        first = here.add(None, TURN)
        there.forget_turns(there.quoting([PASSAGE.path], ()))
        second = write(first, TURN)
        assert [each.question for each in here.turns(second)] == [TURN.question]
        assert [each.id for each in here.all()] == [second]
    here.close()
    there.close()
