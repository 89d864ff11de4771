"""The reader: prepared once, and pointing at what a text says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models import reader as module
from rag.models.catalog import BUNDLED
from rag.models.reader import SPANS, TOKENS, Reader, encode_pair, open_tokenizer, prepared_reader
from rag.models.weights import ADAPTERS, locate

LIBRARY = "The library was founded in 1902 by Anna Berg, who gave it 3,000 books."
BRIDGE = "The bridge was built by Otto Lund after the flood of 1911."


@pytest.fixture(scope="module")
def reader(models_cache: Path) -> Reader:
    made = prepared_reader(models_cache, 2)
    assert made is not None
    return made


@pytest.mark.model
@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("Who founded the library?", LIBRARY, "Anna Berg"),
        ("How many books were given?", LIBRARY, "3,000"),
        ("Who built the bridge?", BRIDGE, "Otto Lund"),
        ("When was the flood?", BRIDGE, "1911"),
    ],
)
def test_it_points_at_the_answer(reader: Reader, question: str, text: str, answer: str):
    ((pointed, *_),) = reader.read(question, [("Town", text)])
    assert answer in text[pointed.start : pointed.end]
    assert len(text[pointed.start : pointed.end]) < 30


@pytest.mark.model
def test_the_text_that_answers_has_the_better_odds(reader: Reader):
    library, bridge = reader.read("Who built the bridge?", [("", LIBRARY), ("", BRIDGE)])
    assert bridge[0].odds > library[0].odds + 2


@pytest.mark.model
def test_places_come_best_first_and_only_those_that_fit(reader: Reader):
    question = "What does the library have?"
    (every,) = reader.read(question, [("", LIBRARY)])
    assert len(every) == SPANS
    assert [each.odds for each in every] == sorted((each.odds for each in every), reverse=True)
    (fitting,) = reader.read(question, [("", LIBRARY)], lambda text: "1902" in text)
    assert 0 < len(fitting) < SPANS
    assert all("1902" in LIBRARY[each.start : each.end] for each in fitting)
    ((none,),) = reader.read(question, [("", LIBRARY)], lambda _: False)
    assert (none.start, none.end) == (every[0].start, every[0].end)
    assert none.odds < every[0].odds - 1


@pytest.mark.model
def test_a_text_reads_the_same_alone_and_beside_a_longer_one(reader: Reader):
    question = "Who founded the library?"
    ((alone, *_),) = reader.read(question, [("", LIBRARY)])
    (beside, *_), _ = reader.read(question, [("", LIBRARY), ("", BRIDGE * 12)])
    assert (alone.start, alone.end) == (beside.start, beside.end)
    assert alone.odds == pytest.approx(beside.odds, abs=0.01)


@pytest.mark.model
def test_nothing_and_far_too_much_can_be_read(reader: Reader):
    assert reader.read("Who?", []) == []
    ((empty,),) = reader.read("Who?", [("", "")])
    assert empty.start == empty.end == 0
    assert empty.odds < -100
    ((long, *_),) = reader.read("who " * 2000, [("A title " * 500, "word " * 5000)])
    assert 0 <= long.start <= long.end <= 25_000


@pytest.mark.model
def test_what_is_encoded_fits_and_knows_its_places():
    tokenizer = open_tokenizer(locate(BUNDLED[0]).parent / "tokenizer.json")
    for question, text in (("Who?", LIBRARY), ("who " * 500, BRIDGE * 60)):
        made = encode_pair(tokenizer, question, "Town", text)
        assert len(made.ids) <= TOKENS
        assert len(made.ids) == made.begin + len(made.offsets) + 1
        first, last = made.offsets[0], made.offsets[-1]
        assert text[slice(*first)] == "The"
        assert last[1] <= len(text)


@pytest.mark.model
def test_it_is_prepared_once(models_cache: Path, reader: Reader, monkeypatch):
    monkeypatch.setattr(module, "run_apart", lambda *_: pytest.fail("exported again"))
    assert prepared_reader(models_cache) is not None


@pytest.mark.model
def test_a_damaged_reader_is_named(tmp_path: Path, monkeypatch):
    (tmp_path / module.READER).write_bytes(b"not what was shipped")
    monkeypatch.setattr(module, "ADAPTERS", tmp_path)
    with pytest.raises(ModelError, match="The reader is missing or damaged"):
        prepared_reader(tmp_path / "cache")


@pytest.mark.model
def test_a_damaged_export_is_named(tmp_path: Path):
    (tmp_path / "reader.onnx").write_bytes(b"nothing")
    tokenizer = shutil.copy(locate(BUNDLED[0]).parent / "tokenizer.json", tmp_path)
    with pytest.raises(ModelError, match="is damaged"):
        Reader(tmp_path / "reader.onnx", Path(tokenizer)).load()


@pytest.mark.model
def test_a_reader_that_cannot_be_exported_is_done_without(tmp_path: Path, monkeypatch):
    tried = []

    def fails(*arguments: str):
        tried.append(arguments)
        return type("Done", (), {"returncode": 1, "stderr": "no such operator"})()

    monkeypatch.setattr(module, "run_apart", fails)
    assert prepared_reader(tmp_path) is None
    assert prepared_reader(tmp_path) is None
    assert len(tried) == 1


def test_what_is_shipped_is_small():
    shipped = [each for each in ADAPTERS.iterdir() if each.suffix in (".gguf", ".safetensors")]
    assert sum(each.stat().st_size for each in shipped) <= 12_000_000
