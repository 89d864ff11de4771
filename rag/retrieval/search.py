"""A query into ranked passages: by meaning and by words, of the passage and of its sentences."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.retrieval.found import Found, Passage, Reasons
from rag.retrieval.sentences import SentenceScore, score_sentences

if TYPE_CHECKING:
    from rag.indexing.embeddings import Embedder
    from rag.indexing.passage_index import PassageIndex
    from rag.indexing.rows import StoredPassage

# Picked on all answerable SQuAD questions of the open half, checked by leaving notes out; see
# bench/RESULTS.md for what lost.
DEPTH = 200  # candidates from each side
READ = 32  # of them whose sentences are looked at; more changed nothing
_MEANING, _WORDS = 0.6, 0.4  # to pick those
# Most that BM25 can give a word, as a multiple of its rarity: 1 + k1, in a passage of no length.
_BM25_MOST = 2.2
# In nats, about two rare words: a question that says less cannot be matched in full by its words.
# SQuAD's questions do not care (hit@1 0.890 with or without), follow-ups such as "who made it?" do.
_FULL_MATCH = 10.0
# For the opening of a note that the question asks for by name ("What is RAG?"): enough to settle a
# near tie with another passage of it, not to put a note before one that says it.
_OPENING = 0.05
# Two passages that share this much of their words, and every number, say the same.
_SAME = 0.9


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal counts for. All run from 0 to 1, or nearly."""

    sentence: float = 0.45  # cosine of the nearest sentence
    passage: float = 0.10  # cosine of the passage
    sentence_words: float = 0.25  # share of the question's words in the best sentence
    passage_words: float = 0.20  # BM25 of the passage, as a share of the most it could be


WEIGHTS = Weights()


def search(
    index: PassageIndex,
    embedder: Embedder,
    analyze: Callable[[str], list[str]],
    terms: Sequence[str],
    query: str,
    k: int,
    weights: Weights = WEIGHTS,
    depth: int = DEPTH,
    named: Sequence[int] = (),
    allowed: Sequence[int] | None = None,
    openings: Sequence[int] = (),
) -> Found:
    """The `k` best passages for `query`. `terms` are its analyzed words.

    `named` are passages that are scored in any case, such as those of a note that the question
    names; `openings`, some of them, get a boost. With `allowed`, chunk ids ascending, nothing else
    is searched.
    """
    clock = _Clock()
    vector = embedder.embed_query(query)
    clock.lap("embed")
    # Side by side: neither library holds the interpreter while it searches.
    with ThreadPoolExecutor(1) as beside:
        by_words = beside.submit(index.search_words, terms, depth, allowed)
        meaning = dict(index.search_meaning(vector, depth, allowed))
        clock.lap("meaning")
        words = dict(by_words.result())
    words |= dict(index.search_words(terms, len(named), named) if named else ())
    rarity = index.rarity(terms)
    clock.lap("words")
    # A passage that only its words found has a cosine all the same.
    cosines = dict(meaning)
    unseen = [each for each in {**words, **dict.fromkeys(named)} if each not in meaning]
    cosines |= index.cosines(unseen, vector)
    meaning |= {each: cosines[each] for each in named if each in cosines}
    said = sum(rarity.values())
    shares = _shares(words, said)
    picked = _pick(cosines, shares, max(READ, 2 * k))
    read = list(dict.fromkeys((*picked, *(each for each in named if each in cosines))))
    clock.lap("fuse")
    stored = index.passages(read)
    coarse = index.sentences(read)
    clock.lap("fetch")
    passages = [
        _passage(
            stored[chunk],
            score_sentences(stored[chunk], coarse.get(chunk), vector, rarity, analyze),
            cosines[chunk],
            shares.get(chunk, 0.0),
            min(1.0, said / _FULL_MATCH),
            weights,
            _OPENING if chunk in openings else 0.0,
        )
        for chunk in read
        if chunk in stored
    ]
    passages.sort(key=lambda each: (-each.score, each.id))
    passages = _without_copies(passages, k, terms, analyze)
    clock.lap("sentences")
    sides = tuple(meaning), tuple(words)
    return Found(
        tuple(
            replace(
                each,
                meaning=meaning.get(each.id),
                words=words.get(each.id),
                reasons=_reasons(each, *sides, terms, analyze),
            )
            for each in passages
        ),
        len(cosines),
        clock.laps,
        query,
    )


def _shares(words: Mapping[int, float], said: float) -> dict[int, float]:
    """BM25 scores as shares of the most that any passage could have. `said` is the rarity of the
    question's words together."""
    most = _BM25_MOST * max(said, _FULL_MATCH)
    return {chunk: score / most for chunk, score in words.items()}


def _pick(cosines: Mapping[int, float], shares: Mapping[int, float], count: int) -> list[int]:
    """The candidates whose sentences are worth reading, best first.

    Scores, not ranks: a passage that matches far better than the next keeps its lead.
    """
    scores = {
        chunk: _MEANING * cosine + _WORDS * shares.get(chunk, 0.0)
        for chunk, cosine in cosines.items()
    }
    return sorted(scores, key=lambda chunk: (-scores[chunk], chunk))[:count]


def _passage(
    stored: StoredPassage,
    sentences: tuple[SentenceScore, ...],
    cosine: float,
    share: float,
    trust: float,
    weights: Weights,
    boost: float,
) -> Passage:
    """A candidate with its score. Where no sentence has a vector, the passage's own counts.

    `trust` is what a question says in words, from 0 for nothing to 1 for enough.
    """
    known = [each.cosine for each in sentences if each.cosine is not None]
    score = (
        boost
        + weights.sentence * max(known, default=cosine)
        + weights.passage * cosine
        + weights.sentence_words * trust * max((each.share for each in sentences), default=0.0)
        + weights.passage_words * share
    )
    return Passage(
        stored.id,
        stored.path,
        stored.title,
        stored.headings,
        stored.first,
        stored.last,
        stored.text,
        score,
        None,
        None,
        sentences,
        Reasons(boost=boost),
        place=stored.place,
        later=stored.later,
    )


def _without_copies(
    passages: Sequence[Passage],
    k: int,
    terms: Sequence[str],
    analyze: Callable[[str], list[str]],
) -> list[Passage]:
    """The first `k` that say something new; the others are named by the one they repeat.

    Words of the question tell passages apart, however alike they are otherwise.
    """
    asked = frozenset(terms)
    kept: list[Passage] = []
    held: list[frozenset[str]] = []
    for passage in passages:
        words = frozenset(analyze(passage.text))
        same = next((n for n, one in enumerate(held) if _says_the_same(words, one, asked)), None)
        if same is not None:
            place = f"{passage.path}:{passage.first}"
            kept[same] = replace(kept[same], also=(*kept[same].also, place))
        elif len(kept) == k:
            break
        else:
            kept.append(passage)
            held.append(words)
    return kept


def _says_the_same(words: frozenset[str], other: frozenset[str], asked: frozenset[str]) -> bool:
    """Whether two passages share nearly all their words, all that hold a digit or are asked for."""
    differing = words ^ other
    if differing & asked or any(map(str.isdigit, "".join(differing))):
        return False
    return bool(words) and len(words & other) >= _SAME * len(words | other)


def _reasons(
    passage: Passage,
    meaning: Sequence[int],
    words: Sequence[int],
    terms: Sequence[str],
    analyze: Callable[[str], list[str]],
) -> Reasons:
    """What made a passage a result; `meaning` and `words` are what each side found, best first."""
    held = set(analyze("\n".join((passage.title, *passage.headings, passage.text))))
    cosines = [each.cosine for each in passage.sentences if each.cosine is not None]
    return Reasons(
        meaning.index(passage.id) + 1 if passage.id in meaning else None,
        words.index(passage.id) + 1 if passage.id in words else None,
        max(cosines, default=None),
        max((each.share for each in passage.sentences), default=0.0),
        tuple(term for term in dict.fromkeys(terms) if term in held),
        boost=passage.reasons.boost,
    )


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = now - self._last
        self._last = now
