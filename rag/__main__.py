"""`python -m rag`: the same as the command `rag`."""

from rag.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
