"""`rag doctor`: every finding with its cure, and status 1 where something is broken."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag.doctor import built_for, compare_processor
from rag.doctor_models import examine_models
from rag.models.catalog import find_model
from rag.models.prepared import seal
from rag.models.weights import locate
from tests.conftest import Box
from tests.openai_server import listing

pytestmark = pytest.mark.model
BUILT = "CPU : SSE3 = 1 | AVX = 1 | AVX2 = 1 | AVX512 = 0 | OPENMP = 1 | REPACK = 1 | "


def findings(box: Box, *flags: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = box.rag("doctor", "--json", *flags)
    return done.returncode, {each["about"]: each for each in json.loads(done.stdout)}


def test_llama_cpp_against_the_processor():
    assert built_for(BUILT) == ["AVX", "AVX2"]
    assert compare_processor(["AVX", "AVX2"], ["avx", "avx2"], "cure").state == "sound"
    slow = compare_processor(["AVX"], ["avx", "avx2"], "cure")
    assert (slow.state, slow.cure) == ("warning", "cure")
    assert "AVX2" in slow.found
    wrong = compare_processor(["AVX", "AVX512"], ["avx"], "cure")
    assert (wrong.state, wrong.cure) == ("broken", "cure")


def test_a_sound_machine_and_one_without_an_index(box: Box):
    status, found = findings(box)
    assert status == 1
    assert found["Index"]["cure"] == f"Run: rag index {box.notes}"
    box.index()
    status, found = findings(box, "--deep")
    assert status == 0, found
    assert {"Python", "llama.cpp", "Threads", "Memory", "Embedding model", "Index"} <= set(found)
    assert found["Index, verified"]["found"].startswith("3 notes, 4 passages, 4 vectors")
    assert all(each["cure"] for each in found.values() if each["state"] != "sound")
    plain = box.rag("doctor")
    assert plain.returncode == 0
    assert "3 notes, 4 passages" in plain.stdout
    for name in ("barrel.md", "trips/rhine.md"):
        (box.notes / name).unlink()
    (box.notes / "bees.md").write_text("The hive is green.\n")
    assert box.rag("index", "--remove-missing").returncode == 0
    assert "1 note, 1 passage\n" in box.rag("doctor").stdout


def test_files_that_are_missing_beside_a_sound_database(box: Box):
    box.index()
    shutil.rmtree(box.index_dir / "words")
    status, found = findings(box)
    assert (status, found["Index"]["state"]) == (1, "broken")
    assert "missing or damaged" in found["Index"]["found"]
    assert box.rag("index", str(box.notes)).returncode == 0
    status, found = findings(box)
    assert (status, found["Index"]["state"]) == (0, "sound")


def test_only_files_that_are_notes_here_are_counted(box: Box):
    box.env["RAG_NOTES_FORMATS"] = "org"
    _, found = findings(box)
    notes = found[f"Notes in {box.notes}"]
    assert (notes["state"], notes["found"]) == ("broken", "none")


def test_notes_that_are_skipped_are_counted_as_indexing_counts_them(box: Box):
    (box.notes / "empty.md").write_text(" ")
    (box.notes / "broken.ipynb").write_text("{")
    (box.notes / "large.csv").write_text("a,b\n" + "x,y\n" * 2001)
    (box.notes / "pond.txt").write_text("The pond is deep.\n")
    box.env["RAG_NOTES_FORMATS"] = "md,csv,ipynb"
    done = json.loads(box.rag("index", "--json").stdout)
    assert (done["added"], len(done["skipped"])) == (3, 3)
    _, found = findings(box)
    assert found[f"Notes in {box.notes}"]["found"] == "3, 3 skipped: rag index names them"
    assert found["Index"]["state"] == "sound", "nothing changed, however new the files are"
    (box.notes / "empty.md").write_text("Not empty any more.\n")
    _, found = findings(box)
    assert found[f"Notes in {box.notes}"]["found"] == "4, 2 skipped: rag index names them"


def test_a_prepared_model_that_is_not_as_it_was_written(box: Box, tmp_path: Path):
    engine = box.engine(cache_dir=tmp_path / "cache")
    prepared = tmp_path / "cache/models/old.onnx"
    prepared.parent.mkdir(parents=True)
    prepared.write_bytes(b"as written")
    seal(prepared)
    prepared.write_bytes(b"changed")
    finding = next(examine_models(engine))
    assert (finding.about, finding.state) == ("Prepared models", "warning")
    assert finding.found == "old.onnx: not as written, prepared again"
    assert not prepared.exists()


def test_what_deep_finds_is_mended_as_it_says(box: Box):
    box.index()
    file = box.index_dir / "index.db"
    file.write_bytes(file.read_bytes().replace(b"300 litres", b"900 litres"))
    status, found = findings(box, "--deep")
    assert status == 1
    assert "passages are not as they were written" in found["Index, verified"]["found"]
    assert found["Index, verified"]["cure"].endswith(f"rag index --check {box.notes}")
    done = box.rag("index", "--check")
    assert "1 note was read again" in done.stderr
    status, _ = findings(box, "--deep")
    assert status == 0


def test_an_altered_passage_is_mended_before_it_is_shown(box: Box):
    box.index()
    file = box.index_dir / "index.db"
    file.write_bytes(file.read_bytes().replace(b"300 litres", b"900 litres"))
    done = box.rag("search", "How many litres does the rain barrel hold?")
    assert "300 litres" in done.stdout
    assert "900 litres" not in done.stdout
    assert "A part of the index was damaged" in done.stderr


@contextmanager
def serving(value: object) -> Iterator[int]:
    """A server on this machine that says the same to everyone; its port."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_models_of_ones_own_are_sound(box: Box):
    """One that was added by name, and a server on this machine that listens, or does not."""
    box.index()
    own = locate(find_model("SmolLM2-135M-Instruct", "generator"))
    assert box.rag("models", "add", str(own), "--name", "mine").returncode == 0
    box.env["RAG_GENERATOR_MODEL"] = "mine"
    status, found = findings(box)
    assert status == 0, found
    assert found["Language model"]["found"].startswith("mine, reads ")
    with serving({"data": [{"id": "big", "object": "model"}], "object": "list"}) as port:
        address = f"http://127.0.0.1:{port}/v1"
        box.env |= {
            "RAG_GENERATOR_MODEL": "endpoint",
            "RAG_ENDPOINT_URL": address,
            "RAG_ENDPOINT_MODEL": "big",
        }
        status, found = findings(box)
        assert (status, found["Language model"]["state"]) == (0, "sound")
        box.env["RAG_ENDPOINT_MODEL"] = "bog"
        status, found = findings(box)
        assert (status, found["Language model"]["state"]) == (1, "broken")
        assert "has no model 'bog'" in found["Language model"]["found"]
    status, found = findings(box)
    assert (status, found["Language model"]["state"]) == (1, "broken")
    assert "nothing listens there" in found["Language model"]["found"]
    assert "rag models use" in found["Language model"]["cure"]


def test_an_address_without_its_v1_is_broken(box: Box):
    box.index()
    with listing(["smol"]) as address:
        box.env |= {
            "RAG_GENERATOR_MODEL": "endpoint",
            "RAG_ENDPOINT_URL": address,
            "RAG_ENDPOINT_MODEL": "smol",
        }
        status, found = findings(box)
    assert (status, found["Language model"]["state"]) == (1, "broken")
    assert f"rag models use endpoint --url {address}/v1 " in found["Language model"]["cure"]


def test_other_models_and_what_rag_chat_is_told_are_looked_at(box: Box):
    box.index()
    _, found = findings(box)
    assert found.keys().isdisjoint(("Reranker", "Judge of sentences", "rag chat"))
    box.env |= {
        "RAG_RERANK_MODEL": "/gone/reranker",
        "RAG_GROUNDING_MODEL": "/gone/judge",
        "RAG_CHAT_THEME": "rag-lite",
    }
    status, found = findings(box)
    assert status == 1
    assert "/gone/reranker is not on this machine" in found["Reranker"]["found"]
    assert "[rerank]" in found["Reranker"]["cure"]
    assert "no folder /gone/judge" in found["Judge of sentences"]["found"]
    assert "[grounding]" in found["Judge of sentences"]["cure"]
    assert "Did you mean 'rag-light'?" in found["rag chat"]["cure"]
    box.env = {"RAG_CHAT_THEME": "nord"}
    (box.folder / "rag.toml").write_text('[keys]\nsources = "ctrl+o"\n')
    status, found = findings(box)
    assert (status, found["rag chat"]["state"]) == (0, "sound")
    (box.folder / "rag.toml").write_text('[keys]\nsorces = "ctrl+o"\n')
    assert "Did you mean 'sources'?" in findings(box)[1]["rag chat"]["cure"]


def test_settings_that_stop_all_else_are_a_finding(box: Box):
    box.env["RAG_EMBEDDER_MODEL"] = "all-MiniLM-L6"
    status, found = findings(box)
    assert status == 1
    assert found["Python"]["state"] == "sound"
    assert "all-MiniLM-L6-v2" in found["Settings"]["cure"]
    for about in ("Threads", "Memory", "Language model", "Data folder", "Conversations"):
        assert found[about]["state"] != "broken", found[about]
    assert "Embedding model" not in found
    assert found["Not looked at"]["found"] == "embedding model, notes, index"
    box.env.clear()
    (box.folder / "rag.toml").write_text("k = [")
    status, found = findings(box)
    assert (status, found["Settings"]["state"]) == (1, "broken")
    assert found["Not looked at"]["found"] == "what rag.toml sets, notes, index"
    for about in ("Threads", "Memory", "Language model", "Data folder", "Conversations"):
        assert found[about]["state"] != "broken", found[about]
    box.env["RAG_GENERATOR_THREADS"] = "many"
    status, found = findings(box)
    assert (status, found["Settings"]["state"]) == (1, "broken")
    assert "models, data folder, notes, index" in found["Not looked at"]["found"]
    del box.env["RAG_GENERATOR_THREADS"]
    (box.folder / "rag.toml").unlink()
    status, found = findings(box, "--notes", "gone")
    assert status == 1
    assert all(each["cure"] for each in found.values() if each["state"] != "sound")


def test_with_a_wrong_language_model_all_else_is_looked_at(box: Box):
    box.index()
    for env, says in (
        ({"RAG_GENERATOR_MODEL": "SmolLM2-135"}, "Did you mean 'SmolLM2-135M-Instruct'?"),
        ({"RAG_GENERATOR_MODEL": "endpoint"}, "rag models use endpoint --url"),
    ):
        box.env |= env
        status, found = findings(box)
        assert (status, found["Language model"]["state"]) == (1, "broken")
        assert says in found["Language model"]["cure"]
        notes = f"Notes in {box.notes}"
        for about in ("Threads", "Memory", "Embedding model", notes, "Index", "Conversations"):
            assert found[about]["state"] != "broken", found[about]


def test_the_machine_is_looked_at_before_any_notes_are_named(box: Box):
    box.env["RAG_NOTES"] = ""
    status, found = findings(box)
    assert (status, found["Notes"]["state"]) == (1, "broken")
    for about in ("Threads", "Memory", "Embedding model", "Language model", "Data folder"):
        assert found[about]["state"] != "broken", found[about]


def test_a_data_folder_that_cannot_be_made(box: Box):
    box.index()
    box.env["RAG_DATA_DIR"] = "/proc/nothing"
    _, found = findings(box)
    assert found["Data folder"]["state"] == "broken"
    assert "/proc/nothing cannot be used" in found["Data folder"]["found"]
    assert not list(box.folder.glob(".rag-*"))
