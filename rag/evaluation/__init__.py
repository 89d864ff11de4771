"""How good search and answers are on a person's own questions: `rag eval`."""
