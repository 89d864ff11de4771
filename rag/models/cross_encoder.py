"""A sentence-transformers cross-encoder: a folder, or a name in Hugging Face's cache.

Nothing is downloaded and no code of the model is run; its weights must be safetensors.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import ModelError

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_SETTING = "or name another in rag.toml, table [rerank], key model."


class CrossEncoderModel:
    """Scores a question and a text read together. Loads at its first use."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.name = Path(place).name if os.path.isabs(place) else place
        self._model: Any = None

    def load(self) -> None:
        """Load the weights now. Raises ModelError."""
        if self._model is not None:
            return
        folder = _folder(self.place)
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would be drawn over the terminal interface
        try:
            model = CrossEncoder(
                str(folder),
                device="cpu",
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"The cross-encoder {self.name} cannot be loaded: {reason}",
                f"Check that {folder} is one, {_SETTING}",
            ) from error
        if model.num_labels != 1:
            raise ModelError(
                f"{self.name} sorts texts into {model.num_labels} classes and does not score them.",
                f"A cross-encoder for reranking gives one score: {_SETTING[3:].capitalize()}",
            )
        model.tokenizer.split_special_tokens = True  # "[SEP]" in a note is letters
        self._model = model

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How relevant each text is to the question, from 0 to 1. Raises ModelError."""
        from torch import nn

        self.load()
        # Some models give a logit, others its sigmoid: asked for here, it is the same for all.
        scores = self._model.predict(
            [(question, text) for text in texts],
            batch_size=len(texts),
            activation_fn=nn.Sigmoid(),
            show_progress_bar=False,
        )
        return [float(each) for each in scores]


def _folder(place: str) -> Path:
    """Where the files of a model lie. Raises ModelError when they are not on this machine."""
    folder = Path(place) if os.path.isdir(place) else _cached(place)
    if not _is_cross_encoder(folder):
        raise ModelError(
            f"{place} is no cross-encoder.", f"An embedder cannot rerank. Save one, {_SETTING}"
        )
    if not any((folder / name).is_file() for name in _WEIGHTS):
        raise ModelError(
            f"The cross-encoder {place} has no weights in safetensors: {folder}.",
            f"Save it with a recent sentence-transformers, {_SETTING}",
        )
    return folder


def _is_cross_encoder(folder: Path) -> bool:
    """Whether the model was trained to score: an embedder would be given a head of random weights,
    and put passages in a random order."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    modules = folder / "modules.json"
    parts = modules.read_text(encoding="utf-8") if modules.is_file() else ""
    classifies = any("SequenceClassification" in each for each in config.get("architectures") or ())
    return classifies or "cross_encoder" in parts


def _cached(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if not os.path.isabs(name):
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            pass
    cure = "Check the path" if os.path.isabs(name) else f"Download it with: hf download {name}"
    raise ModelError(f"The cross-encoder {name} is not on this machine.", f"{cure}, {_SETTING}")
