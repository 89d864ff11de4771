"""A real cross-encoder, small and random, through the commands; and what cannot be one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.config_files import load_config
from rag.errors import ConfigError, ModelError
from rag.models.catalog import find_model
from rag.models.cross_encoder import CrossEncoderModel
from rag.models.weights import locate
from tests.conftest import Box

pytestmark = pytest.mark.model
EMBEDDER = locate(find_model("all-MiniLM-L6-v2", "embedder")).parent


def save(folder: Path, labels: int = 1) -> Path:
    """Two layers of random weights, with the embedder's tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDER)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=labels,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("models") / "tiny")


def test_scores_lie_between_0_and_1_and_depend_on_both_texts(tiny: Path):
    model = CrossEncoderModel(str(tiny))
    texts = ["The barrel holds 300 litres.", "Bees.", "We cycled along the Rhine."]
    first = model.score("How much does it hold?", texts)
    assert all(0 <= each <= 1 for each in first)
    assert len(set(first)) == 3
    assert model.score("How much does it hold?", texts[1:]) == pytest.approx(first[1:], abs=1e-4)
    assert model.score("What is green?", texts) != pytest.approx(first, abs=1e-4)


def test_the_command_reranks_and_says_so(box: Box, tiny: Path):
    (box.folder / "rag.toml").write_text(f'[rerank]\nmodel = "{tiny}"\nbudget_ms = 60000\n')
    done = box.rag("search", "--explain", "--json", "barrel")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["reranked"]["model"] == "tiny"
    assert found["reranked"]["scored"] == found["reranked"]["offered"] == 4
    assert {"rerank", "rerank_load"} < set(found["seconds"])
    before = sorted(each["rank_before_reranking"] for each in found["passages"])
    assert before == [1, 2, 3, 4]
    scores = [each["score"] for each in found["passages"]]
    assert scores == sorted(scores, reverse=True)
    shown = box.rag("search", "--explain", "barrel").stdout
    assert "tiny reranked 4 of the best 4" in " ".join(shown.split())
    assert "(#1)" in shown


def test_without_a_setting_nothing_is_reranked(box: Box):
    found = json.loads(box.rag("search", "--explain", "--json", "barrel").stdout)
    assert found["reranked"] is None
    assert "rerank" not in found["seconds"]


@pytest.mark.parametrize(
    ("name", "says", "cure"),
    [
        ("cross-encoder/no-such-model", "is not on this machine", "hf download cross-encoder/no-"),
        ("/no/such/folder", "is not on this machine", "Check the path"),
        (str(EMBEDDER), "is no cross-encoder", "[rerank]"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence(box: Box, name: str, says: str, cure: str):
    box.env["RAG_RERANK_MODEL"] = name
    assert cure in box.refused("search", "barrel", says=says)


def test_weights_that_could_hold_code_are_refused(tiny: Path, tmp_path: Path):
    for file in tiny.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ModelError, match="safetensors"):
        CrossEncoderModel(str(tmp_path)).load()


def test_a_model_of_several_classes_and_damaged_weights(tmp_path: Path):
    with pytest.raises(ModelError, match="3 classes"):
        CrossEncoderModel(str(save(tmp_path / "three", labels=3))).load()
    (tmp_path / "three" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be loaded"):
        CrossEncoderModel(str(tmp_path / "three")).load()


def test_names_and_paths_in_the_settings(tmp_path: Path):
    def model(value: str) -> str:
        (tmp_path / "rag.toml").write_text(f'[rerank]\nmodel = "{value}"\n')
        return load_config(tmp_path, {}).rerank_model

    assert model("cross-encoder/ms-marco") == "cross-encoder/ms-marco", "a name keeps its slash"
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert model("models/mine") == str(tmp_path / "models" / "mine")
    assert model("./other") == str(tmp_path / "./other")
    with pytest.raises(ConfigError, match=r"rerank\.budget_ms"):
        load_config(tmp_path, {"RAG_RERANK_BUDGET_MS": "0"})
