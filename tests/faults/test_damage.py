"""Every file of the data folder, damaged in turn: noticed, mended where it can be, and said."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.answering.conversation_file import DATABASE
from rag.answering.conversations import Conversations
from rag.answering.recovery import ALTERED, inspect
from rag.errors import RagError
from rag.indexing.local import REWRITTEN, LocalIndex
from rag.indexing.verify import verify_index
from rag.reading.texts import FOLDER
from tests.faults.jobs import turn
from tests.faults.vault import Vault, figure, scale

DOCUMENT = Path(__file__).parents[1] / "data/documents/bees.docx"
Harm = Callable[[bytes, random.Random], bytes]


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def garble(data: bytes, chance: random.Random) -> bytes:
    """A sector that reads as something else."""
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(len(data[at : at + 512])) + data[at + 512 :]


def nothing(data: bytes, chance: random.Random) -> bytes:
    return b""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault, its index, and in `older` the data folder as it was one generation before."""
    chance = random.Random(11)
    vault = Vault(tmp_path_factory.mktemp("sound"))
    vault.fill(20, chance)
    shutil.copy(DOCUMENT, vault.notes / "bees.docx")  # its text is kept, converted
    vault.index()
    with closing(Conversations(vault.data, vault.notes)) as kept:
        kept.add(None, turn(0))
    shutil.copytree(vault.data, vault.root / "older")
    for _ in range(3):
        vault.change(chance)
    vault.index()
    with closing(Conversations(vault.data, vault.notes)) as kept:
        for number in range(1, 30):
            kept.add(None if number % 5 == 0 else 1, turn(number))
    assert not verify_index(vault.folder, vault.notes).damage
    return vault


def files_of(vault: Vault) -> list[str]:
    """The files that hold something, by name below the data folder."""
    return sorted(
        str(file.relative_to(vault.data))
        for file in vault.data.rglob("*")
        if file.is_file() and file.stat().st_size and not file.name.endswith((".lock", "-shm"))
    )


def again(sound: Vault, vault: Vault) -> None:
    """The data folder as it was before any harm; the notes are the same."""
    shutil.rmtree(vault.data, ignore_errors=True)
    shutil.copytree(sound.data, vault.data)
    registry = vault.data / "folders.json"
    assert str(sound.notes) in registry.read_text()


def everything(vault: Vault) -> list:
    """All rows of the database that are of consequence."""
    with closing(LocalIndex(vault.folder)) as index:
        return [
            sorted(index.store.query(query))
            for query in (
                "SELECT path, size, mtime_ns, hash, title, aliases, tags, created, modified,"
                " fields, links FROM notes",
                "SELECT n.path, text, headings, first, last, v.vector, v.sentences FROM chunks c"
                " JOIN notes n ON n.id = note LEFT JOIN vectors v ON v.hash = c.vector",
                "SELECT name, path FROM names JOIN notes n ON n.id = note",
                "SELECT name, path FROM linked JOIN notes n ON n.id = note",
            )
        ]


class Twin(Vault):
    """The notes of one vault with a data folder of its own."""

    def __init__(self, root: Path, original: Vault) -> None:
        super().__init__(root)
        self._original = original

    @property
    def notes(self) -> Path:
        return self._original.notes


def test_each_file_of_the_index(sound: Vault, tmp_path: Path):
    chance = random.Random(12)
    vault = Twin(tmp_path, sound)
    again(sound, vault)
    shown, notices = vault.ask()
    assert not notices
    rows, right = everything(vault), shown_in(vault)
    cases = mended = harmless = 0
    for name in files_of(sound):
        if name == DATABASE:
            continue
        size = (sound.data / name).stat().st_size
        flips = scale(4 if size > 20_000 else 2, 300 if size > 20_000 else 40)
        for harm in (cut, nothing, garble, *[flip] * flips):
            again(sound, vault)
            file = vault.data / name
            file.write_bytes(harm(file.read_bytes(), chance))
            cases += 1
            where = f"{harm.__name__} of {name}, case {cases}"
            # A damaged registry sends the first look elsewhere.
            noticed = True if name == "folders.json" else bool(deep(vault))
            try:
                got, notices = vault.ask()
            except Exception as error:
                raise AssertionError(where) from error
            assert [len(each) for each in got] == [len(each) for each in shown], where
            assert {each for found in got for each in found} <= right, where
            if notices:
                mended += 1
            if not noticed and not notices:
                assert everything(vault) == rows, f"unnoticed: {where}"
                harmless += 1
            kept = f"/{FOLDER}/" in name
            assert noticed or not kept, f"unnoticed: {where}"
            vault.index(check=not kept, rebuild=kept)  # which takes its text from there
            assert not deep(vault), where
            assert not vault.ask()[1], where
            if kept:
                assert shown_in(vault) == right, where
    figure(f"{cases} damaged files of the index, {mended} told, {harmless} without consequence")


def shown_in(vault: Vault) -> set[tuple]:
    """All that a reader may be shown: path, lines and text of each passage."""
    return {(path, first, last, text) for path, _, _, first, last, text in vault.content()}


def deep(vault: Vault) -> tuple[str, ...]:
    """What `rag doctor --deep` says is damaged."""
    try:
        return verify_index(vault.folder, vault.notes).damage
    except RagError as error:
        return (str(error),)


def test_each_file_swapped_with_an_older_one(sound: Vault, tmp_path: Path):
    vault = Twin(tmp_path, sound)
    again(sound, vault)
    right = shown_in(vault)
    older = sound.root / "older"
    names = {str(file.relative_to(older)) for file in older.rglob("*") if file.is_file()}
    for name in sorted(names):
        again(sound, vault)
        (vault.data / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(older / name, vault.data / name)
        assert {each for found in vault.ask()[0] for each in found} <= right, name
        assert vault.check_like_new() > 20, name
        assert not deep(vault), name


def test_letters_that_changed_are_not_shown(sound: Vault, tmp_path: Path):
    """Found on reading, without any other sign: the structure of the file is whole."""
    vault = Twin(tmp_path, sound)
    again(sound, vault)
    right = shown_in(vault)
    file = vault.folder / "index.db"
    file.write_bytes(file.read_bytes().replace(b"honey", b"money"))
    got, notices = vault.ask()
    assert {each for found in got for each in found} <= right
    assert len(notices) == 1
    assert notices[0].startswith("A part of the index was damaged;")


def test_what_was_embedded_is_kept_where_the_database_is_not(sound: Vault, tmp_path: Path):
    vault = Twin(tmp_path, sound)
    again(sound, vault)
    file = vault.folder / "index.db"
    data = bytearray(file.read_bytes())
    data[8:4096] = bytes(4088)  # the page that names all tables
    file.write_bytes(data)
    (notice,) = vault.index()
    assert notice.startswith("The index was damaged and was built again from your notes")
    assert not list(vault.folder.glob("*.damaged*"))


def test_a_text_that_was_converted_is_checked_and_mended(sound: Vault, tmp_path: Path):
    vault = Twin(tmp_path, sound)
    again(sound, vault)
    (file,) = (vault.folder / FOLDER).iterdir()
    file.write_bytes(file.read_bytes().replace(b"smoker", b"jacket"))
    assert deep(vault) == (f"1 converted texts that are damaged: {file.name}.",)
    assert vault.index(check=True) == [REWRITTEN]
    assert not deep(vault)
    vault.index(rebuild=True)
    assert any("smoker" in text for *_, text in shown_in(vault))


def test_conversations_are_never_discarded(sound: Vault, tmp_path: Path):
    chance = random.Random(13)
    written = {turn(number).question: turn(number).answer for number in range(30)}
    cases = told = 0
    lost: Counter[str] = Counter()
    original = (sound.data / DATABASE).read_bytes()
    for harm in (cut, nothing, *[garble] * scale(8, 100), *[flip] * scale(30, 1000)):
        data = tmp_path / str(cases)
        data.mkdir()
        file = data / DATABASE
        file.write_bytes(harm(original, chance))
        (data / "conversations.lock").touch()
        damaged = file.read_bytes()
        cases += 1
        try:
            with closing(Conversations(data, sound.notes)) as kept:
                turns = [each for one in kept.all() for each in kept.turns(one.id)]
                kept.search("honey")
                new = kept.add(None, turn(99))
                assert kept.turns(new)[0].question == turn(99).question
                notice = kept.notice
        except RagError as error:
            if "newer version" in str(error) and file.read_bytes() == damaged:
                continue  # the bytes that hold the version
            raise
        right = [each for each in turns if written.get(each.question) == each.answer]
        altered = [each for each in turns if each.answer.endswith(ALTERED)]
        if notice:
            told += 1
            (aside,) = data.glob("*.damaged-*")
            assert str(aside) in notice
            kept_bytes = aside.read_bytes()
            assert len(kept_bytes) >= len(damaged) or harm is cut
        if harm is flip:
            assert len(right) + len(altered) >= len(written) - 12, (cases, notice)
        lost[harm.__name__] += len(written) - len(right) - len(altered)
        if not (notice or altered):
            assert len(right) == len(written), f"case {cases}: lost without a word"
        assert inspect(file)[0] >= 1
        shutil.rmtree(data)
    figure(f"{cases} damaged files of conversations, {told} told; turns lost: {dict(lost)}")


def test_a_damaged_registry_is_read_from_the_indexes(sound: Vault, tmp_path: Path):
    vault = Twin(tmp_path, sound)
    again(sound, vault)
    before = sorted(os.listdir(vault.data / "indexes"))
    for text in ("", "{", '{"sum": 1, "folders": []}'):
        (vault.data / "folders.json").write_text(text)
        assert vault.folder.name == before[0], text
    vault.index()
    assert sorted(os.listdir(vault.data / "indexes")) == before
