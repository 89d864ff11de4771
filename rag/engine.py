"""`Engine`: index, search and ask one notes folder. The one object that front ends hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from rag.answering.answer import NO_SIDES, Drafted, answer
from rag.answering.grounding import Sentence
from rag.answering.kinds import kind_of, sides_of
from rag.answering.quotes import Sides
from rag.answering.sides import find_sides
from rag.answering.summary import Check, Points, read_points, summarise
from rag.errors import IndexDamaged, QuestionError
from rag.events import Answered, Cancel, Event, LookUp, Retrieved
from rag.folder import NotesFolder
from rag.indexing.database import damage_errors
from rag.indexing.filtering import Filters, chunks_of, find_notes, known_fields
from rag.indexing.linking import notes_named
from rag.indexing.rows import StoredPassage
from rag.loading import Parts
from rag.retrieval.evidence import find_evidence
from rag.retrieval.followup import search_both
from rag.retrieval.intent import Asked, understand
from rag.retrieval.language import in_english
from rag.retrieval.listing import Listed, list_notes
from rag.retrieval.nothing import check_fields, nothing_left
from rag.retrieval.pointing import point
from rag.retrieval.query import Turn
from rag.retrieval.rerank import CANDIDATES, rerank
from rag.retrieval.search import Found, Passage
from rag.retrieval.spelling import Spelled, respell
from rag.retrieval.surroundings import near_ids
from rag.retrieval.whole import ToSum, names_something, whole_notes


class Engine(NotesFolder):
    """One notes folder and its models. Loads nothing until it is needed."""

    def __init__(self, notes_folder: Path, parts: Parts, started: float | None = None) -> None:
        super().__init__(notes_folder, parts)
        self.started = started  # time.perf_counter() at the start of the process, if it counts
        self.spelled: Spelled | None = None  # where words are known beside this folder's own

    def load_behind(self) -> None:
        """Start loading what a search needs, while the notes are looked through."""
        self.models.load_embedder_behind()

    def each_folder(self) -> Sequence[Engine]:
        """The engines of the notes folders that are asked, one for each."""
        return [self]

    def search(
        self,
        question: str,
        k: int | None = None,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        today: date | None = None,
    ) -> tuple[Passage, ...]:
        """The passages for a question, best first. Raises QuestionError, IndexFault.

        `filters` are added to those that the question names; `today` is the day of asking.
        """
        return self.explain(question, k, history, filters, today).passages

    def explain(
        self,
        question: str,
        k: int | None = None,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        today: date | None = None,
    ) -> Found:
        """The same, with the number of candidates and the time of each stage."""
        found = self._look_up(question, history, k, filters, today, lists=False).found
        assert found is not None
        return found

    def _look_up(
        self,
        question: str,
        history: Sequence[Turn],
        k: int | None,
        filters: Filters | None,
        today: date | None,
        lists: bool = True,
        before_search: Callable[[], object] | None = None,
    ) -> LookUp:
        """What the notes have for a question: passages or, if `lists`, the list it asks for or
        the notes to sum up.

        An index that turns out to be damaged is mended, and asked again.
        """
        try:
            return self._look_up_once(question, history, k, filters, today, lists, before_search)
        except IndexDamaged:
            self.heal()
            return self._look_up_once(question, history, k, filters, today, lists, None)

    def _look_up_once(
        self,
        question: str,
        history: Sequence[Turn],
        k: int | None,
        filters: Filters | None,
        today: date | None,
        lists: bool,
        before_search: Callable[[], object] | None,
    ) -> LookUp:
        asked, allowed, notes = self._understand(question, filters, today, follows=bool(history))
        if lists and asked.summary is not None:
            return LookUp(asked, None, None, self._whole(asked))
        if lists and asked.listing is not None:
            listed = self._list(asked)
            if not (asked.listing.question and listed.notes):
                return LookUp(asked, None, listed)
            allowed, notes = self._chunks_in(listed.notes[0].path), 1
        if not asked.query:
            raise QuestionError(
                "There is nothing to search for but filters.",
                "Add words, or list these notes with: rag ask",
            )
        if before_search is not None:
            before_search()
        found = self._search(asked.query, history, self._candidates(k), allowed)
        return LookUp(asked, self._in_order(replace(found, notes=notes), k), None)

    def _candidates(self, k: int | None) -> int:
        """How many passages are looked for when `k` are wanted: a reranker chooses among more."""
        return max(k or self.parts.k, CANDIDATES if self.models.reranker() else 0)

    def _in_order(self, found: Found, k: int | None) -> Found:
        """The `k` best passages as the reranker puts them; without one, as they were found."""
        reranker = self.models.reranker()
        if reranker is None or not found.passages:
            return found
        return rerank(found, k or self.parts.k, reranker, self.parts.rerank_budget)

    def _understand(
        self,
        question: str,
        filters: Filters | None,
        today: date | None,
        timed: bool = True,
        follows: bool = False,
    ) -> tuple[Asked, list[int] | None, int | None]:
        """The question understood, the ids of the chunks that its filters leave, and of how many
        notes; None without filters."""
        today = today or date.today()
        with damage_errors():
            keys = known_fields(self._store) if ":" in question else ()
            asked = understand(question, keys, today, filters, timed, follows)
            summary = asked.summary
            if summary and not (summary.sure or names_something(self._store, summary)):
                asked = understand(question, keys, today, filters, timed, follows, summed=False)
            listing = asked.listing
            if listing and not (listing.sure or notes_named(self._store, listing.links_to)):
                asked = replace(asked, listing=None)
            if not asked.filters:
                return asked, None, None
            self._open_index().check(self.parts.identity().fingerprint)
            store = self._store
            check_fields(store, asked.filters)
            notes = find_notes(store, asked.filters)
            if notes:
                return asked, chunks_of(store, notes), len(notes)
            if asked.certain:
                raise nothing_left(store, asked.filters)
        return self._understand(question, filters, today, timed=False)

    def _search(
        self, question: str, history: Sequence[Turn], k: int, allowed: Sequence[int] | None
    ) -> Found:
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
        with damage_errors(), index.store.snapshot():
            started = time.perf_counter()
            count_tokens = self.models.embedder().count_tokens
            question, respelled = respell(
                question, self.spelled or index, self.models.analyze, count_tokens
            )
            stages = {"spelling": time.perf_counter() - started}
            found = search_both(
                question,
                history,
                lambda text, k, others: self._search_one(text, k, others, allowed),
                k,
            )
        return replace(found, respelled=respelled, seconds={**stages, **found.seconds})

    def _search_one(
        self, text: str, k: int, others: Sequence[int], allowed: Sequence[int] | None
    ) -> Found:
        """The passages for one reading of a question; `others` are scored beside them."""
        from rag.retrieval.names import defined_passages, named_passages, spoken
        from rag.retrieval.search import search

        index = self._open_index()
        openings = defined_passages(index, text)
        named = [*dict.fromkeys([*openings, *named_passages(index, text), *others])]
        if allowed is not None:
            named = [each for each in named if each in set(allowed)]
        query = spoken(text)
        return search(
            index,
            self.models.embedder(),
            self.models.analyze,
            self.models.terms(query),
            query,
            k,
            named=named,
            allowed=allowed,
            openings=openings,
        )

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: Cancel | None = None,
        k: int | None = None,
        filters: Filters | None = None,
        today: date | None = None,
        quote: bool = False,
        strict: bool | None = None,
    ) -> Iterator[Event]:
        """Answer a question: what was found, then sentences as they are grounded, then all.

        A question about notes rather than in them is answered with a list, at once and alone.
        Whole notes are summed up where it asks for that. With `quote` the notes' own sentences
        answer, and no model is loaded; so do they where the model knows English alone and the
        question is in another language. With `strict` nothing is said that is not supported; None:
        as the settings have it.
        `filters` are added to those that the question names; `today` is the day of asking.
        Raises RagError; Cancelled within a quarter of a second of `cancel()` turning true.
        """
        started = self.started if self.started is not None else time.perf_counter()
        self.started = None  # only a process's first question waits for the process
        quote = quote or (self.models.taught and not in_english(question))
        seen = self._look_up(
            question,
            history,
            k,
            filters,
            today,
            before_search=None if quote else self.models.load_behind,
        )
        strict = self.parts.strict if strict is None else strict
        if seen.whole is not None:
            yield from self._sum_up(seen, seen.whole, quote, strict, cancel, started)
            return
        if seen.found is None:
            assert seen.listed is not None
            yield self._answered_by(seen.listed, seen.asked, started)
            return
        found, query = self._read(seen.asked, seen.found, quote), seen.found.query
        passages, sides = self._with_sides(seen.asked, found.passages, k, today)
        seen = replace(seen, found=replace(found, passages=passages))
        evidence = find_evidence(query, passages, self.models.embedder())
        timings = {"first_evidence_s": time.perf_counter() - started}
        yield Retrieved(passages, evidence, query, found.respelled)
        self.models.wait()
        for step in answer(
            seen.asked.text,
            self.models.terms(query),
            passages,
            evidence,
            history,
            None if quote else self.models.generator,
            self.models.analyze,
            cancel,
            self.parts.caution,
            strict,
            None if quote else self.parts.judge,
            sides,
            self._neighbours,
        ):
            if isinstance(step, Drafted):
                model = "" if quote else self.parts.generator_name
                yield self._answered(seen, step, timings, started, model)
                return
            if isinstance(step, Sentence):
                timings.setdefault("first_sentence_s", time.perf_counter() - started)
            yield step

    def _read(self, asked: Asked, found: Found, quote: bool) -> Found:
        """What was found; for a question of fact that a model answers, as the reader has it."""
        reads = not quote and kind_of(asked.text) == "fact" and in_english(asked.text)
        reader = self.models.reader() if reads else None
        if reader is None or not found.passages:
            return found
        return point(found.query, found, reader)

    def _neighbours(self, passage: Passage) -> list[StoredPassage]:
        """The passages beside a passage, in order; none where another process took them away."""
        with damage_errors():
            found = self._open_index().passages(near_ids(passage))
        return [found[each] for each in sorted(found)]

    def _with_sides(
        self, asked: Asked, passages: tuple[Passage, ...], k: int | None, today: date | None
    ) -> tuple[tuple[Passage, ...], Sides]:
        """Where two things are compared, what each of them finds beside what both do."""
        names = sides_of(asked.text)
        if names is None:
            return passages, NO_SIDES

        def search(side: str) -> tuple[Passage, ...]:
            found = self._look_up(side, (), k, asked.filters, today, lists=False).found
            return found.passages if found else ()

        return find_sides(names, passages, search, self.models.embedder())

    def _whole(self, asked: Asked) -> ToSum:
        assert asked.summary is not None
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            with index.store.snapshot():
                return whole_notes(index, asked.summary, asked.filters)

    def _sum_up(
        self,
        seen: LookUp,
        wanted: ToSum,
        quote: bool,
        strict: bool,
        cancel: Cancel | None,
        started: float,
    ) -> Iterator[Event]:
        """Whole notes as points: what they say themselves is found before a model writes."""
        writes = not (quote or self.models.taught)
        points = Points((), (), ())
        with damage_errors():
            for read in read_points(wanted, self.models.analyze, writes, cancel):
                if isinstance(read, Points):
                    points = read
                else:
                    yield read
        timings = {"first_evidence_s": time.perf_counter() - started}
        yield Retrieved(points.passages, points.evidence, seen.asked.query)
        found = Found(points.passages, len(points.passages), {}, seen.asked.query)
        check = Check(self.models.analyze, self.parts.judge, strict)
        opener = self.models.generator if writes else None
        for step in summarise(wanted, points, opener, check, cancel):
            if isinstance(step, Drafted):
                model = self.parts.generator_name if writes else ""
                yield self._answered(replace(seen, found=found), step, timings, started, model)
                return
            if isinstance(step, Sentence):
                timings.setdefault("first_sentence_s", time.perf_counter() - started)
            yield step

    def _list(self, asked: Asked) -> Listed:
        assert asked.listing is not None
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            with index.store.snapshot():
                return list_notes(index, asked.listing, asked.filters, self.models.analyze)

    def _answered_by(self, listed: Listed, asked: Asked, started: float) -> Answered:
        timings = {"total_s": time.perf_counter() - started}
        found = bool(listed.notes)
        passages = listed.passages
        return Answered(
            asked.typed, listed.text, found, (), passages, timings, "", 0.0, asked.query, listed
        )

    def _chunks_in(self, path: str) -> list[int]:
        notes = [note for note in find_notes(self._store, Filters()) if note.path == path]
        return chunks_of(self._store, notes)

    def _answered(
        self, seen: LookUp, draft: Drafted, timings: dict[str, float], started: float, model: str
    ) -> Answered:
        assert seen.found is not None
        if draft.first_token is not None:
            timings["first_token_s"] = draft.first_token - started
        timings["total_s"] = time.perf_counter() - started
        citations = dict.fromkeys(each for one in draft.sentences for each in one.citations)
        return Answered(
            seen.asked.typed,
            draft.text,
            draft.answered,
            tuple(citations),
            seen.found.passages,
            timings,
            model,
            draft.tokens_per_s,
            seen.found.query,
            confidence=draft.confidence,
            sentences=draft.sentences,
            thoughts=draft.thoughts,
            respelled=seen.found.respelled,
        )

    def passages_of(self, notes: Collection[str]) -> dict[str, list[str]]:
        """The texts of all indexed passages of some notes, by path. Raises NoIndex."""
        texts: dict[str, list[str]] = {note: [] for note in notes}
        with damage_errors():
            for each in self._open_index().store.all_passages():
                if each.path in texts:
                    texts[each.path].append(each.text)
        return texts
