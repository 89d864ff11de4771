"""The chat template of a model: what stands around each message before the model reads it.

Messages are rendered as holes, numbered places that no text can fill but the one that stands for
them: a note can end no turn and begin none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# No tokenizer makes one token of it.
_HOLE = "\x01{}\x02"
_HOLES = re.compile("\x01(\\d+)\x02")
# For a model that never learnt to chat: a text that goes on with the answer.
_PLAIN = "{% for message in messages %}{{ message.content }}\n\n{% endfor %}Answer:"


def hole(number: int) -> str:
    """What stands for the message of that number."""
    return _HOLE.format(number)


def pieces(rendered: str) -> list[str | int]:
    """A rendered chat as pieces of the template and numbers of messages, in their order."""
    parts: list[str | int] = []
    for place, part in enumerate(_HOLES.split(rendered)):
        if part:
            parts.append(int(part) if place % 2 else part)
    return parts


def holds_all(rendered: str, count: int) -> bool:
    """Whether every message is there: some templates drop what they do not expect."""
    return set(map(int, _HOLES.findall(rendered))) == set(range(count))


def render(
    template: str, roles: Sequence[str], bos: str, eos: str, thinking: bool = False
) -> str | None:
    """The chat with holes for its messages, None where the template cannot be used.

    A system message that the template refuses or drops goes in front of the first question.
    """
    turns = [(role, hole(number)) for number, role in enumerate(roles)]
    said = _apply(template, turns, bos, eos, thinking)
    if said is not None and holds_all(said, len(roles)):
        return said
    if len(turns) > 1 and roles[0] == "system":
        joined = [(turns[1][0], f"{turns[0][1]}\n\n{turns[1][1]}"), *turns[2:]]
        said = _apply(template, joined, bos, eos, thinking)
        if said is not None and holds_all(said, len(roles)):
            return said
    return None


def render_plain(roles: Sequence[str]) -> str:
    """The chat as a plain text, for a model without a template."""
    said = render(_PLAIN, roles, "", "")
    assert said is not None
    return said


def _apply(
    template: str, turns: Sequence[tuple[str, str]], bos: str, eos: str, thinking: bool
) -> str | None:
    """Run a template, sandboxed by Jinja: it came with the file. None where it fails."""
    import jinja2
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    messages = [{"role": role, "content": text} for role, text in turns]
    try:
        formatter = Jinja2ChatFormatter(template, eos, bos)
        return str(formatter(messages=messages, enable_thinking=thinking).prompt)
    except (
        jinja2.TemplateError,
        SyntaxError,  # Jinja lets Python find some of them
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        RecursionError,
    ):
        return None
