"""Words of other languages and scripts, in a real word index."""

from __future__ import annotations

import unicodedata

import pytest

from rag.indexing.lexical import Words, analyzer
from rag.indexing.tokens import asked, noted
from rag.retrieval.query import check_question, search_terms
from tests.indexing.conftest import Desk

NOTES = {
    "fr.md": "# Été\n\nL'école près du château.\n",
    "nfd.md": unicodedata.normalize("NFD", "# Crème brûlée\n\nÀ la française.\n"),
    "de.md": "# Straße\n\nDie GRÖẞTE Brücke über den Fluß.\n",
    "el.md": "# Ελλάδα\n\nΗ Αθήνα είναι όμορφη.\n",
    "ru.md": "# Ёлка\n\nМы живём в Москве.\n",
    "ja.md": "# 東京都\n\n東京都庁は新宿にある。ラーメンが美味しい。\n",
    "half.md": "# カナ\n\nﾊﾝｶｸ RAG ＦＵＬＬ\n",
    "zh.md": "# 图书馆\n\n我们在图书馆学习中文。猫\n",
    "ko.md": "# 여행\n\n서울에서 부산까지 기차를 탔다.\n",
    "th.md": "# ภาษา\n\nฉันเรียนภาษาไทยที่กรุงเทพ\n",
    "hi.md": "# यात्रा\n\nहम दिल्ली गए थे।\n",
    "ar.md": "# رحلة\n\nزرنا القاهرة في الشتاء.\n",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tongues")
    desk = Desk(folder / "notes", folder / "index")
    for name, text in NOTES.items():
        desk.write(name, text)
    desk.update()
    index, words = desk.open(), Words()

    def search(question: str) -> list[str]:
        terms = search_terms(check_question(question), words)
        ids = [chunk for chunk, _ in index.search_words(terms, 5)]
        passages = index.passages(ids)
        return [passages[each].path for each in ids]

    yield search
    index.close()


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("ecole", "fr.md"), ("ÉCOLE", "fr.md"), ("e\u0301cole", "fr.md"), ("chateau ete", "fr.md"),
        ("creme brulee", "nfd.md"), ("Crème", "nfd.md"), ("francaise", "nfd.md"),
        ("strasse", "de.md"), ("größte brucke", "de.md"), ("fluss", "de.md"),
        ("αθηνα", "el.md"), ("ΑΘΗΝΑ", "el.md"), ("ελλαδα", "el.md"),
        ("елка", "ru.md"), ("живем", "ru.md"), ("МОСКВЕ", "ru.md"),
        ("東京", "ja.md"), ("都庁", "ja.md"), ("新宿はどこですか", "ja.md"), ("ラーメン", "ja.md"),
        ("ハンカク", "half.md"), ("full", "half.md"),
        ("图书馆在哪里", "zh.md"), ("猫", "zh.md"), ("中文", "zh.md"),
        ("서울", "ko.md"), ("기차 여행", "ko.md"),
        ("ภาษาไทย", "th.md"), ("กรุงเทพ", "th.md"),
        ("दिल्ली", "hi.md"), ("القاهرة", "ar.md"),
    ],
)  # fmt: skip
def test_a_word_finds_its_note_in_any_script_case_and_accent(found, question, best):
    assert found(question)[:1] == [best]


@pytest.mark.parametrize("question", ["京東", "庁都", "馆书"])
def test_letters_in_another_order_are_another_word(found, question):
    assert found(question) == []


def test_english_is_left_as_it_is():
    text = "The hive's 300 litres: (re)painted_green, co-op."
    assert noted(text) is text
    assert asked(text) is text


def test_notes_hold_single_letters_and_questions_only_where_they_stand_alone():
    assert asked("見る東京都 a 猫").split() == ["見る", "る東", "東京", "京都", "a", "猫"]
    assert set(noted("東京 x").split()) == {"東京", "東", "京", "x"}


@pytest.mark.parametrize(
    "text",
    [
        "The hives’ keeper, Dr. A-B (née C.)",
        "東京都庁は 新宿にある",
        "running runs ran; C++/Rust",
        "",
    ],
)
def test_words_are_the_same_when_they_are_remembered(text):
    words = Words()
    first = words(text)
    assert first == words(text) == list(analyzer().analyze(asked(text)))
