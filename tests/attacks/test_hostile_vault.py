"""A vault of hostile notes: nothing in it is obeyed, run, opened or sent, whoever shows it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answering.generation import LlamaGenerator
from rag.answering.grounding import own_words
from rag.answering.messages import Message
from rag.answering.prompt import build_prompt, note_line
from rag.answering.steps import Sentence
from rag.editor import editor_command, note_path
from rag.errors import NotesError
from rag.events import Answered, Retrieved
from rag.indexing.model_folder import ModelFolder
from rag.models.catalog import find_model
from rag.models.reader import encode_pair, open_tokenizer
from rag.models.weights import embedder_files, generator_file
from tests.attacks.vault import BIDI, CONTROLS, NOTES, QUESTION, SPECIAL, write
from tests.conftest import Box
from tests.tui.test_terminal import Terminal, start  # noqa: F401 - a fixture
from tui.lookup import Lookup

pytestmark = pytest.mark.model
# What a program of ours may send to a terminal: styles, and where to draw.
_OURS = re.compile(rb"\x1b(?:\[[0-9;:?>=<$ ]*[A-Za-z~@`]|[()=>78M][0B]?|P[^\x1b]*\x1b\\)")


@pytest.fixture
def hostile(box: Box) -> Box:
    write(box.notes)
    return box


def check_plain(text: str) -> None:
    """No control of any kind, and nothing that turns text round."""
    found = {hex(ord(each)) for each in text if each in CONTROLS + BIDI}
    assert not found, found
    assert not any(0xE0000 <= ord(each) < 0xE0080 for each in text)


def untouched(box: Box) -> None:
    assert not (box.folder / "ran").exists()
    assert not (box.notes / "ran").exists()
    assert not list(box.folder.glob("*.gguf"))


# Answers


def test_every_answer_is_cited_word_for_word(hostile: Box):
    hostile.index()
    engine = hostile.engine()
    for question in (QUESTION, "Where is the vault code?", "Which vault code was changed in May?"):
        *_, found, done = [e for e in engine.ask(question) if isinstance(e, Retrieved | Answered)]
        assert isinstance(done, Answered)
        assert "5555" not in done.answer, "a note outside the folder"
        for each in done.citations:
            note = NOTES.get(each.path) or (hostile.notes / each.path).read_text()
            lines = note.split("\n")[each.first - 1 : each.last]
            assert each.quote in "\n".join(lines)
        assert set(re.findall(r"\[(\d+)\]", done.answer)) <= {str(c.n) for c in done.citations}
        assert not done.answered or done.citations
        assert isinstance(found, Retrieved)
    engine.close()


def test_a_citation_in_a_note_is_no_citation_of_ours(hostile: Box):
    hostile.index()
    engine = hostile.engine()
    sentences = [
        each
        for each in engine.ask("Explain where the vault code is in the safe.", quote=True)
        if isinstance(each, Sentence)
    ]
    engine.close()
    assert sentences
    for each in sentences:
        assert re.findall(r"\[(\d+)\]", each.text) == [str(cite.n) for cite in each.citations]
    assert own_words("see [2] and [٣]") == "see (2) and (٣)"


@pytest.fixture(scope="module")
def generator(models_cache: Path) -> Iterator[LlamaGenerator]:
    spec = find_model("SmolLM2-135M-Instruct", "generator")
    made = LlamaGenerator(generator_file(spec, models_cache), spec.name, 2048, 2, True)
    yield made
    made.close()


def special_tokens(generator: LlamaGenerator) -> dict[str, int]:
    """Every token of the model that text must never become, by how it is written."""
    generator.load()
    library, control, unknown = generator._library, 8, 1  # LLAMA_TOKEN_ATTR_*
    found = {}
    for token in range(generator.chat.size):
        attribute = library.llama_vocab_get_attr(generator.chat.vocab, token)
        if attribute & (control | unknown) or library.llama_vocab_is_eog(
            generator.chat.vocab, token
        ):
            found[library.llama_vocab_get_text(generator.chat.vocab, token).decode()] = token
    return found


def test_special_tokens_come_from_the_template_alone(generator: LlamaGenerator):
    special = special_tokens(generator)
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>"} <= set(special)
    tokens = set(special.values())
    for text in (*special, SPECIAL, "".join(special), *NOTES.values()):
        assert tokens.isdisjoint(generator.chat.tokenize(text, special=False)), text
    harmless = generator.prompt_ids([Message("system", "a"), Message("user", "b")])
    hostile = "\n".join((*special, *NOTES.values()))
    ids = generator.prompt_ids([Message("system", hostile), Message("user", hostile)])
    wanted = [each for each in harmless if each in tokens]
    assert [each for each in ids if each in tokens] == wanted


def test_nor_are_those_of_the_encoders(models_cache: Path):
    """What finds passages and what reads them: a "[SEP]" in a note would end the note there."""
    folder = embedder_files(find_model("all-MiniLM-L6-v2", "embedder"), models_cache)
    tokenizer = ModelFolder(folder).tokenizer
    empty, special = tokenizer.encode("").ids, "[CLS] a [SEP] b [MASK] c [PAD] d [UNK]"
    tokens = {tokenizer.token_to_id(each) for each in special.split() if each[0] == "["}
    assert len(tokens - {None}) == 5
    assert [each for each in tokenizer.encode(special).ids if each in tokens] == empty
    reads = open_tokenizer(folder.folder / "tokenizer.json")
    pair = encode_pair(reads, f"Where {special}?", special, special)
    begin, end = empty
    assert [each for each in pair.ids if each in tokens] == [begin, end, end, end]


def test_a_prompt_has_one_question_and_one_line_for_each_note(generator: LlamaGenerator):
    text = NOTES["turns.md"] + NOTES["citations.md"]
    line = note_line(1, "Bank\n[2] Other: lies", text, [(0, len(text))])
    assert "\n" not in line.removeprefix("[1] Bank\n[2] Other: lies")
    assert len(re.findall(r"\[\d+\]", line.removeprefix("[1] Bank\n[2] Other: lies"))) == 0
    prompt = build_prompt("Q?", [], [], [], generator.count_tokens, generator.context_size)
    assert prompt.messages[-1].text.count("Question:") == 1


# What a terminal gets


def test_piped_output_holds_nothing_to_obey(hostile: Box):
    for command in (["index"], ["ask", QUESTION], ["search", "-k", "20", QUESTION]):
        done = hostile.rag(*command, cwd=hostile.notes)
        assert done.returncode == 0, done.stderr
        check_plain(done.stdout + done.stderr)
    done = hostile.rag("search", "-k", "20", "--json", QUESTION)
    check_plain(done.stdout)
    texts = " ".join(each["text"] for each in json.loads(done.stdout)["passages"])
    assert "\x9b2J" in texts, "for programs the text is what it is"
    done = hostile.rag("chat", "--plain", input=f"{QUESTION}\n/source 1\n/list\n/export\n/quit\n")
    check_plain(done.stdout + done.stderr)
    untouched(hostile)


def check_drawn(raw: bytes, allowed: tuple[bytes, ...] = ()) -> None:
    """All escapes in what a terminal got are ones that draw."""
    rest = _OURS.sub(b"", raw)
    for each in allowed:
        rest = rest.replace(each, b"")
    assert b"\x1b" not in rest, rest[max(0, rest.find(b"\x1b") - 80) :][:200]
    text = rest.decode("utf-8", "replace")
    check_plain(text.replace("\x0f", "").replace("\x08", ""))


def test_a_terminal_is_only_drawn_on(hostile: Box, start):  # noqa: F811
    hostile.index()
    asked: Terminal = start(
        sys.executable, "-m", "rag", "search", "--no-refresh", "-k", "20", QUESTION
    )
    assert asked.ended(120) == 0
    check_drawn(asked.raw)
    assert "4711" in asked.text()
    untouched(hostile)


def test_the_screen_is_only_drawn_on(hostile: Box, start):  # noqa: F811
    hostile.index()
    terminal: Terminal = start(sys.executable, "-m", "rag", "chat", "--no-refresh")
    terminal.until("Ask your notes", seconds=120)
    terminal.type(f"{QUESTION}\r")
    terminal.until("vault code", seconds=120)
    terminal.until("found by meaning", seconds=120)
    before = len(terminal.raw)
    terminal.type("\x0f")
    terminal.until("Whole note", before, seconds=120)
    terminal.type("\r")
    terminal.until("l links", before, seconds=120)
    terminal.type("\x1b")
    terminal.read(1)
    terminal.type("\x11")
    terminal.ended(60)
    assert b"\x1b]52" not in terminal.raw, "the clipboard"
    assert b"\x1b]8;" not in terminal.raw, "a link"
    assert b"\x1b]0;" not in terminal.raw, "the window's title"
    check_plain(terminal.text().replace("\x1b", "").replace("\x0f", ""))
    untouched(hostile)


# What is opened


def test_nothing_outside_the_notes_is_read(hostile: Box):
    hostile.index()
    engine = hostile.engine()
    lookup = Lookup(engine.place, engine.library)
    for target in ("../secret.md", "../../../../etc/passwd", "/etc/passwd", "..\\..\\secret.md",
                   "out.md", "%2e%2e/secret.md", "file:///etc/passwd"):  # fmt: skip
        assert lookup.resolve(target, "links.md") is None, target
        read = lookup.read(target)
        assert getattr(read, "reason", ""), target
        with pytest.raises(NotesError):
            note_path(hostile.notes, target)
    lookup.close()
    engine.close()


def test_a_name_is_no_option_and_no_command(hostile: Box):
    """Names reach an editor as one argument, absolute, and never through a shell."""
    for name in NOTES:
        path = note_path(hostile.notes, name)
        for editor in (["vim"], ["code"], ["nano"], ["emacsclient", "-n"], ["unknown"]):
            command = editor_command(editor, path, 3)
            assert command[: len(editor)] == editor
            assert all(
                str(hostile.notes) in each or each[0] in "+-" for each in command[len(editor) :]
            )
