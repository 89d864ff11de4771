"""Notes looked up by their properties: which questions ask for them, and what is listed."""

from __future__ import annotations

from datetime import date

import pytest

from rag.indexing.filtering import Filters
from rag.indexing.lexical import analyzer
from rag.retrieval.listing import Listed
from rag.retrieval.properties import list_by_properties
from rag.retrieval.property_words import find_properties
from tests.indexing.conftest import Desk

TODAY = date(2024, 5, 20)
NOTES = {
    "Books/Piranesi.md": "author: Susanna Clarke\nyear: 2020\nrating: 5\npages: 245\n"
    "status: read\nfinished: 2024-02-11",
    "Books/Dune.md": "author: Frank Herbert\nyear: 1965\nrating: 4\npages: 5\nstatus: reading",
    "Books/Earthsea.md": "author: Ursula K. Le Guin\nrating: 5/5\nstatus: read\n"
    "finished: 2023-07-01",
    "Books/Ulysses.md": 'status: to read\nstarted: 2024-01-05\nrating: 4.5\npages: "1,200"\n'
    "summary: What I am reading it for is the reading itself, as they say.",
    "Books/Emma.md": "status: abandoned\nfinished: 2024-03",
    "p/Priya.md": 'tags: [person]\nbirthday: 1990-07-12\ncompany: "[[Lumen]]"\ncity: Lisbon',
    "p/Tom.md": "tags: [person]\nbirthday: 1985-11-30\ncompany: Nordlicht",
    "2024-03-04 Planning.md": "date: 2024-03-04\ntype: meeting\nattendees:\n  - Priya\n  - Tom",
    "2024-04-08 Retro.md": "date: 2024-04-08\ntype: meeting\nattendees: [Priya, Jonas Vogel]",
    "Projects/Shed.md": "status: active\ndeadline: 2024-08-01",
    "Projects/Web.md": "status: on hold\ndeadline: 2025-03-01",
    "Projects/Roof.md": "status: active\ndeadline: 2024-05-01",
    "Projects/Gate.md": "status: done\ndeadline: 2024-04-01",
    "Recipes/Dal.md": "tags: [vegetarian, quick]\nservings: 4\nminutes: 25",
    "Recipes/Ragu.md": "servings: 6\nminutes: 180",
}


@pytest.fixture
def asked(desk: Desk):
    """What a question lists of a small vault; None where it asks for no properties."""
    for path, fields in NOTES.items():
        desk.write(path, f"---\n{fields}\n---\nA text.\n")
    desk.update()
    index = desk.open()
    analyze = analyzer().analyze

    def listed(question: str, filters: Filters = Filters()) -> Listed | None:  # noqa: B008
        wanted = find_properties(question, TODAY)
        if wanted is None:
            return None
        return list_by_properties(index, wanted, filters, lambda text: list(analyze(text)), TODAY)

    yield listed
    index.close()


def test_notes_are_listed_by_what_they_are_and_have(asked):
    for question, titles in {
        "Which books am I reading?": {"Dune"},
        "Which books have I read?": {"Piranesi", "Earthsea"},
        "Show me all books I have read": {"Piranesi", "Earthsea"},
        "How many books have I finished?": {"Piranesi", "Earthsea", "Emma"},
        "Which books did I finish in March 2024?": {"Emma"},
        "Which books have I read in 2024?": {"Piranesi"},
        "Which books did I abandon?": {"Emma"},
        "How many recipes do I have?": {"Dal", "Ragu"},
        "list my books": {"Piranesi", "Dune", "Earthsea", "Ulysses", "Emma"},
        "What books did I finish in 2024?": {"Piranesi", "Emma"},
        "Which book has a rating of 5?": {"Piranesi", "Earthsea"},
        "Which books have five stars?": {"Piranesi", "Earthsea"},
        "Which books are rated 4 or more?": {"Piranesi", "Dune", "Earthsea", "Ulysses"},
        "Which books have a rating above 4?": {"Piranesi", "Earthsea", "Ulysses"},
        "Which books have a rating of 4.5?": {"Ulysses"},
        "Which books have more than 1,000 pages?": {"Ulysses"},
        "Which books have 5 pages?": {"Dune"},
        "Which books by Ursula Le Guin have I read?": {"Earthsea"},
        "Which books are from 2020?": {"Piranesi"},
        "Which meetings did Priya attend?": {"Planning", "Retro"},
        "Which meetings did Jonas attend?": {"Retro"},
        "Which meetings were in April?": {"Retro"},
        "Which meetings did Priya attend in March?": {"Planning"},
        "Which projects are active?": {"Shed", "Roof"},
        "show me my active projects": {"Shed", "Roof"},
        "Which projects are done?": {"Gate"},
        "Which projects are overdue?": {"Roof"},
        "Which projects are on hold?": {"Web"},
        "Which project has a deadline in August?": {"Shed"},
        "Which projects are due before September 2024?": {"Shed", "Roof", "Gate"},
        "Which projects are due in August?": {"Shed"},
        "Which projects are due next year?": {"Web"},
        "Which recipes are vegetarian?": {"Dal"},
        "Which recipe serves 4?": {"Dal"},
        "Which recipes take under 30 minutes?": {"Dal"},
        "Which notes have status active?": {"Shed", "Roof"},
        "Who has a birthday in July?": {"Priya"},
        "Whose birthday is in November?": {"Tom"},
        "Who was born in 1990?": {"Priya"},
        "Who works at Lumen?": {"Priya"},
        "Which people live in Lisbon?": {"Priya"},
    }.items():
        listed = asked(question)
        assert listed is not None, question
        assert {each.title for each in listed.notes} == titles, question


@pytest.mark.parametrize(
    "question",
    [
        "Who is Priya?",
        "Who attended the retro?",
        "Who wrote Dune?",
        "Who works?",
        "Which books were not finished?",
        "Which books should I read?",
        "Which books did he write?",
        "Which books did I write?",
        "Which books have two authors?",
        "Which books have a rating of 1.2.3?",
        "Which books are on the shelf?",
        "Which book is the cheapest?",
        "Which project is the oldest?",
        "What is the longest river?",
        "What is my next book?",
        "When is my next dentist appointment?",
        "What is the best way to prune roses?",
        "What is the next step?",
        "Which person has the most rating?",
        "Which company does Priya work for?",
        "Which meetings did Priya leave early?",
        "What is a book?",
        "What books?",
        "Which colours are active?",
        "What does Priya read?",
        "When did I finish Piranesi?",
    ],
)
def test_what_asks_for_something_else_is_a_question(asked, question: str):
    assert asked(question) is None


def test_a_list_says_what_it_is_of_and_where_it_stands(asked):
    listed = asked("Which meetings did priya attend?")
    assert listed.head == "2 notes of “meetings” with attendees “Priya”:"
    assert [(each.path, each.line, each.text) for each in listed.notes] == [
        ("2024-04-08 Retro.md", 4, "attendees: Priya, Jonas Vogel"),
        ("2024-03-04 Planning.md", 4, "attendees: Priya, Tom"),
    ]
    first = listed.passages[listed.notes[0].n - 1]
    assert first.path == "2024-04-08 Retro.md"
    assert "Jonas Vogel" in first.text


def test_where_no_note_has_a_property_that_others_have_none_is_listed(asked):
    listed = asked("Which books have a rating of 1?")
    assert (listed.head, listed.notes) == ("No note of “books” with rating “1”.", ())
    listed = asked("Who has a birthday in May?")
    assert (listed.head, listed.notes) == ("No note with birthday “in May”.", ())
    assert asked("Which meetings were in 2031?").head == "No note of “meetings”, in 2031."


def test_the_first_of_an_order_is_listed(asked):
    for question, titles in {
        "What is my highest rated book?": ["Earthsea", "Piranesi"],
        "What's my best book?": ["Earthsea", "Piranesi"],
        "Which book has the highest rating?": ["Earthsea", "Piranesi"],
        "Which book is the longest?": ["Ulysses"],
        "Which of my books has the fewest pages?": ["Dune"],
        "What are my highest rated books?": ["Earthsea", "Piranesi", "Ulysses", "Dune"],
        "What is the shortest book I have read?": ["Piranesi"],
        "Which recipe is the quickest?": ["Dal"],
        "Which recipe takes the most minutes?": ["Ragu"],
        "Who is the youngest person?": ["Priya"],
        "Whose birthday is next?": ["Priya"],
        "Who has the next birthday?": ["Priya"],
        "What is my next deadline?": ["Shed"],
        "What was my last meeting with Priya?": ["Retro"],
        "my last meeting with Tom": ["Planning"],
    }.items():
        listed = asked(question)
        assert listed is not None, question
        assert sorted(each.title for each in listed.notes) == sorted(titles), question
    listed = asked("What are my highest rated books?")
    assert listed.head == "4 notes of “books”, highest rated:"
    assert listed.notes[-1].title == "Dune"
    assert [(each.line, each.text) for each in listed.notes[-2:]] == [
        (4, "rating: 4.5"),
        (4, "rating: 4"),
    ]


def test_values_of_several_kinds_have_no_order(asked, desk: Desk):
    assert asked("Which recipe is the quickest?").notes[0].title == "Dal"
    for minutes in ("2 h", "1 h 30 min", "quite long"):
        desk.write("Recipes/Stew.md", f"---\nminutes: {minutes}\n---\nA text.\n")
        desk.update()
        assert asked("Which recipe is the quickest?") is None, minutes
    assert asked("Which recipe has the most servings?").notes[0].title == "Ragu"


def test_days_of_an_order_are_those_that_end_it_or_come_again(asked, desk: Desk):
    desk.write("Books/Solaris.md", "---\nstatus: read\npublished: 2024-05-01\n---\nA text.\n")
    desk.write("2024-03-20 One.md", "---\ndate: 2024-03-20\ntype: meeting\nattendees: [Ann]\n"
               "followup: 2024-09-01\n---\nA text.\n")  # fmt: skip
    desk.update()
    for question, title in {
        "What was the last book I read?": "Piranesi",
        "Who has the last birthday?": "Tom",
        "What is the latest deadline?": "Web",
        "What was my last meeting with Ann?": "One",
        "my best book by Susanna Clarke": "Piranesi",
        "Which project is next?": "Shed",
        "When is my next birthday?": None,
        "What is my next meeting with Ann?": None,
    }.items():
        listed = asked(question)
        assert (listed and listed.notes[0].title) == title, question


def test_a_range_holds_what_is_in_it(asked, desk: Desk):
    desk.write("Games/Heat.md", "---\nplayers: 1-6\n---\nA text.\n")
    desk.write("Games/Chess.md", "---\nplayers: 2\n---\nA text.\n")
    desk.update()
    for question, titles in {
        "Which games have 5 players?": {"Heat"},
        "Which games have 2 players?": {"Heat", "Chess"},
        "Which games have at least 3 players?": {"Heat"},
        "Which games have less than 2 players?": {"Heat"},
    }.items():
        assert {each.title for each in asked(question).notes} == titles, question


def test_filters_hold_for_lists_by_properties(asked):
    listed = asked("Which books have I read?", Filters(paths=("piranesi.md",)))
    assert [each.title for each in listed.notes] == ["Piranesi"]
