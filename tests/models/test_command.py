"""`rag models`: the table, files that are added, what is used, what is measured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.answering.messages import Token
from rag.cli import main
from rag.config_files import load_config
from rag.models.bench import measure
from rag.models.catalog import find_model
from rag.models.header import free_memory
from rag.models.known import AS_OF, EMBEDDERS, KNOWN
from rag.models.weights import locate
from tests.test_shapes import check


@pytest.fixture
def run(tmp_path: Path, models_cache: Path, monkeypatch, capsys) -> Callable[..., tuple]:
    """Runs `rag models` in this process, in a folder of its own; status, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RAG_CACHE_DIR", str(models_cache.parent))
    monkeypatch.setenv("RAG_CONFIG_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["models", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    file = tmp_path / "my model.gguf"
    file.symlink_to(locate(find_model("SmolLM2-135M-Instruct", "generator")))
    return file


def test_the_table_fits_a_terminal(run):
    _, out, _ = run()
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert next(line for line in lines if line.startswith("● ")).split()[1:3] == [
        "SmolLM2-135M-Instruct",
        "135M",
    ]
    for known in (*KNOWN, *EMBEDDERS):
        assert f" {known.name} " in out
    assert str(AS_OF) in out
    (bundled,) = [line.split() for line in lines if "all-MiniLM-L6-v2" in line]
    assert bundled == "● all-MiniLM-L6-v2 22.7M 91 MB 91 MB 256 Apache-2.0".split()
    assert "Not of English alone: multilingual-e5-small, multilingual-e5-base." in out


@pytest.mark.parametrize("width", [30, 50, 60, 70])
def test_a_narrow_table_keeps_the_names_and_whole_columns(run, monkeypatch, width: int):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run()
    for known in KNOWN:
        assert f" {known.name}" in out
    head, spared = out.splitlines()[0].split(), out.partition("Not shown for want of room:")[2]
    for heading in ("Params", "Size", "Memory", "Context", "Licence"):
        assert (heading in head) != (heading in spared)
    assert ("Licence" in head) == ("Apache-2.0" in out) == (width >= 60)


def test_the_table_for_programs(run):
    _, out, _ = run("--json")
    rows = json.loads(out)
    assert [row["name"] for row in rows if row["in_use"]] == [
        "SmolLM2-135M-Instruct",
        "all-MiniLM-L6-v2",
    ]
    for row in rows:
        assert row["size"] > 0
        assert row["licence"]
        assert row["fits"] == (row["memory"] < free_memory()) or row["memory"] > 1e9
    generators = [row["size"] for row in rows if row["kind"] == "generator"]
    assert generators == sorted(generators)


def test_the_words_of_other_programs(run, gguf: Path):
    assert run("list") == run("ls") == run()
    assert json.loads(run("ls", "--json")[1]) == json.loads(run("--json")[1])
    run("add", str(gguf))
    assert run("rm", "my model")[1] == "my model is forgotten; its file stays.\n"
    assert "my model" not in run("--json")[1]


def test_one_model_is_shown(run, gguf: Path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    row = next(each for each in json.loads(run("--json")[1]) if each["name"] == "Qwen3-4B")
    assert json.loads(run("show", "qwen3-4b", "--json")[1]) == row
    status, out, _ = run("show", "Qwen3-4B")
    assert status == 0
    assert "Finds" not in out
    assert out.splitlines()[-1] == f"From {row['source']}. Fetch it with: rag models pull Qwen3-4B"
    assert run("show", "SmolLM2-135M-Instruct")[1].endswith(". It is in use.\n")
    told = run("show", "multilingual-e5-small")[1]
    assert "Answers" not in told
    assert "100 languages. Fetch it with: rag models pull multilingual-e5-small" in told
    run("add", str(gguf))
    assert "Use it with: rag models use 'my model'" in run("show", "my model")[1]
    gguf.unlink()
    assert f"✗ my model: {gguf} is gone." in run("show", "my model")[1]
    monkeypatch.setenv("RAG_ENDPOINT_URL", "http://localhost:9/v1")
    monkeypatch.setenv("RAG_ENDPOINT_MODEL", "big")
    told = run("show", "endpoint")[1]
    assert "endpoint: big" in told
    assert "Use it with: rag models use endpoint" in told


def test_the_list_is_of_models_from_small_to_large():
    billions = [float(known.parameters.removesuffix("B")) for known in KNOWN]
    assert min(billions) < 0.4
    assert max(billions) == 8
    assert len({known.name for known in KNOWN}) == len(KNOWN)
    for each in EMBEDDERS:
        weight = float(each.parameters.removesuffix("M")) * 4  # numbers of four bytes
        assert abs(each.size - weight) < 2
    for known in KNOWN:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", known.repo)
        assert known.file.endswith(".gguf")
        assert known.context >= 8192


def test_a_file_is_added_used_and_forgotten(run, gguf: Path, tmp_path: Path):
    own = tmp_path / "own" / "rag.toml"
    status, out, _ = run("add", str(gguf))
    assert (status, out) == (0, "my model can be used: rag models use 'my model'\n")
    assert run("add", str(gguf), "--name", "SmolLM2-135M-Instruct")[2].startswith("SmolLM2-135M")
    status, out, _ = run("use", "my model")
    assert status == 0
    assert str(own) in out
    assert load_config(tmp_path, {"RAG_CONFIG_DIR": str(own.parent)}).generator_model == "my model"
    _, _, err = run("remove", "my model")
    assert "my model is in use. First: rag models use SmolLM2-135M-Instruct" in err
    run("use", str(gguf))  # by its path it is the same model
    assert load_config(tmp_path, {"RAG_CONFIG_DIR": str(own.parent)}).generator_model == "my model"
    assert run("use", "SmolLM2-135M-Instruct")[0] == 0
    assert "its file stays" in run("remove", "my model")[1]
    assert gguf.exists()
    assert "my model" not in run("--json")[1]
    assert run("use", str(gguf))[0] == 0
    assert str(gguf) in run("--json")[1]


@pytest.mark.parametrize("added", [True, False])
def test_a_model_whose_file_is_gone_is_marked(run, gguf: Path, tmp_path: Path, added: bool):
    if added:
        run("add", str(gguf), "--name", "mine")
    assert run("use", "mine" if added else str(gguf))[0] == 0
    gguf.unlink()
    out = run()[1]
    marked = [line for line in out.splitlines() if line.startswith("● ") and "MB" in line]
    assert len(marked) == 1  # the embedder
    told = "".join(out.split())
    assert f"✗{'mine' if added else gguf},inuse:".replace(" ", "") in told
    assert ("forgetit:ragmodelsremovemine" in told) == added
    (row,) = [row for row in json.loads(run("--json")[1]) if row["fault"]]
    assert (row["in_use"], row["installed"], row["size"]) == (True, False, None)
    check(row, "ModelJson")


def test_the_folders_own_setting_is_the_one_that_changes(run, gguf: Path, tmp_path: Path):
    (tmp_path / "rag.toml").write_text('[generator]\nmodel = "old" # mine\n')
    _, out, _ = run("use", str(gguf))
    assert str(tmp_path / "rag.toml") in out
    assert f'model = "{gguf}" # mine' in (tmp_path / "rag.toml").read_text()


def test_a_file_among_notes_may_not_name_a_model_and_ones_own_does(run, gguf, tmp_path: Path):
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / "rag.toml").write_text(
        '[generator]\nmodel = "SmolLM2-135M-Instruct"\nthreads = 1\n'
    )
    _, out, _ = run("use", str(gguf))
    assert str(tmp_path / "own" / "rag.toml") in out
    assert (tmp_path / "rag.toml").read_text() == "[generator]\nthreads = 1\n"
    config = load_config(tmp_path, {"RAG_CONFIG_DIR": str(tmp_path / "own")})
    assert (config.generator_model, config.generator_threads) == (str(gguf), 1)
    assert not config.unread


def test_a_variable_that_wins_is_mentioned(run, gguf: Path, monkeypatch):
    monkeypatch.setenv("RAG_GENERATOR_MODEL", "SmolLM2-135M-Instruct")
    assert "RAG_GENERATOR_MODEL is set in the environment, and wins" in run("use", str(gguf))[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "none.gguf"), "is not there"),
        (("add", "letter.txt"), "is not a GGUF file"),
        (("add", "."), "is not there. Name a model's own folder or file"),
        (("use", "letter.txt"), "is not a GGUF file"),
        (("use", ""), "The name of the model is empty"),
        (("add", ""), "No file is named"),
        (("add", "letter.txt", "--name", "a" * 300), "at most 120 letters"),
        (("add", "letter.txt", "--name", "x\x1b[31mred"), "of a kind that can be typed"),
        (("add", "letter.txt", "--name=-y"), "cannot be called '-y'"),
        (("use", "endpoint"), "No endpoint is named"),
        (("use", "x", "--url", "http://localhost/v1"), "are for: rag models use endpoint"),
        (("use", "endpoint", "--url", "nowhere", "--model", "m"), "is no address of a server"),
        (("remove", "SmolLM2-135M-Instruct"), "came with rag"),
        (("bench", "all-MiniLM-L6-v2"), "all-MiniLM-L6-v2 finds passages and cannot answer."),
        (("bench", "SmolLM2"), "Did you mean 'SmolLM2-135M-Instruct'?"),
        (("use", "smollm2-360m"), "Fetch it first: rag models pull SmolLM2-360M-Instruct"),
        (("use", "gone.gguf"), "No model is called 'gone.gguf', and no GGUF file or folder lies"),
        (("use", "gone.gguf"), "there. rag models lists them all"),
        (
            ("use", "org/e5-small"),
            "a name on the Hugging Face hub: rag models pull hf:org/e5-small",
        ),
        (("use", "minilm"), "Did you mean 'all-MiniLM-L6-v2'? rag models lists"),
        (("pull", "smollm2-135m-instruct"), "comes with rag. Use it with: rag models use SmolLM2"),
        (("use", "e5-small"), "Fetch it first: rag models pull multilingual-e5-small"),
        (("show", "qwen3-4"), "Did you mean 'Qwen3-4B'? rag models lists them all."),
        (("show", "zebra"), "No model is called 'zebra'. rag models lists them all."),
        (("show", "endpoint"), "No model is called 'endpoint'."),
        (("pull", "zebra"), "'zebra'. rag models lists them;"),
        (("pull", "file:///m/my%20model.gguf"), "Add it with: rag models add '/m/my model.gguf'"),
        (("pull", "hf:foo"), "Write it as hf:owner/name or"),
        (("use", "endpoint", "--url", "http://localhost/v1"), "named: give --model."),
        (
            (
                "use",
                "endpoint",
                "--url",
                "http://localhost/v1",
                "--model",
                "m",
                "--key-env",
                "sk-1",
            ),
            "a key itself is never written down",
        ),
        (("use", "qwen3-0.6b"), "Known, and not fetched yet: rag models pull Qwen3-0.6B"),
        (("pull", "x", "--sha256", "1"), "No known model"),
        (("add", "letter.txt", "--name", "endpoint"), "cannot be called 'endpoint'"),
    ],
)
def test_bad_input(run, tmp_path: Path, arguments: tuple[str, ...], says: str):
    (tmp_path / "letter.txt").write_text("Dear diary")
    status, out, err = run(*arguments)
    assert status == 2
    assert says in err
    assert not out
    assert not (tmp_path / "own").exists()


def test_the_key_of_one_server_is_not_sent_to_another(run, tmp_path: Path):
    use = ("use", "endpoint", "--model", "m", "--url")
    own = tmp_path / "own" / "rag.toml"
    assert run(*use, "http://localhost:1/v1", "--key-env", "ONE")[0] == 0
    assert run(*use, "http://localhost:1/v1")[0] == 0
    assert 'key_env = "ONE"' in own.read_text()
    assert run(*use, "http://localhost:2/v1")[0] == 0
    assert "key_env" not in own.read_text()


class Clock:
    """Reads 100 tokens, writes some, each at a time of its own."""

    name = "clock"

    def __init__(self, written: int) -> None:
        self.written = written
        self.asked: list[str] = []

    def load(self) -> None: ...
    def close(self) -> None: ...

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def stream(self, messages, max_tokens, cancel=None, avoid=""):
        self.asked.append(messages[-1].text)
        yield Token("", 0.0, 50, 100)
        yield Token("", 0.0, 100, 100)
        for _ in range(min(self.written, max_tokens)):
            yield Token("one ", -0.1, 100, 100)


def test_measuring():
    model = Clock(10)
    speed = measure(model)
    assert speed.prefill > 0
    assert speed.decode > 0
    assert 400 < len(model.asked[-1].split()) < 600
    with pytest.raises(Exception, match="wrote too little"):
        measure(Clock(1))


@pytest.mark.model
def test_measuring_the_bundled_model(run):
    status, out, _ = run("bench", "--json")
    assert status == 0
    measured = json.loads(out)
    check(measured, "ModelSpeedJson")
    row = next(row for row in json.loads(run("--json")[1]) if row["name"] == measured["name"])
    assert row["speed"]["prefill"] == measured["prefill"] > 0
    assert row["speed"]["decode"] == measured["decode"] > 0
    assert f"{measured['prefill']:.0f}/{measured['decode']:.0f}" in run()[1]
