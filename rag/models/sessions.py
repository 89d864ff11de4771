"""ONNX Runtime's sessions of prepared models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models.prepared import found_damaged

Prepare = Callable[[], object]


def start_session(file: Path, threads: int, prepare: Prepare | None = None) -> Any:
    """Load the prepared model `file`. One that is not as it was written is prepared again, with
    `prepare`. Raises ModelError."""
    import onnxruntime

    # See `rag/__init__.py`; this is for where another program loaded it before.
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Its threads wait spinning, also after a run, when llama.cpp wants the cores: a prompt read
    # right after took 2 to 4 % longer.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own for a bad file
        if prepare is not None and found_damaged(file):
            prepare()
            return start_session(file, threads)
        raise ModelError(
            f"The prepared model {file} is damaged.",
            f"Delete that file and run the command again ({error}).",
        ) from error
