"""Passages and a question into an answer, sentence by sentence, each borne out by the notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rag.answering.abstention import (
    REFUSE_BELOW,
    THRESHOLDS,
    answerable,
    confidence,
    lacks_codes,
    signals_of,
)
from rag.answering.draft import Draft
from rag.answering.fields import Empty, without_strays
from rag.answering.generation import Generator
from rag.answering.grounding import Judge, ground, quote
from rag.answering.kinds import asks_many, first_asked, kind_of, names_several
from rag.answering.lacking import lacks_names, lacks_owner, numbers_of, of_another
from rag.answering.lookups import NOTHING_WHOLE, Whole, in_one, look_up
from rag.answering.phrases import DOUBTED, Candidate, Doubtful, candidates, chosen, find_phrase
from rag.answering.prompt import ANSWER_TOKENS, REFUSAL, Prompt, build_prompt
from rag.answering.quotes import (
    Sides,
    code_around,
    members_around,
    of_title,
    quotes,
    row_around,
    rows_named,
    whole,
)
from rag.answering.steps import Drafted, Reading, Sentence, Step, Thinking, joined
from rag.config import Caution
from rag.reading.links import plain
from rag.retrieval.expected import expected, fits, nearest_fitting
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.query import Turn
from rag.retrieval.surroundings import Neighbours, Section, section_of

_MAX_SENTENCES = 4
# Sentences of the notes that the model reads: a gold answer stands in one of the best eight in 96
# of 100 SQuAD questions, in one of five in 94.
PROMPT_EVIDENCE = 8
PHRASE_TOKENS = 48
NO_SIDES = Sides()
_YES_OR_NO = re.compile(
    r"\W*(?:(?:and|but|so) )?(?:am|is|are|was|were|do|does|did|has|have|had|can|could|will|would|"
    r"should|may|must)(?:n[’']t)?\b(?!.*\bor\b)",
    re.IGNORECASE | re.DOTALL,
)
_MOST_SAID = 0.5  # of the question's words, weighed by their rarity


def answer(
    question: str,
    terms: Sequence[str],
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    history: Sequence[Turn],
    open_generator: Callable[[], Generator] | None,
    analyze: Callable[[str], list[str]],
    cancel: Callable[[], bool] | None = None,
    caution: Caution = "balanced",
    strict: bool = False,
    judge: Judge | None = None,
    sides: Sides = NO_SIDES,
    neighbours: Neighbours = lambda _: (),
    named: str = "",
    whole_of: Whole = NOTHING_WHOLE,
) -> Iterator[Step]:
    """Answer from `passages`, or say that they do not hold it.

    `terms` are the analyzed words of the question as it was searched, `sides` what was found for
    each side of a comparison. Whether to refuse is settled before the first sentence. Lists,
    comparisons and explanations are the notes' own; for a fact the model is asked, if there is
    one to open; one that was not taught also reads what stands around the evidence, in the
    passage and in its `neighbours`. With `strict` nothing is said but what is supported; `judge`
    tells whether a passage entails a sentence. A cell of a table and a whole list are looked up,
    also by the question as it is with a pronoun `named`; so is what is asked for as a whole, and
    `whole_of` says where it is. Raises Cancelled, ModelError.
    """
    try:
        looked_up = look_up(named or question, passages, neighbours, whole_of, analyze)
    except Empty:
        yield Drafted(REFUSAL, False, (), None, 0.0, 0.0)
        return
    if looked_up:
        yield from looked_up
        yield Drafted(in_one(looked_up), True, looked_up, None, 0.0)
        return
    evidence = without_strays(question, passages, evidence, analyze)
    signals = signals_of(evidence, passages)
    likely = answerable(signals) if evidence else 0.0
    if likely < REFUSE_BELOW or lacks_codes(question, passages):
        yield Drafted(REFUSAL, False, (), None, 0.0, likely)
        return
    kind = kind_of(question)
    if kind == "fact":
        likely = confidence(signals)
    if kind != "fact" or open_generator is None:
        sentences = quotes(kind, passages, evidence, sides, analyze, question)
        yield from sentences
        text = joined(sentences)
        yield Drafted(text, True, tuple(sentences), None, 0.0, likely)
        return
    generator = open_generator()
    if generator.taught and likely < THRESHOLDS[caution]:
        yield Drafted(REFUSAL, False, (), None, 0.0, likely)
        return
    if generator.taught and _YES_OR_NO.match(question):
        # "Not" is no answer, and a phrase of the sentence beside it a false one.
        sentence = _whole_sentence(evidence, passages)
        yield sentence
        yield Drafted(sentence.text, True, (sentence,), None, 0.0, likely)
        return
    # What speaks to the model is not read to it where there is anything else.
    read = ([each for each in evidence if not each.order] or evidence)[:PROMPT_EVIDENCE]
    several = generator.taught and names_several(question)
    if several and (rows := rows_named(question, read[0], passages)):
        yield rows
        yield Drafted(rows.text, True, (rows,), None, 0.0, likely)
        return
    prompt = build_prompt(
        question,
        passages,
        read,
        history,
        generator.count_tokens,
        generator.context_size,
        taught=generator.taught,
        sections=_sections(passages, read, neighbours) if not generator.taught else None,
    )
    if not prompt.shown:  # no passage fits beside the question: the notes themselves answer
        sentence = quote(whole(evidence[0], passages), passages)
        yield sentence
        yield Drafted(sentence.text, True, (sentence,), None, 0.0, likely)
        return
    if generator.taught:
        shown = [each for each in read if each.n in prompt.shown]
        # The reader was taught no follow-ups: what it points at is no answer to "and when?".
        pointed = not history
        choose = partial(
            chosen,
            likelihood=partial(generator.likelihood, prompt.messages, cancel=cancel),
            lacks_names=lacks_names(question, passages, analyze),
            lacks_numbers=lacks_names(numbers_of(question), passages, analyze),
            doubted=DOUBTED[caution],
            lacks_owner=lacks_owner(question, passages, analyze),
            is_of_another=of_another(question, passages),
        )
        yield from _phrase(
            generator, question, prompt, passages, shown, pointed, choose, likely, strict, cancel
        )
    else:
        words = {*terms, *analyze(question)}
        shown = [each for each in read if each.n in prompt.shown]
        check = _Check(words, passages, shown or read, analyze, judge, strict, generator.follows)
        yield from _sentences(generator, prompt, check, cancel)


def _whole_sentence(evidence: Sequence[Evidence], passages: Sequence[Passage]) -> Sentence:
    """The sentence that holds most of the question's words, of several the nearest: whether it says
    yes or no, the reader sees."""
    best = max(evidence, key=lambda each: (not each.order, each.share, each.score))
    sentence = quote(whole(best, passages), passages)
    return sentence if best.share >= _MOST_SAID else replace(sentence, support="weak")


def _sections(
    passages: Sequence[Passage], read: Sequence[Evidence], neighbours: Neighbours
) -> dict[int, Section]:
    """The sections that the evidence stands in, by the number of its passage."""
    numbers = {each.n for each in read}
    return {n: section_of(passages[n - 1], neighbours(passages[n - 1])) for n in numbers}


def _phrase(
    generator: Generator,
    question: str,
    prompt: Prompt,
    passages: Sequence[Passage],
    read: Sequence[Evidence],
    pointed: bool,
    choose: Callable[[Sequence[Candidate]], Sentence | None],
    sure: float,
    strict: bool,
    cancel: Callable[[], bool] | None,
) -> Iterator[Step]:
    """A short answer, the taught model's, or the one that it and the reader agree on if that has
    `pointed`. What is in no sentence that they read gives way to the best of these, or with
    `strict` to a refusal."""
    draft = Draft()
    said = ""
    for token in generator.stream(prompt.messages, PHRASE_TOKENS, cancel, REFUSAL):
        if not token.text:
            yield Reading(token.prompt_done, token.prompt_total)
            continue
        draft.count()
        said += token.text
        if "]" in token.text:
            break
    found = candidates(said, passages, read, question) if pointed else []
    end = partial(Drafted, first_token=draft.first_token, tokens_per_s=draft.tokens_per_s,
                  confidence=sure)  # fmt: skip
    try:
        sentence = choose(found) or find_phrase(said, passages, read, question)
    except Doubtful:
        yield end(REFUSAL, False, (), by_model=True)
        return
    wanted = expected(question)
    # A sentence without a number in it says nothing about anyone's phone.
    unanswered = sentence is None and (
        wanted not in (None, "name") and not any(fits(each.text, wanted) for each in read)
    )
    if unanswered or (strict and (sentence is None or sentence.support != "supported")):
        yield end(REFUSAL, False, (), by_model=True)
        return
    best = nearest_fitting(read, wanted)
    # "And when?" after "Who named it?": a date that hardly has to do with the question gives way to
    # the nearest sentence that tells a time.
    astray = not pointed and wanted is not None and fits(best.text, wanted)
    by_model = sentence is not None and not (astray and sentence.support == "weak")
    if sentence is None or not by_model:
        sentence = replace(quote(whole(best, passages), passages), support="weak")
    if first_asked(question) != question or _is_label(sentence):
        sentence = _around(sentence, read, passages)
    elif asks_many(question) and (every := members_around(sentence, passages)):
        sentence = every
    elif subject := of_title(question, read, passages):
        sentence = subject
    elif shown := code_around(sentence.citations[0], passages) or row_around(
        sentence.citations[0], passages
    ):
        sentence = replace(shown, support=sentence.support)
    yield sentence
    yield end(sentence.text, True, (sentence,), by_model=by_model)


def _is_label(sentence: Sentence) -> bool:
    """Whether a phrase is the name of what follows it in its line: of "Conductor: Henrike"."""
    (cited, *_) = sentence.citations
    said = plain(sentence.text).rpartition(" [")[0]
    return plain(cited.quote).strip().startswith(f"{said}:")


def _around(phrase: Sentence, read: Sequence[Evidence], passages: Sequence[Passage]) -> Sentence:
    """The whole sentence that a phrase is cited from."""
    (cited, *_) = phrase.citations
    at = next((each for each in read if (each.n, each.text) == (cited.n, cited.quote)), None)
    return replace(quote(whole(at, passages), passages), support=phrase.support) if at else phrase


@dataclass(frozen=True, slots=True)
class _Check:
    """What the sentences of another model are checked against; `asked` are the question's words."""

    asked: Collection[str]
    passages: Sequence[Passage]
    evidence: Sequence[Evidence]
    analyze: Callable[[str], list[str]]
    judge: Judge | None
    strict: bool
    follows: bool  # the model does as it is told, and may rest on any sentence that it read

    def ground(self, text: str) -> Sentence:
        # Against the best sentence alone, unless a model judges: measured on 80 questions, what an
        # untaught model made of the second and third held a gold answer in 23 of 100 cases, the
        # best one verbatim in 73.
        trusted = self.follows or self.judge is not None
        candidates = self.evidence[: PROMPT_EVIDENCE if trusted else 1]
        return ground(text, self.asked, self.passages, candidates, self.analyze, self.judge)

    def shown(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        return [each for each in sentences if not self.strict or each.support == "supported"]


def _sentences(
    generator: Generator, prompt: Prompt, check: _Check, cancel: Callable[[], bool] | None
) -> Iterator[Step]:
    """What another model says, sentence by sentence, as far as the notes bear it out.

    What they do not is shown, with its mark, beside a sentence that they do; never alone. With
    `strict` the same answer is shown without all that is not supported. A model that follows
    instructions may refuse.
    """
    written: list[Sentence] = []
    held: list[Sentence] = []  # not borne out, waiting for one that is
    draft = Draft()
    for text in _texts(generator, prompt, draft, cancel):
        if isinstance(text, (Reading, Thinking)):
            yield text
            continue
        sentence = check.ground(text)
        if not sentence.text or not _new(sentence, [*written, *held]):
            continue
        held.append(sentence)
        if written or sentence.support != "unsupported":
            yield from check.shown(held)
            written += held
            held = []
        if len(written) >= _MAX_SENTENCES:
            break
    by_model = bool(written)
    if not written and not (check.follows and _refuses(draft.said)):
        written = [quote(whole(check.evidence[0], check.passages), check.passages)]
        yield from written  # the notes themselves answer
    written = check.shown(written)
    speed = draft.tokens_per_s
    if not written:
        yield Drafted(REFUSAL, False, (), draft.first_token, speed, 0.0, draft.thoughts, True)
        return
    text = joined(written)
    first, said = draft.first_token, draft.thoughts
    yield Drafted(text, True, tuple(written), first, speed, thoughts=said, by_model=by_model)


def _refuses(said: str) -> bool:
    """Whether a model says what it was told to say where the notes do not."""
    return said.strip(" \n*\"'").casefold().startswith(REFUSAL.rstrip(".").casefold())


def _texts(
    generator: Generator, prompt: Prompt, draft: Draft, cancel: Callable[[], bool] | None
) -> Iterator[str | Reading | Thinking]:
    """The sentences that a model writes, until it ends or repeats itself."""
    for token in generator.stream(prompt.messages, ANSWER_TOKENS, cancel):
        if not token.text:
            yield Reading(token.prompt_done, token.prompt_total)
        elif token.thought:
            draft.thoughts += token.text
            yield Thinking(token.text)
        else:
            yield from draft.add(token)
        if draft.loops:
            break
    yield from draft.rest()


def _new(sentence: Sentence, written: Sequence[Sentence]) -> bool:
    return all(sentence.text != each.text for each in written)
