"""An answer as it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rag.answering.steps import Sentence
from rag.commands.answers import answering, answering_json, answering_lines
from rag.errors import Cancelled, ModelError, RagError
from rag.events import Answered, Event, Retrieved
from tests.tui.fake_engine import GAVE, LITRES, PASSAGES, citation, evidence

Printed = Callable[[Iterator[Event]], Answered]


@pytest.mark.parametrize(
    "printed", [lambda events: answering(events, stream=True), answering_json, answering_lines]
)
def test_an_answer_that_breaks_off_is_an_error(printed: Printed) -> None:
    with pytest.raises(RagError, match="broke off"):
        printed(iter(()))


def test_what_is_cited_is_numbered_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    second, first = PASSAGES[1], PASSAGES[0]
    sentences = (
        Sentence("Fifteen on 14 July. [2]", (citation(second, 2, GAVE, 40),), "supported"),
        Sentence("Ten a week. [1]", (citation(first, 1, LITRES, 13),), "supported"),
    )
    cited = tuple(each.citations[0] for each in sentences)
    done = Answered("Q?", "", True, cited, PASSAGES, {}, "", 0.0, "Q?", sentences=sentences)
    answering(iter((*sentences, done)), stream=True)
    said = capsys.readouterr().out
    assert "Fifteen on 14 July. [1] ✓ Ten a week. [2] ✓" in said
    assert said.index("[1] garden/2024 log.md:40-42") < said.index("[2] garden/tomatoes.md:12-14")


def test_a_refusal_quotes_what_comes_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    found = Retrieved(PASSAGES, (evidence(PASSAGES[1], 2, GAVE, 40),), "Q?")
    refused = Answered("Q?", "Your notes do not say.", False, (), PASSAGES, {}, "", 0.0, "Q?")
    answering(iter((found, refused)), stream=True)
    said = capsys.readouterr().out
    assert f"[2] garden/2024 log.md:40-42  July\n    {GAVE}\n[3]" in said


def _then(error: RagError, *events: Event) -> Iterator[Event]:
    yield from events
    raise error


def test_what_was_found_is_shown_where_the_model_fails(capsys: pytest.CaptureFixture[str]) -> None:
    found = Retrieved(PASSAGES, (evidence(PASSAGES[1], 2, GAVE, 40),), "Q?")
    with pytest.raises(ModelError):
        answering(_then(ModelError("It broke off."), found), stream=True)
    said = capsys.readouterr().out
    assert said.startswith("Found in your notes:\n[1] garden/tomatoes.md:12-14")
    assert f"[2] garden/2024 log.md:40-42  July\n    {GAVE}\n" in said

    sentence = Sentence("Fifteen on 14 July. [2]", (citation(PASSAGES[1], 2, GAVE, 40),), "weak")
    with pytest.raises(ModelError):
        answering(_then(ModelError("It broke off."), found, sentence), stream=True)
    said = capsys.readouterr().out
    assert said.startswith("Fifteen on 14 July. [1] ≈\nFound in your notes:\n[1] garden/2024 log")
    assert "tomatoes.md" not in said

    with pytest.raises(Cancelled):
        answering(_then(Cancelled(), found), stream=True)
    assert not capsys.readouterr().out
