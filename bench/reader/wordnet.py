"""Words of opposite or neighbouring meaning, out of WordNet's files (Fellbaum 1998).

Reads the database as it is distributed (wndb(5WN); Debian has it as `wordnet-base`): `data.POS`
holds a synset a line, `index.POS` the synsets of a word, the commonest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_POS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_HYPERNYM, _HYPONYM, _ANTONYM = "@", "~", "!"


@dataclass(frozen=True, slots=True)
class _Synset:
    words: tuple[str, ...]
    pointers: tuple[tuple[str, str, str], ...]  # kind, synset, "source target" in hex


class WordNet:
    """Opposites and neighbours of words in their base form."""

    def __init__(self, folder: Path) -> None:
        self._synsets: dict[str, _Synset] = {}
        self._senses: dict[tuple[str, str], list[str]] = {}
        for name, pos in _POS.items():
            for line in _lines(folder / f"data.{name}"):
                fields = line.partition(" | ")[0].split()
                count = int(fields[3], 16)
                words = tuple(fields[4 + 2 * n].partition("(")[0] for n in range(count))
                rest = fields[5 + 2 * count :]
                pointers = tuple(
                    (rest[n], rest[n + 2][0].replace("s", "a") + rest[n + 1], rest[n + 3])
                    for n in range(0, 4 * int(fields[4 + 2 * count]), 4)
                )
                self._synsets[pos + fields[0]] = _Synset(words, pointers)
            for line in _lines(folder / f"index.{name}"):
                fields = line.split()
                ids = fields[-int(fields[2]) :]
                self._senses[fields[0], pos] = [pos + each for each in ids]

    def opposites(self, word: str) -> set[str]:
        """Antonyms of any sense."""
        found = set()
        for pos in _POS.values():
            for key in self._senses.get((word, pos), ()):
                synset = self._synsets[key]
                for kind, other, places in synset.pointers:
                    source, target = int(places[:2], 16), int(places[2:], 16)
                    if kind == _ANTONYM and synset.words[source - 1].casefold() == word:
                        found.add(self._synsets[other].words[target - 1])
        return {each for each in found if each.isalpha()}

    def neighbours(self, noun: str) -> set[str]:
        """Nouns of another meaning under the same term, for the commonest sense: for "river"
        "brook"; nothing that is a synonym, or more general or more special."""
        senses = self._senses.get((noun, "n"), ())
        if not senses:
            return set()
        synset = self._synsets[senses[0]]
        found = {
            word
            for kind, parent, _ in synset.pointers
            if kind == _HYPERNYM
            for below, other, _ in self._synsets[parent].pointers
            if below == _HYPONYM and other != senses[0]
            for word in self._synsets[other].words[:1]
        }
        same = {word for each in senses for word in self._synsets[each].words}
        return {each for each in found - same if each.isalpha() and each.islower()}

    def __contains__(self, noun: str) -> bool:
        return (noun, "n") in self._senses


def _lines(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(" "):  # the licence stands first, indented
            yield line
