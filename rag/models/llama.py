"""The few calls of llama.cpp's C interface that need no context: log, file type, requantize.

llama-cpp-python's own `verbose=False` swaps file descriptors 1 and 2 while the library talks,
which tears a terminal interface apart; here its log goes to a callback that keeps the last lines.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models.gguf import check_gguf

log_tail: deque[str] = deque(maxlen=40)
_callback: Any = None


def load_library() -> Any:
    """Import llama_cpp with its log kept in `log_tail` instead of on the screen."""
    global _callback
    # How often a waiting thread looks before it sleeps. OpenMP's own default lets it spin for
    # seconds on a core that its partner needs: beside one busy program two cores then evaluate
    # 37 prompt tokens/s, with a count of 1,000 instead 252. Alone, 2,000 costs a tenth.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if sys.platform == "linux":
        # GNU's OpenMP cuts that count to 100 once two threads of the process have called it, unless
        # told to wait actively: 41 tokens/s instead of 98. It then cuts it to 1,000.
        os.environ.setdefault("OMP_WAIT_POLICY", "active")
    import llama_cpp

    if _callback is None:
        _callback = llama_cpp.llama_log_callback(_keep)
        llama_cpp.llama_log_set(_callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
    return llama_cpp


def _keep(_level: int, text: bytes, _user_data: Any) -> None:
    log_tail.append(text.decode("utf-8", errors="replace"))


def open_model(path: Path, vocab_only: bool = False) -> Any:
    """Load a GGUF file. Raises ModelError, with llama.cpp's reason, when it cannot be."""
    library = load_library()
    params = library.llama_model_default_params()
    params.n_gpu_layers = 0
    params.vocab_only = vocab_only
    log_tail.clear()
    model = library.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        reasons = [line.strip() for line in log_tail if "error" in line or "fail" in line]
        reason = f" ({reasons[0][:160]})" if reasons else ""
        raise ModelError(
            f"The model {path.name} could not be loaded: the file is damaged or of a kind that "
            f"this version does not know{reason}.",
            "Choose another: rag models use NAME, or [generator] model in rag.toml.",
        )
    return model


def metadata(model: Any, key: str) -> str:
    """A value of the GGUF header, or an empty string."""
    library = load_library()
    size = library.llama_model_meta_val_str(model, key.encode(), None, 0)
    if size < 0:
        return ""
    buffer = ctypes.create_string_buffer(size + 1)
    library.llama_model_meta_val_str(model, key.encode(), buffer, size + 1)
    return buffer.value.decode("utf-8", errors="replace")


def file_type(path: Path) -> int:
    """`general.file_type` of a GGUF file (llama_ftype), -1 when it does not say."""
    check_gguf(path)
    model = open_model(path, vocab_only=True)
    try:
        value = metadata(model, "general.file_type")
        return int(value) if value.isdigit() else -1
    finally:
        load_library().llama_model_free(model)


def context_length(path: Path) -> int:
    """Tokens that a GGUF model was trained to read at once, 0 when it does not say."""
    check_gguf(path)
    model = open_model(path, vocab_only=True)
    try:
        value = metadata(model, f"{metadata(model, 'general.architecture')}.context_length")
        return int(value) if value.isdigit() else 0
    finally:
        load_library().llama_model_free(model)


def requantize(source: Path, target: Path, ftype: int) -> None:
    """Write `source` in another quantization to `target`. Raises ModelError when it fails."""
    library = load_library()
    params = library.llama_model_quantize_default_params()
    params.ftype = ftype
    params.allow_requantize = True
    params.nthread = 0
    log_tail.clear()
    failed = library.llama_model_quantize(
        str(source).encode(), str(target).encode(), ctypes.byref(params)
    )
    if failed:
        raise ModelError(
            f"{source.name} could not be prepared for this processor: "
            f"{' '.join(log_tail)[-160:].strip()}",
            "Free some disk space, or name another file in rag.toml, table [generator], key model.",
        )
