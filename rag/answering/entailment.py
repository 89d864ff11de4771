"""Whether a passage entails a sentence, by a cross-encoder trained for natural-language inference.

Off unless `[grounding] model` names one, by the path of its folder or by a name that lies in the
Hugging Face cache: nothing is downloaded, and no code of the model's own is run. The passage is
the premise and the sentence the hypothesis (SummaC, Laban et al. 2022, arXiv 2111.09525).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from rag.errors import ModelError

_LABEL = "entailment"
_MOST_TOKENS = 512  # of premise and hypothesis together; a longer premise is cut at its end


class EntailmentJudge:
    """Called with premise and hypothesis, gives the probability of entailment, from 0 to 1.

    Loads at its first call. Raises ModelError where the model is not there, is no safetensors
    file, or has no label called entailment.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._model: Any = None
        self._label = 0

    def __call__(self, premise: str, hypothesis: str) -> float:
        self.load()
        with self._lock:
            (scores,) = self._model.predict(
                [(premise, hypothesis)], apply_softmax=True, show_progress_bar=False
            )
            return float(scores[self._label])

    def load(self) -> None:
        """Load the weights now, if they are not yet. Raises ModelError."""
        with self._lock:
            if self._model is None:
                self._load()

    def _load(self) -> None:
        folder = _folder(self.name)
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would draw into the screen
        try:
            model = CrossEncoder(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
            said = " ".join(str(error).split())[:200]
            raise _wrong(f"{self.name} could not be loaded: {said}") from error
        labels = {
            str(label).casefold(): int(at) for at, label in model.model.config.id2label.items()
        }
        if len(labels) < 2 or _LABEL not in labels:
            raise _wrong(
                f"{self.name} does not judge entailment: its labels are {', '.join(labels)}"
            )
        most = getattr(model.model.config, "max_position_embeddings", _MOST_TOKENS)
        model.max_seq_length = min(_MOST_TOKENS, most, model.tokenizer.model_max_length)
        model.tokenizer.split_special_tokens = True  # "[SEP]" in a note is letters
        self._model, self._label = model, labels[_LABEL]


def _folder(name: str) -> Path:
    """Where the model lies: a folder, or the copy of it in the Hugging Face cache."""
    path = Path(os.path.expanduser(name))
    if not path.is_dir():
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        try:
            path = Path(snapshot_download(name, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError) as error:
            raise _wrong(
                f"There is no folder {name}, and no model of that name in the Hugging Face cache"
            ) from error
    if not list(path.glob("*.safetensors")):
        raise _wrong(f"{name} holds no weights as safetensors, the only form that is read")
    return path


def _wrong(what: str) -> ModelError:
    return ModelError(
        f"{what}.", "Name another in rag.toml, table [grounding], key model, or leave it out."
    )
