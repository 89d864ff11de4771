"""Real files of each format: what is read of them, and on which line it stands."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from rag.reading.documents import Document, parse_document
from rag.reading.formats import FORMATS, suffixes_of
from rag.reading.notes import NoteText, Skipped, read_note
from rag.reading.scanning import scan
from rag.reading.webpage import read_html

FILES = Path(__file__).parents[1] / "data" / "formats"


def opened(name: str) -> tuple[NoteText, Document]:
    note = read_note(FILES, name)
    assert isinstance(note, NoteText)
    assert note.readable is not None
    return note, parse_document(name, note.text, note.readable)


def read(folder: Path, name: str, text: str) -> NoteText | Skipped:
    (folder / name).write_text(text)
    return read_note(folder, name)


def lines_of(folder: Path, name: str, text: str) -> list[str]:
    note = read(folder, name, text)
    assert isinstance(note, NoteText), note
    return note.text.split("\n")


def headings(document: Document) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(block.headings for block in document.blocks))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("garden.org", "The butt holds 210 litres"),
        ("garden.org", "plants = 12"),
        ("pump.rst", "Never run it dry"),
        ("pump.rst", "pump --drain"),
        ("rhine.html", "to Koblenz"),
        ("rhine.html", "ferry at Rhinau"),
        ("rhine.html", "total = 4 + 36"),
        ("rainfall.ipynb", "print(rain.mean())"),
        ("rainfall.ipynb", "June was the wettest month."),
        ("people.csv", "Grace Hopper"),
    ],
)
def test_words_stand_on_the_line_that_they_have_in_the_file(name: str, words: str) -> None:
    note, document = opened(name)
    raw = (FILES / name).read_text().split("\n")
    (line,) = (n for n, each in enumerate(raw, 1) if words in each)
    assert words in note.text.split("\n")[line - 1]
    (block,) = (each for each in document.blocks if words in each.text)
    assert block.first <= line <= block.last
    assert note.text.count("\n") == len(raw) - 1


def test_org_headlines_tags_drawers_and_title() -> None:
    note, document = opened("garden.org")
    assert document.title == "The garden year"
    assert document.tags == ("garden", "outdoors", "beans", "spring")
    assert document.aliases == ("Allotment diary", "plot")
    assert str(document.created) == "2024-03-02"
    assert headings(document) == [
        (), ("Sow the beans",), ("Sow the beans", "Spacing"), ("Water",),
    ]  # fmt: skip
    assert [(each.target, each.heading) for each in document.links] == [("soil.org", "Lime")]
    for hidden in ("nobody reads", "CLOCK", "ROAM", "secret", "#+"):
        assert hidden not in note.text
    code = next(each for each in document.blocks if each.kind == "code")
    assert "# not a heading\n  plants = 12" in code.text


TODO = """* Home :house:
** TODO [#A] Pay *rent* :money:
   DEADLINE: <2026-12-01 Tue +1m> SCHEDULED: <2026-11-28 Sat>
   The landlord wants it early.
*** Papers
    In the drawer.
** DONE Fix the bike
   CLOSED: [2026-11-20 Fri 10:00]
** CANCELLED Paint the shed
* TODO
* NEXT Call Ben
  DEADLINE: when he is back
"""


def test_org_headlines_with_a_keyword_are_tasks_and_head_what_follows(tmp_path: Path) -> None:
    note = read(tmp_path, "jobs.org", TODO)
    assert isinstance(note, NoteText)
    document = parse_document("jobs.org", note.text, note.readable)
    assert [(each.headings, each.first, each.text) for each in document.blocks] == [
        (
            ("Home",),
            2,
            "- [ ] Pay **rent** (scheduled 2026-11-28 Sat, due 2026-12-01 Tue +1m) #house #money",
        ),
        (("Home", "Pay rent"), 4, "The landlord wants it early."),
        (("Home", "Pay rent", "Papers"), 6, "In the drawer."),
        (("Home",), 7, "- [x] Fix the bike (closed 2026-11-20 Fri 10:00) #house"),
        (("Home",), 9, "- [-] Paint the shed #house"),
        ((), 10, "# TODO"),
        ((), 11, "- [ ] Call Ben"),
        (("Call Ben",), 12, "DEADLINE: when he is back"),
    ]
    assert document.tags == ("house", "money")


def test_org_keywords_are_those_that_the_file_names(tmp_path: Path) -> None:
    text = "#+TODO: OPEN(o) | SHUT(s!) CANCELED(c@)\n* OPEN a\n* SHUT b\n* CANCELED c\n* NEXT d"
    lines = lines_of(tmp_path, "a.org", text)
    assert lines == ["", "- [ ] a", "- [x] b", "- [-] c", "# NEXT d"]
    bare = lines_of(tmp_path, "a.org", "#+SEQ_TODO: A B\n* A a\n* B b")
    assert bare == ["", "- [ ] a", "- [x] b"]


def test_an_org_task_is_no_title_of_its_note(tmp_path: Path) -> None:
    note = read(tmp_path, "jobs.org", "* TODO Pay rent\n")
    assert isinstance(note, NoteText)
    assert parse_document("jobs.org", note.text, note.readable).title == "jobs"


def test_org_that_never_closes_what_it_opens_stays_text(tmp_path: Path) -> None:
    text = "* A\n:LOGBOOK:\nkept\n* B\n#+begin_src sh\nls -l\n"
    assert lines_of(tmp_path, "a.org", text) == ["# A", ":LOGBOOK:", "kept", "# B", "", "ls -l", ""]


def test_org_text_that_is_set_in_is_no_code(tmp_path: Path) -> None:
    note = read(tmp_path, "a.org", "* A\n     Five spaces before it.\n     And again.\n")
    assert isinstance(note, NoteText)
    (block,) = parse_document("a.org", note.text, note.readable).blocks
    assert (block.kind, block.first, block.last) == ("paragraph", 2, 3)


def test_rst_titles_by_order_fields_directives_and_literals() -> None:
    note, document = opened("pump.rst")
    assert document.title == "Pump guide"
    assert document.tags == ("pump", "cellar")
    assert str(document.created) == "2023-11-05"
    assert document.fields["author"] == "A. Miller"
    assert headings(document)[-1] == ("Pump guide", "Service", "Parts")
    code = [each.text for each in document.blocks if each.kind == "code"]
    assert code == ["```\n# drain it\npump --drain\n```", "```yaml\n\nseal: 3\nhose: 1\n```"]
    assert [each.target for each in document.links] == ["soil.rst"]
    assert "**Note:** Never run it dry." in note.text
    for hidden in ("a comment", "service-target", ":doc:", ":alt:"):
        assert hidden not in note.text


RST_TABLES = """\
.. list-table:: Gear
   :widths: 10 20
   :header-rows: 1

   * - Item
     - Cost
   * - Rope, of
       nylon
     - 14 euros
   * - Tent

.. table:: Power

   +----------+-----------------+
   | Device   | Draws           |
   |          +--------+--------+
   |          | idle   | full   |
   +==========+========+========+
   | Heater   | 2 W    | 380 W  |
   | (blue)   |        |        |
   +----------+--------+--------+
   | Lamp     | none of it      |
   +----------+-----------------+

=======  =======
Vessel   Volume
=======  =======
Bucket   11 l,
         or so
Barrel   300 l
a span of both
=======  =======

.. list-table::

   * - Rope
     - 14 euros

+---+---+
| a | b |
+---+---+
| c
"""


def test_rst_rows_of_tables_name_their_columns_on_their_lines(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, "a.rst", RST_TABLES)
    assert len(lines) == RST_TABLES.count("\n") + 1
    assert {number: line for number, line in enumerate(lines, 1) if line} == {
        1: "**Table:** Gear",
        5: "Columns: Item, Cost",
        7: "- Item: Rope, of nylon; Cost: 14 euros",
        10: "- Item: Tent",
        12: "**Table:** Power",
        15: "Columns: Device, Draws idle, full",
        19: "- Device: Heater (blue); Draws idle: 2 W; full: 380 W",
        22: "- Device: Lamp; Draws idle: none of it",
        26: "Columns: Vessel, Volume",
        28: "- Vessel: Bucket; Volume: 11 l, or so",
        30: "- Vessel: Barrel; Volume: 300 l",
        31: "- Vessel: a span of both",
        36: "- Rope; 14 euros",
        40: "- a; b",
        42: "c",
    }


@pytest.mark.parametrize("marks", ["+--+\n", "== ==\nx\n", "+-+\n|\n\n", "== ==\n\n"])
def test_rst_marks_of_tables_without_end_take_no_long_time(tmp_path: Path, marks: str) -> None:
    began = time.perf_counter()
    lines_of(tmp_path, "a.rst", f"{marks * 20_000}|\n")
    assert time.perf_counter() - began < 5


def test_rst_includes_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hidden words")
    text = "A\n=\n\n.. include:: secret.txt\n\n.. raw:: html\n   :file: secret.txt\n\nend\n"
    assert "".join(lines_of(tmp_path, "a.rst", text)) == "# Aend"


HIDDEN = """<body style="display:none"><h1 hidden="until-found">Codes</h1>
<p hidden>no 1
<p>yes 1<img hidden alt="no 16" src="a.png"> yes 2</p>
<div style="color: red; DISPLAY : none !important">no 2<br>no 3<p>no 4<div>no 5</div></b>no 6</div>
<p>yes 3 <span style="visibility:hidden">no 7</span>yes 4</p>
<ul><li hidden>no 8<ul><li>no 9</ul><li>yes 5</ul>
<table><tr hidden><td>no 10<tr><td>yes 6<td hidden>no 11<th>yes 7</table>
<section><div hidden>no 12</section><p style="--x: display:nonesuch">yes 8</p>
<a href="b.html">yes 9<i hidden>no 13</i></a><script hidden>no 14</script><p>yes 10
<div hidden>no 15 never closed
"""


def test_html_that_a_browser_does_not_show_is_not_read() -> None:
    read = read_html(HIDDEN).text
    assert "no " not in read
    assert [int(each) for each in re.findall(r"yes (\d+)", read)] == [*range(1, 11)]
    assert "# Codes" in read


def test_html_title_metadata_and_what_is_left_out() -> None:
    note, document = opened("rhine.html")
    assert document.title == "Cycling the Rhine & back"
    assert document.tags == ("cycling", "rivers")
    assert str(document.created) == "2022-07-14"
    assert headings(document) == [("Cycling the Rhine",), ("Cycling the Rhine", "Costs")]
    assert "in nine days — 520\u00a0km".replace("\u00a0", " ") in note.text
    assert "Ferry | 4 EUR" in note.text
    assert [each.target for each in document.links] == ["packing.html"]
    for hidden in ("do not read", "color", "About us", "<"):
        assert hidden not in note.text.replace("](<", "](")


def test_html_of_one_long_line_has_lines_of_its_own() -> None:
    _, document = opened("bread.html")
    assert [(each.headings, each.text) for each in document.blocks] == [
        (("Bread",), "Knead for ten minutes."),
        (("Bread", "Oven"), "Bake at 230 degrees."),
        (("Bread", "Oven"), "- stone\n- steam"),
    ]


def test_html_of_one_short_line_has_a_line_for_each_paragraph() -> None:
    page = (
        "<p>Rent: 640 euros</p><p>Landlord: Mr Novak</p><ul><li>two keys</li><li>a lamp</li></ul>"
    )
    assert read_html(page).text.split("\n") == [
        "Rent: 640 euros",
        "",
        "Landlord: Mr Novak",
        "",
        "- two keys",
        "- a lamp",
    ]
    assert read_html(f"<title>Flat</title>\n{page}\n").text == read_html(page).text


def test_html_of_reasonable_lines_keeps_them() -> None:
    terms = "<dl>\n<dt>Rent</dt><dd>640 euros</dd>\n<dt>Landlord</dt><dd>Mr Novak</dd>\n</dl>"
    assert read_html(terms).text == "\nRent 640 euros\nLandlord Mr Novak\n"
    menu = "<ul><li>Home</li><li>About</li><li>News</li></ul>"
    words = "<p>The house was built in 1912.</p>\n<p>It has two floors.</p>"
    assert read_html(f"{menu}\n{words}").text.split("\n")[2] == "It has two floors."


PRICES = """<h1>Prices</h1>
<p>All of it was bought at the market, on a Saturday in May.</p>
<p>We paid in coins.</p>
<p>Milk and bread: <ul><li>Milk costs 2 euros</li><li>Bread <a href="b.md">costs</a> 4</li></ul>
<p>We ate all of it on the way home, but for the bread.</p>
<table><tr><th>Fruit</th><th>Price</th></tr><tr><td>Pear</td><td>5 euros</td></tr></table>
"""


def test_items_and_rows_of_html_on_one_line_are_lines_of_a_block_there(tmp_path: Path) -> None:
    note = read(tmp_path, "prices.html", PRICES)
    assert isinstance(note, NoteText)
    assert note.text.split("\n")[5] == "Fruit | Price Pear | 5 euros"
    document = parse_document("prices.html", note.text, note.readable)
    assert [(each.first, each.last, each.text, each.before) for each in document.blocks[1:]] == [
        (4, 4, "Milk and bread:\n- Milk costs 2 euros\n- Bread [costs](<b.md>) 4", None),
        (5, 5, "We ate all of it on the way home, but for the bread.", None),
        (6, 6, "Fruit | Price\nPear | 5 euros", None),
    ]
    assert [(each.target, each.line) for each in document.links] == [("b.md", 4)]


def test_html_that_is_broken_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    text = "<nav>\nmenu\n<p>words &nosuch; &amp; more\n<b>bold\n<!-- never closed\n"
    assert "words &nosuch; & more" in lines_of(tmp_path, "a.html", text)[2]
    assert read(tmp_path, "b.html", "<script>only()</script>") == Skipped("b.html", "holds no text")


@pytest.mark.parametrize("odd", ["<![-[-", "<![foo[x]]>", "<![", "<![if !x]>", "<![CDATA[x]]>"])
def test_html_with_a_declaration_of_any_kind_is_read(odd: str) -> None:
    """Python's parser gives up at some of them with an AssertionError."""
    assert "before" in read_html(f"<p>before</p>{odd}<p>after</p>").text
    assert "after" in read_html(f"<p>before</p>{odd}>]]><p>after</p>").text


def test_a_notebook_has_cells_headings_and_text_output() -> None:
    note, document = opened("rainfall.ipynb")
    assert document.title == "Rainfall study"
    assert headings(document) == [("Rainfall study",), ("Rainfall study", "Result")]
    assert note.readable is not None
    labels = [label for _, label in note.readable.places]
    assert labels == ["cell 1", "cell 2", "cell 3"]
    assert "mean 61.5 mm" in note.text
    for hidden in ("aGVsbG8", "Figure", "cell_type"):
        assert hidden not in note.text


def test_a_notebook_on_one_line_has_lines_of_its_own() -> None:
    note, document = opened("compact.ipynb")
    assert [each.kind for each in document.blocks] == ["paragraph", "code", "code", "paragraph"]
    assert note.readable is not None
    assert [label for _, label in note.readable.places] == ["cell 1", "cell 2", "cell 3"]


@pytest.mark.parametrize("text", ["{}", "[1]", "{", '{"cells": 3}', "[" * 100_000])
def test_what_is_no_notebook_is_skipped(tmp_path: Path, text: str) -> None:
    skipped = Skipped("a.ipynb", "is not a notebook that can be read")
    assert read(tmp_path, "a.ipynb", text) == skipped


def test_rows_of_a_table_name_their_columns() -> None:
    note, _ = opened("people.csv")
    assert note.text.split("\n")[:2] == [
        "Columns: name, born, note",
        "- name: Ada Lovelace; born: 1815; note: wrote the first program",
    ]
    assert opened("prices.tsv")[0].text.startswith("- column 1: 3; column 2: 4.50; column 3: apple")


def test_a_table_of_data_rather_than_notes_is_skipped(tmp_path: Path) -> None:
    rows = "a,b\n" + "x,y\n" * 2001
    assert read(tmp_path, "a.csv", rows) == Skipped("a.csv", "is a table of more than 2,000 rows")


def test_a_semicolon_may_part_columns_too(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, "a.csv", "name;price\nbread, dark;4,50\n")
    assert lines[1] == "- name: bread, dark; price: 4,50"


@pytest.mark.parametrize("row", ['Bea,"Oak Road 2', '"Bea'])
def test_a_table_with_a_quotation_mark_left_open_is_skipped(tmp_path: Path, row: str) -> None:
    reason = "is not a table: a quotation mark in line 3 is never closed"
    for end in ("", "\n", "\nCas,5\n"):
        skipped = read(tmp_path, "a.csv", f'name,size\nAda,5" pipe\n{row}{end}')
        assert skipped == Skipped("a.csv", reason)
    assert isinstance(read(tmp_path, "b.csv", 'name,size\nAda,5" pipe\n"Bea","2"\n'), NoteText)


def test_words_with_a_hash_are_tags_where_people_write_them_so(tmp_path: Path) -> None:
    for name, tags in (("a.csv", ()), ("a.html", ()), ("a.md", ("fff",))):
        text = "<p>#fff</p>" if name == "a.html" else "colour\n#fff\n"
        note = read(tmp_path, name, text)
        assert isinstance(note, NoteText)
        assert parse_document(name, note.text, note.readable).tags == tags


def test_a_folder_is_scanned_for_chosen_formats(tmp_path: Path) -> None:
    shutil.copytree(FILES, tmp_path / "all")
    everything = [each.path for each in scan(tmp_path / "all").files]
    assert everything == sorted(each.name for each in FILES.iterdir())
    chosen = scan(tmp_path / "all", suffixes_of(["org", "csv"])).files
    assert [each.path for each in chosen] == ["garden.org", "people.csv", "prices.tsv"]


def test_what_a_saved_page_is_made_of_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "Page.html").write_text("<p>words</p>")
    for folder in ("Page_files", "my_files"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "frame.html").write_text("<p>more</p>")
    assert [each.path for each in scan(tmp_path).files] == ["Page.html", "my_files/frame.html"]


def test_every_format_has_a_name_and_suffixes_of_its_own() -> None:
    suffixes = [suffix for each in FORMATS for suffix in each.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert suffixes_of([]) == tuple(suffixes)


def test_a_notebook_of_format_3_is_read(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "input": ["x = 1\n"], "language": "python", "outputs": []}]
    text = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}, indent=1)
    assert "x = 1" in lines_of(tmp_path, "a.ipynb", text)
