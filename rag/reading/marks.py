"""How lines of Markdown begin that are no prose."""

from __future__ import annotations

import re

ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")  # of a list
NUMBERED = re.compile(r"\s*\d{1,3}[.)]\s")
ROW = re.compile(r"\s*\|")  # of a table
RULE = re.compile(r"[|:\s-]+")  # all of the line below the names of columns
HEADING = re.compile(r"\s*#{1,6}\s+(\S.*)")
