"""The desktop's opener: which one, for which notes, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.editor import EditorError
from rag.opener import Opener, is_document, opener_command, run_opener

HEAT = Path("/vault/heat.pdf")
SCREEN = {"DISPLAY": ":0"}


def having(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in names else None


def test_documents_are_what_no_editor_shows():
    documents = ["a.pdf", "b/A.DOCX", "a.pptx", "a.epub"]
    texts = ["a.md", "a.csv", "a.html", "a.ipynb", "a.org", "a.txt", "a", "pdf"]
    assert [each for each in (*documents, *texts) if is_document(each)] == documents


@pytest.mark.parametrize(
    ("platform", "environ", "programs", "command"),
    [
        ("linux", SCREEN, ("xdg-open", "gio"), ["xdg-open"]),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, ("gio",), ["gio", "open"]),
        ("linux", {}, ("wslview", "xdg-open"), ["wslview"]),
        ("darwin", {}, (), ["open"]),
    ],
)
def test_the_system_s_opener(
    platform: str, environ: dict[str, str], programs: tuple[str, ...], command: list[str]
):
    found = opener_command(HEAT, environ, "", which=having(*programs), platform=platform)
    assert found == Opener([*command, "/vault/heat.pdf"], "heat.pdf")
    address = "obsidian://open?vault=v&file=heat.md"
    found = opener_command(address, environ, "", "Obsidian", having(*programs), platform)
    assert found == Opener([*command, address], "Obsidian")


def test_where_there_is_none():
    with pytest.raises(EditorError, match=r"no display here .* Read it elsewhere\."):
        opener_command(HEAT, {}, "Read it elsewhere.", "", having("xdg-open"), "linux")
    with pytest.raises(EditorError, match=r"No program that opens heat\.pdf was found"):
        opener_command(HEAT, SCREEN, "", "", having(), "linux")


def test_an_opener_that_stays_is_left_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without a desktop of its own xdg-open becomes the viewer, and ends with it."""
    monkeypatch.setattr("rag.opener._SETTLED", 0.05)
    run_opener(Opener(["sleep", "2"], "x"), "")
    with pytest.raises(EditorError, match="could not be started"):
        run_opener(Opener([str(tmp_path / "nothing")], "x"), "")
