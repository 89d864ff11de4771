"""Which notes their owner has set aside: `.gitignore`, `.ragignore` and Obsidian's settings.

`.gitignore` and `.ragignore` speak git's language, count for the folder that they lie in and all
below it, and the deeper one wins. `.ragignore` has the last word, so that it can bring back
("!drafts/") what git or Obsidian leave out. Of Obsidian, "Excluded files" and the folders of
templates are read. As in git, what lies in a folder that is left out cannot be brought back alone.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

RULE_FILES = frozenset({".gitignore", ".ragignore", ".obsidian"})

_LARGEST = 1_000_000  # bytes of a file of rules
_MOST_FILTERS = 200
_MOST_GLOBS = 1000
_LONGEST_FILTER = 500  # characters
_PATIENCE = 0.5  # seconds that one regular expression may take for all paths of a scan
# A glob takes time in proportion to the length of a name to the power of its stars.
_WILD = re.compile(r"\*[^/*]+\*[^/*]+\*[^/*]+\*|(?:\*\*.*){4}")
_TEMPLATE_SETTINGS = (
    ("templates.json", "folder"),
    ("plugins/templater-obsidian/data.json", "templates_folder"),
)
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

Report = Callable[[str, str], None]  # of a path and why it is not obeyed
# True leaves a path out, False keeps it, None says nothing of it. Paths of folders end in "/".
_Judge = Callable[[str], bool | None]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the files of one folder say, the last word first; paths lose `skip` characters."""

    skip: int
    judges: tuple[_Judge, ...]


@dataclass(slots=True)
class Ignored:
    """The rules of a notes folder, learned as its folders are entered, parents first.

    Paths are relative to the notes folder, "/"-separated. `report` is told of rules that cannot
    be obeyed; the rest of their file still counts.
    """

    report: Report
    count: int = 0  # files and folders left out
    _last_words: dict[str, tuple[_Rules, ...]] = field(default_factory=dict)
    _others: dict[str, tuple[_Rules, ...]] = field(default_factory=dict)

    def enter(self, folder: str, real: str, names: Collection[str]) -> None:
        """Learn the rules of `folder`, which lies at `real` and holds `names` of RULE_FILES."""
        last_words, others = self._in_force(os.path.dirname(folder)) if folder else ((), ())
        if names:
            prefix = f"{folder}/" if folder else ""
            own = {
                name: judges
                for name in names
                if (judges := tuple(self._read(name, prefix + name, os.path.join(real, name))))
            }
            last = own.pop(".ragignore", ())
            rest = (*own.get(".gitignore", ()), *own.get(".obsidian", ()))
            last_words = (_Rules(len(prefix), last), *last_words) if last else last_words
            others = (_Rules(len(prefix), rest), *others) if rest else others
        self._last_words[folder], self._others[folder] = last_words, others

    def has_any(self, folder: str) -> bool:
        """Whether any rule is in force in `folder`."""
        return any(self._in_force(folder))

    def leaves_out(self, folder: str, path: str, is_folder: bool) -> bool:
        """Whether `path`, which lies in `folder`, is left out."""
        for rules in self._in_force(folder):
            for each in rules:
                place = path[each.skip :] + "/" if is_folder else path[each.skip :]
                for judge in each.judges:
                    verdict = judge(place)
                    if verdict is not None:
                        self.count += verdict
                        return verdict
        return False

    def hides(self, path: str, is_folder: bool) -> bool:
        """Whether `path` or a folder above it is left out."""
        parts = path.split("/")
        return any(
            self.leaves_out(
                "/".join(parts[:depth]),
                "/".join(parts[: depth + 1]),
                is_folder or depth + 1 < len(parts),
            )
            for depth in range(len(parts))
        )

    def _in_force(self, folder: str) -> tuple[tuple[_Rules, ...], tuple[_Rules, ...]]:
        """The rules of `folder`, or of the nearest one above it that was entered."""
        while folder and folder not in self._others:
            folder = os.path.dirname(folder)
        return self._last_words.get(folder, ()), self._others.get(folder, ())

    def _read(self, name: str, path: str, real: str) -> Iterator[_Judge]:
        try:
            if name == ".obsidian":
                yield from self._obsidian(path, real)
            elif judge := self._globs(path, _read_text(real)):
                yield judge
        except OSError as error:
            self.report(path, f"is not obeyed: {error.strerror or error}")

    def _globs(self, path: str, text: str) -> _Judge | None:
        """The rules of a file in git's language."""
        lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
        if not lines:
            return None
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

        patterns = []
        if len(lines) > _MOST_GLOBS:
            self.report(path, f"has more than {_MOST_GLOBS:,} rules; the rest is not obeyed")
        for line in lines[:_MOST_GLOBS]:
            try:
                if len(line) > _LONGEST_FILTER or _WILD.search(line):
                    raise ValueError
                patterns.append(GitIgnoreSpecPattern(line))
            except ValueError:  # of which pathspec's error is one
                self.report(path, f"has a rule that is not obeyed: {line.strip()[:80]}")
        patterns.reverse()  # the last one that matches decides
        return lambda place: next((p.include for p in patterns if _matches(p.regex, place)), None)

    def _obsidian(self, path: str, real: str) -> Iterator[_Judge]:
        """Judges for Obsidian's "Excluded files" and its folders of templates."""
        prefixes = []
        for name, key in _TEMPLATE_SETTINGS:
            folder = self._setting(f"{path}/{name}", os.path.join(real, name), key)
            if isinstance(folder, str) and folder.strip("/. "):
                prefixes.append(f"{folder.strip('/')}/")
        filters = self._setting(f"{path}/app.json", f"{real}/app.json", "userIgnoreFilters")
        filters = filters if isinstance(filters, list) else []
        written = [each for each in filters if isinstance(each, str)]
        for each in written[:_MOST_FILTERS]:
            if len(each) > 2 and each[0] == each[-1] == "/":
                if judge := self._pattern(f"{path}/app.json", each[1:-1]):
                    yield judge
            elif each.strip("/ "):
                prefixes.append(each.removeprefix("/"))
        if len(written) > _MOST_FILTERS:
            self.report(f"{path}/app.json", f"has more than {_MOST_FILTERS} excluded files")
        if prefixes:
            yield _prefix_judge(tuple(each.casefold() for each in prefixes))

    def _setting(self, path: str, real: str, key: str) -> Any:
        """One setting of an Obsidian file of settings; None when it is not there."""
        try:
            settings = json.loads(_read_text(real) or "{}")
        except (ValueError, RecursionError):
            self.report(path, "is not valid JSON, and is not obeyed")
            return None
        return settings.get(key) if isinstance(settings, dict) else None

    def _pattern(self, path: str, pattern: str) -> _Judge | None:
        """A judge for a regular expression, which is dropped once it takes too long."""
        import regex

        shown = f"excluded-files rule /{pattern[:80]}/"
        try:
            if len(pattern) > _LONGEST_FILTER:
                raise ValueError
            compiled = regex.compile(pattern, regex.IGNORECASE)
        except (regex.error, ValueError, OverflowError, RecursionError):
            self.report(path, f"has an {shown} that is not obeyed")
            return None
        left = _PATIENCE

        def judge(place: str) -> bool | None:
            nonlocal left
            if left <= 0 or place.endswith("/"):
                return None
            started = time.perf_counter()
            try:
                return True if compiled.search(place, timeout=left) else None
            except TimeoutError:
                return None
            finally:
                left -= time.perf_counter() - started
                if left <= 0:
                    self.report(path, f"has an {shown} that takes too long, and is not obeyed")

        return judge


def _matches(pattern: re.Pattern[str] | None, place: str) -> bool:
    """Whether a pattern of pathspec means `place` itself, not only a folder that it lies in.

    pathspec looks at whole paths, and so takes "!drafts/" to bring back all that lies there. Here
    a folder is judged before what lies in it, as git does. Its group `ps_d` is the "/" after a
    folder that matched.
    """
    found = pattern.search(place) if pattern else None
    if not pattern or not found:
        return False
    if not pattern.pattern.startswith("^"):  # "*" and "*/"
        return "ps_d" not in pattern.groupindex or place.endswith("/")
    if "ps_d" in pattern.groupindex:
        return found["ps_d"] is None or found.end() == len(place)
    return found.end() < len(place)  # "drafts/**" means what lies in it


def _prefix_judge(prefixes: tuple[str, ...]) -> _Judge:
    """A judge for the beginnings of paths, lower case; it too judges folders before files."""

    def judge(place: str) -> bool | None:
        place = place.casefold()
        if not place.startswith(prefixes):
            return None
        for prefix in prefixes:
            rest = place.removeprefix(prefix)
            if place == prefix or (rest != place and prefix[-1] != "/" and "/" not in rest[:-1]):
                return True
        return None

    return judge


def _read_text(real: str) -> str:
    """The text of a file of rules; "" where there is none. Raises OSError."""
    try:
        with open(os.open(real, _OPEN), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return ""
            raw = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    if len(raw) > _LARGEST:
        raise OSError("it is larger than 1 MB")
    return raw.decode("utf-8-sig", "replace")
