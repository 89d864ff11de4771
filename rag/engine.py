"""`Engine`: index, search and ask one notes folder. The one object that front ends hold."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.steps import Drafted, Sentence
from rag.events import Answered, Cancel, Event, LookUp, Retrieved
from rag.indexing.database import damage_errors
from rag.loading import Parts
from rag.searching import SearchedFolder

# What understands and answers is imported where it is needed: most commands do neither.
if TYPE_CHECKING:
    from rag.answering.lookups import Whole
    from rag.answering.parts import ReadNote
    from rag.answering.quotes import Sides
    from rag.indexing.filtering import Filters
    from rag.indexing.rows import StoredPassage
    from rag.retrieval.found import Found, Passage
    from rag.retrieval.intent import Asked
    from rag.retrieval.listing import Listed
    from rag.retrieval.query import Turn
    from rag.retrieval.whole import ToSum


_LISTED = 12  # passages of a note that are looked through for a list
_IN_PARTS = 100  # and for a heading


class Engine(SearchedFolder):
    """One notes folder and its models. Loads nothing until it is needed."""

    def __init__(self, notes_folder: Path, parts: Parts, started: float | None = None) -> None:
        super().__init__(notes_folder, parts)
        self.started = started  # time.perf_counter() at the start of the process, if it counts

    def each_folder(self) -> Sequence[Engine]:
        """The engines of the notes folders that are asked, one for each."""
        return [self]

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
        from rag.retrieval.followup import continued, spoke_for_itself, stands_alone
        from rag.retrieval.language import in_english

        started = self.started if self.started is not None else time.perf_counter()
        self.started = None  # only a process's first question waits for the process
        typed = question
        question, history = continued(question, history, today or date.today())
        quote = quote or (self.models.taught and not in_english(question))
        seen = self._look_up(
            question,
            history,
            k,
            filters,
            today,
            before_search=None if quote else self.models.load_behind,
        )
        seen = replace(seen, asked=replace(seen.asked, typed=typed))
        strict = self.parts.strict if strict is None else strict
        if seen.whole is not None:
            yield from self._sum_up(seen, seen.whole, quote, strict, cancel, started)
            return
        if seen.found is None:
            assert seen.listed is not None
            yield self._answered_by(seen.listed, seen.asked, started)
            return
        # After the search: the model has been loading behind it, and goes on.
        from rag.answering.answer import answer
        from rag.retrieval.evidence import find_evidence

        alone = spoke_for_itself(seen.asked.query, seen.found.query)
        if alone or stands_alone(question, history):
            history = ()  # what was said before would only mislead
        found, query = self._read(seen.asked, seen.found, quote), seen.found.query
        passages, sides = self._with_sides(seen.asked, found.passages, k, today)
        passages, whole = self._with_whole(seen.asked, passages, found)
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
            seen.asked.named,
            whole,
        ):
            if isinstance(step, Drafted):
                yield self._answered(seen, step, timings, started)
                return
            if isinstance(step, Sentence):
                timings.setdefault("first_sentence_s", time.perf_counter() - started)
            yield step

    def _read(self, asked: Asked, found: Found, quote: bool) -> Found:
        """What was found; for a question of fact that a model answers, as the reader has it."""
        from rag.answering.kinds import first_asked, is_read_for
        from rag.retrieval.pointing import point

        reader = self.models.reader() if not quote and is_read_for(asked.text) else None
        if reader is None or not found.passages:
            return found
        return point(first_asked(found.query), found, reader)

    def _neighbours(self, passage: Passage) -> list[StoredPassage]:
        """The passages beside a passage, in order; none where another process took them away."""
        from rag.retrieval.surroundings import near_ids

        with self._using, damage_errors():
            found = self._open_index().passages(near_ids(passage))
        return [found[each] for each in sorted(found)]

    def _with_whole(
        self, asked: Asked, passages: tuple[Passage, ...], found: Found
    ) -> tuple[tuple[Passage, ...], Whole]:
        """The passages with those of the note whose list, or whose part under a heading, is asked
        for, and where these are; nothing of a note that is long."""
        from rag.answering.items import find_wanted, led_note, named_note
        from rag.answering.lookups import Whole
        from rag.answering.parts import asks_for_part, find_part

        text, analyze = asked.named or asked.text, self.models.analyze
        if found.respelled and not asked.named:
            text = found.query
        of_each = {each.path: each for each in reversed(passages)}
        if wanted := find_wanted(text):
            named = named_note(wanted, passages, analyze)
            among = [of_each[named]] if named else of_each.values()
            read = [self._note_of(each, _LISTED).passages for each in among]
            path = named or led_note(wanted, filter(None, read), analyze)
            for note in read:
                if note and note[0].path == path:
                    return _joined(passages, note)[0], Whole(path, led=not named)
        if not asks_for_part(text):
            return passages, Whole()
        notes = [self._note_of(first, _IN_PARTS) for first in reversed(of_each.values())]
        part = find_part(text, notes, analyze)
        passages, numbers = _joined(passages, part)
        return passages, Whole(part=numbers)

    def _note_of(self, passage: Passage, most: int) -> ReadNote:
        """The note that a passage stands in; without passages where there are more than `most`, or
        another process took them away."""
        from rag.answering.parts import ReadNote
        from rag.reading.naming import bare_name
        from rag.retrieval.listing import passage_of

        with self._using, damage_errors():
            store = self._open_index().store
            note = "(SELECT note FROM chunks WHERE id = ?)"
            rows = store.query(
                f"SELECT id FROM chunks WHERE note = {note} ORDER BY id LIMIT ?",
                (passage.id, most + 1),
            )
            found = store.passages([chunk for (chunk,) in rows])
        stored = [found[each] for each in sorted(found)]
        if not 0 < len(stored) <= most:
            return ReadNote((), ())
        names = (stored[0].title, *stored[0].aliases, bare_name(stored[0].path))
        return ReadNote(names, tuple(replace(passage_of(each), score=0.0) for each in stored))

    def _with_sides(
        self, asked: Asked, passages: tuple[Passage, ...], k: int | None, today: date | None
    ) -> tuple[tuple[Passage, ...], Sides]:
        """Where two things are compared, what each of them finds beside what both do."""
        from rag.answering.kinds import sides_of
        from rag.answering.quotes import Sides
        from rag.answering.sides import find_sides

        names = sides_of(asked.text)
        if names is None:
            return passages, Sides()

        def search(side: str) -> tuple[Passage, ...]:
            found = self._look_up(side, (), k, asked.filters, today, lists=False).found
            return found.passages if found else ()

        return find_sides(names, passages, search, self.models.embedder())

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
        from rag.answering.summary import Check, Points, read_points, summarise
        from rag.retrieval.found import Found

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
                yield self._answered(replace(seen, found=found), step, timings, started)
                return
            if isinstance(step, Sentence):
                timings.setdefault("first_sentence_s", time.perf_counter() - started)
            yield step

    def _answered_by(self, listed: Listed, asked: Asked, started: float) -> Answered:
        timings = {"total_s": time.perf_counter() - started}
        found = bool(listed.notes)
        passages = listed.passages
        return Answered(
            asked.typed, listed.text, found, (), passages, timings, "", 0.0, asked.query, listed
        )

    def _answered(
        self, seen: LookUp, draft: Drafted, timings: dict[str, float], started: float
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
            self.parts.generator_name if draft.by_model else "",
            draft.tokens_per_s if draft.by_model else 0.0,
            seen.found.query,
            confidence=draft.confidence,
            sentences=draft.sentences,
            thoughts=draft.thoughts,
            respelled=seen.found.respelled,
        )

    def passages_of(self, notes: Collection[str]) -> dict[str, list[str]]:
        """The texts of all indexed passages of some notes, by path. Raises NoIndex."""
        texts: dict[str, list[str]] = {note: [] for note in notes}
        with self._using, damage_errors():
            for each in self._open_index().store.all_passages():
                if each.path in texts:
                    texts[each.path].append(each.text)
        return texts


def _joined(
    passages: tuple[Passage, ...], more: Sequence[Passage]
) -> tuple[tuple[Passage, ...], tuple[int, ...]]:
    """The passages with those of `more` that are not among them, and the numbers of all of `more`,
    counted from 1."""
    known = {each.id for each in passages}
    passages = (*passages, *(each for each in more if each.id not in known))
    numbers = {each.id: n for n, each in enumerate(passages, 1)}
    return passages, tuple(numbers[each.id] for each in more)
