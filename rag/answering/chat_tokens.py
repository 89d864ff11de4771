"""A chat into token ids, by a GGUF file's own vocabulary and template.

Special tokens come from the template alone: notes and questions are tokenized apart from it, so
that a `<|im_start|>` in a note is seven characters and never a turn of the conversation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from rag.answering.messages import Message
from rag.answering.templates import holds_all, hole, pieces, render, render_plain
from rag.answering.thoughts import TAGS
from rag.errors import ModelError


class ChatTokens:
    """The vocabulary and template of a model that llama.cpp has opened.

    `taught`: the model was trained on chats as llama.cpp writes them. `thinks` lets a model think
    that can be told to. The model outlives this object.
    """

    def __init__(self, library: Any, model: Any, name: str, taught: bool, thinks: bool) -> None:
        from rag.models.llama import metadata

        self._library, self._name = library, name
        self._taught, self._thinks = taught, thinks
        self.vocab = library.llama_model_get_vocab(model)
        self.size = int(library.llama_vocab_n_tokens(self.vocab))
        self.template = metadata(model, "tokenizer.chat_template")
        # The tags of thoughts may be tokens that are not printed.
        tags = {text: self.tokenize(text, special=True) for pair in TAGS.items() for text in pair}
        self._tags = {ids[0]: text.encode() for text, ids in tags.items() if len(ids) == 1}

    def tokenize(self, text: str, special: bool) -> list[int]:
        """The ids of a text; only with `special` can it hold special tokens. Raises ModelError."""
        data = text.encode("utf-8", errors="replace")
        size = len(data) + 8
        ids = (ctypes.c_int32 * size)()
        count = self._library.llama_tokenize(self.vocab, data, len(data), ids, size, False, special)
        if count < 0:
            raise ModelError(
                f"{self._name} could not read a text of {len(data):,} bytes.",
                "Ask a shorter question.",
            )
        return ids[:count]

    def piece(self, token: int) -> bytes:
        """The text of a token; empty for a special one that is no tag of thoughts."""
        if token in self._tags:
            return self._tags[token]
        buffer = ctypes.create_string_buffer(256)
        size = self._library.llama_token_to_piece(self.vocab, token, buffer, 256, 0, False)
        return buffer.raw[: max(0, size)]

    def ends(self, token: int) -> bool:
        """Whether the model has ended its turn with this token."""
        return bool(self._library.llama_vocab_is_eog(self.vocab, token))

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """The ids of a chat."""
        return self.ids_of(self.render([message.role for message in messages]), messages)

    def ids_of(self, rendered: str, messages: Sequence[Message]) -> list[int]:
        """The ids of a rendered chat, the messages in its holes."""
        ids: list[int] = []
        for piece in pieces(rendered):
            if isinstance(piece, int):
                ids += self.tokenize(messages[piece].text, special=False)
            else:
                ids += self.tokenize(piece, special=True)
        bos = self._library.llama_vocab_bos(self.vocab)
        if self._library.llama_vocab_get_add_bos(self.vocab) and bos >= 0 and ids[:1] != [bos]:
            ids.insert(0, bos)
        return ids

    def render(self, roles: Sequence[str]) -> str:
        """The chat with holes, by the file's own template; as plain text where it has none."""
        if not self.template:
            return render_plain(roles)
        if not self._taught:
            bos, eos = self._special("bos"), self._special("eos")
            said = render(self.template, roles, bos, eos, self._thinks)
            if said is not None:
                return said
        return self._render_known(roles)

    def _render_known(self, roles: Sequence[str]) -> str:
        """By what llama.cpp knows of the template, ChatML where that is nothing."""
        library = self._library
        turns = [(role.encode(), hole(number).encode()) for number, role in enumerate(roles)]
        chat = (library.llama_chat_message * len(turns))(
            *(library.llama_chat_message(role, text) for role, text in turns)
        )
        size = 4096 + 64 * len(turns)
        for template in (self.template.encode(), b"chatml"):
            buffer = ctypes.create_string_buffer(size)
            used = library.llama_chat_apply_template(template, chat, len(turns), True, buffer, size)
            if 0 < used < size:
                text = buffer.raw[:used].decode("utf-8")
                if holds_all(text, len(roles)):
                    return text
        raise ModelError(f"{self._name} has no chat template that fits.", "Name another model.")

    def _special(self, name: str) -> str:
        """The text of a special token of the vocabulary."""
        token = getattr(self._library, f"llama_vocab_{name}")(self.vocab)
        if token < 0:
            return ""
        text: bytes = self._library.llama_vocab_get_text(self.vocab, token)
        return text.decode("utf-8", errors="replace")
