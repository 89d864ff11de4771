"""Where a server listens: a socket whose name says what it serves.

The name is a hash of the version of rag and its files, of the settings and of the notes folders.
So a question never reaches a server of another version, or one that was started with other
settings: it looks elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag import __version__

if TYPE_CHECKING:
    from rag.engine import Engine

_LONGEST = 100  # bytes of a socket's path: the kernel takes 107 on Linux, 103 on macOS
_PACKAGE = Path(__file__).resolve().parents[1]


def address(engine: Engine) -> Path:
    """The socket of the server for the same notes and settings as `engine`; it may not be there."""
    name = hashlib.sha256(repr(_identity(engine)).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return folder(engine.parts.data_dir) / f"{name}.sock"


def folder(data_dir: Path) -> Path:
    """The folder of sockets: the user's runtime folder, else the data folder, else a temporary
    one where that has too long a name for a socket."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    places = [Path(runtime) / "rag"] if os.path.isdir(runtime) else []
    places += [data_dir / "serve", Path(tempfile.gettempdir()) / f"rag-{os.getuid()}"]
    return next((each for each in places if len(os.fsencode(each)) + 30 < _LONGEST), places[-1])


def is_private(path: Path) -> bool:
    """Whether a folder is the user's own and nobody else's: no link, closed to all others."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    own = found.st_uid == os.getuid() and not found.st_mode & 0o077
    return stat.S_ISDIR(found.st_mode) and own


def _identity(engine: Engine) -> tuple[object, ...]:
    settings = replace(engine.parts.settings, notes=None, folders={})
    models = [settings.embedder_model, settings.generator_model]
    return (
        __version__,
        sys.executable,
        _written(),
        settings,
        sorted(getattr(engine, "engines", {})),
        [str(each) for each in engine.folders],
        [_changed(Path(each)) for each in models if os.sep in each],
    )


def _written() -> int:
    """When the newest file of this program was written: an update need not change its version."""
    return max(
        entry.stat().st_mtime_ns
        for place in (_PACKAGE, *(each for each in _PACKAGE.iterdir() if each.is_dir()))
        for entry in os.scandir(place)
        if entry.name.endswith(".py")
    )


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
