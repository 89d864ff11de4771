"""Fetching models from a server that speaks the hub's protocol: whole and checked, or not."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.config_files import load_config
from rag.errors import ModelError, StorageError
from rag.models import download
from rag.models.begun import all_begun, begin, discard
from rag.models.catalog import find_model, folder_of
from rag.models.download import Wanted, check_space, fetch
from rag.models.source import Offer, parse_source
from rag.models.weights import locate
from rag.wiring import build_engine
from tests.conftest import Box
from tests.models.hub import COMMIT, Hub, serving
from tests.test_shapes import check

REPO, FILE = "org/tiny-GGUF", "tiny.Q4_1.gguf"
PULL = ("models", "pull", f"hf:{REPO}/{FILE}")


@pytest.fixture(scope="module")
def weights() -> bytes:
    return locate(find_model("SmolLM2-135M-Instruct", "generator")).read_bytes()


def linked(source: str, target: str) -> None:
    """A hard link, or a copy on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture
def hub(box: Box, weights: bytes, models_cache: Path) -> Iterator[Hub]:
    with serving(
        Hub({REPO: {FILE: weights, "tiny.Q8_0.gguf": b"GGUF", "README.md": b"#"}})
    ) as made:
        box.env.update(HF_ENDPOINT=made.url, HF_HOME=str(box.folder / "hf"), HF_TOKEN="")
        # A cache of its own, in which the bundled models are prepared.
        box.env["RAG_CACHE_DIR"] = str(box.folder / "cache")
        shutil.copytree(models_cache, box.folder / "cache" / "models", copy_function=linked)
        yield made


def large(box: Box) -> set[Path]:
    """Files as large as weights are."""
    files = (each for each in box.folder.rglob("*") if each.is_file())
    return {each for each in files if each.stat().st_size > 9e7}


def left_over(box: Box) -> list[Path]:
    return sorted(box.folder.rglob("*.partial"))


def names(box: Box) -> list[str]:
    rows = json.loads(box.rag("models", "--json").stdout)
    return [row["name"] for row in rows if row["installed"]]


def test_nothing_is_fetched_without_a_yes(box: Box, hub: Hub):
    said = box.refused(*PULL, says="Nobody is here to say yes")
    assert "98 MB, licence apache-2.0, checked by SHA-256" in said
    assert str(box.folder / "hf") in said
    assert not [each for each in hub.asked if each[0] == "GET" and "resolve" in each[1]]
    assert not list(box.folder.rglob("blobs"))


def test_a_model_is_fetched_used_and_removed(box: Box, hub: Hub, weights: bytes):
    before = large(box)
    done = box.rag(*PULL, "--yes", "--name", "small", "--json")
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout), "ModelHereJson")
    (pointer,) = box.folder.glob(f"hf/hub/models--org--tiny-GGUF/snapshots/{COMMIT}/{FILE}")
    assert pointer.read_bytes() == weights
    assert names(box) == ["SmolLM2-135M-Instruct", "small", "all-MiniLM-L6-v2"]
    row = next(r for r in json.loads(box.rag("models", "--json").stdout) if r["name"] == "small")
    assert (row["size"], row["context"], row["licence"]) == (len(weights), 8192, "apache-2.0")
    assert row["memory"] > row["size"]
    hub.asked.clear()
    assert box.rag(*PULL, "--yes", "--name", "small").returncode == 0
    assert not [each for each in hub.asked if each[0] == "GET" and "resolve" in each[1]]
    assert box.rag("models", "use", "small").returncode == 0
    rows = json.loads(box.rag("models", "--json").stdout)
    assert [row["name"] for row in rows if row["in_use"]] == ["small", "all-MiniLM-L6-v2"]
    box.refused("models", "remove", "small", "--yes", says="is in use")
    box.rag("models", "use", "SmolLM2-135M-Instruct")
    box.refused("models", "remove", "small", says="Nobody is here to say yes")
    assert box.rag("models", "remove", "small", "--yes").returncode == 0
    assert large(box) == before


def test_a_connection_that_is_cut_is_taken_up_again(box: Box, hub: Hub):
    hub.cut_after, hub.cuts = 40_000_000, 1
    assert box.rag(*PULL, "--yes").returncode == 0
    ranges = [each[2] for each in hub.asked if each[0] == "GET" and "resolve" in each[1]]
    assert len(ranges) == 2
    assert re.fullmatch(r"bytes=[1-9]\d+-", ranges[1])
    assert not left_over(box)


def test_a_connection_that_is_cut_after_little_gets_on(box: Box, hub: Hub):
    hub.cut_after, hub.cuts = 500_000, 2
    assert box.rag(*PULL, "--yes").returncode == 0
    ranges = [each[2] for each in hub.asked if each[0] == "GET" and "resolve" in each[1]]
    begun = [int(each.removeprefix("bytes=").removesuffix("-")) for each in ranges[1:]]
    assert 400_000 < begun[0] < begun[1]


def test_what_came_before_a_long_cut_is_kept_for_the_next_run(box: Box, hub: Hub, weights: bytes):
    hub.status = 0
    hub.cut_after, hub.cuts = 40_000_000, 1
    begun, _ = fetch_begun(box, PULL[-1])
    assert 0 < begun.stat().st_size < len(weights)
    hub.asked.clear()
    said = box.refused(*PULL, says="still to come")
    assert re.search(r"98 MB, \d\d MB of them still to come", said)
    assert box.rag(*PULL, "--yes").returncode == 0
    first = next(each for each in hub.asked if each[0] == "GET" and "resolve" in each[1])
    assert int(first[2].removeprefix("bytes=").removesuffix("-")) > 0
    assert not left_over(box)


def fetch_begun(box: Box, what: str) -> tuple[Path, str]:
    """A download that was stopped in its middle, by Ctrl-C say, and what was said then."""
    import signal
    import time

    process = box.start("models", "pull", what, "--yes")
    for _ in range(600):
        partials = [each for each in left_over(box) if each.stat().st_size]
        if partials:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    (partial,) = left_over(box)
    return partial, err


def broken_off(box: Box) -> list[dict]:
    rows = json.loads(box.rag("models", "--json").stdout)
    return [row for row in rows if row["partial"]]


@pytest.mark.parametrize("of_the_hub", [True, False])
def test_a_download_that_broke_off_is_shown_and_removed(box: Box, hub: Hub, weights, of_the_hub):
    hub.cut_after, hub.cuts = 40_000_000, 1
    if of_the_hub:
        what = f"hf:{REPO}/{FILE}"
    else:
        hub.files["/m.gguf"] = weights
        what = f"{hub.url}/m.gguf"
        box.env["HF_ENDPOINT"] = "http://hub.invalid"
    name = Path(what).stem
    partial, said = fetch_begun(box, what)
    came, size = partial.stat().st_size, len(weights)
    assert said.startswith(f"Stopped. {name} is partly here, ")
    assert "the same command goes on from there" in said
    (row,) = broken_off(box)
    check(row, "ModelJson")
    assert (row["name"], row["partial"], row["size"]) == (name, came, size)
    assert not row["installed"]
    box.env["COLUMNS"] = "300"
    table = " ".join(box.rag("models").stdout.split())
    assert f"◐ {name}" in table
    assert f"of 98 MB. Go on: rag models pull {what}. Delete it: rag models remove {name}" in table
    box.refused("models", "use", name, says=f"is partly here, {download.size_text(came)} of 98 MB")
    if of_the_hub:
        found = json.loads(box.rag("doctor", "--json").stdout)
        assert [each["state"] for each in found if each["about"] == "Download"] == ["warning"]
    box.refused("models", "remove", name, says="is partly here")
    done = box.rag("models", "remove", name, "--yes", "--json")
    removed = json.loads(done.stdout)
    check(removed, "ModelHereJson")
    assert removed["size"] == came
    assert not left_over(box)
    assert not broken_off(box)
    assert not list((box.data / "models").rglob("*"))
    assert not list((box.folder / "hf").rglob("models--*/*"))
    box.refused("models", "remove", name, says="No model called")


def test_one_name_is_not_given_to_two_downloads(box: Box, hub: Hub):
    hub.cut_after, hub.cuts = 40_000_000, 1
    fetch_begun(box, PULL[-1])
    other = f"hf:{REPO}/tiny.Q8_0.gguf"
    box.refused("models", "pull", other, "--name", "tiny.Q4_1", "--yes", says="another download")
    assert box.rag(*PULL, "--yes").returncode == 0
    assert not broken_off(box)
    assert "tiny.Q4_1" in names(box)


def test_a_download_that_goes_on_under_another_name_leaves_no_mark(box: Box, hub: Hub):
    hub.cut_after, hub.cuts = 40_000_000, 1
    fetch_begun(box, PULL[-1])
    assert [row["name"] for row in broken_off(box)] == ["tiny.Q4_1"]
    assert box.rag(*PULL, "--yes", "--name", "small").returncode == 0
    assert not broken_off(box)
    assert "small" in names(box)
    assert "tiny.Q4_1" not in names(box)


def test_the_name_of_a_known_model_is_not_given_to_another_file(box: Box, hub: Hub):
    says = "Qwen3-4B is the name of another model: hf:Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf."
    for name in ("Qwen3-4B", "qwen3-4b"):
        box.refused(*PULL, "--yes", "--name", name, says=says)
    hub.repos["Qwen/Qwen3-4B-GGUF"] = {"Qwen3-4B-Q4_K_M.gguf": hub.repos[REPO][FILE]}
    assert box.rag("models", "pull", "Qwen3-4B", "--yes").returncode == 0
    assert "Qwen3-4B" in names(box)


def test_of_an_older_version_that_cannot_go_on_nothing_is_left(box: Box, hub: Hub, weights: bytes):
    hub.files["/m.gguf"] = weights[:-1] + b"x"
    hub.cut_after, hub.cuts = 40_000_000, 1
    url = f"{hub.url}/m.gguf"
    box.env["HF_ENDPOINT"] = "http://hub.invalid"
    old, _ = fetch_begun(box, url)
    hub.files["/m.gguf"] = weights
    assert box.rag("models", "pull", url, "--yes").returncode == 0
    assert not old.parent.exists()
    assert not broken_off(box)


def test_what_was_here_before_a_download_stays(tmp_path: Path):
    """Of files that another program fetched nothing is deleted."""
    mine, theirs = tmp_path / "models" / "files" / "a" / "m.gguf", tmp_path / "t.json"
    files = tuple(Wanted("u", each.name, 4, "", each, "e") for each in (mine, theirs))
    theirs.write_text("{}{}")
    begun = begin(tmp_path, Offer("m", "embedder", "hf:a/b", "mit", files), "rag models pull m")
    assert all_begun(tmp_path) == []
    mine.parent.mkdir(parents=True)
    files[0].partial.write_text("GG")
    assert [each.share for each in all_begun(tmp_path)] == ["0.0 MB of 0.0 MB"]
    discard(tmp_path, begun, ())
    assert theirs.read_text() == "{}{}"
    assert not mine.parent.exists()
    assert not list((tmp_path / "models").glob("*.json"))


def test_a_server_without_ranges_starts_again(box: Box, hub: Hub, weights: bytes):
    hub.ranges, hub.cut_after, hub.cuts = False, 40_000_000, 1
    assert box.rag(*PULL, "--yes").returncode == 0
    assert next(box.folder.glob("hf/hub/*/snapshots/*/*")).read_bytes() == weights


def test_another_hash_installs_nothing(box: Box, hub: Hub):
    hub.corrupt = True
    box.refused(*PULL, "--yes", says="came damaged or is another file")
    assert not left_over(box)
    assert not list((box.folder / "hf").rglob("models--*/*"))
    assert not list((box.data / "models").rglob("*"))
    assert names(box) == ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"]
    hub.corrupt = False
    assert box.rag(*PULL, "--yes").returncode == 0


def test_another_size_installs_nothing_and_keeps_what_came(box: Box, hub: Hub):
    hub.promise = 1000
    box.refused(*PULL, "--yes", says="another size than the server had promised")
    assert left_over(box)
    hub.promise = 0
    assert box.rag(*PULL, "--yes").returncode == 0
    assert not left_over(box)


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, "", "does not allow it (401). Set HF_TOKEN"),
        (401, "GatedRepo", "only for those who accepted its terms"),
        (403, "", "does not allow it (403)"),
        (404, "", "is not there (404)"),
        (429, "", "asks to wait: too many requests. Try again in 7 seconds"),
        (500, "", "is in trouble (500)"),
    ],
)
def test_what_a_server_refuses(box: Box, hub: Hub, status: int, code: str, says: str):
    hub.status, hub.code, hub.retry_after = status, code, "7"
    box.refused(*PULL, "--yes", says=says)
    assert names(box) == ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"]


def test_names_that_are_wrong(box: Box, hub: Hub):
    wrong = f"hf:{REPO}/tiny.Q5.gguf"
    box.refused("models", "pull", wrong, says="holds no file 'tiny.Q5.gguf'. Did you mean 'tiny.Q")
    box.refused(
        "models", "pull", "hf:org/none/x.gguf", says="knows no hf:org/none/x.gguf, or keeps"
    )
    box.refused("models", "pull", f"hf:{REPO}", says="holds 2 GGUF files")
    box.refused("models", "pull", "Qwen3-4", says="Did you mean 'Qwen3-4B'?")
    box.refused("models", "use", "Qwen3-4B", says="rag models pull Qwen3-4B")
    box.refused("models", "use", "SmolLM2-135", says="Did you mean 'SmolLM2-135M-Instruct'?")
    box.refused("models", "remove", "x", says="No model called 'x' was fetched")
    box.refused("models", "remove", "all-MiniLM-L6-v2", says="came with rag")
    box.refused(*PULL, "--yes", "--name", "all-MiniLM-L6-v2", says="comes with rag")
    box.env["HF_HUB_OFFLINE"] = "1"
    box.refused(*PULL, says="HF_HUB_OFFLINE is set")


def repository() -> dict[str, bytes]:
    """The files of the bundled embedder, as those of any sentence-transformers repository."""
    folder = folder_of(locate(find_model("all-MiniLM-L6-v2", "embedder")))
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }


def test_a_known_embedder_is_fetched_by_its_name_and_searches(box: Box, hub: Hub):
    hub.repos["intfloat/multilingual-e5-small"] = repository()
    name = "multilingual-e5-small"
    for typed in (name, "intfloat/multilingual-e5-small"):
        says = f"Known, and not fetched yet: rag models pull {name}"
        box.refused("models", "use", typed, says=says)
    box.refused("models", "use", "org/e5", says="rag models pull hf:org/e5")
    box.refused("models", "pull", "org/e5", says="rag models pull hf:org/e5")
    done = box.rag("models", "pull", name, "--yes")
    assert done.returncode == 0, done.stderr
    assert f"Use it with: rag models use {name}" in done.stdout
    typed = "intfloat/multilingual-e5-small"
    box.refused("models", "use", typed, says=f"It is here as: rag models use {name}")
    assert box.rag("models", "use", name).returncode == 0
    rows = {row["name"]: row for row in json.loads(box.rag("models", "--json").stdout)}
    row = rows[name]
    check(row, "ModelJson")
    assert (row["installed"], row["in_use"], row["licence"]) == (True, True, "MIT")
    assert (row["parameters"], row["dimension"]) == ("22.7M", 384)  # as its files say
    assert row["languages"] == rows["multilingual-e5-base"]["languages"] == "100 languages"
    config = load_config(box.folder, box.environ())
    model = build_engine(config).parts.identity()
    assert (model.query_prompt, model.document_prompt) == ("query: ", "passage: ")
    config = replace(config, embedder_query_prompt="ask: ")  # the reader's own win
    assert build_engine(config).parts.identity().query_prompt == "ask: "
    assert box.rag("index").returncode == 0
    assert "green" in box.rag("search", "When was the hive painted?").stdout
    assert json.loads(box.rag("status", "--json").stdout)["embedder"] == name


def test_nobody_there(box: Box, hub: Hub):
    box.env["HF_ENDPOINT"] = "http://127.0.0.1:9"
    box.refused(*PULL, "--yes", says="Check the address, the network and any proxy")


def test_a_proxy_is_honoured(box: Box, hub: Hub):
    box.env.update(HF_ENDPOINT="http://hub.invalid", HTTP_PROXY=hub.url, http_proxy=hub.url)
    assert box.rag(*PULL, "--yes").returncode == 0
    assert any("resolve" in each[1] for each in hub.asked)


@pytest.mark.parametrize(
    ("proxy", "says"),
    [
        ("socks5://127.0.0.1:9", "ALL_PROXY names a SOCKS proxy"),
        ("socks9://127.0.0.1:9", "ALL_PROXY names a proxy whose address is not understood"),
    ],
)
def test_a_proxy_that_cannot_be_spoken_to(box: Box, hub: Hub, proxy: str, says: str):
    if proxy.startswith("socks5") and importlib.util.find_spec("socksio"):
        pytest.skip("what speaks to such a proxy is installed")
    box.env.update(dict.fromkeys(("ALL_PROXY", "all_proxy"), proxy), NO_PROXY="", no_proxy="")
    box.refused(*PULL, "--yes", says=says)
    box.index()
    box.env.update(
        RAG_GENERATOR_MODEL="endpoint",
        RAG_ENDPOINT_URL="https://ai.invalid/v1",
        RAG_ENDPOINT_MODEL="big",
    )
    assert says in box.rag("ask", "When was the hive painted green?").stderr


def test_a_server_that_never_comes_to_the_end_is_not_asked_for_ever(box: Box, hub: Hub):
    hub.ranges, hub.cut_after, hub.cuts = False, 3_000_000, 99
    box.refused(*PULL, "--yes", says="cannot go on from there: tiny.Q4_1.gguf was begun 4 times")
    hub.ranges, hub.cuts = True, 0
    assert box.rag(*PULL, "--yes").returncode == 0


def test_the_hubs_token_is_not_the_remedy_for_another_server(box: Box, hub: Hub):
    box.env["HF_ENDPOINT"] = "http://hub.invalid"
    hub.status, hub.files["/m.gguf"] = 401, b"GGUF"
    said = box.refused("models", "pull", f"{hub.url}/m.gguf", "--yes", says="not allow it (401)")
    assert "HF_TOKEN" not in said
    assert "rag models add FILE" in said


def test_an_embedder_that_is_refused_is_called_by_its_name(box: Box, hub: Hub):
    hub.repos["me/pickle"] = {
        "modules.json": b'[{"type": "sentence_transformers.models.Transformer"}]',
        "config.json": b"{}",
        "pytorch_model.bin": b"\x80\x04.",
    }
    box.refused("models", "pull", "hf:me/pickle", "--yes", says="The embedder me/pickle keeps")


def test_a_url_with_and_without_its_hash(box: Box, hub: Hub, weights: bytes):
    hub.files["/some where/my model.gguf"] = weights
    url = f"{hub.url}/some%20where/my%20model.gguf"
    box.env["HF_ENDPOINT"] = "http://hub.invalid"
    box.refused("models", "pull", url, says="no SHA-256 is known for it")
    box.refused("models", "pull", url, "--yes", "--sha256", "0" * 64, says="came damaged")
    box.refused("models", "pull", url, "--sha256", "12", says="not a SHA-256")
    assert box.rag("models", "pull", url, "--yes").returncode == 0
    rows = json.loads(box.rag("models", "--json").stdout)
    assert next(row["licence"] for row in rows if row["name"] == "my model") == "apache-2.0"
    assert "my model" in names(box)
    box.refused("models", "pull", f"{hub.url}/page.html", says="does not end in .gguf")
    box.refused("models", "pull", f"{hub.url}/none.gguf", "--yes", says="is not there (404)")


def test_two_addresses_with_one_file_name_are_two_models(box: Box, hub: Hub, weights: bytes):
    other = weights[:-1] + b"x"
    hub.files.update({"/a/m.gguf": weights, "/b/m.gguf": other})
    box.env["HF_ENDPOINT"] = "http://hub.invalid"
    for name in "ab":
        done = box.rag("models", "pull", f"{hub.url}/{name}/m.gguf", "--yes", "--name", name)
        assert done.returncode == 0, done.stderr
    assert {each.read_bytes() == weights for each in box.data.rglob("m.gguf")} == {True, False}
    assert box.rag("models", "remove", "b", "--yes").returncode == 0
    (left,) = box.data.rglob("m.gguf")
    assert left.read_bytes() == weights
    left.unlink()
    box.refused("models", "use", "a", says="not there any more")


def test_a_file_that_another_name_has_too_stays(box: Box, hub: Hub):
    box.rag(*PULL, "--yes", "--name", "one")
    box.rag(*PULL, "--yes", "--name", "two")
    assert box.rag("models", "remove", "one", "--yes").returncode == 0
    assert box.rag("models", "use", "two").returncode == 0


def test_a_page_in_place_of_a_model(box: Box, hub: Hub):
    hub.files["/m.gguf"] = b"<html>Please log in</html>"
    box.env["HF_ENDPOINT"] = "http://hub.invalid"
    box.refused("models", "pull", f"{hub.url}/m.gguf", "--yes", says="is not a GGUF file")
    assert "m" not in names(box)
    assert not list((box.data / "models").rglob("*"))


def test_a_page_in_place_of_the_hub(box: Box, hub: Hub):
    hub.login = b"<html>Please log in</html>"
    for what in (f"hf:{REPO}/{FILE}", f"hf:{REPO}", "multilingual-e5-small"):
        said = box.refused("models", "pull", what, "--yes", says="What answers is not the hub.")
        assert "Is there a log-in page or a proxy between?" in said


def test_a_file_that_is_here_is_checked_again(tmp_path: Path):
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF")
    right = hashlib.sha256(b"GGUF").hexdigest()
    assert Wanted("u", "m.gguf", 4, right, file, "e").here
    file.write_bytes(b"GGUX")
    os.utime(file, ns=(1, 1))
    assert not Wanted("u", "m.gguf", 4, right, file, "e").here
    assert Wanted("u", "m.gguf", 4, "", file, "e").here  # nobody knows better


def test_a_disk_that_is_too_small(tmp_path: Path):
    free = shutil.disk_usage(tmp_path).free
    wanted = Wanted("u", "f", free + 1, "", tmp_path / "not" / "yet" / "f", "e")
    with pytest.raises(StorageError, match=r"are to come, and .* free. Free some space"):
        check_space((wanted,))
    check_space((Wanted("u", "f", 1, "", tmp_path / "f", "e"),))


def test_a_disk_that_fills_up_keeps_what_came(tmp_path: Path, monkeypatch):
    data = os.urandom(30_000_000)
    written: list[int] = []

    def full(self, piece: bytes) -> int:
        written.append(len(piece))
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        return int(self._handle.write(piece))

    with serving(Hub(files={"/f.gguf": data})) as hub:
        wanted = Wanted(f"{hub.url}/f.gguf", "f.gguf", len(data), "", tmp_path / "f.gguf", "e")
        with monkeypatch.context() as patched:
            patched.setattr(download._Counted, "write", full)
            with pytest.raises(StorageError, match="disk is full"):
                fetch(wanted, lambda _: None)
        begun = wanted.partial.stat().st_size
        assert 0 < begun < len(data)
        heard: list[int] = []
        assert fetch(wanted, heard.append).read_bytes() == data
    assert hub.asked[-1][2] == f"bytes={begun}-"
    assert heard[0] > begun
    assert heard[-1] == len(data)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("qwen3-4b", "hf:Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf"),
        ("Multilingual-E5-small", "hf:intfloat/multilingual-e5-small"),
        ("BAAI/bge-small-en-v1.5", "hf:BAAI/bge-small-en-v1.5"),
        ("hf:a/b", "hf:a/b"),
        ("hf:a/b/c/d.gguf", "hf:a/b/c/d.gguf"),
        ("https://huggingface.co/a/b/resolve/main/c.gguf?download=true", "hf:a/b/c.gguf"),
        ("https://huggingface.co/a/b/blob/main/c.gguf", "hf:a/b/c.gguf"),
        ("https://huggingface.co/a/b", "hf:a/b"),
        ("https://example.org/x/c.gguf", "https://example.org/x/c.gguf"),
    ],
)
def test_places_are_understood(text: str, place: str):
    assert str(parse_source(text)) == place


@pytest.mark.parametrize(
    "text", ["", "hf:", "hf:a", "hf:a/b/../../c", "ftp://x/y.gguf", "a/b", "x"]
)
def test_places_that_are_none(text: str):
    with pytest.raises(ModelError):
        parse_source(text)
