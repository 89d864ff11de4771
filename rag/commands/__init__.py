"""The commands of `rag`, as a shell sees them."""
