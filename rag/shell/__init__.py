"""What makes `rag` at home in a shell: completion, a manual page, documents beside a question."""
