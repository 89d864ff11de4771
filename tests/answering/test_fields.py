"""A question that names a line "name: value", or asks for what is called so, is answered by it."""

from __future__ import annotations

import json

import pytest

from rag.answering.cells import find_cell
from rag.answering.fields import Empty, is_front_matter, without_strays
from rag.answering.steps import Sentence
from rag.indexing.lexical import analyzer
from rag.retrieval.found import Evidence, Passage
from tests.conftest import Box


def asked(question: str, text: str, title: str = "Home server") -> Sentence | None:
    last = 10 + text.count("\n")
    found = Passage(1, "a.md", title, (), 10, last, text, 0.1, 0.2, None)
    try:
        return find_cell(question, [found], lambda _: (), analyzer().analyze)
    except Empty:
        return None


NETWORK = """SSID: Fjordblick
- **Password:** korallenriff-77
Guest password: none

## Printer
IP: 192.168.178.40
Location:
Price: 120 euros: a bargain
The printer is old: it was bought in 2011."""


@pytest.mark.parametrize(
    ("question", "answer", "line"),
    [
        ("What is the password of my home server?", "korallenriff-77", 11),
        ("What is the SSID of the server?", "Fjordblick", 10),
        ("What is the IP of the printer?", "192.168.178.40", 15),
        ("What was the price of the printer?", "120 euros: a bargain", 17),
    ],
)
def test_a_field_of_a_note_or_a_section(question: str, answer: str, line: int):
    sentence = asked(question, NETWORK)
    assert sentence is not None
    assert sentence.text == f"{answer} [1]"
    (citation,) = sentence.citations
    assert (citation.first, citation.last) == (line, line)
    assert citation.quote == NETWORK.split("\n")[line - 10].strip()


@pytest.mark.parametrize(
    "question",
    [
        "What is the password?",  # of what?
        "What is the password of the printer?",  # its section has none
        "What is the password of the lake?",
        "What is the guest password of the server?",  # says that there is none
        "What is the location of the printer?",  # empty
        "What is the server?",
        "Is the printer old?",
    ],
)
def test_what_no_field_says(question: str):
    assert asked(question, NETWORK) is None


BOOK = """author: "[[Susanna Clarke]]"
rating: 5
genres: [fantasy, "mystery"]
finished: 2024-03-02
status:
attendees:
  - Ana Moss
  - "[[Bo]]"
email: bo@example.org
"""


@pytest.mark.parametrize(
    ("question", "answer", "first", "last"),
    [
        ("Who wrote Piranesi?", "Susanna Clarke", 10, 10),
        ("Who is the author of Piranesi?", "Susanna Clarke", 10, 10),
        ("How did I rate Piranesi?", "5", 11, 11),
        ("What is my rating of Piranesi?", "5", 11, 11),
        ("What genres has Piranesi?", "fantasy, mystery", 12, 12),
        ("When did I finish Piranesi?", "2024-03-02", 13, 13),
        ("When did I read Piranesi?", "2024-03-02", 13, 13),
        ("Who attended Piranesi?", "Ana Moss, Bo", 15, 17),
        ("Who are the attendees of Piranesi?", "Ana Moss, Bo", 15, 17),
        ("What is the e-mail address of Piranesi?", "bo@example.org", 18, 18),
    ],
)
def test_what_a_field_is_called_need_not_be_said(question: str, answer: str, first: int, last: int):
    sentence = asked(question, BOOK, "Piranesi")
    assert sentence is not None
    assert sentence.text == f"{answer} [1]"
    (citation,) = sentence.citations
    assert (citation.first, citation.last) == (first, last)
    assert citation.quote == "\n".join(BOOK.split("\n")[first - 10 : last - 9]).strip()


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote Jonathan Strange?",
        "Who wrote the review of Piranesi?",
        "What is the status of Piranesi?",
        "When did I start Piranesi?",
        "Who directed Piranesi?",
        "How did Piranesi end?",
    ],
)
def test_what_is_not_among_the_fields(question: str):
    assert asked(question, BOOK, "Piranesi") is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who came to the October team meeting?", "Ana, Bo"),
        ("Who was at the team meeting in October 2024?", "Ana, Bo"),
        ("Who came to the November team meeting?", None),
        ("Who came to the team meeting in October 2023?", None),
    ],
)
def test_a_note_of_a_day_is_called_after_its_month_too(question: str, answer: str | None):
    sentence = asked(question, "attendees: [Ana, Bo]\n", "Team meeting 2024-10-03")
    assert (sentence.text if sentence else None) == (f"{answer} [1]" if answer else None)


BREAD = """Ingredients:
- 500 g flour, sifted
- 2 eggs
- about 1½ tbsp of olive oil (the mild one)
- salt
"""


@pytest.mark.parametrize(
    ("question", "answer", "line"),
    [
        ("How much flour goes into the bread?", "500 g", 11),
        ("How many eggs do I need for the bread?", "2", 12),
        ("How much olive oil is in the bread?", "about 1½ tbsp", 13),
        ("How much flour does the loaf get?", None, 0),  # of what?
        ("How much sugar goes into the bread?", None, 0),
        ("How much salt goes into the bread?", None, 0),
        ("Which flour goes into the bread?", None, 0),
        ("How much oil is in the bread?", None, 0),  # says less than the list
    ],
)
def test_how_much_of_what_a_list_names(question: str, answer: str | None, line: int):
    sentence = asked(question, BREAD, "Sourdough bread")
    assert (sentence.text if sentence else None) == (f"{answer} [1]" if answer else None)
    if sentence:
        assert sentence.citations[0].first == line


ANNA = """phone: 555-123
email: anna90@example.org
birthday: 1990-03-02
city: Oslo
read: true
finished: false
participants:
  - Ben
  - Carl
start: Marta and Sunny
password: x
nested: NESTED
""".replace("NESTED", "[" * 400 + "a" + "]" * 400)


@pytest.mark.parametrize(
    "question",
    [
        "When did I call Anna?",
        "What did I give Anna for her birthday?",
        "What did I give Anna for Anna's birthday?",
        "Did Anna email me?",
        "When did Anna email me?",
        "What did Anna write in her email?",
        "Where did Anna go?",
        "Where did I buy Anna?",
        "How many participants did Anna have?",
        "How many people are in Anna?",
        "When did I finish Anna?",
        "When did Anna start?",  # "Marta" is no month
        "When did I read Anna?",
        "Who has read Anna?",
        "Who else attended Anna?",
        "Is Anna's city Oslo?",
    ],
)
def test_a_field_does_not_answer_another_question(question: str):
    assert asked(question, ANNA, "Anna") is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where does Anna live?", "Oslo"),
        ("How can I reach Anna?", "555-123"),
        ("Which city is Anna's?", "Oslo"),
        ("When is Anna's birthday?", "1990-03-02"),
        ("Who attended Anna?", "Ben, Carl"),
    ],
)
def test_what_the_fields_of_a_person_answer(question: str, answer: str):
    sentence = asked(question, ANNA, "Anna")
    assert sentence is not None
    assert sentence.text == f"{answer} [1]"


@pytest.mark.parametrize("margin", ["  ", " " * 40])
def test_blanks_behind_the_name_of_a_list_cut_nothing_off(margin: str):
    text = f"Attendees:{margin}\n- Anna\n- Bob Smith  \n- Carl\n\nMore."
    sentence = asked("Who attended the kickoff?", text, "Kickoff")
    assert sentence is not None
    (citation,) = sentence.citations
    assert citation.quote == f"Attendees:{margin}\n- Anna\n- Bob Smith  \n- Carl"
    assert (citation.first, citation.last) == (10, 13)


def test_long_runs_of_blanks_and_marks_take_no_time():
    """Quadratic, each would take minutes."""
    gap, marks = " " * 200_000, "_" * 200_000
    text = f"| a |\n{gap}\nPort: {marks}x\n-{gap}x\nIP: 1"
    assert asked("What is the IP of the server?", text) is not None


PRIYA = """born: 1990
phone:
email: ""
company: Lumen Press
bio: edits the garden series and has done so for nine years
kids:
  - Ola"""


def front(text: str = PRIYA, first: int = 2) -> Passage:
    return Passage(1, "Priya.md", "Priya", (), first, first + 6, text, 0.1, 0.2, None)


@pytest.mark.parametrize("question", ["What is Priya's phone number?", "What is Priya's e-mail?"])
def test_a_field_without_a_value_is_told_apart_from_none(question: str):
    with pytest.raises(Empty):
        find_cell(question, [front()], lambda _: (), analyzer().analyze)
    body = Passage(
        2, "Priya.md", "Priya", (), 9, 10, "Phone: 555-1234\nE-mail: p@x.org", 0.1, 0.2, None
    )
    found = find_cell(question, [front(), body], lambda _: (), analyzer().analyze)
    assert found is not None
    # "Ingredients:" before a table is no empty field.
    text = Passage(1, "Priya.md", "Priya", (), 1, 7, PRIYA, 0.1, 0.2, None)
    assert find_cell(question, [text], lambda _: (), analyzer().analyze) is None


def test_what_front_matter_is():
    assert is_front_matter(front())
    assert not is_front_matter(front(first=1))
    assert not is_front_matter(front("born: 1990\nShe lives here."))
    assert not is_front_matter(front("Born in 1990."))


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("Where is Priya from?", ["bio", "body"]),
        ("Which company does Priya work for?", ["company", "bio", "body"]),
        ("Who has Priya as kids' mother?", ["kids", "bio", "body"]),
        ("Which company does Tom work for?", ["bio", "body"]),
        ("When was Priya born?", ["born", "bio", "body"]),
    ],
)
def test_fields_that_are_not_asked_for_are_no_evidence(question: str, kept: list[str]):
    places = {
        "born": "born: 1990",
        "company": "company: Lumen Press",
        "kids": "- Ola",
        "bio": "bio: edits the garden series and has done so for nine years",
    }
    evidence = [
        Evidence(1, text, 1, 1, PRIYA.index(text), PRIYA.index(text) + len(text), 1.0)
        for text in places.values()
    ]
    evidence.append(Evidence(2, "She came.", 9, 9, 0, 9, 1.0))
    body = Passage(2, "Priya.md", "Priya", (), 9, 9, "She came.", 0.1, 0.2, None)
    left = without_strays(question, [front(), body], evidence, analyzer().analyze)
    names = {text: name for name, text in (*places.items(), ("body", "She came."))}
    assert sorted(names[each.text] for each in left) == sorted(kept)


def test_a_folder_may_be_named_and_does_not_name_the_note():
    passage = Passage(1, "books/a.md", "Piranesi", (), 1, 8, BOOK, 0.1, 0.2, None)

    def found(question: str) -> Sentence | None:
        return find_cell(question, [passage], lambda _: (), analyzer().analyze)

    assert found("Who wrote the book Piranesi?") is not None
    assert found("Who wrote the book?") is None


@pytest.mark.model
def test_the_front_matter_of_a_note_answers(box: Box):
    (box.notes / "people").mkdir()
    (box.notes / "people" / "Leila Haddad.md").write_text(
        "---\ntags: [people]\nbirthday: 1990-03-12\nphone: 0171 5550123\nemail:\n"
        "company: Lumen\n---\n"
    )
    (box.notes / "Piranesi.md").write_text(
        '---\nauthor: "[[Susanna Clarke]]"\nrating: 5\n---\nA house of endless halls.\n'
    )
    box.index()
    for question, answer, path, line in (
        ("When is Leila's birthday?", "1990-03-12", "people/Leila Haddad.md", 3),
        ("When was Leila Haddad born?", "1990-03-12", "people/Leila Haddad.md", 3),
        ("What is Leila's phone number?", "0171 5550123", "people/Leila Haddad.md", 4),
        ("Who wrote Piranesi?", "Susanna Clarke", "Piranesi.md", 2),
        ("How did I rate Piranesi?", "5", "Piranesi.md", 3),
    ):
        done = json.loads(box.rag("ask", "--json", question).stdout)
        assert done["answer"] == f"{answer} [1]"
        (citation,) = done["citations"]
        assert (citation["path"], citation["lines"]) == (path, [line, line])
    for question in ("What is Leila's e-mail address?", "Who is the author of Moby Dick?"):
        assert not json.loads(box.rag("ask", "--json", question).stdout)["answered"]


def test_a_name_of_several_words_says_enough_without_its_note():
    text = "NHS number: 485 777 3456\nnumber: 7"
    found = asked("What is my NHS number?", text, "Health log")
    assert found is not None
    assert found.text == "485 777 3456 [1]"
    assert asked("What is my number?", text, "Health log") is None


def test_a_title_denies_nothing():
    text = "author: Kazuo Ishiguro\nowner: Priya"
    found = asked("Who wrote Never Let Me Go?", text, "Never Let Me Go")
    assert found is not None
    assert found.text == "Kazuo Ishiguro [1]"
    owner = asked("Who owns Never Let Me Go?", text, "Never Let Me Go")
    assert owner is not None
    assert owner.text == "Priya [1]"
    assert asked("Who never wrote Let Me Go?", text, "Let Me Go") is None
