"""Notes that a question names, in a real index."""

from __future__ import annotations

import pytest

from rag.retrieval.names import (
    by_title,
    defined_passages,
    named_notes,
    named_passages,
    spoken,
    with_antecedent,
)
from rag.retrieval.search import search
from tests.indexing.conftest import Desk

NOTES = {
    "RAG.md": "---\naliases: [retrieval augmented generation]\n---\n# RAG\n\nFinds, then writes.\n",
    "Bees.md": "# Bees\n\nThey hum.\n",
    "rain barrel.md": "# Rain barrel\n\nHolds water.\n",
    "barrel.md": "# barrel\n\nA wooden one.\n",
    "How to.md": "# How to\n\nInstructions.\n",
    "tools/C++.md": "# C++\n\nA language.\n",
    "people/Théo Martin.md": "# Théo Martin\n\nA friend.\n",
    "日本旅行.md": "# 日本旅行\n\n秋に行く。\n",
    "iPhone.md": "# iPhone\n\nA telephone.\n",
    **{f"p{n}/README.md": f"# Read me {n}\n\nText.\n" for n in range(7)},
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    desk = Desk(folder / "notes", folder / "index")
    for name, text in NOTES.items():
        desk.write(name, text)
    desk.update()
    index = desk.open()
    yield index
    index.close()


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("How does [[rag]] work?", ["RAG.md"]),
        ("How does [[RAG#Parts|it]] work?", ["RAG.md"]),
        ("How does RAG work?", ["RAG.md"]),
        ("RAG: what is it?", ["RAG.md"]),
        ("I asked him to clean with a rag", []),
        ("What is Retrieval-Augmented generation?", []),
        ("What is Retrieval Augmented  Generation?", ["RAG.md"]),
        ("Where do the bees live?", []),
        ("Where do the Bees live?", ["Bees.md"]),
        ("Bees live where?", []),  # a capital begins every sentence
        ('Where do the "bees" live?', ["Bees.md"]),
        ("How big is the rain barrel?", ["rain barrel.md"]),
        ("How big is the rain barrels?", []),
        ("is the barrel wood", []),
        ("How to prune roses?", []),
        ("Read [[how to]] first", ["How to.md"]),
        ("Is C++ hard?", ["tools/C++.md"]),
        ("Is C hard?", []),
        ("When did I meet theo martin?", ["people/Théo Martin.md"]),
        ("日本旅行はいつですか", ["日本旅行.md"]),
        ("iPhone or not?", ["iPhone.md"]),
        ("What does the README say?", []),
        ("What does [[p3/README]] say?", ["p3/README.md"]),
        ("RAG with [[bees]]?", ["Bees.md", "RAG.md"]),
        ("[[]] [[nothing]] [[#]] [[|x]] \"\" ?", []),
    ],
)  # fmt: skip
def test_which_notes_a_question_names(index, question, named):
    assert [note.path for note in named_notes(index, question)] == named


def test_a_long_question_is_searched_for_names_within_bounds(index):
    asked = []

    class Counting:
        find_notes = index.find_notes

        def notes_named(self, keys):
            asked.extend(keys)
            return index.notes_named(keys)

    assert [note.path for note in named_notes(Counting(), "Is RAG " + "a日b本" * 500)] == ["RAG.md"]
    assert 0 < len(asked) <= 4000


def test_brackets_are_not_said():
    assert (
        spoken("Is [[RAG]] like [[x/GPT.md#Use|that]] in [x]?")
        == "Is RAG like that GPT Use in [x]?"
    )
    assert spoken("[[]] ![[a|a]] [[|x]]") == " a x"


def test_a_named_note_is_a_candidate_with_its_true_scores(index):
    """Nothing else would find it: the search keeps one candidate a side."""

    class Embedder:
        def embed_query(self, text):
            return index.vectors(index.passages_of([bees.id], 1))[bee_passage]

    (bees,) = index.find_notes("bees")
    (bee_passage,) = index.passages_of([bees.id], 5)
    question = "water in the rain barrel and RAG and [[C++]]"
    terms = ["water", "finds", "write"]
    named = named_passages(index, question)
    assert len(named) == 3

    def run(depth, named=()):
        found = search(index, Embedder(), str.split, terms, question, 20, depth=depth, named=named)
        return {each.path: each for each in found.passages}

    wide = run(100)
    assert set(run(1)) == {"Bees.md", "rain barrel.md"}
    narrow = run(1, named)
    assert set(narrow) == {"Bees.md", "rain barrel.md", "RAG.md", "tools/C++.md"}
    for path in ("rain barrel.md", "RAG.md", "tools/C++.md"):
        assert narrow[path].meaning == pytest.approx(wide[path].meaning, abs=1e-3)
        assert narrow[path].words == wide[path].words
    assert narrow["RAG.md"].words
    assert narrow["tools/C++.md"].words is None


@pytest.mark.parametrize(
    ("question", "opened"),
    [
        ("What is RAG?", "RAG.md"),
        ("what's retrieval augmented generation", "RAG.md"),
        ("What are the bees?", "Bees.md"),
        ("What is a rain barrel?", "rain barrel.md"),
        ("What is [[Bees]]?", "Bees.md"),
        ("Who is Theo Martin?", "people/Théo Martin.md"),
        ("What does “RAG” mean?", "RAG.md"),
        ("Define iPhone.", "iPhone.md"),
        ("What is the colour of the rain barrel?", None),
        ("How does RAG work?", None),
        ("What is ?", None),
        ("What is nothing?", None),
    ],
)
def test_a_question_for_a_definition_opens_the_note(index, question, opened):
    found = index.passages(defined_passages(index, question)).values()
    assert [each.path for each in found] == ([opened] if opened else [])


@pytest.mark.model
def test_the_opening_of_a_note_that_is_asked_for_gets_a_boost(corpus_engine):
    best = corpus_engine.search("What is retrieval-augmented generation?", 2)
    assert (best[0].path, best[0].reasons.boost) == ("RAG.md", 0.05)
    assert best[1].reasons.boost == 0


@pytest.mark.parametrize(
    ("question", "before", "wanted"),
    [
        ("and her phone?", "When was Leila Haddad born?", "and Leila Haddad’s phone?"),
        ("how did I rate it?", "Who wrote Piranesi?", "how did I rate Piranesi?"),
        ("and when did I finish it?", "how did I rate it? (Piranesi)", "and when did I finish "
         "Piranesi?"),
        ("and when did I read it?", "What do I pay for bees?", None),
        ("and when was it?", "Who is in Piranesi?", None),  # about whoever is in it
        ("and Piranesi, when was it?", "When was Leila Haddad born?", None),
        ("and when?", "Who wrote Piranesi?", None),
    ],
)  # fmt: skip
def test_a_pronoun_stands_for_the_one_note_that_was_named(desk, question, before, wanted):
    desk.write("Leila Haddad.md", "Born 1990.\n")
    desk.write("Piranesi.md", "By Susanna Clarke.\n")
    desk.update()
    index = desk.open()
    assert with_antecedent(index, question, before) == (wanted or question)
    index.close()


def test_an_alias_that_its_note_never_uses_gives_way_to_the_title(desk):
    desk.write("Katherine Moss.md", "---\naliases: [Kit, KM]\n---\nA vet; KM to her friends.\n")
    desk.write("Sam.md", "---\naliases: [Jo Bell]\n---\nA text.\n")
    desk.write("Ann.md", "---\naliases: [Jo Bell]\n---\nA text.\n")
    desk.update()
    index = desk.open()
    assert by_title(index, "Where does Kit's dog live?") == "Where does Katherine Moss's dog live?"
    for same in ("Where is KM?", "Where is Jo Bell?", "a kit for [[Kit]]", "Where is Ann?"):
        assert by_title(index, same) == same
    index.close()
