"""`rag service`: a user's service that keeps the index up to date, on Linux and macOS.

It runs `rag index --watch`. Installing writes one file and starts nothing.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.parsers.expat import ExpatError

from rag.errors import RagError, storage_errors

System = Literal["systemd", "launchd"]
UNIT = "rag-index.service"
LABEL = "org.rag-notes.index"
# What the service must see as the shell did: where settings, index and models lie.
_KEPT = ("RAG_", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")  # never written to a file
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')  # of a unit file, quoted
_WAIT_S = 20  # for systemctl and launchctl


@dataclass(frozen=True, slots=True)
class Service:
    """The service of one user: its file, what it holds, and how it is started and stopped."""

    system: System
    file: Path
    text: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    state: tuple[str, ...]


def make_service(
    system: System,
    command: Sequence[str],
    folder: Path | None,
    environ: Mapping[str, str],
    home: Path,
) -> Service:
    """The service that runs `command`, in `folder` if that matters: a service whose folder is gone
    does not start. Raises RagError for what no file can hold."""
    kept = {
        name: value
        for name, value in sorted(environ.items())
        if name.startswith(_KEPT) and not name.endswith(_SECRET)
    }
    if any("\n" in each for each in (*command, str(folder or ""), *kept.values())):
        raise RagError("A path holds a line break, which a service cannot be given.")
    if system == "systemd":
        config = environ.get("XDG_CONFIG_HOME", "")
        base = Path(config) if os.path.isabs(config) else home / ".config"
        control = ("systemctl", "--user")
        return Service(
            system,
            base / "systemd" / "user" / UNIT,
            _unit(command, folder, kept),
            (*control, "enable", "--now", UNIT),
            (*control, "disable", "--now", UNIT),
            (*control, "is-active", UNIT),
        )
    file = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    domain = f"gui/{os.getuid()}"
    return Service(
        system,
        file,
        _agent(command, folder, kept, home / "Library" / "Logs" / "rag-index.log"),
        ("launchctl", "bootstrap", domain, str(file)),
        ("launchctl", "bootout", f"{domain}/{LABEL}"),
        ("launchctl", "print", f"{domain}/{LABEL}"),
    )


def this_system() -> System:
    """Raises RagError where there is neither systemd nor launchd."""
    if sys.platform == "darwin":
        return "launchd"
    if sys.platform.startswith("linux"):
        return "systemd"
    raise RagError(
        "rag can install a service on Linux and macOS only.", "Run instead: rag index --watch"
    )


def install(service: Service, folders: Sequence[str] = ()) -> str:
    """Write the file of the service that follows `folders`. Gives what to do next, and what is
    followed no longer; raises StorageError."""
    with storage_errors(service.file.parent):
        service.file.parent.mkdir(parents=True, exist_ok=True)
        before = service.file.read_text(encoding="utf-8") if service.file.is_file() else ""
        service.file.write_text(service.text, encoding="utf-8")
    what = "Replaced" if before and before != service.text else "Written"
    said = [f"{what}: {service.file}"]
    if lost := [each for each in _followed(service.system, before) if each not in folders]:
        said.append(
            f"No longer followed: {', '.join(lost)}. "
            "To follow several: rag service install --notes PATH --notes PATH"
        )
    return "\n".join([*said, f"Nothing was started. To start it: {' '.join(service.start)}"])


def _followed(system: System, text: str) -> list[str]:
    """The folders that a service's file names; none of one that follows a rag.toml, or that cannot
    be understood."""
    if system == "systemd":
        start = next((each for each in text.splitlines() if each.startswith("ExecStart=")), "")
        words = [_unquoted(each) for each in _WORD.findall(start)]
    else:
        try:
            words = plistlib.loads(text.encode())["ProgramArguments"]
        except (plistlib.InvalidFileException, ExpatError, LookupError, TypeError):
            words = []
    named = words[words.index("--yes") + 1 :] if "--yes" in words else []
    return [each for each in named if each != "--notes"]


def uninstall(service: Service) -> str:
    """Stop the service if it runs, and remove its file. Raises StorageError."""
    if not service.file.is_file():
        return f"There is no service to remove: {service.file} is not there."
    _, runs = state(service)
    _run(service.stop)  # also what was started once and waits for the next session
    with storage_errors(service.file.parent):
        service.file.unlink()
    return f"{'Stopped and removed' if runs else 'Removed'}: {service.file}"


def state(service: Service) -> tuple[bool, bool]:
    """Whether the file is there, and whether the service runs."""
    installed = service.file.is_file()
    return installed, installed and _run(service.state) == 0


def _run(command: Sequence[str]) -> int:
    """The exit status of one of the system's own programs, 127 where it is missing or hangs."""
    program = shutil.which(command[0])
    if program is None:
        return 127
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, timeout=_WAIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 127
    return done.returncode


def _unit(command: Sequence[str], folder: Path | None, environ: Mapping[str, str]) -> str:
    where = [] if folder is None else [f"WorkingDirectory={str(folder).replace('%', '%%')}"]
    lines = [
        "[Unit]",
        "Description=Keeps the index of rag up to date with the notes",
        "",
        "[Service]",
        f"ExecStart={' '.join(_quoted(each, '$') for each in command)}",
        *where,
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in environ.items()),
        "Restart=on-failure",
        "RestartSec=60",
        "Nice=10",
        "IOSchedulingClass=idle",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    return "\n".join(lines)


def _quoted(text: str, doubled: str = "") -> str:
    """`text` as one word of a unit file."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    for mark in f"%{doubled}":
        text = text.replace(mark, mark * 2)
    return f'"{text}"'


def _unquoted(word: str) -> str:
    """What `_quoted` made a word of a command of."""
    return re.sub(r"\\(.)", r"\1", word).replace("%%", "%").replace("$$", "$")


def _agent(
    command: Sequence[str], folder: Path | None, environ: Mapping[str, str], log: Path
) -> str:
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": [*command],
            **({} if folder is None else {"WorkingDirectory": str(folder)}),
            "EnvironmentVariables": dict(environ),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ProcessType": "Background",
            "StandardOutPath": str(log),
            "StandardErrorPath": str(log),
        }
    ).decode()
