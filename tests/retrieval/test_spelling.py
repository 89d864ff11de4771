"""Mistyped words, found by the nearest word of real notes."""

import json

import pytest

from rag.retrieval.spelling import Respelled, respell
from tests.conftest import Box

TEXT = (
    "# Diffusion\n\nDiffusion models learn to remove noise; their documentation is long. "
    "The modified horse trains in Köln.\n\n# 日本語\n\n日本語のノート\n"
)


@pytest.fixture
def typos(box: Box):
    (box.notes / "diffusion.md").write_text(TEXT, encoding="utf-8")
    box.index()
    engine = box.engine()

    def changed(question):
        index = engine._open_index()
        text, words = respell(question, index, engine.models.analyze, box.embedder.count_tokens)
        return text, [(each.typed, each.searched) for each in words]

    yield changed
    engine.close()


@pytest.mark.model
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("difusion", "diffusion"),  # a letter left out
        ("diffusoin", "diffusion"),  # two swapped, in the part that is cut from the stem
        ("Difussion", "Diffusion"),  # two slips in a long word; its capital stays
        ("DOCUMENTAION", "DOCUMENTATION"),
        ("ddiffusion", "diffusion"),
        ("iffusion", "diffusion"),  # the first letter too, if it is the only slip
        ("barrrel", "barrel"),
    ],
)
def test_a_slip_is_searched_as_the_notes_spell_it(typos, typed, meant):
    assert typos(f"What is {typed}?") == (f"What is {meant}?", [(typed, meant)])


@pytest.mark.model
@pytest.mark.parametrize(
    "question",
    [
        "What is diffusion?",  # a note holds it
        "Do diffusions and trainings differ?",  # its stem is held
        "Where is the house?",  # a word, though no note holds it and "horse" is near
        'Is there "difusion" in quotes, or [[Difusion]]?',
        "What is difuson2 and a_difusion?",  # no words but names of things
        "the frts",  # short words have too many neighbours
        "xylophonist",  # nothing is near
        "日本誌のノード",
    ],
)
def test_other_words_stay(typos, question):
    assert typos(question) == (question, [])


@pytest.mark.model
def test_the_reader_is_told(box: Box):
    (box.notes / "diffusion.md").write_text(TEXT, encoding="utf-8")
    shown = box.rag("search", "difusion documentaion", "-k", "1")
    assert "diffusion.md:" in shown.stdout
    assert "“difusion” is in no note; also searched “diffusion”." in shown.stderr
    explained = json.loads(box.rag("search", "difusion", "--explain", "--json").stdout)
    assert explained["respelled"] == [{"typed": "difusion", "searched": "diffusion"}]
    assert explained["query"] == "diffusion"
    assert explained["passages"][0]["terms"] == ["diffus"]
    asked = json.loads(box.rag("ask", "--quote", "--json", "What is difusion?").stdout)
    assert asked["respelled"] == explained["respelled"]
    assert json.loads(box.rag("search", "noise", "--json").stdout)["respelled"] == []


@pytest.mark.model
def test_a_word_of_another_folder_is_no_slip(box: Box):
    work = box.folder / "work"
    work.mkdir()
    (work / "telnet.md").write_text("# Old protocols\n\nTelnet is an old protocol.\n")
    (box.notes / "telenet.md").write_text("# Telenet\n\nTelenet was a network.\n")
    both = ("--notes", str(box.notes), "--notes", str(work))
    found = json.loads(box.rag("search", "--json", *both, "Telnet").stdout)
    assert found["respelled"] == []
    found = json.loads(box.rag("search", "--json", *both, "Tellnet").stdout)
    assert [each["searched"] for each in found["respelled"]] in (["Telnet"], ["Telenet"])


def test_what_is_said():
    assert str(Respelled("a", "b")) == "“a” is in no note; also searched “b”."
