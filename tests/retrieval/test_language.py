"""Another language is told by a question's small words; the notes' own sentence answers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.evaluation.matching import unmarked
from rag.events import Answered
from rag.retrieval.language import in_english
from tests.conftest import Box

CORPUS_QUESTIONS = Path(__file__).parents[1] / "data" / "corpus-questions.jsonl"
NOTES = {
    "imkern.md": "# Imkern\n\nDie Beute steht hinter dem Schuppen.\n\n## Honig\n\nDer Bienenstock "
    "steht am Waldrand. Den Honig ernten wir Mitte Juli, wenn die Waben verdeckelt sind.\n",
    "jardin.md": "# Jardin\n\nLa citerne contient 300 litres. On la vide avant les gelées.\n\n"
    "## Potager\n\nPierre a construit la serre en 2021.\n",
}


@pytest.mark.parametrize(
    "question",
    [
        "Wann ernten wir den Honig?",
        "was kostet der zaun im monat",
        "Was ist MCP?",
        "In welchem Jahr wurde die Scheune gebaut?",
        "Nenne die Teile der Wärmepumpe",
        "Quand plante-t-on les tomates ?",
        "Qu'est-ce que l'apprentissage profond ?",
        "comment faire du pain",
        "¿Quién construyó el granero?",
        "donde esta el contrato",
        "Dove si trova il contratto?",
        "Quem construiu o celeiro?",
        "Waarom is de schuur groen?",
        "Var står bikupan och när skördas honungen?",
        "Hvornår høstes honningen?",
        "Gdzie jest umowa?",
        "Когда собирают мёд?",
        "蜂蜜はいつ採れますか",
    ],
)
def test_another_language_is_told(question: str):
    assert not in_english(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote Les Fleurs du Mal?",
        "When was El Camino de la Costa paved?",
        "Was Basel mentioned?",
        "Was the die cast in a mould?",
        "In what year did we see Das Boot?",
        "List the war memorials in die Pfalz",
        "is the Van der Berg house in Den Haag ours",
        "leg of lamb oven time",
        "dove nesting box",
        "Ben Hur chariot race",
        "São Paulo office address",
        "rain barrel",
        "2021",
        "Is it done?",
        "Do es-modules load com objects?",
    ],
)
def test_english_with_foreign_names_stays_english(question: str):
    assert in_english(question)


def test_questions_typed_about_the_example_notes_are_english():
    rows = CORPUS_QUESTIONS.read_text(encoding="utf-8").splitlines()
    asked = [json.loads(row)["question"] for row in rows]
    assert len(asked) > 90
    assert [each for each in asked if not in_english(each)] == []


@pytest.mark.model
def test_the_notes_own_sentence_answers_in_their_language(box: Box):
    """The reader and the model, which know English alone, said "der Bienenstock"."""
    for name, text in NOTES.items():
        (box.notes / name).write_text(text, encoding="utf-8")
    box.index()
    engine = box.engine()
    said = {}
    for question in (
        "Wann ernten wir den Honig?",
        "Qui a construit la serre ?",
        "When was the hive painted green?",
    ):
        *_, done = engine.ask(question)
        assert isinstance(done, Answered)
        assert done.answered
        said[question] = (unmarked(done.answer), done.model)
    german, french, english = said.values()
    assert german == ("Den Honig ernten wir Mitte Juli, wenn die Waben verdeckelt sind.", "")
    assert french == ("Pierre a construit la serre en 2021.", "")
    assert english[0] in ("2019", "in 2019")
    assert english[1] != "", "the model answers what is asked in English"
