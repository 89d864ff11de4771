"""The arithmetic between a model's outputs and unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Coarse = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class PassageText:
    """What is embedded of a passage: `text[:context]` names it, `sentences` are spans of it."""

    text: str
    context: int
    sentences: tuple[tuple[int, int], ...]


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length one; a row of zeros stays."""
    import numpy as np

    # np.linalg.norm takes four times as long on the few rows of a passage.
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def sentence_directions(
    passage: PassageText, offsets: Sequence[tuple[int, int]], outputs: Vectors, prompt: int
) -> Coarse:
    """The directions of a passage's sentences from its tokens' outputs, in eight bits.

    Late chunking (Günther et al. 2024, arXiv 2409.04701), with the context in each mean. A
    sentence without a token of its own has the passage's direction.
    """
    import numpy as np

    places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    real = places[:, 1] > places[:, 0]  # special tokens stand nowhere
    starts, ends = places[:, 0] - prompt, places[:, 1] - prompt
    outputs = outputs[: len(places)]
    named = real & (starts >= 0) & (ends <= passage.context)
    pooled = np.zeros((len(passage.sentences), outputs.shape[1]), dtype=np.float32)
    for row, (start, end) in enumerate(passage.sentences):
        own = real & (starts >= start) & (ends <= end)
        pooled[row] = outputs[own | named].mean(axis=0) if own.any() else outputs.mean(axis=0)
    largest = np.abs(pooled).max(axis=1, keepdims=True, initial=1e-12)
    coarse: Coarse = np.round(pooled * (127 / largest)).astype(np.int8)
    return coarse


def directions(coarse: Coarse) -> Vectors:
    """Unit vectors of coarse ones, shape (n, dimension)."""
    import numpy as np

    return unit(coarse.astype(np.float32))


def no_sentences(indices: Sequence[int], dimension: int) -> list[Coarse]:
    """For passages whose sentences have no directions."""
    import numpy as np

    return [np.zeros((0, dimension), dtype=np.int8)] * len(indices)
