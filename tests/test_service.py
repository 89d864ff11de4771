"""The service's file, as the systems that read it read it. Nothing is ever started here."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.service import install, make_service, state, uninstall
from tests.conftest import Box

ODD = '/home/ada/my "notes" 100% $HOME'
ENVIRON = {
    "RAG_DATA_DIR": '/data/with space "quoted"',
    "RAG_GENERATOR_KEY": "never to be written",
    "PATH": "/bin",
}


def command(folder: str = ODD) -> list[str]:
    return [sys.executable, "-m", "rag", "index", "--watch", folder]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_accepts_the_unit(tmp_path: Path):
    service = make_service("systemd", command(), tmp_path, ENVIRON, tmp_path)
    install(service)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(service.file)],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if service.file.name in line]
    assert ours == []


def test_a_unit_holds_odd_paths_as_one_word_each(tmp_path: Path):
    service = make_service("systemd", command(), Path("/50%"), ENVIRON, tmp_path)
    lines = service.text.splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    assert start.endswith('"--watch" "/home/ada/my \\"notes\\" 100%% $$HOME"')
    assert "WorkingDirectory=/50%%" in lines
    assert 'Environment="RAG_DATA_DIR=/data/with space \\"quoted\\""' in lines
    assert "never to be written" not in service.text


def test_an_agent_of_launchd_runs_the_same(tmp_path: Path):
    service = make_service("launchd", command(), tmp_path, ENVIRON, tmp_path)
    agent = plistlib.loads(service.text.encode())
    assert agent["ProgramArguments"] == command()
    assert agent["EnvironmentVariables"] == {"RAG_DATA_DIR": ENVIRON["RAG_DATA_DIR"]}
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert service.file == tmp_path / "Library/LaunchAgents" / f"{agent['Label']}.plist"


def test_installing_writes_a_file_and_starts_nothing(tmp_path: Path, monkeypatch):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "run", never)
    service = make_service("systemd", command(), tmp_path, {}, tmp_path)
    assert "Nothing was started" in install(service)
    assert service.file.read_text() == service.text


@pytest.mark.parametrize("system", ["systemd", "launchd"])
def test_what_is_followed_no_longer_is_said(tmp_path: Path, system):
    def installed(*folders: str) -> str:
        named = [part for each in folders for part in ("--notes", each)]
        line = [sys.executable, "-m", "rag", "index", "--watch", "--yes", *named]
        return install(make_service(system, line, None, {}, tmp_path), folders)

    assert "No longer" not in installed("/a", ODD)
    assert "No longer" not in installed("/b", ODD, "/a")
    assert f"No longer followed: /b, {ODD}. To follow several: " in installed("/a")


def test_uninstalling_removes_the_file(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no systemctl
    service = make_service("systemd", command(), tmp_path, {}, tmp_path)
    assert "no service to remove" in uninstall(service)
    install(service)
    assert state(service) == (True, False)
    assert uninstall(service) == f"Removed: {service.file}"
    assert state(service) == (False, False)


def test_a_path_with_a_line_break_is_refused(tmp_path: Path):
    with pytest.raises(RagError, match="line break"):
        make_service("systemd", command("/a\nExecStart=/bin/evil"), tmp_path, {}, tmp_path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the unit of Linux")
def test_the_command_prints_writes_and_removes(box: Box):
    box.env["HOME"] = str(box.folder)
    box.env["XDG_CONFIG_HOME"] = ""
    printed = box.rag("service", "install", "--print", str(box.notes)).stdout
    assert f'"--watch" "--yes" "{box.notes}"' in printed
    assert "not installed" in box.rag("service", "status").stdout
    assert "WorkingDirectory" not in printed, "no settings lie there, and it may go"
    assert "systemctl --user enable --now" in box.rag("service", "install").stderr
    unit = box.folder / ".config/systemd/user/rag-index.service"
    assert unit.read_text() == printed
    assert f"Written: {unit}" in box.rag("service", "install").stderr
    unit.write_text("[Unit]")
    assert f"Replaced: {unit}" in box.rag("service", "install").stderr
    other = box.folder / "other"
    other.mkdir()
    assert f"No longer followed: {box.notes}" not in box.rag("service", "install").stderr
    said = box.rag("service", "install", "--notes", str(other)).stderr
    assert f"No longer followed: {box.notes}. To follow several: rag service install" in said
    box.rag("service", "install", "--notes", str(other), "--notes", str(box.notes))
    assert f'"--yes" "--notes" "{other}" "--notes" "{box.notes}"' in unit.read_text()
    (box.folder / "rag.toml").write_text("[search]\nk = 3\n")
    box.rag("service", "install")
    assert f"WorkingDirectory={box.folder}\n" in unit.read_text()
    box.rag("service", "uninstall")
    assert not unit.exists()
    box.refused("service", "install", str(box.folder / "gone"), says="There is no folder")
