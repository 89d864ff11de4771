"""The judge of entailment: a tiny cross-encoder made here, with weights by chance."""

import json
from pathlib import Path

import pytest

from rag.answering.entailment import EntailmentJudge
from rag.config import Config
from rag.config_files import load_config
from rag.errors import ModelError
from rag.wiring import open_judge

LABELS = ("contradiction", "entailment", "neutral")


def make(folder: Path, labels=LABELS, safe: bool = True) -> Path:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
    }
    words = [*special.values(), "the", "library", "was", "founded", "closed", "by", "anna", "."]
    words_model = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, "[UNK]"))
    words_model.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words_model, **special)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64,
        id2label=dict(enumerate(labels)), label2id={each: n for n, each in enumerate(labels)},
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if not safe:
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("nli") / "tiny")


def test_it_gives_the_probability_of_entailment(model: Path):
    judge = EntailmentJudge(str(model))
    said = judge("the library was founded by anna .", "anna founded the library .")
    assert 0 < said < 1
    assert said == judge("the library was founded by anna .", "anna founded the library .")
    assert 0 < judge("the library " * 500, "anna founded the library .") < 1, (
        "a long premise is cut"
    )


def test_the_label_is_found_by_its_name(model: Path, tmp_path: Path):
    pair = "the library was founded by anna .", "the library was closed ."
    before = EntailmentJudge(str(model))(*pair)
    config = json.loads((model / "config.json").read_text())
    other = tmp_path / "other"
    other.mkdir()
    for file in model.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    config["id2label"] = {"0": "ENTAILMENT", "1": "contradiction", "2": "neutral"}
    config["label2id"] = {label: int(at) for at, label in config["id2label"].items()}
    (other / "config.json").write_text(json.dumps(config))
    assert EntailmentJudge(str(other))(*pair) != before


def test_what_is_no_such_model_is_refused_in_a_sentence(tmp_path: Path):
    cases = {
        str(tmp_path / "gone"): "no folder",
        "nobody/no-such-model": "Hugging Face cache",
        str(make(tmp_path / "two", ("relevant", "other"))): "labels are relevant, other",
        str(make(tmp_path / "pickle", safe=False)): "safetensors",
    }
    for name, says in cases.items():
        with pytest.raises(ModelError, match=says) as raised:
            EntailmentJudge(name)("a", "b")
        assert "[grounding]" in raised.value.remedy


def test_it_is_off_unless_it_is_named(tmp_path: Path):
    assert open_judge(Config()) is None
    (tmp_path / "nli").mkdir()
    for said, name in (("./nli", str(tmp_path / "nli")), ("owner/nli", "owner/nli")):
        (tmp_path / "rag.toml").write_text(f'[grounding]\nmodel = "{said}"\n')
        judge = open_judge(load_config(tmp_path, {}))
        assert isinstance(judge, EntailmentJudge)
        assert Path(judge.name) == Path(name)
