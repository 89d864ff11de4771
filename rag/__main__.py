"""`python -m rag`: the command `rag`."""

import os
import sys

# Python puts the current folder first among the places where it looks for modules. It may be a
# folder of notes, and hold a `json.py`.
if not sys.flags.safe_path and sys.path[0] != os.path.dirname(os.path.dirname(__file__)):
    del sys.path[0]

from rag.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
