"""The taught model's phrases as the notes have them."""

from dataclasses import replace

import pytest

from rag.answering.lacking import lacks_names, lacks_owner, numbers_of, of_another
from rag.answering.phrases import DOUBTED, Candidate, Doubtful, candidates, chosen, find_phrase
from rag.answering.steps import Citation, Sentence
from rag.indexing.lexical import analyzer
from rag.retrieval.found import Answering, Evidence, Passage
from rag.retrieval.sentences import SentenceScore

NOTE = "The hive stands behind the shed, near the old pear tree. It was painted in 2019."


def found(said: str, question: str) -> str:
    passages = [Passage(1, "b.md", "Bees", (), 1, 1, NOTE, 1.0, 0.5, None)]
    sentence = find_phrase(
        said, passages, [Evidence(1, NOTE, 1, 1, 0, len(NOTE), 1.0, 0.5)], question
    )
    assert sentence is not None
    return sentence.text


@pytest.mark.parametrize(
    ("said", "question", "text"),
    [
        ("the shed [1]", "Where does the hive stand?", "behind the shed [1]"),
        ("behind the shed [1]", "Where does the hive stand?", "behind the shed [1]"),
        ("old pear tree", "Where is the hive?", "old pear tree [1]"),
        ("the shed", "What is the hive behind?", "the shed [1]"),
        ("2019 [1]", "When was it painted?", "2019 [1]"),
    ],
)
def test_a_place_keeps_its_preposition(said: str, question: str, text: str):
    assert found(said, question) == text


def test_a_title_is_whole_where_one_is_asked_for():
    text = "The paper Queen Bees Of Old is by Eva Lind, and Eva Lindt. On Friday Anna read it."
    passages = [Passage(1, "b.md", "Bees", (), 1, 1, text, 1.0, 0.5, None)]
    read = [Evidence(1, text, 1, 1, 0, len(text), 1.0, 0.5)]
    for said, question, whole in (
        ("Queen", "Which paper is it?", "Queen Bees Of Old [1]"),
        ("Queen", "What is it called?", "Queen [1]"),
        ("Friday", "When did Anna read it?", "Friday [1]"),
    ):
        assert find_phrase(said, passages, read, question).text == whole


@pytest.mark.parametrize(
    ("phrase", "text", "told"),
    [
        ("2", "Garlic went into bed 2.", False),
        ("£23", "The ticket was £23.", False),
        ("6", "It opens at 6.", True),
        ("2019", "It opened in 2019.", True),
        ("3 May", "It opens on 3 May.", True),
    ],
)
def test_a_bare_number_is_no_time(phrase: str, text: str, told: bool):
    passages = [Passage(1, "b.md", "Bed", (), 1, 1, text, 1.0, 0.5, None)]
    read = [Evidence(1, text, 1, 1, 0, len(text), 1.0, 0.5)]
    assert (find_phrase(phrase, passages, read, "When did I plant garlic?") is not None) is told


END = NOTE.index(" It was")
READ = [
    Evidence(2, NOTE[END + 1 :], 1, 1, END + 1, len(NOTE), 1.0, 0.5),
    Evidence(2, NOTE[:END], 1, 1, 0, END, 0.9, 0.5),
]


def passages(*places: tuple[str, float]) -> list[Passage]:
    """Two, of which a reader points at `places` in the second, each with its odds."""
    starts = [(NOTE.index(place), place, odds) for place, odds in places]
    best, *others = (Answering(at, at + len(place), odds) for at, place, odds in starts)
    answering = replace(best, others=tuple(others))
    return [
        Passage(1, "a.md", "Ants", (), 1, 1, "Ants live in hills.", 1.0, 0.5, None),
        Passage(2, "b.md", "Bees", (), 1, 1, NOTE, 0.9, 0.5, None, answering=answering),
    ]


def pointed(place: str, question: str) -> Sentence | None:
    """What is made of a reader that points at `place` in the note."""
    found = candidates("", passages((place, 3.0)), READ, question)
    return found[0].sentence if found else None


@pytest.mark.parametrize(
    ("place", "question", "text"),
    [
        ("the old pear tree", "What is the hive near?", "the old pear tree [2]"),
        ("shed, ", "What does the hive stand behind?", "shed [2]"),
        ("the shed", "Where does the hive stand?", "behind the shed [2]"),
        ("2019", "When was it painted?", "2019 [2]"),
    ],
)
def test_what_a_reader_points_at_is_cited_with_its_sentence(place, question, text):
    sentence = pointed(place, question)
    assert sentence is not None
    assert sentence.text == text
    assert place.strip(", ") in sentence.citations[0].quote


@pytest.mark.parametrize(
    ("place", "question"),
    [
        ("the hive".capitalize(), "Where is the hive?"),  # says what the question says
        ("the shed", "When was the hive painted?"),  # no time
        ("the shed", "How many hives are there?"),  # no number
        ("the shed", "Who built the hive?"),  # no name
    ],
)
def test_what_answers_nothing_is_no_phrase(place: str, question: str):
    assert pointed(place, question) is None


def test_a_number_of_a_date_is_no_price():
    def priced(text: str) -> Sentence | None:
        passage = Passage(1, "a.md", "Trip", (), 1, 1, text, 1.0, 0.5, None)
        read = [Evidence(1, text, 1, 1, 0, len(text), 1.0, 0.5)]
        return find_phrase("3", [passage], read, "What did the flight cost?")

    assert priced("We flew with TAP on 3 May.") is None
    assert priced("The flight was 3 euros.") is not None


def test_a_weight_counts_no_people():
    def served(said: str, text: str) -> Sentence | None:
        passage = Passage(1, "a.md", "Dal", (), 1, 1, text, 1.0, 0.5, None)
        read = [Evidence(1, text, 1, 1, 0, len(text), 1.0, 0.5)]
        return find_phrase(said, [passage], read, "How many people does the dal serve?")

    for said in ("250 g", "250"):
        assert served(said, "Soak 250 g, rinse.") is None
    assert served("250", "It serves 250, they say.") is not None


def test_a_choice_is_answered_by_one_of_its_words():
    assert pointed("the shed", "Does the hive stand behind the shed or the barn?") is not None


def test_nothing_is_pointed_at_where_nothing_was_read_or_shown():
    unread = [replace(each, answering=None) for each in passages(("the shed", 1.0))]
    assert candidates("the shed", unread, READ, "Where is it?") == []
    assert candidates("the shed", passages(("the shed", 1.0)), [], "Where is it?") == []


def test_candidates_come_best_first_each_once_and_the_models_own_among_them():
    words = [("the shed", 3.0), ("the shed,", 2.5), *((w, 2.0) for w in NOTE.split()[3:9])]
    said = "old pear tree [2]"
    places = [*words, ("near", 1.0), ("old pear tree", -4.0)]
    found = candidates(said, passages(*places), READ, "What is there?")
    phrases = [each.phrase for each in found]
    assert phrases[0] == "the shed"
    assert phrases.count("the shed") == 1
    assert phrases[-1] == "old pear tree"
    assert [each.odds for each in found] == sorted((each.odds for each in found), reverse=True)
    without = candidates("something else", passages(*places), READ, "What is there?")
    assert [each.phrase for each in without] == phrases[:6]
    unread = candidates("It was", passages(*places[:3]), READ, "What is there?")
    assert unread[-1].phrase == "It was"  # the reader does not point at it: it thinks less of it
    assert unread[-1].odds <= unread[-2].odds


def choose(odds: dict[str, float], likelihoods: dict[str, float]) -> tuple[str, list[str]]:
    """What is chosen, and the phrases that the language model was asked about."""
    asked = []

    def likelihood(phrase: str) -> float:
        asked.append(phrase)
        return likelihoods.get(phrase, -20.0)

    found = [
        Candidate(phrase, 1, each, Sentence(phrase, (), "supported"))
        for phrase, each in odds.items()
    ]
    best = chosen(found, likelihood)
    return best.text if best else "", asked


@pytest.mark.parametrize(
    ("odds", "likelihoods", "text"),
    [
        ({"Anna": 3.0, "Otto": 2.0}, {"Anna": -9.0, "Otto": -0.1}, "Otto"),
        ({"Anna": 3.0, "Otto": -9.0}, {"Anna": -9.0, "Otto": -0.1}, "Anna"),
        ({"tree": 3.0, "a pear tree": 2.5}, {"tree": -0.3, "a pear tree": -0.4}, "a pear tree"),
        ({"tree": 3.0, "the shed": 2.5}, {"tree": -0.3, "the shed": -0.4}, "tree"),
        ({}, {}, ""),
    ],
)
def test_reader_and_language_model_choose_together(odds, likelihoods, text):
    assert choose(odds, likelihoods)[0] == text


def test_what_cannot_win_is_not_asked_for():
    _, asked = choose({"Anna": 5.0, "Otto": 4.5, "Berg": -1.0}, {"Anna": -0.1})
    assert asked == ["Anna", "Otto"]


def one(quote: str, odds: float) -> Candidate:
    cited = Citation(1, "building/shed.md", 1, 1, ("Costs",), quote)
    return Candidate("90 euros", 1, odds, Sentence("90 euros [1]", (cited,), "supported"))


SHED = Passage(1, "building/shed.md", "Hargreave", ("Costs",), 1, 1, "x", 1.0, 0.5, None)


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("What does the shed of Castellan cost?", True),
        ("What did Hargreave take for the shed?", False),  # the title
        ("What does Piet’s shed cost in May?", False),  # the sentence; a month is no name
        ("What did the shed cost in 2019?", True),
        ("Castellan, what does it cost?", False),  # at the beginning any word has a capital
        ("What do I pay?", False),
        ("What did it cost on 8 March?", True),
    ],
)
def test_names_of_the_question_that_a_sentence_and_its_note_lack(question: str, lacks: bool):
    analyze = analyzer().analyze
    assert lacks_names(question, [SHED], analyze)(one("Piet gave 90 euros for it.", 0.0)) is lacks


@pytest.mark.parametrize(
    ("quote", "lacks"), [("Piet gave 90 euros for it.", False), ("Piet gave 90 euros.", True)]
)
def test_what_a_sentence_leans_on_is_named_by_the_one_before_it(quote: str, lacks: bool):
    before = "Castellan sold the shed. "
    sentences = (
        SentenceScore(0, len(before), 0, 0.5, 0.5),
        SentenceScore(len(before), len(before + quote), 0, 0.5, 0.5),
    )
    passage = replace(SHED, text=before + quote, sentences=sentences)
    asked = lacks_names("What did the shed of Castellan cost?", [passage], analyzer().analyze)
    assert asked(one(quote, 0.0)) is lacks


def test_what_lacks_a_number_of_the_question_comes_behind_unless_it_is_far_likelier():
    lines = [
        replace(one("8 May: 46 min", 1.0), phrase="46 min"),
        replace(one("9 May: 58 min", 2.0), phrase="58 min"),
    ]

    def choose(lines: list[Candidate], lacks: set[int]) -> Sentence | None:
        quotes = {lines[n].sentence.citations[0].quote for n in lacks}
        return chosen(
            lines,
            lambda _: 0.0,
            lacks_numbers=lambda each: each.sentence.citations[0].quote in quotes,
        )

    assert choose(lines, set()) is lines[1].sentence
    assert choose(lines, {0, 1}) is lines[1].sentence
    assert choose(lines, {1}).citations == lines[0].sentence.citations
    assert choose([lines[0], replace(lines[1], odds=3.0)], {1}) is lines[1].sentence


def test_what_neither_believes_in_is_no_answer():
    assert chosen([one("x", -3.0)], lambda _: -1.0) is not None
    with pytest.raises(Doubtful):
        chosen([one("x", -3.0)], lambda _: -9.0)


def test_what_is_hardly_likely_and_lacks_a_name_is_doubtful():
    def choose(odds: float, lacks: bool) -> Sentence | None:
        return chosen([one("x", odds)], lambda _: 0.0, lambda _: lacks, DOUBTED["balanced"])

    with pytest.raises(Doubtful):
        choose(-1.5, lacks=True)
    for odds, lacks, support in (
        (-1.5, False, "weak"),
        (-0.8, True, "supported"),
        (3, True, "supported"),
    ):
        sentence = choose(odds, lacks)
        assert sentence is not None
        assert sentence.support == support


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("When is Ines's birthday?", True),
        ("What did Hargreave's shed cost?", False),
        ("What did it cost?", False),
    ],
)
def test_what_is_of_another_is_doubtful_however_likely(question: str, lacks: bool):
    owner = lacks_owner(question, [SHED], analyzer().analyze)
    sure = [one("Piet gave 90 euros for it.", 5.0)]
    if lacks:
        with pytest.raises(Doubtful):
            chosen(sure, lambda _: 0.0, lacks_owner=owner)
    else:
        assert chosen(sure, lambda _: 0.0, lacks_owner=owner)


@pytest.mark.parametrize(
    ("question", "line", "other"),
    [
        ("How long did I run on 8 March 2024?", "2024-03-04: 5 km in 27:40", True),
        ("How long did I run on 8 March 2024?", "2024-03-08: 5 km in 27:40", False),
        ("How long did I run on 8 March 2024?", "8.3.2024: 5 km in 27:40", False),
        ("How long did I run on March 8th?", "8 Mar: 5 km in 27:40", False),
        ("How long did I run on March 8th?", "8 March 2021: 5 km in 27:40", False),
        ("How long did I run on 8 March 2024?", "8 March 2021: 5 km in 27:40", True),
        ("How long did I run on 8 March 2024?", "5 km in 27:40", False),
        ("How long did I run?", "2024-03-04: 5 km in 27:40", False),
    ],
)
def test_a_line_of_another_day_is_no_answer(question: str, line: str, other: bool):
    passage = Passage(1, "running.md", "Running", (), 1, 1, line, 1.0, 0.5, None)
    cited = Citation(1, "running.md", 1, 1, (), line)
    candidate = Candidate("27:40", 1, 2.0, Sentence("27:40 [1]", (cited,), "supported"))
    assert of_another(question, [passage])(candidate) == other
    lacks = lacks_names(numbers_of(question), [passage], analyzer().analyze)
    assert lacks(candidate) == (other or (line.startswith("5 km") and "March" in question))


def test_an_address_is_whole():
    text = "Write to tobias.rehm@honey.example, or see https://honey.example/en/shop?see=Write."
    for place, whole in (
        ("rehm@honey.example", "tobias.rehm@honey.example"),
        ("honey.example/en", "https://honey.example/en/shop?see=Write"),
        ("Write", "Write"),
        ("see", "see"),
    ):
        passage = Passage(1, "t.md", "T", (), 1, 1, text, 1.0, 0.5, None)
        read = [Evidence(1, text, 1, 1, 0, len(text), 0.9, 0.9, 0.9)]
        assert find_phrase(place, [passage], read).text == f"{whole} [1]"


@pytest.mark.parametrize(
    ("question", "path", "text", "other"),
    [
        ("how much was the paint in 2023", "Boat/Paint 2024.md", "Paint: 295", True),
        ("how much was the paint in 2024", "Boat/Paint 2024.md", "Paint: 295", False),
        ("how much was the paint in 2023", "Boat/Paint 2024.md", "In 2023 it was 260.", False),
        ("how much was the paint in 2023", "Boat/Paint.md", "Paint: 295", False),
        ("how many stars has the kelp year?", "Books/The Salt Ledger.md", "Stars: 4", True),
        ("how many stars has the kelp year?", "Books/The Kelp Year.md", "Stars: 4", False),
        ("how many stars has the kelp year?", "Log.md", "The Kelp Year: 4 stars", False),
        ("how many stars has it?", "Books/The Salt Ledger.md", "Stars: 4", False),
        ("how many stars has the kelp year?", "Books/scan 12.pdf", "Stars: 4", False),
    ],
)
def test_what_is_said_of_another_note_or_year(question: str, path: str, text: str, other: bool):
    title = path.rpartition("/")[2].removesuffix(".md")
    passages = [
        Passage(1, path, title, (), 1, 1, text, 1.0, 0.5, None),
        Passage(2, "Books/The Kelp Year.md", "The Kelp Year", (), 1, 1, "x", 0.9, 0.5, None),
    ]
    candidate = Candidate("4", 1, 2.0, Sentence("4 [1]", (), "supported"))
    is_other = of_another(question, passages)
    assert is_other(candidate) == other
    if other:
        with pytest.raises(Doubtful):
            chosen([candidate], lambda _: 0.0, is_of_another=is_other)
    else:
        assert chosen([candidate], lambda _: 0.0, is_of_another=is_other) == candidate.sentence
