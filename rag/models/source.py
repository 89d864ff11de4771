"""What a reader asks to fetch, into the files to fetch: a known name, a place on the hub, a URL."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from rag.errors import ModelError
from rag.models.catalog import BUNDLED
from rag.models.download import Wanted, refusals
from rag.models.known import EMBEDDERS, KNOWN
from rag.nearest import meant, nearest

_HUBS = ("huggingface.co", "hf.co")
_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Of a sentence-transformers repository: what it needs to run, not its other formats.
_NEEDED = re.compile(r"(?:\d_\w+/)?[^/]+\.(?:json|txt|model|safetensors)")


@dataclass(frozen=True, slots=True)
class Source:
    """A model somewhere else: `repo`, `file` and `revision` on the hub, or a `url`.

    A `file` of "" is for the repository to say.
    """

    name: str
    repo: str = ""
    file: str = ""
    revision: str = "main"
    url: str = ""
    licence: str = ""

    def __str__(self) -> str:
        return self.url or f"hf:{self.repo}/{self.file}".rstrip("/")


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be fetched: the files, the first of them the weights."""

    name: str
    kind: Literal["embedder", "generator"]
    source: str
    licence: str
    files: tuple[Wanted, ...]

    @property
    def size(self) -> int:
        return sum(each.size for each in self.files)


def parse_source(text: str) -> Source:
    """Understand `NAME`, `hf:owner/name/file.gguf`, or a URL. Raises ModelError."""
    for known in KNOWN:
        if text.casefold() == known.name.casefold():
            return Source(known.name, known.repo, known.file, licence=known.licence)
    for embedder in EMBEDDERS:
        if text.casefold() in (embedder.name.casefold(), embedder.repo.casefold()):
            return Source(embedder.name, embedder.repo, licence=embedder.licence)
    for bundled in BUNDLED:
        if text.casefold() == bundled.name.casefold():
            raise ModelError(
                f"{bundled.name} comes with rag.", f"Use it with: rag models use {bundled.name}"
            )
    if text.startswith("hf:"):
        return _on_hub(text.removeprefix("hf:"))
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and parts.hostname:
        return _at_url(text)
    if text.endswith(".gguf") and os.path.exists(text):
        raise ModelError(f"{text} is here already.", f"Add it with: rag models add {text}")
    if _REPO.fullmatch(text):
        raise ModelError(
            f"No known model is called {text!r}.",
            f"If it is a name on the Hugging Face hub: rag models pull hf:{text}",
        )
    if parts.scheme == "file":
        raise ModelError(
            f"{text} is on this machine already.",
            f"Add it with: rag models add {shlex.quote(unquote(parts.path))}",
        )
    near = nearest(text.strip(), (each.name for each in (*KNOWN, *EMBEDDERS)))
    perhaps = f"Did you mean {near!r}? " if near else ""
    raise ModelError(
        f"No known model is called {text!r}.",
        f"{perhaps}rag models lists them; hf:owner/name/file.gguf and URLs work.",
    )


def _on_hub(place: str, revision: str = "main") -> Source:
    owner, _, rest = place.strip("/").partition("/")
    name, _, file = rest.partition("/")
    if not _REPO.fullmatch(f"{owner}/{name}") or ".." in file.split("/"):
        raise ModelError(
            f"hf:{place} names no repository of the hub.",
            "Write it as hf:owner/name or hf:owner/name/file.gguf",
        )
    stem = Path(file).stem if file else f"{owner}/{name}"
    return Source(stem, f"{owner}/{name}", file, revision)


def _at_url(url: str) -> Source:
    parts = urlsplit(url)
    steps = unquote(parts.path).strip("/").split("/")
    hub = urlsplit(os.environ.get("HF_ENDPOINT", "")).netloc
    if parts.hostname in _HUBS or (hub and parts.netloc == hub):
        if len(steps) >= 5 and steps[2] in ("resolve", "blob"):
            return _on_hub("/".join((*steps[:2], *steps[4:])), steps[3])
        return _on_hub("/".join(steps[:2]))
    if not steps[-1].endswith(".gguf"):
        raise ModelError(f"{url} does not end in .gguf.", "Name the URL of a GGUF file.")
    return Source(Path(steps[-1]).stem, url=url)


def look_up(source: Source, data_dir: Path, sha256: str = "") -> Offer:
    """Ask the other side what it has. Raises ModelError in the reader's words."""
    if source.url:
        return _offer_url(source, data_dir, sha256.lower())
    with refusals(str(source)):
        if source.file:
            info = _info(source, files=False)
            names = [each.rfilename for each in info.siblings or ()]
            if source.file not in names:
                raise _no_such_file(source, names)
            files = (_file_on_hub(source, source.file),)
            licence = source.licence or _licence(info)
            return Offer(source.name, "generator", str(source), licence, files)
        return _offer_repository(source)


def _offer_repository(source: Source) -> Offer:
    """A repository as a whole: its one GGUF file, or a sentence-transformers model."""
    info = _info(source, files=True)
    names = [each.rfilename for each in info.siblings or ()]
    if "modules.json" in names:
        wanted = _needed(names)
        files = tuple(_file_on_hub(source, name) for name in wanted)
        licence = source.licence or _licence(info)
        return Offer(source.name, "embedder", str(source), licence, files)
    ggufs = [name for name in names if name.endswith(".gguf")]
    if len(ggufs) == 1:
        files = (_file_on_hub(source, ggufs[0]),)
        place = f"hf:{source.repo}/{ggufs[0]}"
        return Offer(Path(ggufs[0]).stem, "generator", place, _licence(info), files)
    if not ggufs:
        raise ModelError(
            f"{source.repo} holds no GGUF file and no sentence-transformers model.",
            "Name a repository that does; many are called …-GGUF.",
        )
    preferred = next((name for name in ggufs if "q4_k_m" in name.casefold()), ggufs[0])
    raise ModelError(
        f"{source.repo} holds {len(ggufs)} GGUF files.",
        f"Name one, for example: rag models pull hf:{source.repo}/{preferred}",
    )


def _needed(names: Sequence[str]) -> list[str]:
    """The files of a sentence-transformers model, its weights first."""
    wanted = [name for name in names if _NEEDED.fullmatch(name)]
    weights = [
        name for name in wanted if name.endswith((".safetensors", ".safetensors.index.json"))
    ]
    if not any(name.endswith(".safetensors") for name in weights):
        weights = [name for name in names if name == "pytorch_model.bin"]
    if not weights:
        raise ModelError("The repository holds no weights that sentence-transformers reads.")
    top = min(weights, key=lambda name: (name.count("/"), not name.endswith("model.safetensors")))
    return [top, *(name for name in dict.fromkeys((*wanted, *weights)) if name != top)]


def _info(source: Source, files: bool) -> Any:
    from huggingface_hub import HfApi

    return HfApi().model_info(source.repo, revision=source.revision, files_metadata=files)


def _licence(info: Any) -> str:
    card = getattr(info, "card_data", None)
    licence = getattr(card, "license", None)
    tags = [tag.partition(":")[2] for tag in info.tags or () if tag.startswith("license:")]
    return str(licence or (tags[0] if tags else "unknown"))


def _file_on_hub(source: Source, file: str) -> Wanted:
    """One file of the hub: where it lies there, and where it will lie in the hub's cache here."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import repo_folder_name

    url = hf_hub_url(source.repo, file, revision=source.revision)
    found = get_hf_file_metadata(url)
    if not found.etag or found.size is None or not found.commit_hash:
        raise ModelError(f"The hub does not say how large {file} is.", "Try again later.")
    folder = repo_folder_name(repo_id=source.repo, repo_type="model")
    blob = Path(constants.HF_HUB_CACHE) / folder / "blobs" / found.etag
    sha256 = found.etag if _SHA256.fullmatch(found.etag) else ""  # of a large file, it is just that
    return Wanted(url, file, found.size, sha256, blob, found.etag, source.repo, found.commit_hash)


def _no_such_file(source: Source, names: Sequence[str]) -> ModelError:
    ggufs = [name for name in names if name.endswith(".gguf")]
    otherwise = f"One of its {len(ggufs)} GGUF files is {ggufs[0]!r}." if ggufs else ""
    return ModelError(
        f"{source.repo} holds no file {source.file!r}.",
        meant(source.file, ggufs, otherwise) or "It holds no GGUF file at all.",
    )


def _offer_url(source: Source, data_dir: Path, sha256: str) -> Offer:
    from huggingface_hub import get_session
    from huggingface_hub.utils._http import hf_raise_for_status

    if sha256 and not _SHA256.fullmatch(sha256):
        raise ModelError("That is not a SHA-256.", "It has 64 digits from 0 to 9 and a to f.")
    with refusals(source.url):
        answer = get_session().head(
            source.url, headers={"Accept-Encoding": "identity"}, follow_redirects=True, timeout=20
        )
        if answer.status_code not in (403, 405):  # some servers only know GET
            hf_raise_for_status(answer)
    size = answer.headers.get("Content-Length", "") if answer.is_success else ""
    etag = re.sub(r"\W", "", answer.headers.get("ETag", ""))[:40] if answer.is_success else ""
    name = Path(unquote(urlsplit(source.url).path)).name
    # Of one name may be several: each address, and each version of what lies there, has a folder.
    place = hashlib.sha256(f"{source.url} {etag}".encode()).hexdigest()[:12]
    target = data_dir / "models" / "files" / place / name
    wanted = Wanted(source.url, name, int(size) if size.isdigit() else 0, sha256, target, etag)
    return Offer(source.name, "generator", source.url, "unknown", (wanted,))
