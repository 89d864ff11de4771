"""The terminal interface that `rag chat` opens. It imports `rag`, never the other way round."""
