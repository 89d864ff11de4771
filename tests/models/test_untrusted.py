"""Models that somebody handed over: nothing in them is believed, and nothing of them is run."""

from __future__ import annotations

import ast
import json
import shutil
import signal
import struct
from pathlib import Path

import pytest

from rag.answering.templates import render
from rag.errors import ModelError
from rag.models.catalog import BUNDLED, find_model
from rag.models.folders import check_folder
from rag.models.gguf import check_gguf
from rag.models.weights import ADAPTERS, embedder_files, generator_file, locate, run_apart
from tests.fuzz.properties import small_gguf

PACKAGES = [Path(__file__).parents[2] / name for name in ("rag", "tui")]


def _field(key: bytes, value: bytes) -> bytes:
    return struct.pack("<Q", len(key)) + key + value


def _file(fields: list[bytes], tensors: bytes = b"", count: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, count, len(fields)) + b"".join(fields) + tensors


HUGE = struct.pack("<Q", 1 << 62)
BROKEN = {
    "nothing": b"",
    "another kind": b"PK\x03\x04" + bytes(64),
    "a version to come": b"GGUF" + struct.pack("<IQQ", 99, 0, 0),
    "more tensors than there are": b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0),
    "a string longer than the file": _file([_field(b"a", struct.pack("<I", 8) + HUGE)]),
    "a list longer than the file": _file([_field(b"a", struct.pack("<II", 9, 8) + HUGE)]),
    "numbers longer than the file": _file([_field(b"a", struct.pack("<II", 9, 4) + HUGE)]),
    "lists in lists": _file([_field(b"a", struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50)]),
    "an unknown kind": _file([_field(b"a", struct.pack("<I", 77))]),
    "the same twice": _file([_field(b"a", struct.pack("<IB", 0, 1))] * 2),
    "an alignment of nothing": _file([_field(b"general.alignment", struct.pack("<II", 4, 0))]),
    "weights that are not there": small_gguf()[:-8],
    "weights beyond the file": small_gguf().replace(
        struct.pack("<IQQ", 2, 4, 2), struct.pack("<IQQ", 2, 1 << 40, 2)
    ),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_gguf_header_that_cannot_be_true(tmp_path: Path, data: bytes):
    (tmp_path / "m.gguf").write_bytes(data)
    with pytest.raises(ModelError, match=r"m\.gguf is not a GGUF file"):
        check_gguf(tmp_path / "m.gguf")


def test_sound_gguf_files_pass(tmp_path: Path):
    (tmp_path / "m.gguf").write_bytes(small_gguf())
    check_gguf(tmp_path / "m.gguf")
    for spec in BUNDLED:
        if spec.kind == "generator":
            check_gguf(locate(spec))
            check_gguf(ADAPTERS / spec.adapter)


def test_a_file_that_breaks_its_reader_breaks_another_process(tmp_path: Path):
    """Sound as far as a header goes, and no model at all."""
    (tmp_path / "m.gguf").write_bytes(small_gguf())
    with pytest.raises(ModelError, match="could not be loaded"):
        generator_file(find_model(str(tmp_path / "m.gguf"), "generator"), tmp_path / "cache")


def with_template(source: Path, target: Path, template: str) -> None:
    """A copy of a GGUF file with another chat template."""
    from gguf import GGUFReader, GGUFWriter

    from rag.models.adapter import _copy_header

    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    _copy_header(reader, writer)
    writer.kv_data[0].pop("tokenizer.chat_template", None)
    writer.add_chat_template(template)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


SAID = "{% for m in messages %}{{ m.content }}{% endfor %}"
ESCAPES = {
    "classes": SAID + "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": SAID + "{{ lipsum.__globals__['os'].getcwd() }}",
    "what it is called with": SAID + "{% do messages.append(1) %}{{ messages.clear() }}",
    "a file": SAID + "{% include '/etc/passwd' %}",
    "a long loop": SAID + "{% for x in range(10**9) %}a{% endfor %}",
}


@pytest.mark.parametrize("template", ESCAPES.values(), ids=ESCAPES)
def test_a_chat_template_stays_in_its_sandbox(template: str):
    assert render(SAID, ["user"], "", "") is not None
    assert render(template, ["user"], "", "") is None


@pytest.mark.model
def test_a_chat_template_that_fails_is_not_used(tmp_path: Path, models_cache: Path):
    from rag.answering.generation import LlamaGenerator
    from rag.answering.messages import Message

    file = tmp_path / "hostile.gguf"
    source = generator_file(find_model("SmolLM2-135M-Instruct", "generator"), models_cache)
    with_template(source, file, ESCAPES["classes"])
    generator = LlamaGenerator(file, "hostile", 512, 2)
    ids = generator.prompt_ids([Message("user", "Hello")])
    assert len(ids) < 30, "as plain ChatML"
    generator.close()


@pytest.mark.model
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that ends a process")
def test_a_chat_template_without_an_end(tmp_path: Path, models_cache: Path):
    file = tmp_path / "endless.gguf"
    source = generator_file(find_model("SmolLM2-135M-Instruct", "generator"), models_cache)
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with_template(source, file, loop)
    with pytest.raises(ModelError, match="does not come to its end"):
        generator_file(find_model(str(file), "generator"), tmp_path / "cache")


# Embedders


def _embedder(folder: Path, **files: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"x")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"modules": [{"type": "evil.Module"}]}, "code of its own"),
        ({"modules": [{"type": "os.system"}]}, "code of its own"),
        ({"modules": [{}]}, "code of its own"),
        ({"config": {"auto_map": {"AutoModel": "evil.Model"}}}, "code of its own"),
    ],
)
def test_an_embedder_that_brings_code(tmp_path: Path, files, says: str):
    folder = _embedder(tmp_path / "e", **files)
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match=says):
        embedder_files(find_model(str(folder), "embedder"), tmp_path / "cache")
    assert not (tmp_path / "ran").exists()


def test_an_embedder_that_brings_a_pickle(tmp_path: Path):
    folder = _embedder(tmp_path / "e", modules=[{"type": "sentence_transformers.models.Dense"}])
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=r"pickle \(2_Dense/pytorch_model.bin\)"):
        check_folder(folder)
    (folder / "2_Dense" / "model.safetensors").write_bytes(b"x")
    check_folder(folder)
    (folder / "modules.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="JSON"):
        check_folder(folder)


def test_the_bundled_embedder_passes():
    check_folder(locate(find_model("all-MiniLM-L6-v2", "embedder")).parent)


# What the programs of this project never do


def _calls() -> list[tuple[Path, ast.Call]]:
    return [
        (file, node)
        for package in PACKAGES
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    ]


def test_no_pickles_no_remote_code_no_shell():
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for package in PACKAGES:
        for file in package.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not {name.split(".")[0] for name in names} & forbidden, file
    for file, call in _calls():
        name = ast.unparse(call.func)
        options = {each.arg: ast.unparse(each.value) for each in call.keywords}
        assert options.get("trust_remote_code", "False") == "False", file
        assert options.get("shell", "False") == "False", file
        assert name not in {"eval", "exec", "os.system", "os.popen", "torch.load", "yaml.load"}, (
            file
        )
        started = ast.unparse(call.args[0]) if call.args else ""
        if started.startswith("[sys.executable"):  # else modules are looked for in this folder
            assert started.startswith("[sys.executable, '-P'"), file
        if name == "np.load":
            assert options.get("allow_pickle", "False") == "False", file
        if name.endswith(("SentenceTransformer", "CrossEncoder")):
            assert options.get("trust_remote_code") == "False", file
            assert "use_safetensors" in options.get("model_kwargs", ""), file


def test_the_current_folder_holds_no_modules_of_ours(tmp_path: Path, monkeypatch):
    """A folder of notes may hold a `torch.py`; a process that is started must not import it."""
    for name in ("torch", "json", "llama_cpp", "gguf", "psutil"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    shutil.copy(locate(BUNDLED[1]), tmp_path / "m.gguf")
    assert run_apart("rag.models.probe", str(tmp_path / "m.gguf")).returncode == 0
    assert not (tmp_path / "ran").exists()
