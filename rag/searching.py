"""One notes folder searched: what it has for a question, found by its passages, lists or notes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import IndexDamaged, QuestionError
from rag.events import LookUp
from rag.folder import NotesFolder
from rag.indexing.database import damage_errors
from rag.loading import Parts

# What understands a question and searches is imported where it is needed: a folder that is only
# indexed or described does neither, and a screen is painted before the first question.
if TYPE_CHECKING:
    from rag.indexing.filtering import Filters
    from rag.retrieval.dated import Dated
    from rag.retrieval.found import Found, Passage
    from rag.retrieval.intent import Asked, Listing
    from rag.retrieval.listing import Listed
    from rag.retrieval.query import Turn
    from rag.retrieval.spelling import Spelled
    from rag.retrieval.whole import ToSum

_QUESTION = 3  # words: fewer are looked for, not read for
_NEAR = 0.35  # cosine; what has nothing to do with a topic stays below 0.27 in three vaults


class SearchedFolder(NotesFolder):
    """A notes folder and the models that search it. Loads nothing until it is needed."""

    def __init__(self, notes_folder: Path, parts: Parts) -> None:
        super().__init__(notes_folder, parts)
        self.spelled: Spelled | None = None  # where words are known beside this folder's own

    def load_behind(self) -> None:
        """Start loading what a search needs, while the notes are looked through."""
        self.models.load_search_behind()

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
        """The same, with the number of candidates and the time of each stage. Where a question of
        fact has passages that are nearly as good as the first, a reader settles their order."""
        from rag.answering.kinds import is_read_for
        from rag.retrieval.followup import continued
        from rag.retrieval.pointing import RACE, settle

        question, history = continued(question, history, today or date.today())
        k = k or self.parts.k
        reads = self.models.reranker() is None
        most = max(k, RACE) if reads else k
        seen = self._look_up(question, history, most, filters, today, lists=False)
        assert seen.found is not None
        text = seen.asked.text
        if reads and is_read_for(text) and len(text.split()) >= _QUESTION:
            return settle(seen.found, k, self.models.reader)
        return replace(seen.found, passages=seen.found.passages[:k])

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
        with self._using:
            try:
                return self._look_up_once(
                    question, history, k, filters, today, lists, before_search
                )
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
        from rag.indexing.filtering import chunks_in

        if lists and (by_properties := self._by_properties(question, filters, today)):
            return by_properties
        asked, allowed, notes = self._understand(question, filters, today, follows=bool(history))
        if lists and asked.summary is not None:
            return LookUp(asked, None, None, self._whole(asked))
        if lists and asked.listing is not None:
            listing, listed = asked.listing, self._list(asked)
            if listing.question and listed.notes:
                allowed, notes = chunks_in(self._store, listed.notes[0].path), 1
            elif listed.notes or not listing.tasks or self._has_others(listing):
                if listing.topic and not listed.notes and not listing.tasks:
                    listed = replace(listed, passages=self._nearest(listing.topic, allowed))
                return LookUp(asked, None, listed)
            # "The tasks of a router" are no reader's, and none of these: it is a question.
        if not asked.query:
            raise QuestionError(
                "There is nothing to search for but filters.",
                "Add words, or list these notes with: rag ask",
            )
        if before_search is not None:
            before_search()
        asked = self._by_title(asked, history)
        found = self._search(asked.query, history, self._candidates(k), allowed)
        return LookUp(asked, self._in_order(replace(found, notes=notes), k), None)

    def _nearest(self, topic: str, allowed: Sequence[int] | None) -> tuple[Passage, ...]:
        """What is near in meaning to a topic that no note mentions, the best passage of each
        note."""
        best: dict[str, Passage] = {}
        for each in self._search(topic, (), self.parts.k, allowed).passages:
            if (each.meaning or 0.0) >= _NEAR:
                best.setdefault(each.path, each)
        return tuple(best.values())

    def _by_title(self, asked: Asked, history: Sequence[Turn]) -> Asked:
        """The question as the notes speak of what it names or means."""
        from rag.retrieval.names import by_title, with_antecedent

        before = history[-1].query if history else ""
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            with index.store.snapshot():
                text, query = by_title(index, asked.text), by_title(index, asked.query)
                named = with_antecedent(index, text, before)
        named = named if named != asked.text else ""
        return replace(asked, text=text, query=query, named=named)

    def _candidates(self, k: int | None) -> int:
        """How many passages are looked for when `k` are wanted: a reranker chooses among more."""
        from rag.retrieval.rerank import CANDIDATES

        return max(k or self.parts.k, CANDIDATES if self.models.reranker() else 0)

    def _in_order(self, found: Found, k: int | None) -> Found:
        """The `k` best passages as the reranker puts them; without one, as they were found."""
        from rag.retrieval.rerank import rerank

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
        from rag.indexing.filtering import chunks_of, find_notes, known_fields
        from rag.indexing.linking import notes_named
        from rag.retrieval.intent import understand
        from rag.retrieval.nothing import check_fields, nothing_left
        from rag.retrieval.whole import names_something

        today = today or date.today()
        with damage_errors():
            keys = known_fields(self._store) if ":" in question else ()
            asked = understand(question, keys, today, filters, timed, follows)
            summary = asked.summary
            if summary and not (summary.sure or names_something(self._store, summary)):
                asked = understand(question, keys, today, filters, timed, follows, summed=False)
            listing = asked.listing
            unsure = listing and not (listing.sure or listing.tasks)
            if listing and unsure and not notes_named(self._store, listing.links_to):
                asked = replace(asked, listing=None)
            if not asked.filters:
                return asked, None, None
            self._open_index().check(self.parts.identity().fingerprint)
            store = self._store
            check_fields(store, asked.filters)
            notes = find_notes(store, asked.filters)
            dated = self._speaking_of(asked)
            if dated:
                chunks = sorted({*dated.chunks, *chunks_of(store, notes)})
                on = f"{asked.text.rstrip('?!. ')} on {dated.written}"
                return replace(asked, text=on, query=on), chunks, None
            if notes:
                return asked, chunks_of(store, notes), len(notes)
            if asked.certain:
                raise nothing_left(store, asked.filters)
        return self._understand(question, filters, today, timed=False)

    def _speaking_of(self, asked: Asked) -> Dated | None:
        """What speaks of the day that a question names and is narrowed down by alone."""
        from rag.indexing.filtering import Filters, Span
        from rag.retrieval.dated import speaking_of

        day = asked.day
        if day is None or asked.listing or asked.filters != Filters(written=(Span(day, day),)):
            return None
        return speaking_of(self._open_index(), day, self.models.analyze)

    def _by_properties(
        self, question: str, filters: Filters | None, today: date | None
    ) -> LookUp | None:
        """The notes that have the properties that a question asks for; None where it asks for
        something else, or notes know no such properties."""
        from rag.indexing.filtering import Filters, known_fields
        from rag.retrieval.filters import parse
        from rag.retrieval.intent import Listing, understand
        from rag.retrieval.nothing import check_fields
        from rag.retrieval.properties import list_by_properties
        from rag.retrieval.property_words import find_properties

        today = today or date.today()
        with damage_errors():
            keys = known_fields(self._store) if ":" in question else ()
            given, text = parse(question, keys, today)
            wanted = find_properties(text, today)
            if wanted is None:
                return None
            asked = understand(question, keys, today, filters)
            if asked.listing or asked.summary:
                return None
            given = given.joined(filters or Filters())
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            check_fields(index.store, given)
            with index.store.snapshot():
                listed = list_by_properties(index, wanted, given, self.models.analyze, today)
        if listed is None:
            return None
        asked = replace(asked, text=text, query=text, filters=given, listing=Listing())
        return LookUp(asked, None, listed)

    def _has_others(self, listing: Listing) -> bool:
        from rag.retrieval.tasks import has_others

        with damage_errors():
            return has_others(self._store, listing.topic, listing.sure)

    def _search(
        self, question: str, history: Sequence[Turn], k: int, allowed: Sequence[int] | None
    ) -> Found:
        from rag.retrieval.followup import search_both
        from rag.retrieval.spelling import respell

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
            among = set(allowed)
            named = [each for each in named if each in among]
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

    def _whole(self, asked: Asked) -> ToSum:
        from rag.retrieval.whole import whole_notes

        assert asked.summary is not None
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            with index.store.snapshot():
                return whole_notes(index, asked.summary, asked.filters)

    def _list(self, asked: Asked) -> Listed:
        from rag.retrieval.listing import list_notes
        from rag.retrieval.tasks import list_tasks

        listing, analyze = asked.listing, self.models.analyze
        assert listing is not None
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            with index.store.snapshot():
                if listing.tasks:
                    return list_tasks(
                        index, listing.tasks, listing.topic, asked.filters, analyze, listing.due
                    )
                return list_notes(index, listing, asked.filters, analyze)
