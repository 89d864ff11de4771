"""Print the JSON Schema of all shapes."""

from __future__ import annotations

import json
import sys

from rag.shapes import json_schema

sys.stdout.write(json.dumps(json_schema(), indent=1) + "\n")
