"""What the owner of a notes folder set aside is not read: real files, real settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.reading.scanning import scan
from tests.reading.test_scanning import found, skipped, write


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    for name in ("a.md", "drafts/b.md", "trips/rhine.md", "trips/drafts/c.md", "x.tmp.md"):
        write(tmp_path / name)
    return tmp_path


def obsidian(vault: Path, **files: object) -> None:
    for name, content in files.items():
        write(vault / ".obsidian" / f"{name.replace('__', '/')}.json", json.dumps(content))


@pytest.mark.parametrize("name", [".gitignore", ".ragignore"])
def test_rules_in_git_s_language_are_obeyed(vault: Path, name: str) -> None:
    write(vault / name, "# mine\n/drafts/\n*.tmp.md\n")
    assert found(vault) == ["a.md", "trips/drafts/c.md", "trips/rhine.md"]
    assert scan(vault).ignored == 2
    assert not skipped(vault)


def test_rules_count_below_their_folder_and_the_deeper_ones_win(vault: Path) -> None:
    write(vault / ".gitignore", "drafts/\n*.md\n")
    write(vault / "trips" / ".gitignore", "!rhine.md\n!drafts/\n")
    assert found(vault) == ["trips/rhine.md"]
    write(vault / ".gitignore", "*\n!*/\n!a.md\n")
    assert found(vault) == ["a.md", "trips/rhine.md"]
    write(vault / ".gitignore", "drafts/**\n!drafts/b.md\n*.tmp.*\n")
    assert found(vault) == ["a.md", "drafts/b.md", "trips/drafts/c.md", "trips/rhine.md"]


def test_ragignore_brings_back_what_others_leave_out(vault: Path) -> None:
    write(vault / "drafts" / ".gitignore", "*\n")
    write(vault / ".gitignore", "a.md\n")
    obsidian(vault, app={"userIgnoreFilters": ["trips/"]})
    assert found(vault) == ["x.tmp.md"]
    write(vault / ".ragignore", "!a.md\n!trips/\n!b.md\n")
    assert found(vault) == [
        "a.md",
        "drafts/b.md",
        "trips/drafts/c.md",
        "trips/rhine.md",
        "x.tmp.md",
    ]


def test_obsidian_s_excluded_files_are_prefixes_or_patterns(vault: Path) -> None:
    obsidian(vault, app={"userIgnoreFilters": ["Drafts/", "/^trips/[a-r]+\\.md$/", "x.t", 7, ""]})
    assert found(vault) == ["a.md", "trips/drafts/c.md"]
    obsidian(vault, app={"userIgnoreFilters": ["/^trips\\/[a-r].*\\.md$/"]})
    assert found(vault) == ["a.md", "drafts/b.md", "x.tmp.md"]


def test_folders_of_templates_are_left_out(vault: Path) -> None:
    write(vault / "Meta/Templates/day.md")
    write(vault / "tp/week.md")
    obsidian(vault, templates={"folder": "Meta/Templates"})
    obsidian(vault, **{"plugins__templater-obsidian__data": {"templates_folder": "tp"}})
    assert found(vault) == [
        "a.md",
        "drafts/b.md",
        "trips/drafts/c.md",
        "trips/rhine.md",
        "x.tmp.md",
    ]


@pytest.mark.parametrize("root", ["", "/", ".", None, 3])
def test_a_folder_of_templates_that_is_the_vault_leaves_nothing_out(
    vault: Path, root: object
) -> None:
    obsidian(vault, templates={"folder": root})
    assert len(found(vault)) == 5


def test_a_vault_within_the_notes_has_settings_of_its_own(vault: Path) -> None:
    obsidian(vault / "trips", app={"userIgnoreFilters": ["drafts/"]})
    assert found(vault) == ["a.md", "drafts/b.md", "trips/rhine.md", "x.tmp.md"]


def test_a_link_is_no_way_around_the_rules(vault: Path) -> None:
    write(vault / ".gitignore", "/drafts/\n")
    (vault / "open.md").symlink_to("drafts/b.md")
    (vault / "trips" / "open").symlink_to("../drafts")
    (vault / "again.md").symlink_to("trips/rhine.md")
    write(vault / "trips" / ".gitignore", "rhine.md\n")
    assert found(vault) == ["a.md", "trips/drafts/c.md", "x.tmp.md"]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        (".gitignore", "!\na.md\n", "!"),
        (".gitignore", "*a" * 40 + "b\na.md\n", "not obeyed"),
        (".gitignore", "**/a/" * 9 + "b\na.md\n", "not obeyed"),
        (".gitignore", "x" * 2_000_000, "1 MB"),
        (".gitignore", "a.md\n" + "b*c*d\n" * 2000, "more than 1,000"),
        (".obsidian/app.json", "{", "JSON"),
        (".obsidian/app.json", "[" * 100_000, "JSON"),
        (".obsidian/app.json", '{"userIgnoreFilters": ["/(/", "a.md"]}', "not obeyed"),
        (".obsidian/app.json", '{"userIgnoreFilters": ["/a{99999999999}/", "a.md"]}', "obeyed"),
        (".obsidian/app.json", json.dumps({"userIgnoreFilters": ["a.md"] * 900}), "more than 200"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_obeyed_are_named_and_the_rest_counts(
    vault: Path, file: str, content: str, says: str
) -> None:
    write(vault / file, content)
    assert says in skipped(vault)[file]
    assert ("a.md" in found(vault)) == ("a.md" not in content)


def test_a_hostile_pattern_does_not_hold_up_the_scan(vault: Path) -> None:
    for number in range(30):
        write(vault / f"{'a' * 60}{number}!.md")
    obsidian(vault, app={"userIgnoreFilters": ["/^(a|a?)+$/", "/^(\\w+\\s?)+$/", "drafts/"]})
    started = time.perf_counter()
    names = found(vault)
    assert time.perf_counter() - started < 20  # without a limit: years
    assert "drafts/b.md" not in names
    assert len(names) == 34


def test_a_fifo_or_a_folder_in_place_of_rules_is_passed_over(vault: Path) -> None:
    os.mkfifo(vault / ".gitignore")
    (vault / ".ragignore").mkdir()
    write(vault / ".obsidian")
    assert len(found(vault)) == 5


def test_the_libraries_are_loaded_only_where_there_are_rules(vault: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.reading.scanning import scan;"
        "scan(Path(sys.argv[1])); print(sorted({'pathspec', 'regex'} & set(sys.modules)))"
    )

    def loaded() -> str:
        run = [sys.executable, "-c", code, str(vault)]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()

    obsidian(vault, app={"userIgnoreFilters": ["drafts/"]})
    assert loaded() == "[]"
    write(vault / ".gitignore", "drafts/\n")
    assert loaded() == "['pathspec']"
