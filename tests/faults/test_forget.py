"""What is forgotten or deleted leaves no text in any file; and nobody else may read the rest."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.conversations import Conversations
from rag.errors import RagError
from rag.forgetting import forget_notes, remember_notes
from rag.indexing import build
from rag.indexing.lexical import LexicalIndex
from rag.indexing.local import LocalIndex
from rag.indexing.private import exposed
from rag.indexing.verify import verify_index
from rag.retrieval.found import Passage
from tests.faults.jobs import turn
from tests.faults.vault import Vault, holding

DOCUMENT = Path(__file__).parents[1] / "data/documents/bees.docx"
SECRET = "Xylophonequartz is the password of the Brobdingnagian vault."
WORDS = (b"xylophon", b"brobdingnag", b"password of the")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.fill(20, random.Random(4))
    vault.index()
    vault.write("part1/secret.md", f"# Hidden\n\n{SECRET}\n\n" + f"{SECRET} " * 60 + "\n")
    vault.index()
    vault.write("part1/later.md", "# Later\n\nThe hive.\n")
    vault.index()
    return vault


def told(folder: Path, words: Sequence[bytes] = WORDS) -> list[str]:
    """The files below a folder that hold words of the secret."""
    return holding(folder, words)


def converse(vault: Vault) -> None:
    passage = Passage(1, "part1/secret.md", "Hidden", (), 3, 3, SECRET, 0.9, 0.8, None)
    with closing(Conversations(vault.data, vault.notes)) as kept:
        first = kept.add(None, turn(1))
        kept.add(first, replace(turn(2), answer=SECRET, passages=(passage,)))
        kept.add(first, turn(3))


def test_what_is_edited_out_of_a_note_leaves_the_database_at_once(vault: Vault):
    assert any(name.endswith("index.db") for name in told(vault.data))
    with closing(LocalIndex(vault.folder)):  # a chat that is open: closing empties no log
        vault.write("part1/secret.md", "# Hidden\n\nNothing.\n")
        vault.index()
        assert not [name for name in told(vault.data) if "words" not in name]


def test_a_deleted_note(vault: Vault):
    assert told(vault.data)
    (vault.notes / "part1/secret.md").unlink()
    vault.index()
    assert not told(vault.data)
    assert not verify_index(vault.folder, vault.notes).damage


def test_a_deleted_note_among_many_changes(vault: Vault):
    chance = random.Random(8)
    for _ in range(5):
        vault.change(chance)
        vault.write("part1/secret.md", f"{SECRET} {chance.random()}")
        vault.index()
    for file in vault.notes.rglob("*.md"):  # it may have been renamed
        if "Brobdingnag" in file.read_text():
            file.unlink()
    vault.index()
    assert not told(vault.data)


def test_a_deleted_note_of_a_large_vault_waits_for_a_run_that_has_time(vault: Vault, monkeypatch):
    monkeypatch.setattr(build, "_ERASED_HURRIED", 1)
    (vault.notes / "part1/secret.md").unlink()
    vault.ask()
    assert SECRET.encode() not in (vault.folder / "index.db").read_bytes()
    vault.index()
    assert not told(vault.data)


def test_words_of_deleted_notes_are_erased_once_a_week_where_that_takes_minutes(
    vault: Vault, monkeypatch
):
    monkeypatch.setattr(build, "_ERASED_AT_ONCE", 1)
    written = LexicalIndex.rewrite
    rewrites = []
    monkeypatch.setattr(
        LexicalIndex, "rewrite", lambda self, store: (rewrites.append(1), written(self, store))
    )
    (vault.notes / "part1/secret.md").unlink()
    vault.index()
    vault.write("part2/new.md", "Nothing to hide.\n")
    vault.index()
    assert not rewrites
    assert SECRET.encode() not in (vault.folder / "index.db").read_bytes()
    monkeypatch.setattr(build, "_ERASED_AFTER_S", 0)
    vault.index()
    assert rewrites == [1]
    assert not told(vault.data)
    vault.index()
    assert rewrites == [1]


def test_a_forgotten_note_of_a_large_vault_is_erased_at_once(vault: Vault, monkeypatch):
    monkeypatch.setattr(build, "_ERASED_AT_ONCE", 1)
    forget_notes(vault.engine(), [str(vault.notes / "part1/secret.md")], False)
    assert not told(vault.data)


def test_a_forgotten_note_stays_out_until_it_is_let_in(vault: Vault):
    done = forget_notes(vault.engine(), [str(vault.notes / "part1/secret.md")], False)
    assert (done.notes, done.indexed, done.present) == (("part1/secret.md",), 1, 1)
    assert "rag forget --undo" in done.sentence()
    assert not told(vault.data)
    assert not verify_index(vault.folder, vault.notes).damage
    vault.write("part1/secret.md", f"# Hidden\n\nChanged. {SECRET}\n")
    assert not vault.engine().changed()
    vault.index(rebuild=True)
    assert not told(vault.data)
    (vault.folder / "index.db").write_bytes(b"not a database " * 1000)
    vault.index()
    assert not told(vault.data), "a damaged index has not forgotten what to forget"
    assert remember_notes(vault.engine(), ["part1/secret.md"]) == 1
    vault.index()
    assert "part1/secret.md" in vault.indexed()


def test_conversations_that_quote_it(vault: Vault):
    converse(vault)
    done = forget_notes(vault.engine(), ["part1/secret.md"], False)
    assert (done.turns, done.turns_removed) == (1, False)
    assert "--conversations" in done.sentence()
    assert told(vault.data) == ["conversations.db"]
    done = forget_notes(vault.engine(), ["part1/secret.md"], True)
    assert done.turns_removed
    assert not told(vault.data)
    with closing(Conversations(vault.data, vault.notes)) as kept:
        (found,) = kept.all()
        assert [each.question for each in kept.turns(found.id)] == [
            turn(1).question,
            turn(3).question,
        ]
        assert kept.search("honey")


def test_conversations_of_other_folders_are_let_be(vault: Vault, tmp_path: Path):
    """A note of the same name elsewhere is another; several asked as one name the folder first."""

    def told_of(folder: Path, *paths: str) -> None:
        passages = tuple(
            Passage(1, path, "Hidden", (), 3, 3, SECRET, 0.9, 0.8, None) for path in paths
        )
        with closing(Conversations(vault.data, folder)) as kept:
            kept.add(None, replace(turn(1), passages=passages))

    here = vault.notes
    (tmp_path / "elsewhere").mkdir()
    told_of(tmp_path / "elsewhere", "part1/secret.md", "daily/part1/secret.md")
    told_of(here.parent, f"{here.name}-2/part1/later.md", "daily/part1/secret.md")
    assert forget_notes(vault.engine(), ["part1/secret.md"], False).turns == 0
    told_of(here.parent, f"{here.name}/part1/secret.md")  # as two folders, or as the one above
    told_of(here.parent, f"{here.name}-2/part1/secret.md")  # the second of that name
    assert forget_notes(vault.engine(), ["part1/secret.md"], True).turns == 2
    with closing(Conversations(vault.data, tmp_path / "elsewhere")) as kept:
        assert len(kept.all()) == 1
    with closing(Conversations(vault.data, here.parent)) as kept:
        assert len(kept.all()) == 1


def test_a_document_that_was_converted(vault: Vault):
    """Its text is kept beside the index, so that it need not be converted for each look at it."""
    shutil.copy(DOCUMENT, vault.notes / "part1/bees.docx")
    vault.index()
    assert told(vault.data, (b"smoker",))
    forget_notes(vault.engine(), ["part1/bees.docx"], False)
    assert not told(vault.data, (b"smoker",))
    remember_notes(vault.engine(), ["part1/bees.docx"])
    vault.index()
    assert told(vault.data, (b"smoker",))
    (vault.notes / "part1/bees.docx").unlink()
    vault.index()
    assert not told(vault.data, (b"smoker",))


@pytest.mark.parametrize("step", ["drop_texts", "derive"])
def test_a_run_that_is_killed_before_it_has_erased(vault: Vault, monkeypatch, step: str):
    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(LocalIndex, step, killed)
    (vault.notes / "part1/secret.md").unlink()
    with pytest.raises(Killed):
        vault.index()
    monkeypatch.undo()
    vault.index()
    assert not told(vault.data)
    assert not verify_index(vault.folder, vault.notes).damage


class Killed(BaseException):
    """No more is done, as far as the program can tell."""


def test_a_folder_and_a_name_that_is_none(vault: Vault):
    with pytest.raises(RagError, match="Nothing is known of nowhere"):
        forget_notes(vault.engine(), ["nowhere.md"], False)
    assert forget_notes(vault.engine(), ["part1"], False).indexed > 5
    assert not any(path.startswith("part1/") for path in vault.indexed())


def test_a_note_is_named_from_the_current_folder_or_from_the_notes_folder(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(vault.notes / "part1")
    for name in ("part1/secret.md", "secret.md"):
        assert forget_notes(vault.engine(), [name], False).notes == ("part1/secret.md",)
        assert remember_notes(vault.engine(), [name]) == 1
        vault.index()
    vault.write("part1/part1/secret.md", "# Another\n\nNo secret.\n")
    done = forget_notes(vault.engine(), ["part1/secret.md"], False)
    assert done.notes == ("part1/part1/secret.md",), "as every path is read in a shell"


def test_only_the_owner_may_read(vault: Vault):
    converse(vault)
    assert not exposed(vault.data)
    for path in (vault.data, *vault.data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert exposed(vault.data)
    vault.write("new.md", "# New\n\nA kettle.\n")
    vault.index()
    assert not exposed(vault.data)
    for name in ("models/files/m.gguf", "http-token", "serve/a.sock"):
        (vault.data / name).parent.mkdir(parents=True, exist_ok=True)
        (vault.data / name).touch(0o644)
    vault.index(check=True)
    assert not exposed(vault.data)
    assert not others_may_read(vault.data)
    (vault.data / "mine.txt").touch()
    vault.data.chmod(0o755)
    vault.index(check=True)
    assert not exposed(vault.data)
    assert vault.data.stat().st_mode & 0o777 == 0o755, "a folder with other things keeps its rights"


def others_may_read(folder: Path) -> list[Path]:
    """All that others than the owner may read, found without the program's own list."""
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]
