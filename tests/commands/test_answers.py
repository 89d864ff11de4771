"""An answer as it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rag.commands.answers import answering, answering_json, answering_lines
from rag.errors import RagError
from rag.events import Answered, Event

Printed = Callable[[Iterator[Event]], Answered]


@pytest.mark.parametrize(
    "printed", [lambda events: answering(events, stream=True), answering_json, answering_lines]
)
def test_an_answer_that_breaks_off_is_an_error(printed: Printed) -> None:
    with pytest.raises(RagError, match="broke off"):
        printed(iter(()))
