"""The exported embedder says what sentence-transformers says, and torch steps in for it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.indexing.embeddings import OnnxEmbedder, PassageText, TorchEmbedder, open_embedder
from rag.indexing.model_folder import ModelFolder
from rag.indexing.pooling import directions
from rag.models.catalog import find_model
from rag.models.weights import EmbedderFiles, embedder_files

TEXTS = [
    "",
    " ",
    "a",
    "How many litres does the rain barrel hold?",
    "Ünïcödé – “quotes” … €",
    "雨水桶",
    "🌧️🐝",
    "\u0000\u200b\ufeff",
    "x" * 500,
    "word " * 600,
    "Zeile\nnächste\tTab",
    "<s>[CLS] [SEP] [MASK] </s>",
    "المطر في البرميل",
    "| a | b |\n| - | - |",
    "e\u0301 é",
    "The hive stands behind the shed. " * 20,
]
pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def torch_embedder(embedder) -> TorchEmbedder:
    return TorchEmbedder(embedder._model.files)


def test_onnx_agrees_with_sentence_transformers(embedder, torch_embedder):
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(embedder._model.files.folder), device="cpu")
    reference.tokenizer.split_special_tokens = True
    theirs = reference.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    ours = embedder.embed(TEXTS)
    assert np.sum(ours * theirs, axis=1).min() >= 0.999
    assert np.sum(torch_embedder.embed(TEXTS) * theirs, axis=1).min() >= 0.999
    one = np.stack([embedder.embed_query(text) for text in TEXTS])
    assert np.sum(one * ours, axis=1).min() >= 0.9999, "alone as in a batch"


def test_vectors_are_of_length_one(embedder):
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_weights_that_were_released_are_loaded_again(embedder, torch_embedder):
    for each in (embedder, torch_embedder):
        before = each.embed_query("Who keeps bees?")
        each.release()
        assert getattr(each, "_session", None) is None
        assert getattr(each, "_transformer", None) is None
        assert np.array_equal(each.embed_query("Who keeps bees?"), before)


def test_tokens_are_counted_as_they_are_fed(embedder):
    counted = embedder.count_tokens(TEXTS)
    tokenizer = embedder._model.tokenizer
    fed = [len(tokenizer.encode(text).ids) for text in TEXTS]
    assert [min(each, embedder.max_tokens) for each in counted] == fed
    assert max(counted) > embedder.max_tokens == max(fed)


def test_every_text_comes_back_once(embedder):
    passages = [PassageText(f"text {n} " * (n % 40 + 1), 0, ()) for n in range(150)]
    batches = list(embedder.embed_passages(passages))
    assert sorted(i for batch in batches for i in batch.indices) == list(range(150))
    ours = np.concatenate([batch.vectors for batch in batches])
    order = [i for batch in batches for i in batch.indices]
    theirs = embedder.embed([passages[i].text for i in order])
    assert np.sum(ours * theirs, axis=1).min() >= 0.9999
    assert list(embedder.embed_passages([])) == []


def test_a_sentence_has_a_direction_of_its_own(embedder):
    text = "Garden\nThe barrel holds 300 litres. Bees live in the hive. 🌧️"
    spans = [(7, 36), (37, 59), (60, 60)]
    (batch,) = embedder.embed_passages([PassageText(text, 6, tuple(spans))])
    (coarse,) = batch.sentences
    assert coarse.shape == (3, embedder.dimension)
    assert coarse.dtype == np.int8
    barrel, bees, nothing = directions(coarse)
    question = embedder.embed_query("Where do the bees live?")
    assert bees @ question > batch.vectors[0] @ question > barrel @ question
    assert nothing @ batch.vectors[0] >= 0.999, "a sentence of no token is the passage"


def test_a_model_that_reads_the_first_token_alone_gives_no_sentences(embedder, copied: Path):
    pooling = copied / "1_Pooling" / "config.json"
    settings = {**json.loads(pooling.read_text()), "pooling_mode_mean_tokens": False}
    pooling.write_text(json.dumps({**settings, "pooling_mode_cls_token": True}))
    other = OnnxEmbedder(replace(embedder._model.files, folder=copied))
    (batch,) = other.embed_passages([PassageText("One. Two.", 0, ((0, 4), (5, 9)))])
    assert batch.sentences[0].shape == (0, embedder.dimension)


@pytest.fixture
def copied(embedder, tmp_path: Path) -> Path:
    """The settings of the embedder in a folder of their own; the weights are linked."""
    folder = tmp_path / "model"
    shutil.copytree(
        embedder._model.files.folder,
        folder,
        ignore=lambda _, names: [name for name in names if name.endswith((".safetensors", ".bin"))],
    )
    (folder / "model.safetensors").symlink_to(embedder._model.files.folder / "model.safetensors")
    return folder


def test_the_fingerprint_covers_prompts_and_length(embedder, copied: Path):
    files = replace(embedder._model.files, folder=copied)
    assert ModelFolder(files).fingerprint == embedder.fingerprint
    config = copied / "config_sentence_transformers.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps({**settings, "prompts": {"query": "query: ", "document": ""}}))
    with_prompt = ModelFolder(files).fingerprint
    (copied / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert len({embedder.fingerprint, with_prompt, ModelFolder(files).fingerprint}) == 3


def test_a_damaged_setting_is_named(embedder, copied: Path):
    (copied / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json is damaged"):
        ModelFolder(replace(embedder._model.files, folder=copied))


def test_a_missing_tokenizer_is_named(embedder, copied: Path):
    (copied / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        ModelFolder(replace(embedder._model.files, folder=copied)).count_tokens(["x"])


def test_a_damaged_tokenizer_is_named(embedder, copied: Path):
    (copied / "tokenizer.json").write_text('{"version": "1.0"')
    with pytest.raises(ModelError, match=r"tokenizer\.json.*damaged"):
        ModelFolder(replace(embedder._model.files, folder=copied)).count_tokens(["x"])


def test_a_damaged_export_is_named(embedder, tmp_path: Path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelError, match="Delete that file"):
        OnnxEmbedder(replace(embedder._model.files, onnx=broken)).embed_query("x")


def test_an_export_that_fails_is_remembered_and_torch_answers(tmp_path: Path, monkeypatch):
    calls: list[list[str]] = []

    def fail(command, **_):
        import subprocess

        calls.append(command)
        return subprocess.CompletedProcess(command, 1, "", "no exporter")

    monkeypatch.setattr("rag.models.weights.subprocess.run", fail)
    spec = find_model("all-MiniLM-L6-v2", "embedder")
    for _ in range(2):
        files = embedder_files(spec, tmp_path)
        assert files.onnx is None
        assert isinstance(open_embedder(files), TorchEmbedder)
    assert len(calls) == 1
    (note,) = tmp_path.glob("*.failed")
    assert note.read_text() == "no exporter"


def test_an_export_that_was_killed_is_tried_again(tmp_path: Path, monkeypatch):
    import subprocess

    monkeypatch.setattr(
        "rag.models.weights.subprocess.run",
        lambda command, **_: subprocess.CompletedProcess(command, -9, "", ""),
    )
    with pytest.raises(ModelError, match="Run the command again"):
        embedder_files(find_model("all-MiniLM-L6-v2", "embedder"), tmp_path)
    assert not list(tmp_path.glob("*.failed"))


@pytest.mark.parametrize(
    ("words", "knows"),
    [
        ("Мы долго жили в старом городе у реки ذهبنا إلى المدينة القديمة في الصباح", True),
        ("Мы долго жили в старом городе у реки", False),  # no Arabic
        ("we lived there", False),
    ],
)
def test_whether_a_tokenizer_has_words_of_other_scripts(tmp_path, words, knows):
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(("[UNK]", *words.split()))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    files = EmbedderFiles("tiny", tmp_path, "0", None)
    assert ModelFolder(files).knows_other_scripts == knows


@pytest.mark.model
def test_the_bundled_model_knows_latin_letters_alone(embedder):
    assert not embedder._model.knows_other_scripts
