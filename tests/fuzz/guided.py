"""Coverage-guided fuzzing of one target: `python -m tests.fuzz.guided TARGET [CASES]`.

libFuzzer, by atheris, mutates what reaches new branches of our code. It stops at the first input
that breaks a property, that takes over a minute or 2 GB, and writes that input to a file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rag", "markdown_it"]):
    from tests.fuzz.inputs import DOCUMENTS, WORDS
    from tests.fuzz.properties import PROPERTIES, small_gguf

LONGEST = 4096  # bytes of an input
SLOWEST = 60  # seconds for one; generous, since other programs may hold the processor


def main(target: str, cases: int) -> None:
    """Run `cases` inputs; ends the process."""
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
    seeds = folder / "seeds"
    scratch = folder / "scratch"
    seeds.mkdir()
    scratch.mkdir()
    words = [word.encode("utf-8", "replace") for word in WORDS[target]]
    for number, word in enumerate([*words, b"".join(words), small_gguf()]):
        (seeds / str(number)).write_bytes(b"A" + word if target in ("reader", "chunker") else word)
    for file in DOCUMENTS if target == "documents" else ():
        kind = (".docx", ".pptx", ".epub", ".pdf").index(file.suffix)
        (seeds / file.name).write_bytes(bytes([kind]) + file.read_bytes())
    (folder / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in words))
    options = [
        sys.argv[0],
        f"-runs={cases}",
        f"-max_len={LONGEST}",
        f"-timeout={SLOWEST}",
        "-rss_limit_mb=2048",
        f"-dict={folder / 'words'}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=0",
        str(seeds),
    ]

    def holds(data: bytes) -> None:
        try:
            PROPERTIES[target](data, scratch)
        except BaseException:
            (folder / "broken").write_bytes(data)
            sys.stderr.write(f"This input breaks a property: {folder / 'broken'}\n")
            raise

    atheris.Setup(options, holds)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200_000)
