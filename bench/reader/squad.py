"""SQuAD's training set with what was asked in vain:
`squad.py OUT TRAIN.json --unansq FOLDER --translated FOLDER`

TRAIN.json is SQuAD 1.1's training set. The questions of 2.0 that its paragraphs do not answer come
from two public sets about the same paragraphs: UnAnsQ's `QG` folder (Zhu et al. 2019), where each
stands beside an answerable one, whose id names the paragraph; and TurkuNLP's squad2-fi, 2.0
translated to Finnish and back (HTML, its `squad2-en-translated-raw/html`). The latter gives no
ids: its documents and paragraphs are found by their words, and in each paragraph the questions of
1.1 come first, in their order, then those without an answer. A paragraph whose questions do not
follow those of 1.1 is left out.

OUT gets three files as `pairs.py` reads them (`--more`): answered.jsonl, unanswered.jsonl and
translated.jsonl. Of the last both kinds are kept, as many of the one as of the other, so that the
style of a question does not tell which it is.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bench.adapter.examples import read_split

_ALIKE = 0.15  # cosine of a question and its translation, by groups of letters; less is another one
_SAME = 0.8  # of two questions that are one
_LEAST = 0.3  # cosine of words of a paragraph and its translation
_TOKENS = re.compile(
    r"\s+(?=[.,?!;:%)\]]|n't\b|'(?:s|re|ve|ll|d|m)\b)|(?<=[(\[$#])\s+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Row:
    """A question about a context, and its answers; none: the context does not say."""

    title: str
    context: str
    question: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the set, its questions in their order, their ids and first answers."""

    title: str
    context: str
    questions: tuple[str, ...]
    ids: tuple[str, ...]
    answers: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("--unansq", type=Path, required=True)
    parser.add_argument("--translated", type=Path, required=True)
    options = parser.parse_args()
    paragraphs = list(_paragraphs(options.train))
    options.out.mkdir(parents=True, exist_ok=True)
    unanswered = list(_unansq(options.unansq, paragraphs))
    _write(options.out / "answered.jsonl", _answered(paragraphs))
    _write(options.out / "unanswered.jsonl", unanswered)
    documents = [_document(file) for file in sorted(options.translated.glob("*.html"))]
    translated = _translated([one for file in documents for one in file], paragraphs, unanswered)
    _write(options.out / "translated.jsonl", translated)


def _write(file: Path, rows: Sequence[Row]) -> None:
    with file.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    print(f"{file.name}: {len(rows)} questions, {sum(bool(row.answers) for row in rows)} answered")


def _paragraphs(file: Path) -> Iterator[Paragraph]:
    """Those of all articles but the ones that the notes of the data folder are made of."""
    kept = {name.removesuffix(".md") for part in ("train", "score") for name in read_split(part)}
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        if article["title"] in kept:
            raise SystemExit(f"{article['title']} is not of the training set.")
        for each in article["paragraphs"]:
            asked = each["qas"]
            yield Paragraph(
                article["title"],
                each["context"],
                tuple(one["question"].strip() for one in asked),
                tuple(one["id"] for one in asked),
                tuple(one["answers"][0]["text"] for one in asked),
            )


def _answered(paragraphs: Sequence[Paragraph]) -> list[Row]:
    return [
        Row(each.title, each.context, question, (answer,))
        for each in paragraphs
        for question, answer in zip(each.questions, each.answers, strict=True)
    ]


def _unansq(folder: Path, paragraphs: Sequence[Paragraph]) -> Iterator[Row]:
    """Questions without an answer beside the paragraph of the answerable one that they come with.
    Its "test" part is of other articles, and is not read."""
    of_id = {one: each for each in paragraphs for one in each.ids}
    for part in ("train", "dev"):
        answerable, unanswerable = (
            (folder / f"{part}-{kind}-questions.txt").read_text(encoding="utf-8").splitlines()
            for kind in ("answerable", "unanswerable")
        )
        seen = set()
        for with_answer, without in zip(answerable, unanswerable, strict=True):
            paragraph = of_id.get(with_answer.split("\t")[0])
            number, tokens = without.split("\t")[:2]
            if paragraph and number not in seen:
                seen.add(number)
                yield Row(paragraph.title, paragraph.context, _TOKENS.sub("", tokens))


def _document(file: Path) -> list[list[list[str]]]:
    """The articles of a file: of each its paragraphs, of each its text and questions."""
    articles: list[list[list[str]]] = []
    for found in re.findall(r"<p\b[^>]*>(.*?)</p>", file.read_text(encoding="utf-8"), re.DOTALL):
        text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", found)).split())
        heading = re.fullmatch(r"(Document number|Text number|Question) \d+", text)
        if heading and heading[1] == "Document number":
            articles.append([])
        elif heading and heading[1] == "Text number" and articles:
            articles[-1].append([])
        elif text and not heading and articles and articles[-1]:
            articles[-1][-1].append(text)
    return articles


def _translated(
    articles: Sequence[list[list[str]]],
    paragraphs: Sequence[Paragraph],
    unanswered: Sequence[Row],
) -> list[Row]:
    """Translated questions beside the paragraphs that they were asked about."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    known: dict[str, list[str]] = {}
    for row in unanswered:
        known.setdefault(row.context, []).append(row.question)
    matched = list(_matched(articles, paragraphs))
    every = dict.fromkeys(one for each, asked in matched for one in (*each.questions, *asked))
    every.update(dict.fromkeys(row.question for row in unanswered))
    place = {one: n for n, one in enumerate(every)}
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True)
    vectors = letters.fit_transform(every)

    def likeness(some: Sequence[str], others: Sequence[str]) -> Any:
        both = ([place[one] for one in part] for part in (some, others))
        return np.asarray((vectors[next(both)] @ vectors[next(both)].T).todense())

    answered: list[Row] = []
    in_vain: list[Row] = []
    left_out = 0
    for paragraph, questions in matched:
        count = len(paragraph.questions)
        asked = [*paragraph.questions, *known.get(paragraph.context, ())]
        alike = likeness(questions, asked)
        own = np.array([alike[n, n] for n in range(min(count, len(questions)))])
        if len(own) < count or own[-1] < _ALIKE or np.mean(own >= _ALIKE) < 0.8:
            left_out += 1
            continue
        answered += [
            Row(paragraph.title, paragraph.context, question, (answer,))
            for question, answer, near in zip(questions, paragraph.answers, own, strict=False)
            if near >= _ALIKE
        ]
        in_vain += [
            Row(paragraph.title, paragraph.context, question)
            for question, near in zip(questions[count:], alike[count:].max(axis=1), strict=True)
            if near < _SAME
        ]
    print(f"{left_out} paragraphs whose questions are not those of the training set are left out")
    chosen = np.random.default_rng(0).permutation(len(answered))[: len(in_vain)]
    return [*in_vain, *(answered[n] for n in chosen)]


def _matched(
    articles: Sequence[list[list[str]]], paragraphs: Sequence[Paragraph]
) -> Iterator[tuple[Paragraph, list[str]]]:
    """Paragraphs and their translated questions, by their words: each translation's likest."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [each[0] for article in articles for each in article if each]
    asked = [each[1:] for article in articles for each in article if each]
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    table = words.fit_transform(each.context for each in paragraphs).T
    taken = set()
    for start in range(0, len(texts), 512):
        shared = (words.transform(texts[start : start + 512]) @ table).toarray()
        for n, (best, share) in enumerate(
            zip(shared.argmax(axis=1), shared.max(axis=1), strict=True), start
        ):
            if share >= _LEAST and best not in taken and asked[n]:
                taken.add(best)
                yield paragraphs[best], asked[n]
    print(f"{len(taken)} of {len(texts)} translated paragraphs are known")


if __name__ == "__main__":
    main()
