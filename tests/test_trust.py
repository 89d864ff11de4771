"""A `rag.toml` that came with a folder of notes runs nothing and sends nothing anywhere."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from rag import open_notes
from rag.config import Config
from rag.config_files import load_config
from rag.trust import HARMLESS
from rag.wiring import settle_folders
from tests.conftest import Box

HOSTILE = """
data_dir = "./stolen"
cache_dir = "./poisoned"
notes = "."
[embedder]
model = "./evil"
[generator]
model = "./evil.gguf"
context = 2048
[search]
k = 7
"""
UNREAD = ("data_dir", "cache_dir", "embedder_model", "generator_model")


def write(folder: Path, text: str = HOSTILE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rag.toml").write_text(text)
    return folder


def test_only_what_does_no_harm_is_read_from_a_notes_folder(tmp_path: Path):
    config = load_config(write(tmp_path / "vault"), {})
    assert config.unread == UNREAD
    assert (config.data_dir, config.cache_dir) == (Config().data_dir, Config().cache_dir)
    assert config.generator_model == Config().generator_model
    assert (config.search_k, config.generator_context) == (7, 2048)


@pytest.mark.parametrize("sign", [".git/", ".obsidian/", "note.md", "deep/.git/"])
def test_a_clone_or_a_vault_is_known_by_what_lies_in_it(tmp_path: Path, sign: str):
    place = tmp_path / sign
    place.mkdir(parents=True) if sign.endswith("/") else place.write_text("x")
    inside = tmp_path / "deep" / "er" if "deep" in sign else tmp_path
    config = load_config(write(inside, HOSTILE.replace('notes = "."', "")), {})
    assert config.unread == UNREAD


def test_the_folder_that_is_asked_is_a_notes_folder(tmp_path: Path):
    text = '[generator]\nmodel = "./mine.gguf"\n'
    inside = write(tmp_path / "notes" / "work", text)
    assert load_config(inside, {}).generator_model == str(inside / "mine.gguf")
    assert load_config(inside, {}, asked=[tmp_path / "notes"]).unread == ("generator_model",)
    assert load_config(inside, {"RAG_NOTES": str(tmp_path / "notes")}).unread
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "notes")
    assert load_config(inside, {}, asked=[link]).unread


def test_the_folders_that_the_reader_names_are_notes_folders(tmp_path: Path):
    own = write(tmp_path / "own", f'[notes]\nvault = "{tmp_path}/vault"\nother = "{tmp_path}/o"\n')
    inside = write(tmp_path / "vault" / "work", '[rerank]\nmodel = "./evil"\n')
    config = load_config(inside, {"RAG_CONFIG_DIR": str(own)}, asked=[tmp_path / "o"])
    assert (config.unread, config.rerank_model) == (("rerank_model",), Config().rerank_model)


def test_the_python_interface_trusts_no_more(tmp_path: Path, monkeypatch):
    inside = write(tmp_path / "vault" / "work", '[rerank]\nmodel = "./evil"\n')
    monkeypatch.chdir(inside)
    with pytest.warns(UserWarning, match=r"Not read from .*rerank\.model"):
        notes = open_notes(tmp_path / "vault", data_dir=tmp_path / "d", cache_dir=tmp_path / "c")
    assert notes.engine.parts.settings.rerank_model == Config().rerank_model
    notes.close()


def test_an_endpoint_of_a_notes_folder_is_left_out_and_stops_nothing(tmp_path: Path):
    text = (
        '[generator]\nmodel = "endpoint"\n[endpoint]\nurl = "https://x.invalid/v1"\nmodel = "m"\n'
    )
    vault = write(tmp_path / "vault", text)
    (vault / "note.md").write_text("x")
    config = load_config(vault, {})
    assert config.unread == ("generator_model", "endpoint_url", "endpoint_model")
    assert (config.generator_model, config.endpoint_url) == (Config().generator_model, "")
    inner = write(tmp_path / "notes" / "work", text)
    for wanted in (str(tmp_path / "notes"), ".."):
        config, _ = settle_folders(
            lambda asked: load_config(inner, {}, asked=asked), [wanted], inner
        )
        assert "endpoint_url" in config.unread


@pytest.mark.parametrize("names", ['[notes]\nown = "."\na = "{}"', 'notes = "{}"'])
def test_folders_elsewhere_that_a_notes_folder_names_are_told(box: Box, names: str):
    elsewhere = box.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pin.md").write_text("The pin is 1234.\n")
    write(box.notes, names.format(elsewhere))
    environ = {key: value for key, value in box.environ().items() if key != "RAG_NOTES"}
    config = load_config(box.notes, environ)
    assert config.strays == (elsewhere,)
    box.env = {"RAG_NOTES": ""}
    done = box.rag("search", "pin", cwd=box.notes)
    assert f"Notes: {elsewhere}, which {box.notes / 'rag.toml'} names" in done.stderr
    if "[notes]" in names:  # by the name that the file gives it, too, though a folder is called so
        (box.notes / "a").mkdir()
        done = box.rag("search", "pin", "--notes", "a", cwd=box.notes)
        assert f"Notes: {elsewhere}, which" in done.stderr
    for typed in (str(elsewhere), "../elsewhere"):
        done = box.rag("search", "pin", "--notes", typed, cwd=box.notes)
        assert "which" not in done.stderr
    write(box.notes, 'notes = "trips"\n')
    assert load_config(box.notes, environ).strays == ()


def test_ones_own_file_above_the_notes_is_read(tmp_path: Path):
    write(tmp_path, '[generator]\nmodel = "./mine.gguf"\n')
    notes = tmp_path / "notes"
    notes.mkdir()
    config = load_config(notes, {}, asked=[notes])
    assert (config.generator_model, config.unread) == (str(tmp_path / "mine.gguf"), ())


def test_a_home_folder_may_hold_notes(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "todo.md").write_text("x")
    (tmp_path / ".git").mkdir()
    write(tmp_path, '[generator]\nmodel = "./mine.gguf"\n')
    assert load_config(tmp_path, {}).unread == ()
    (tmp_path / "work").mkdir()
    assert load_config(tmp_path / "work", {}).unread == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_another_user_is_a_strangers(tmp_path: Path):
    write(tmp_path, '[generator]\nmodel = "./mine.gguf"\n')
    os.chown(tmp_path / "rag.toml", 12345, 12345)
    assert load_config(tmp_path, {}).unread == ("generator_model",)


def test_a_model_that_came_with_rag_may_be_chosen(tmp_path: Path):
    text = 'notes = "."\n[generator]\nmodel = "SmolLM2-135M-Instruct"\n'
    assert load_config(write(tmp_path, text), {}).unread == ()


def test_a_new_setting_is_not_read_from_strangers_unless_somebody_says_so():
    """Whoever adds a setting decides: does it run, load, send or write anything? Then not here."""
    risky = {"data_dir", "cache_dir", "embedder_model", "generator_model"}
    names = {each.name for each in fields(Config)} - {"file", "folders", "unread", "strays"}
    assert names >= HARMLESS
    assert risky.isdisjoint(HARMLESS)
    for name in HARMLESS:
        assert not any(
            word in name for word in ("model", "url", "endpoint", "command", "editor", "dir")
        )


@pytest.mark.model
def test_the_reader_is_told(box: Box):
    write(box.notes)
    done = box.rag("index", str(box.notes), cwd=box.notes)
    assert done.returncode == 0, done.stderr
    assert "generator.model" in done.stderr
    assert "lies in a notes folder" in done.stderr
    assert not (box.notes / "stolen").exists()
    assert not (box.notes / "poisoned").exists()
