"""The command that opens a note: built without a shell, and never outside the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.editor import EditorError, editor_command, find_editor, has_own_window, note_path
from rag.errors import NotesError

NOTE = Path("/vault/a b.md")


@pytest.mark.parametrize(
    ("editor", "expected"),
    [
        (["vi"], ["vi", "+7", "/vault/a b.md"]),
        (["/usr/bin/nvim", "-R"], ["/usr/bin/nvim", "-R", "+7", "/vault/a b.md"]),
        (["emacs", "-nw"], ["emacs", "-nw", "+7", "/vault/a b.md"]),
        (["hx"], ["hx", "+7", "/vault/a b.md"]),
        (["code", "--wait"], ["code", "--wait", "--goto", "/vault/a b.md:7"]),
        (["codium"], ["codium", "--goto", "/vault/a b.md:7"]),
        (["subl"], ["subl", "/vault/a b.md:7"]),
        (["kate"], ["kate", "--line", "7", "/vault/a b.md"]),
        (["mystery"], ["mystery", "/vault/a b.md"]),
    ],
)
def test_command_names_the_line(editor: list[str], expected: list[str]) -> None:
    assert editor_command(editor, NOTE, 7) == expected


@pytest.mark.parametrize("name", ['it\'s "here".md', "$(reboot);`x`.md", "--cmd=x.md", "-x.md"])
def test_any_name_is_one_absolute_argument(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    command = editor_command(["vim"], note_path(tmp_path, name), 1)
    assert command == ["vim", "+1", str(tmp_path / name)]


@pytest.mark.parametrize("path", ["../secret.md", "/etc/passwd", "a/../../secret.md", "x\0.md"])
def test_paths_stay_in_the_folder(tmp_path: Path, path: str) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (tmp_path / "secret.md").write_text("x")
    with pytest.raises(NotesError, match="outside"):
        note_path(vault, path)


def test_a_note_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(NotesError, match="no longer there"):
        note_path(tmp_path, "gone.md")


def test_editor_comes_from_the_environment_then_from_what_is_installed() -> None:
    nothing = {"VISUAL": "", "EDITOR": " "}
    assert find_editor({"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait"]
    assert find_editor({"EDITOR": "'/opt/my editor' -x"}) == ["/opt/my editor", "-x"]
    assert find_editor({"EDITOR": "vi '"}) == ["vi '"]
    assert find_editor(nothing, lambda name: name if name == "vi" else None) == ["vi"]
    with pytest.raises(EditorError, match="Set EDITOR"):
        find_editor(nothing, lambda _: None)


def test_only_desktop_editors_have_a_window_of_their_own() -> None:
    assert has_own_window(["/usr/bin/code", "--wait"])
    assert not has_own_window(["vim"])
    assert not has_own_window(["mystery"])


def test_a_link_that_leads_out_is_not_opened(tmp_path: Path):
    """It was a note when it was indexed; somebody has swapped it since."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "secret.md").write_text("x")
    (folder / "a.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(NotesError, match="outside the notes folder"):
        note_path(folder, "a.md")
