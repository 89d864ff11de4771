"""All that a scan found, told by a digest; of a large folder scanned in a process apart.

Run as `python -m rag.reading.listing FOLDER SUFFIX…`, it prints the digest and the newest mtime.
"""

from __future__ import annotations

import gc
import hashlib
import subprocess
import sys
from array import array
from pathlib import Path
from typing import NamedTuple

from rag.errors import NotesError
from rag.reading.scanning import Scan, scan

# A note written within this time of a scan may have been written after it was read, without a new
# mtime: file systems and clocks are coarse. Such a note is hashed at the next scan.
RACY_NS = 2_000_000_000


class Listing(NamedTuple):
    """`digest` is of the paths, sizes and times of all notes; `newest_ns` the latest mtime."""

    digest: str
    newest_ns: int

    def __str__(self) -> str:
        return f"{self.digest} {self.newest_ns}"

    @classmethod
    def read(cls, text: str) -> Listing | None:
        """The listing that `str` wrote; None for another text."""
        try:
            digest, newest = text.split()
            return cls(digest, int(newest))
        except ValueError:
            return None


def listing(found: Scan) -> Listing:
    """What tells one scan from another in which a note was added, written, renamed or removed."""
    paths, sizes, times = zip(*found.files, strict=True) if found.files else ((), (), ())
    told = hashlib.blake2b("\0".join(paths).encode("utf-8", "surrogatepass"), digest_size=16)
    told.update(array("q", (*sizes, *times)))
    return Listing(told.hexdigest(), max(times, default=0))


def listing_apart(folder: Path, suffixes: tuple[str, ...]) -> Listing | None:
    """The listing of a folder scanned in a process of its own; None where there is none to be had.

    A scan lets other threads go on at each file, and waits for them at each: beside a model that
    is being loaded it takes twice the time. A process takes 0.07 s to start.
    """
    if not sys.executable:
        return None
    # With -P: else Python would look for modules in the current folder first, and a folder of notes
    # may hold a `json.py`.
    command = [sys.executable, "-P", "-m", __name__, str(folder), *suffixes]
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError, UnicodeError):
        return None
    return Listing.read(ended.stdout)


def _main(folder: str, *suffixes: str) -> int:
    gc.disable()  # nothing of what a scan makes is garbage before its end: a fifth of its time
    try:
        found = listing(scan(Path(folder), suffixes))
    except NotesError:  # whoever asked meets it, too, and tells
        return 1
    sys.stdout.write(str(found))
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
