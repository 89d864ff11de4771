"""Files from elsewhere, by the hub's own library: resumed, checked, complete or not there at all.

What has come is kept beside its goal under a name that holds the file's etag, so that a download
goes on where it broke off and never continues another version. Proxies, `HF_HOME`, `HF_TOKEN`
and `HF_ENDPOINT` are honoured as by any program that uses `huggingface_hub`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from rag.errors import ModelError, RagError, StorageError, storage_errors

_SPARE = 64 << 20  # bytes of a disk that are left free
_BLOCK = 1 << 16  # bytes: of a connection that breaks off, less than this is lost
_BEGINNINGS = 3  # of one file, where the server cannot go on in its middle


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to fetch to `target`: its `size` in bytes, 0 where the server does not say, its
    `sha256`, "" where nobody knows. `repo` and `commit` for a file of the hub."""

    url: str
    file: str
    size: int
    sha256: str
    target: Path
    etag: str
    repo: str = ""
    commit: str = ""

    @property
    def partial(self) -> Path:
        return self.target.with_name(f"{self.target.name}.{self.etag[:40] or 'part'}.partial")

    @property
    def pointer(self) -> Path | None:
        """The file by its name in the hub's cache; None for one that is not of the hub."""
        if not self.repo:
            return None
        return self.target.parent.parent / "snapshots" / self.commit / self.file

    @property
    def here(self) -> bool:
        """Whether the file is here already, whole; in the hub's cache its name is its hash."""
        if not self.target.is_file():
            return False
        found = self.target.stat()
        if self.size not in (0, found.st_size):
            return False
        if self.repo or not self.sha256:
            return True
        return self.sha256 == _hash_of(self.target, found.st_size, found.st_mtime_ns)

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        if self.here:
            return 0
        return max(0, self.size - (self.partial.stat().st_size if self.partial.is_file() else 0))


@lru_cache(8)
def _hash_of(path: Path, _size: int, _mtime_ns: int) -> str:
    """The SHA-256 of a file, read once while it stays as it is."""
    with storage_errors(path), path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def check_space(files: tuple[Wanted, ...]) -> None:
    """Raises StorageError where the disk would not hold what is missing."""
    needed = sum(each.missing for each in files)
    folder = files[0].target.parent
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed + _SPARE > free:
        variable = "HF_HOME" if files[0].repo else "RAG_DATA_DIR"
        raise StorageError(
            f"{size_text(needed)} are to come, and {folder} has {size_text(free)} free.",
            f"Free some space, or set {variable} to a folder on another disk.",
        )


def fetch(wanted: Wanted, progress: Callable[[int], None]) -> Path:
    """Download a file, or the rest of it, and check it; where it lies then.

    `progress` hears how many bytes are here. Raises ModelError, StorageError; what has come
    stays for the next time, unless it cannot be right.
    """
    if not wanted.here:
        with storage_errors(wanted.target.parent):
            wanted.target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _download(wanted, progress)
            _check(wanted)
        except BaseException:
            if wanted.partial.is_file() and not wanted.partial.stat().st_size:
                wanted.partial.unlink()
            tidy(wanted.target)
            raise
        with storage_errors(wanted.target.parent):
            os.replace(wanted.partial, wanted.target)
    progress(wanted.size)
    return _linked(wanted) if wanted.repo else wanted.target


def _download(wanted: Wanted, progress: Callable[[int], None]) -> None:
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import disable_progress_bars, logging

    logging.set_verbosity_error()  # what went wrong is said by us, once
    disable_progress_bars()
    if wanted.partial.is_file() and 0 < wanted.size < wanted.partial.stat().st_size:
        wanted.partial.unlink()
    with storage_errors(wanted.target.parent), refusals(wanted.url):
        try:
            _get(wanted, progress)
        except HfHubHTTPError as error:
            if error.response.status_code != 416:
                raise
            wanted.partial.unlink()  # the server cannot go on from there: from the beginning
            _get(wanted, progress)


def _get(wanted: Wanted, progress: Callable[[int], None]) -> None:
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    constants.DOWNLOAD_CHUNK_SIZE = _BLOCK  # ten megabytes, otherwise
    have = wanted.partial.stat().st_size if wanted.partial.is_file() else 0
    headers = build_hf_headers() if wanted.repo else {}
    with wanted.partial.open("r+b" if have else "wb") as handle:
        handle.seek(have)
        http_get(
            wanted.url,
            _Counted(handle, progress, wanted),
            resume_size=have,
            headers={**headers, "Accept-Encoding": "identity"},
            expected_size=wanted.size or None,
        )


class _Counted:
    """A file that says how far it is written, and is not begun anew for ever."""

    def __init__(self, handle: IO[bytes], progress: Callable[[int], None], wanted: Wanted) -> None:
        self._handle = handle
        self._progress = progress
        self._wanted = wanted
        self._begun = 0

    def write(self, data: bytes) -> int:
        written = self._handle.write(data)
        self._progress(self._handle.tell())
        return written

    def truncate(self) -> int:
        """Begin anew: the server sent the file from its start when asked for the rest. Raises
        ModelError where it did so before, and broke off each time."""
        self._begun += 1
        if self._begun > _BEGINNINGS:
            raise ModelError(
                f"{_host(self._wanted.url)} breaks off each time, and cannot go on from there: "
                f"{self._wanted.file} was begun {self._begun} times.",
                "Try again later, or fetch the file in another way, then: rag models add FILE",
            )
        return self._handle.truncate()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)


def _check(wanted: Wanted) -> None:
    """Size and hash of what has come; what cannot be right is deleted."""
    size = wanted.partial.stat().st_size
    if wanted.size and size != wanted.size:
        wanted.partial.unlink()
        raise ModelError(
            f"{wanted.file} came with {size:,} bytes, not {wanted.size:,}; nothing was installed.",
            "Try again; if it happens again, the server is at fault.",
        )
    if not wanted.sha256:
        return
    with wanted.partial.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    if sha256 != wanted.sha256:
        wanted.partial.unlink()
        raise ModelError(
            f"{wanted.file} came damaged or is another file: its SHA-256 is {sha256[:12]}…, not "
            f"{wanted.sha256[:12]}…; nothing was installed.",
            "Try again; if it happens again, do not trust that source.",
        )


def delete(path: Path) -> None:
    """Delete a file, in the hub's cache what its name there leads to, and the folders of theirs
    that are empty then."""
    target = Path(os.path.realpath(path))
    path.unlink(missing_ok=True)
    if target.parent.name == "blobs":
        target.unlink(missing_ok=True)
        tidy(target)
    tidy(path)


def tidy(file: Path) -> None:
    """Remove the folders above a file that was deleted, if they are empty and were made for it
    alone: `models/files`, or `models--…` in the hub's cache."""
    above = list(file.parents)
    tops = [
        number
        for number, each in enumerate(above)
        if each.name.startswith("models--") or each.parts[-2:] == ("models", "files")
    ]
    with suppress(OSError):  # one is not empty
        for folder in above[: tops[0] + 1] if tops else []:
            if folder.is_dir():
                folder.rmdir()


def _linked(wanted: Wanted) -> Path:
    """The file by its name in the hub's cache, where other programs find it, too."""
    from huggingface_hub import hf_hub_download

    with refusals(wanted.url):
        return Path(hf_hub_download(wanted.repo, wanted.file, revision=wanted.commit))


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """What a server refuses and a network breaks, as one sentence."""
    import httpx2
    from huggingface_hub import errors

    from rag.models.proxies import usable_proxies

    try:
        with usable_proxies():
            yield
    except RagError:
        raise
    except errors.OfflineModeIsEnabled as error:
        raise ModelError(
            "HF_HUB_OFFLINE is set: nothing is fetched.", "Unset it and try again."
        ) from error
    except errors.HfHubHTTPError as error:
        raise _refused(what, error) from error
    except httpx2.HTTPError as error:
        nobody = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
        raise ModelError(
            f"The connection to {_host(what)} failed ({type(error).__name__}).",
            "Check the address, the network and any proxy, then run the command again."
            if isinstance(error, nobody)
            else "What has come is kept: run the command again to go on.",
        ) from error
    except OSError as error:
        if "Consistency check" not in str(error):
            raise
        raise ModelError(
            f"{what.rpartition('/')[2]} came with another size than the server had promised.",
            "What has come is kept: run the command again to go on.",
        ) from error
    except errors.HFValidationError as error:
        raise ModelError(
            f"{what} is no name of the hub.", "Write it as hf:owner/name/file.gguf"
        ) from error
    except json.JSONDecodeError as error:  # a page for people, with status 200
        raise ModelError(
            "What answers is not the hub.",
            "Is there a log-in page or a proxy between? Log in, or check HF_ENDPOINT, then try "
            "again.",
        ) from error


def _refused(what: str, error: Any) -> ModelError:
    """The sentence for a status of HTTP."""
    from huggingface_hub import errors

    status = error.response.status_code
    if isinstance(error, errors.GatedRepoError):
        return ModelError(
            f"{what} is only for those who accepted its terms.",
            "Accept them on its page of the hub, then: hf auth login",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelError(
            f"The hub knows no {what}, or keeps it private.",
            "Check the name; if it is private: hf auth login",
        )
    if status in (401, 403):
        # The token of the hub is not for others.
        return ModelError(
            f"{_server(what)} does not allow it ({status}).",
            "Set HF_TOKEN, or: hf auth login"
            if _is_hub(what)
            else "Fetch the file as that server wants it, then: rag models add FILE",
        )
    if status in (404, 410):
        return ModelError(f"{what} is not there (404).", "Check its address.")
    if status == 429:
        wait = error.response.headers.get("Retry-After", "")
        seconds = f"{wait} second{'' if wait == '1' else 's'}"
        when = f"in {seconds}" if wait.isdigit() else "in a few minutes"
        return ModelError(f"{_server(what)} asks to wait: too many requests.", f"Try again {when}.")
    return ModelError(f"{_server(what)} is in trouble ({status}).", "Try again later.")


def _is_hub(what: str) -> bool:
    """Whether a place or an address is the hub's, as `HF_ENDPOINT` has it."""
    from huggingface_hub import constants

    return what.startswith(("hf:", f"{constants.ENDPOINT}/"))


def _host(what: str) -> str:
    return urlsplit(what).hostname or "the Hugging Face hub"


def _server(what: str) -> str:
    """The same, as it begins a sentence."""
    host = _host(what)
    return host if urlsplit(what).hostname else f"{host[0].upper()}{host[1:]}"


def size_text(size: int) -> str:
    """A size as people read it: 812 MB, 2.5 GB."""
    if size >= 1_000_000_000:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 10_000_000 else f"{size / 1e6:.1f} MB"
