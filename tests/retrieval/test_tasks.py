"""Lists of tasks: which questions ask for them, and what is listed."""

from __future__ import annotations

from datetime import date

import pytest

from rag.errors import QuestionError
from rag.indexing.filtering import Filters, Span
from rag.indexing.lexical import analyzer
from rag.retrieval.listing import SHOWN, Listed
from rag.retrieval.task_words import TasksAsked, find_due_tasks, find_tasks_asked
from rag.retrieval.tasks import due_day, has_tasks, list_tasks
from tests.conftest import Box
from tests.indexing.conftest import Desk

ANY = Filters()
TODAY = date(2024, 5, 20)  # a Monday


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Which tasks are open?", TasksAsked("open", "", ANY)),
        ("what are my open tasks", TasksAsked("open", "", ANY, own=True)),
        ("My tasks", TasksAsked("open", "", ANY)),
        ("list my todos", TasksAsked("open", "", ANY)),
        ("Do I have any to-dos left?", TasksAsked("open", "", ANY, own=True)),
        ("How many open tasks are there?", TasksAsked("open", "", ANY)),
        ("How many tasks are still open?", TasksAsked("open", "", ANY)),
        ("Which tasks are not done yet?", TasksAsked("open", "", ANY)),
        ("Which tasks are not yet done?", TasksAsked("open", "", ANY)),
        ("Show all tasks", TasksAsked("all", "", ANY)),
        ("Which tasks are done?", TasksAsked("done", "", ANY)),
        ("list finished action items for the garden", TasksAsked("done", "garden", ANY)),
        ("Open tasks about bees?", TasksAsked("open", "bees", ANY)),
        ("open tasks in [[Garden plan]]", TasksAsked("open", "[[Garden plan]]", ANY)),
        ("todos tagged home", TasksAsked("open", "", Filters(tags=("home",)))),
        ("open tasks in work/", TasksAsked("open", "", Filters(paths=("work/",)))),
        ("What do I still have to do?", TasksAsked("open", "", ANY)),
        ("What do I have to do for the trip?", TasksAsked("open", "trip", ANY)),
        ("What is left to do?", TasksAsked("open", "", ANY)),
        ("what's on my to-do list", TasksAsked("open", "", ANY)),
        ("which jobs on the boat aren't done yet", TasksAsked("open", "boat", ANY)),
        ("What things still need to be done?", TasksAsked("open", "", ANY)),
        ("which snags are left over from the refit?", TasksAsked("open", "snags refit", ANY)),
        ("what's left to finish on the quilt", TasksAsked("open", "quilt", ANY)),
        ("outside jobs that still need doing", TasksAsked("open", "outside", ANY)),
        ("things that need fixing in the flat", TasksAsked("open", "flat", ANY)),
        ("what's still not sorted for the wedding?", TasksAsked("open", "wedding", ANY)),
        ("What was left of the castle?", None),
        ("What was left out of the report?", None),
        ("Who is left to call?", None),
        ("Which jobs are not done by robots?", None),
        ("What tasks can a transformer do?", None),
        ("Which tasks are LLMs good at?", None),
        ("What are the tasks of a router?", None),
        ("What do I have to do to renew a passport?", None),
        ("Who finished the task?", None),
        ("Which tasks did Ada finish?", None),
        ("What is multitask learning?", None),
    ],
)
def test_which_questions_ask_for_tasks(question: str, wanted: TasksAsked | None):
    assert find_tasks_asked(question) == wanted


@pytest.mark.parametrize(
    ("question", "which", "topic", "days"),
    [
        ("Which tasks are overdue?", "open", "", Span(None, date(2024, 5, 19))),
        ("my overdue tasks on the garden", "open", "garden", Span(None, date(2024, 5, 19))),
        ("What is due this week?", "open", "", Span(TODAY, date(2024, 5, 26))),
        ("What's due tomorrow?", "open", "", Span(date(2024, 5, 21), date(2024, 5, 21))),
        ("tasks due by 2024-06-01", "open", "", Span(None, date(2024, 6, 1))),
        (
            "Which tasks are due in June 2024?",
            "open",
            "",
            Span(date(2024, 6, 1), date(2024, 6, 30)),
        ),
        ("Do I have tasks due next week?", "open", "", Span(date(2024, 5, 27), date(2024, 6, 2))),
    ],
)
def test_which_questions_ask_for_tasks_of_certain_days(question, which, topic, days):
    asked = find_due_tasks(question, TODAY)
    assert asked is not None
    assert (asked.which, asked.topic) == (which, topic)
    assert asked.due is not None
    assert asked.due.span == days


@pytest.mark.parametrize(
    "question",
    ["When is the tax return due?", "Which tasks are open?", "What is due diligence?",
     "Who is overdue?", "What was due to the storm in 1987?"],
)  # fmt: skip
def test_which_do_not(question: str):
    assert find_due_tasks(question, TODAY) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Buy soil 📅 2024-05-02", date(2024, 5, 2)),
        ("Buy soil (due: 2 May 2024)", date(2024, 5, 2)),
        ("Buy soil [due:: 2024-05-02]", date(2024, 5, 2)),
        ("Send it by May 2, 2024", date(2024, 5, 2)),
        ("Send it @due(2024-05-02)", date(2024, 5, 2)),
        ("Pay until 02.05.2024", date(2024, 5, 2)),
        ("Read the plan of 2024-05-02", None),
        ("Fix it (scheduled 2024-05-01 Wed, due 2024-05-02 Thu)", date(2024, 5, 2)),
        ("Fix it (scheduled 2024-05-02 Thu)", date(2024, 5, 2)),
        ("Done by Ada", None),
        ("due 2024-13-45", None),
    ],
)
def test_when_a_task_is_due(text: str, day: date | None):
    assert due_day(text) == day


PLAN = """---
date: 2024-05-02
tags: home
aliases: [Allotment]
---
# Garden plan

- [ ] Buy **soil**
- [x] Prune the roses
  - [/] Sharpen the shears
- [-] Paint the shed
- [ ]
- [link] to see

## Bees
> 1. [ ] Order frames [[bees|here]]
"""


@pytest.fixture
def tasks(desk: Desk):
    """What lists of tasks of a small vault hold: `tasks("open", "bees")`."""
    desk.write("plan.md", PLAN)
    desk.write("work/desk.md", "---\ndate: 2024-06-01\n---\n* [ ] Call Ben\n+ [X] Mail Ada\n")
    desk.update()
    index = desk.open()
    analyze = analyzer().analyze

    def listed(which="open", topic: str = "", filters: Filters = ANY) -> Listed:
        return list_tasks(index, which, topic, filters, lambda text: list(analyze(text)))

    yield listed
    index.close()


def said(listed: Listed) -> list[tuple[str, int, str]]:
    return [(each.path, each.line, each.text) for each in listed.notes]


def test_tasks_of_a_note_that_there_is_not(tasks):
    with pytest.raises(QuestionError, match="There is no note “Nope”"):
        tasks(topic="[[Nope]]")
    with pytest.raises(QuestionError, match="Did you mean “desk”"):
        tasks(topic="[[Deks#Today|the desk]]")
    assert said(tasks(topic="[[Desk]]"))


def test_open_tasks_stand_with_their_lines_newest_note_first(tasks):
    listed = tasks()
    assert listed.head == "4 open tasks in 2 notes:"
    assert said(listed) == [
        ("work/desk.md", 4, "Call Ben"),
        ("plan.md", 8, "Buy soil"),
        ("plan.md", 10, "Sharpen the shears"),
        ("plan.md", 16, "Order frames here"),
    ]
    for each in listed.notes:
        assert listed.passages[each.n - 1].path == each.path
    assert "- [1] **desk** work/desk.md:4, 2024-06-01: Call Ben" in listed.text


def test_done_tasks_and_all(tasks):
    assert said(tasks("done")) == [
        ("work/desk.md", 5, "Mail Ada"),
        ("plan.md", 9, "Prune the roses"),
    ]
    everything = tasks("all")
    assert everything.head == "6 tasks in 2 notes:"
    assert [each.text[:3] for each in everything.notes] == [
        "[ ]",
        "[x]",
        "[ ]",
        "[x]",
        "[ ]",
        "[ ]",
    ]


def test_a_topic_may_be_the_task_its_note_or_its_heading(tasks):
    assert [each.line for each in tasks(topic="soil").notes] == [8]
    assert [each.line for each in tasks(topic="[[Garden plan]]").notes] == [8, 10, 16]
    assert [each.line for each in tasks(topic="allotment").notes] == [8, 10, 16]
    assert [each.line for each in tasks(topic="bees").notes] == [16]
    assert tasks(topic="soil").head == "1 open task on “soil” in 1 note:"
    assert tasks(topic="lake").head == "No open task on “lake”."


def test_a_topic_may_be_the_line_above_a_list(desk: Desk):
    desk.write("Refit.md", "# Shop refit\n\nOpened.\n\nSnags\n- [x] blind\n- [ ] socket\n")
    desk.update()
    index = desk.open()

    def about(topic: str) -> list[tuple[str, int, str]]:
        return said(
            list_tasks(index, "open", topic, ANY, lambda text: list(analyzer().analyze(text)))
        )

    assert about("snags refit") == [("Refit.md", 7, "socket")]
    assert about("snags kitchen") == []
    index.close()


def test_tasks_in_code_are_none_and_a_tab_parts_as_a_blank_does(desk: Desk):
    long = "\n".join(f"- [ ] example {n} of a long block of code in a note" for n in range(60))
    desk.write("code.md", f"# Code\n\n```markdown\n{long}\n```\n\n- [ ]\tafter it\n")
    desk.update()
    index = desk.open()
    listed = list_tasks(index, "open", "", ANY, lambda text: list(analyzer().analyze(text)))
    assert said(listed) == [("code.md", 66, "after it")]
    index.close()


def test_a_topic_without_words_is_none(tasks):
    assert tasks(topic="a").notes == ()


def test_filters_act_on_the_notes(tasks):
    assert {each.path for each in tasks(filters=Filters(paths=("work/",))).notes} == {
        "work/desk.md"
    }
    assert len(tasks(filters=Filters(tags=("home",))).notes) == 3


def test_a_long_list_is_complete_and_shown_in_part(desk: Desk):
    desk.write("many.md", "\n".join(f"- [ ] task {n}" for n in range(SHOWN + 10)))
    desk.update()
    index = desk.open()
    listed = list_tasks(index, "open", "", ANY, lambda text: list(analyzer().analyze(text)))
    assert len(listed.notes) == SHOWN + 10
    assert "… and 10 more" in listed.text
    assert has_tasks(index.store)
    index.close()


@pytest.mark.model
def test_notes_are_asked_for_tasks_only_where_there_are_some(box: Box):
    (box.notes / "router.md").write_text(
        "# Router\n\nThe tasks of a router: it forwards packets.\n"
    )
    box.index()
    assert "open task" not in box.rag("ask", "--quote", "Which tasks are open?").stdout
    assert "No open task." in box.rag("ask", "--quote", "What are my open tasks?").stdout
    (box.notes / "garden.md").write_text("# Garden\n\n## To do\n\n- soil\n- bees\n")
    box.index()
    assert "open task" not in box.rag("ask", "--quote", "What are my open tasks?").stdout
    (box.notes / "plan.md").write_text(PLAN)
    box.index()
    done = box.rag("ask", "What are my open tasks?")
    assert "3 open tasks in 1 note:" in done.stdout
    assert "plan.md:8" in done.stdout
    assert "No done task" not in box.rag("ask", "--quote", "list the tasks of a router").stdout


def test_tasks_that_are_due_stand_by_day(desk: Desk):
    desk.write("a.md", "- [ ] soil 📅 2024-06-09\n- [ ] bees\n- [x] frames 📅 2024-05-01\n")
    desk.write("b.md", "- [ ] tax (due 2024-05-01)\n- [ ] wood, by 1 June 2024\n")
    desk.update()
    index = desk.open()

    def due(question: str) -> tuple[str, list[str]]:
        asked = find_due_tasks(question, TODAY)
        assert asked is not None
        analyze = analyzer().analyze
        listed = list_tasks(
            index, asked.which, asked.topic, ANY, lambda text: list(analyze(text)), asked.due
        )
        return listed.head, [each.text for each in listed.notes]

    assert due("Which tasks are overdue?") == (
        "1 open task overdue in 1 note:",
        ["tax (due 2024-05-01)"],
    )
    assert due("tasks due in June") == (
        "2 open tasks due in June in 2 notes:",
        ["wood, by 1 June 2024", "soil 📅 2024-06-09"],
    )
    assert due("What is due tomorrow?") == ("No open task due tomorrow.", [])
    index.close()


def test_tags_of_headlines_of_org_are_of_the_tasks_below_them(desk: Desk):
    desk.write(
        "todo.org",
        "#+FILETAGS: :home:\n* TODO Pay rent\n* TODO Fix bike :garage:\n* Repairs :big:\n"
        "** TODO Order tiles :shop:\n** Notes\n* TODO Call Ben\n",
    )
    desk.write("one.org", "#+FILETAGS: :desk:\n* TODO Sharpen pencils\n")
    desk.write("list.md", "---\ntags: [garage]\n---\n- [ ] Sweep the floor\n")
    desk.update()
    index = desk.open()

    def listed(question: str) -> list[str]:
        asked = find_tasks_asked(question)
        assert asked is not None, question
        found = list_tasks(index, asked.which, asked.topic, asked.filters, str.split)
        return sorted(each.text.partition(" #")[0] for each in found.notes)

    for question in ("open tasks tagged garage", "Which tasks are tagged garage?"):
        assert listed(question) == ["Fix bike", "Sweep the floor"]
    assert listed("tasks tagged garage") == ["Fix bike", "Sweep the floor"]
    assert listed("my tasks tagged big") == listed("my tasks tagged shop") == ["Order tiles"]
    assert listed("my tasks tagged home") == ["Call Ben", "Fix bike", "Order tiles", "Pay rent"]
    assert listed("my tasks tagged desk") == ["Sharpen pencils"]
    untagged = list_tasks(index, "open", "", Filters(without_tags=("garage",)), str.split)
    assert [
        each.text for each in untagged.notes if "Fix" in each.text or "Sweep" in each.text
    ] == []
    assert len(untagged.notes) == 4
    assert find_tasks_asked("which tasks does a router have?") is None
    index.close()


def test_todos_of_org_are_tasks_with_their_days(desk: Desk):
    desk.write(
        "jobs.org",
        "* TODO Pay rent\n  DEADLINE: <2026-12-01 Tue>\n* TODO Fix bike\n  SCHEDULED: "
        "<2026-12-02 Wed>\n  The chain is worn.\n** DONE Buy chain\n* CANCELLED Paint\n",
    )
    desk.update()
    index = desk.open()
    analyze = analyzer().analyze

    def listed(question: str) -> list[tuple[str, int, str]]:
        asked = find_due_tasks(question, date(2026, 11, 30)) or find_tasks_asked(question)
        assert asked is not None
        return said(
            list_tasks(
                index, asked.which, asked.topic, ANY, lambda text: list(analyze(text)), asked.due
            )
        )

    rent = ("jobs.org", 1, "Pay rent (due 2026-12-01 Tue)")
    bike = ("jobs.org", 3, "Fix bike (scheduled 2026-12-02 Wed)")
    assert listed("Which tasks are open?") == [rent, bike]
    assert listed("Which tasks are done?") == [("jobs.org", 6, "Buy chain")]
    assert listed("open tasks on the bike") == [bike]
    assert listed("What is due this week?") == [rent, bike]
    assert listed("What is due tomorrow?") == [rent]
    index.close()
