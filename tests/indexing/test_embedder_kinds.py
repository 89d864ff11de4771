"""Embedders of other kinds: pooled by the first token, dense layers on top, tables of vectors; and
models that are no embedders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.indexing.embeddings import OnnxEmbedder, TorchEmbedder, open_embedder
from rag.indexing.model_folder import ModelFolder
from rag.indexing.static import StaticEmbedder
from rag.models.catalog import find_model
from rag.models.weights import embedder_files, locate
from tests.conftest import Box

pytestmark = pytest.mark.model
SAVE = """
import sys, torch
from pathlib import Path
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification, BertModel
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Normalize, Pooling, StaticEmbedding, Transformer
torch.manual_seed(1)
folder = Path(sys.argv[1])
config = BertConfig(hidden_size=48, num_hidden_layers=1, num_attention_heads=4,
                    intermediate_size=64, max_position_embeddings=128)
BertModel(config).save_pretrained(folder / "bert")
BertForSequenceClassification(config).save_pretrained(folder / "cross")
def save(name, *modules):
    SentenceTransformer(modules=list(modules), device="cpu").save(str(folder / name))
save("cls", Transformer(str(folder / "bert"), max_seq_length=64), Pooling(48, pooling_mode="cls"),
     Dense(48, 32), Normalize())
words = Tokenizer.from_file(str(folder / "bert" / "tokenizer.json"))
save("static", StaticEmbedding(words, embedding_dim=40), Normalize())
"""
TEXTS = ["The hive stands behind the shed.", "We cycled along the Rhine. " * 40, "Frost", ""]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small models with random weights, as today's sentence-transformers saves them."""
    folder = tmp_path_factory.mktemp("kinds")
    bundled = locate(find_model("all-MiniLM-L6-v2", "embedder")).parent
    for name in ("bert", "cross"):
        (folder / name).mkdir()
        for file in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
            if (bundled / file).is_file():
                shutil.copy(bundled / file, folder / name)
    subprocess.run([sys.executable, "-c", SAVE, str(folder)], check=True, capture_output=True)
    return folder


def agree(folder: Path, cache: Path, kind: type, dimension: int) -> None:
    """Our way to run the model gives what torch does."""
    files = embedder_files(find_model(str(folder), "embedder"), cache)
    ours, theirs = open_embedder(files), TorchEmbedder(files)
    assert type(ours) is kind
    ModelFolder(files).check()
    vectors = ours.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), dimension) == (len(TEXTS), ours.dimension)
    assert abs(vectors - theirs.embed(TEXTS)).max() < 1e-3
    assert abs(ours.embed_query(TEXTS[0]) - vectors[0]).max() < 1e-5


def test_the_first_token_and_a_dense_layer(saved: Path, tmp_path: Path):
    agree(saved / "cls", tmp_path, OnnxEmbedder, 32)


@pytest.mark.parametrize("apart", [False, True])
def test_a_table_of_vectors_needs_no_torch(saved: Path, tmp_path: Path, apart: bool):
    """Its first part may lie in a folder of its own, as older versions saved it."""
    model = tmp_path / "static"
    shutil.copytree(saved / "static", model)
    if apart:
        (model / "0_StaticEmbedding").mkdir()
        for name in ("model.safetensors", "tokenizer.json"):
            (model / name).rename(model / "0_StaticEmbedding" / name)
        parts = json.loads((model / "modules.json").read_text())
        parts[0] |= {
            "path": "0_StaticEmbedding",
            "type": "sentence_transformers.models.StaticEmbedding",
        }
        (model / "modules.json").write_text(json.dumps(parts))
    agree(model, tmp_path / "cache", StaticEmbedder, 40)


def test_a_table_whose_tokens_share_rows(saved: Path, tmp_path: Path):
    """As model2vec saves one whose vocabulary was quantized."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    model = tmp_path / "shared"
    shutil.copytree(saved / "static", model)
    table = load_file(model / "model.safetensors")["embedding.weight"]
    save_file(
        {
            "embeddings": table[:100].astype(np.float16),
            "mapping": np.arange(len(table)) % 100,
            "weights": np.linspace(0.5, 1.5, len(table)),
        },
        model / "model.safetensors",
    )
    agree(model, tmp_path / "cache", StaticEmbedder, 40)


def test_notes_are_indexed_and_found_with_it(saved: Path, box: Box):
    added = box.rag("models", "add", "--json", str(saved / "static"), "--name", "table")
    assert json.loads(added.stdout)["name"] == "table"
    box.env["RAG_EMBEDDER_MODEL"] = "table"
    found = json.loads(box.rag("search", "--json", "rain barrel").stdout)
    assert found["passages"][0]["path"] == "barrel.md"
    assert json.loads(box.rag("status", "--json").stdout)["embedder"] == "table"


def test_what_is_no_embedder(saved: Path, tmp_path: Path, box: Box):
    says = "scores pairs of texts; it is no embedder. It may be a reranker"
    box.refused("models", "add", str(saved / "cross"), says=says)
    with pytest.raises(ModelError, match="scores pairs"):
        embedder_files(find_model(str(saved / "cross"), "embedder"), tmp_path)
    sparse = tmp_path / "sparse"
    shutil.copytree(saved / "cls", sparse)
    parts = json.loads((sparse / "modules.json").read_text())
    parts[1]["type"] = "sentence_transformers.sparse_encoder.models.SpladePooling"
    (sparse / "modules.json").write_text(json.dumps(parts))
    box.refused(
        "models", "add", str(sparse), says="a part of the kind SpladePooling, which rag cannot"
    )


def test_a_damaged_table(saved: Path, tmp_path: Path):
    model = tmp_path / "damaged"
    shutil.copytree(saved / "static", model)
    weights = model / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(b"\xff" * 64)
    with pytest.raises(ModelError, match="is damaged"):
        ModelFolder(embedder_files(find_model(str(model), "embedder"), tmp_path / "cache"))
    weights.write_bytes(whole[: len(whole) // 2])
    files = embedder_files(find_model(str(model), "embedder"), tmp_path / "cache")
    with pytest.raises(ModelError, match="is damaged"):
        open_embedder(files).embed(TEXTS)
