"""Another sentence-transformers model: its own prompts, dimension and length; changing to it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import IndexMismatch, ModelError
from rag.indexing.embeddings import OnnxEmbedder, TorchEmbedder
from rag.indexing.model_folder import ModelFolder
from rag.models.catalog import find_model
from rag.models.weights import EmbedderFiles, embedder_files, locate
from tests.conftest import Box

pytestmark = pytest.mark.model
SAVE = """
import sys, torch
from pathlib import Path
from transformers import BertConfig, BertModel
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Pooling, Transformer
torch.manual_seed(1)
folder = Path(sys.argv[1])
config = BertConfig(hidden_size=48, num_hidden_layers=1, num_attention_heads=4,
                    intermediate_size=64, max_position_embeddings=128)
BertModel(config).save_pretrained(folder / "bert")
modules = [
    Transformer(str(folder / "bert"), max_seq_length=64),
    Pooling(48, pooling_mode="mean"),
    Dense(48, 32, activation_function=torch.nn.Identity()),
]
prompts = {"query": "ask: ", "document": "note: "}
SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder / "tiny"))
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, as today's sentence-transformers saves it."""
    folder = tmp_path_factory.mktemp("st")
    (folder / "bert").mkdir()
    bundled = locate(find_model("all-MiniLM-L6-v2", "embedder")).parent
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        if (bundled / name).is_file():
            shutil.copy(bundled / name, folder / "bert")
    subprocess.run([sys.executable, "-c", SAVE, str(folder)], check=True, capture_output=True)
    return folder / "tiny"


@pytest.fixture(scope="module")
def files(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> EmbedderFiles:
    return embedder_files(find_model(str(tiny), "embedder"), tmp_path_factory.mktemp("exported"))


def test_it_says_of_itself_how_it_is_used(tiny: Path):
    model = ModelFolder(EmbedderFiles("tiny", tiny, "", None))
    model.check()
    assert (model.dimension, model.max_tokens) == (32, 64)
    assert (model.query_prompt, model.document_prompt) == ("ask: ", "note: ")
    assert not model.pools_by_mean
    own = ModelFolder(EmbedderFiles("tiny", tiny, "", None), "query: ", "passage: ")
    assert (own.query_prompt, own.document_prompt) == ("query: ", "passage: ")
    assert own.fingerprint != model.fingerprint


def test_both_ways_to_run_it_agree(files: EmbedderFiles):
    assert files.onnx is not None
    fast, torch = OnnxEmbedder(files), TorchEmbedder(files)
    texts = ["The hive stands behind the shed.", "We cycled along the Rhine. " * 40]
    ours, theirs = fast.embed(texts), torch.embed(texts)
    assert ours.shape == (2, 32)
    assert (ours * theirs).sum(axis=1) == pytest.approx([1, 1], abs=1e-3)
    query = fast.embed_query(texts[0])
    assert query @ torch.embed_query(texts[0]) == pytest.approx(1, abs=1e-3)
    assert query @ ours[0] < 0.9999  # a question has another prompt than a note


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("config.json", None, "is no folder of a sentence-transformers model"),
        ("tokenizer.json", None, r"has no tokenizer\.json"),
        ("modules.json", "{", "is damaged"),
        ("modules.json", "[3]", "is damaged"),
    ],
)
def test_a_folder_that_lacks_something(tiny: Path, tmp_path: Path, name, text, says):
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / name).unlink()
    if text is not None:
        (copy / name).write_text(text)
    with pytest.raises(ModelError, match=says):
        ModelFolder(EmbedderFiles("copy", copy, "", None)).check()


def test_changing_keeps_the_old_index_until_the_new_is_complete(box: Box, tiny: Path):
    box.index()
    before = box.finds("rain barrel")
    other = box.engine(embedder_model=str(tiny))
    assert other.other_embedder() == "all-MiniLM-L6-v2"
    with pytest.raises(IndexMismatch):
        other.search("rain barrel")
    progress = other.index(rebuild=True)
    for event in progress:
        if event.stage == "embed":
            break
    progress.close()  # as if it were killed here
    assert box.engine().other_embedder() == ""
    assert box.finds("rain barrel") == before
    for _ in box.engine(embedder_model=str(tiny)).index(rebuild=True):
        pass
    changed = box.engine(embedder_model=str(tiny))
    assert changed.other_embedder() == ""
    assert "barrel.md" in [each.path for each in changed.search("rain barrel")]
    assert changed.status().embedder == "tiny"
    assert box.engine().other_embedder() == "tiny"


def test_it_is_asked_before_notes_are_indexed_anew(box: Box, tiny: Path):
    box.index()
    assert box.rag("models", "add", str(tiny), "--name", "mine").returncode == 0
    done = box.rag("models", "use", "mine")
    assert "old index stays until then" in done.stdout
    box.refused("search", "rain barrel", says="another embedder (all-MiniLM-L6-v2)")
    said = " ".join(box.rag("status").stdout.split())
    assert "all-MiniLM-L6-v2 (the settings now name mine: rag index --rebuild makes the" in said
    refused = box.refused("search", "--notes", str(box.notes), "rain barrel", says="anew with:")
    assert refused.strip().endswith(f"rag index --rebuild --notes {box.notes}")
    out = asked(box, b"n\n", "search", "rain barrel")
    assert "Index all 3 notes anew?" in out
    assert "rag models use all-MiniLM-L6-v2" in out
    box.env["RAG_EMBEDDER_MODEL"] = "all-MiniLM-L6-v2"
    assert box.finds("rain barrel")  # nothing was lost by a no
    del box.env["RAG_EMBEDDER_MODEL"]
    out = asked(box, b"y\n", "search", "--json", "rain barrel")
    assert "barrel.md" in out
    shown = json.loads(box.rag("status", "--json").stdout)
    assert (shown["embedder"], shown["next_embedder"]) == ("mine", "")
    box.refused("models", "remove", "mine", says="is in use")


def test_other_prompts_for_the_same_embedder_are_told_as_such(box: Box):
    box.index()
    box.env["RAG_EMBEDDER_QUERY_PROMPT"] = "query: "
    box.refused("search", "rain barrel", says="(all-MiniLM-L6-v2), or with other prompts for it")
    said = " ".join(box.rag("status").stdout.split())
    assert "all-MiniLM-L6-v2 (the settings now give it other prompts" in said
    out = asked(box, b"n\n", "search", "rain barrel")
    assert "other prompts than the index was made with" in out
    assert "query_prompt" in out
    assert "rag models use" not in out


def asked(box: Box, answer: bytes, *arguments: str) -> str:
    """Run `rag` at a terminal where somebody answers."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", *arguments],
        env=box.environ(),
        cwd=box.folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, answer)
    out, _ = process.communicate(timeout=120)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    return out.decode() + said.decode()
