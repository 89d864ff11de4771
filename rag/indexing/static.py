"""Static embeddings: a text's vector is the mean of its tokens' rows in a table. Needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.errors import ModelError
from rag.indexing.embeddings import TorchEmbedder
from rag.models.static import TABLES, static_place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class StaticEmbedder(TorchEmbedder):
    """What torch gives for such a model, hundreds of times as fast."""

    _table: NDArray[np.float32] | None = None

    def load(self) -> None:
        """Read the table now. Raises ModelError."""
        if self._table is not None:
            return
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        file = (static_place(self._model.files.folder) or self._model.files.folder) / (
            "model.safetensors"
        )
        try:
            self._table = _rows(load_file(file))
        except (OSError, SafetensorError, StopIteration, IndexError, ValueError) as error:
            raise ModelError(f"{file} is damaged.", "Install the embedder again.") from error

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        import numpy as np

        self.load()
        table = self._table
        assert table is not None
        encodings = self._model.tokenizer.encode_batch(texts, add_special_tokens=False)
        means = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
        for row, encoding in enumerate(encodings):
            if encoding.ids:
                means[row] = table[encoding.ids].mean(axis=0)
        lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        return np.asarray(means / lengths, dtype=np.float32)


def _rows(tensors: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """A row for each token. model2vec may let tokens share rows and give each a weight."""
    import numpy as np

    rows = next(tensors[name] for name in TABLES if name in tensors).astype(np.float32)
    if "mapping" in tensors:
        rows = rows[tensors["mapping"].astype(np.int64)]
    if "weights" in tensors:
        rows = rows * tensors["weights"].astype(np.float32)[:, None]
    return np.asarray(rows)
