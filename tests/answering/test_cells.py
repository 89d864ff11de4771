"""A question that names a row and a column of a table is answered by the cell where they cross."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.cells import find_cell
from rag.answering.steps import Sentence
from rag.indexing.lexical import analyzer
from rag.indexing.rows import StoredPassage
from rag.retrieval.found import Passage
from tests.conftest import Box

SERVICES = """The box in the cellar runs Debian.

| Service | Port | Since | [[Users\\|People]] |
|:--- | ---:| --- | --- |
| Grafana | 3000 | 2021 | - |
| [[Gitea]] | **3001** | 2022 | Ada, Ben |
| Jellyfin | 8096 | 2023 | Ada |
| Vaultwarden | 8222 | 2024 | n/a |

Backups go to the old laptop. Jellyfin is slow."""
POLICIES = """
| Policy | Insurer | Number | Premium |
|---|---|---|---|
| Household | Domus | D-7781 | 131 |
| Car | Allsicher | AS-555 | 412 |
"""
TASKS = """
| Task | Due | Owner |
|---|---|---|
| Tax return | 2024-05-31 | Ana |
| Passport | 2024-06-15 | Ben |
"""
COSTS = """
| Item | Cost (EUR) |
|---|---|
| cedar beams | 4,200 |
"""
MACHINES = """
| | Memory |
|---|---|
| alpha | 16 GB |
| beta | 64 GB |
"""
LABELLED = """Columns: Item, Price, Shop
- Item: oat milk; Price: 1.89; Shop: Lidl
- Item: oat milk; Price: 2.19; Shop: Rewe
- Item: rye bread; Price: 3.20; Shop: Rewe"""
CHOICE = """| | RAG | Fine-tuning |
| --- | --- | --- |
| Cost | a search for every question | computing time up front |
| To update | edit the documents [2] | train again |"""


def passage(text: str, number: int = 1, first: int = 10) -> Passage:
    last = first + text.count("\n")
    title = {POLICIES: "Insurance", MACHINES: "Machines"}.get(text, "Home server")
    return Passage(number, "a.md", title, (), first, last, text, 0.1, 0.2, None)


def asked(question: str, *texts: str) -> Sentence | None:
    found = [passage(text, number) for number, text in enumerate(texts, 1)]
    return find_cell(question, found, lambda _: (), analyzer().analyze)


DEVICES = """| Device | Warranty until | Noise | Hours 2026 |
| --- | --- | --- | --- |
| Fridge | 2029-01-22 | 35 dB | 800 |
| Kettle | 2025-03-02 | 80 dB | 12 |"""

KIT = """| Item | Number | Expires / service |
|---|---|---|
| Flares | 6 | November 2026 |
| Liferaft | 1 | October 2025 |"""


@pytest.mark.parametrize(
    ("text", "question", "answer", "line"),
    [
        (KIT, "when does the liferaft run out", "October 2025", 13),
        (KIT, "When do the flares expire?", "November 2026", 12),
        (SERVICES, "Which port does Jellyfin use?", "8096", 16),
        (SERVICES, "What is the port of Grafana on my home server?", "3000", 14),
        (SERVICES, "Since when do I run Gitea?", "2022", 15),
        (SERVICES, "When was Gitea started?", "2022", 15),
        (SERVICES, "What port does gitea listen on?", "3001", 15),
        (SERVICES, "Which service runs on port 8222?", "Vaultwarden", 17),
        (SERVICES, "Who are the people of Gitea?", "Ada, Ben", 15),
        (POLICIES, "What is the number of the car insurance?", "AS-555", 14),
        (TASKS, "When is the tax return due?", "2024-05-31", 13),
        (COSTS, "How much do the cedar beams cost?", "4,200", 13),
        (MACHINES, "Which machine has 64 GB?", "beta", 14),
        (MACHINES, "Which machines have 64 GB?", "beta", 14),
        (LABELLED, "What is the price of oat milk at Rewe?", "2.19", 12),
        (LABELLED, "How much does rye bread cost?", "3.20", 13),
        (LABELLED, "In which shop is the rye bread?", "Rewe", 13),
        (SERVICES, "What runs on port 8222?", "Vaultwarden", 17),
        (DEVICES, "When does the fridge warranty run out?", "2029-01-22", 12),
        (DEVICES, "How long does the warranty of the kettle last?", "2025-03-02", 13),
        (DEVICES, "How loud is the fridge?", "35 dB", 12),
        (DEVICES, "How many hours did the kettle take?", "12", 13),
        (DEVICES, "How many hours did the kettle take in 2026?", "12", 13),
        (CHOICE, "What does fine-tuning cost?", "computing time up front", 12),
        (CHOICE, "What is to update with RAG?", "edit the documents (2)", 13),
    ],
)
def test_the_cell_is_cited_with_its_row(text: str, question: str, answer: str, line: int):
    sentence = asked(question, "Nothing of this.", text)
    assert sentence is not None
    assert sentence.text == f"{answer} [2]"
    (citation,) = sentence.citations
    assert (citation.n, citation.first, citation.last) == (2, line, line)
    assert citation.quote == text.split("\n")[line - 10]


SEVERAL = """
| Name | System | Was |
| --- | --- | --- |
| alpha | Debian 12 | Arch |
| beta | Ubuntu | Debian 11 |
| gamma | Debian 11 | – |
"""


def test_all_rows_that_hold_what_is_asked_for_are_told():
    found = passage(SEVERAL.replace("Debian 11 |\n| gamma", "Mint |\n| gamma"), 1)
    found = replace(found, title="Machines")
    analyze = analyzer().analyze
    for question in ("Which machines run Debian?", "Which machine runs Debian?"):
        sentence = find_cell(question, [found], lambda _: (), analyze)
        assert sentence is not None
        assert sentence.text == "alpha, gamma [1]"
        rows = [each.quote for each in sentence.citations]
        assert rows == ["| alpha | Debian 12 | Arch |", "| gamma | Debian 11 | – |"]
    assert find_cell("Which machines run BSD?", [found], lambda _: (), analyze) is None
    # What one of them was, another one is.
    mixed = replace(passage(SEVERAL, 1), title="Machines")
    assert find_cell("Which machines have Debian?", [mixed], lambda _: (), analyze) is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (DEVICES, "How many hours did the kettle take in 2025?"),
        (DEVICES, "How heavy is the fridge?"),
        (DEVICES, "What is loud?"),
        (KIT, "When did we buy the liferaft?"),
        (SERVICES, "Which port does Nextcloud use?"),  # no such row
        (SERVICES, "Which colour is Jellyfin?"),  # no such column
        (SERVICES, "When did Gitea crash?"),
        (SERVICES, "Which service has no port 3000?"),
        (TASKS, "When did I start the tax return?"),
        (TASKS, "When did the passport come?"),
        (MACHINES, "Which server has 64 GB?"),
        (SERVICES, "Which server runs on 3000?"),  # the note is about one server
        (SERVICES, "What was the old port of Jellyfin?"),  # more than the table says
        (SERVICES, "Which port does Jellyfin not use?"),
        (SERVICES, "Why does Jellyfin use its port?"),
        (SERVICES, "Which port did Jellyfin use before 2023?"),
        (SERVICES, "Does Jellyfin use port 8096?"),
        (SERVICES, "Which ports do Jellyfin and Gitea use?"),  # two rows
        (SERVICES, "Who are the people of Grafana?"),  # an empty cell
        (SERVICES, "Who are the people of Vaultwarden?"),
        (SERVICES, "Which people does Ada know?"),
        (SERVICES, "What are port and service?"),  # no row
        (LABELLED, "What is the price of oat milk?"),  # two rows
        (LABELLED, "What is the price of the milk of oats and rye?"),
        ("- Price: 3\n- Shop: Rewe", "What is the price at Rewe?"),  # no table
        ("| a | 1 |\n| b | 2 |", "Which number has a?"),  # no names of columns
        ("", "Which port does Jellyfin use?"),
    ],
)
def test_what_the_table_does_not_say_is_left_to_the_others(text: str, question: str):
    assert asked(question, text) is None


def test_the_names_of_columns_may_stand_in_the_passage_before():
    top, bottom = SERVICES[: SERVICES.index("\n| Jell")], SERVICES[SERVICES.index("| Jell") :]
    before = StoredPassage(6, "a.md", "Home server", (), (), 10, 15, top)
    found = [passage(bottom, 7, first=16)]
    question = "Which port does Jellyfin use?"
    sentence = find_cell(question, found, lambda _: [before], analyzer().analyze)
    assert sentence is not None
    assert (sentence.text, sentence.citations[0].first) == ("8096 [1]", 16)
    assert find_cell(question, found, lambda _: (), analyzer().analyze) is None
    # A row of the passage before is not this one's to cite.
    assert (
        find_cell("Which port does Gitea use?", found, lambda _: [before], analyzer().analyze)
        is None
    )


@pytest.mark.model
def test_notes_are_asked_for_their_tables(box: Box):
    (box.notes / "server.md").write_text(f"# Home server\n\n{SERVICES}\n")
    (box.notes / "shop.csv").write_text("Item,Price\noat milk,1.89\nrye bread,3.20\n")
    box.index()
    for question, answer, quote in (
        ("Which port does Jellyfin use?", "8096 [1]", "| Jellyfin | 8096 | 2023 | Ada |"),
        ("How much does rye bread cost?", "3.20 [1]", "- Item: rye bread; Price: 3.20"),
    ):
        for flags in ((), ("--quote",)):
            done = box.rag("ask", "--json", *flags, question)
            assert f'"answer": "{answer}"' in done.stdout
            assert quote in done.stdout
    assert "do not say" in box.rag("ask", "Which port does Nextcloud use?").stdout
