"""Ask your own notes: passages found, answered and cited on this machine."""

from typing import Final

__version__: Final = "0.1.0"
