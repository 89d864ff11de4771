"""Settings: where they come from, which wins, and what is said of one that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Config
from rag.config_files import find_config, load_config
from rag.errors import ConfigError


def load(folder: Path, toml: str = "", environ: dict[str, str] | None = None, **flags) -> Config:
    if toml:
        (folder / "rag.toml").write_text(toml)
    own = {"RAG_CONFIG_DIR": str(folder / "own")}  # not that of whoever runs the tests
    return load_config(folder, {**own, **(environ or {})}, flags)


def test_defaults(tmp_path: Path):
    config = load(tmp_path)
    assert config.notes is None
    assert config.file is None
    assert (config.search_k, config.generator_context) == (5, 0)


def test_the_file_then_the_environment_then_flags(tmp_path: Path):
    toml = "[search]\nk = 7\n[generator]\ncontext = 2048\nthreads = 1\n"
    environ = {"RAG_SEARCH_K": "8", "RAG_GENERATOR_THREADS": "2"}
    config = load(tmp_path, toml, environ, search_k=9, generator_threads=None)
    assert (config.generator_context, config.generator_threads, config.search_k) == (2048, 2, 9)
    assert config.file == tmp_path / "rag.toml"


def test_an_empty_variable_is_none_at_all(tmp_path: Path):
    assert load(tmp_path, environ={"RAG_SEARCH_K": "", "RAG_NOTES": ""}).search_k == 5


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    (tmp_path / "rag.toml").write_text(
        'notes = "my notes"\n[generator]\nmodel = "./m.gguf"\n'
        '[embedder]\nmodel = "all-MiniLM-L6-v2"'
    )
    config = load_config(below, {})
    assert find_config(below) == config.file == tmp_path / "rag.toml"
    assert config.notes == tmp_path / "my notes"
    assert Path(config.generator_model) == tmp_path / "m.gguf"
    assert config.embedder_model == "all-MiniLM-L6-v2"


def test_the_nearest_file_counts(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "rag.toml").write_text("[search]\nk = 3\n")
    (inner / "rag.toml").write_text("[search]\nk = 4\n")
    assert load_config(inner, {}).search_k == 4


def test_tilde(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(tmp_path, 'notes = "~/vault"').notes == tmp_path / "vault"
    assert load(tmp_path, 'notes = "~no-such-user/x"').notes == tmp_path / "~no-such-user/x"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[search]\nkk = 3", r"'search.kk'.*Did you mean 'search.k'\?"),
        ("[serch]\nk = 3", r"'serch'.*Did you mean 'search'\?"),
        ("[generater]\nmodel = 'x'", r"'generater'.*Did you mean 'generator'\?"),
        ("[nots]\na = 'b'", r"'nots'.*Did you mean 'notes'\?"),
        ("[zebra]\nk = 3", r"'zebra'.*docs/settings.md lists the settings"),
        ("note = 'x'", r"'note'.*Did you mean 'notes'\?"),
        ("[generator]\nmodle = 'x'", r"Did you mean 'generator.model'\?"),
        ("search = 5", "'search', which is not a setting"),
        ("zebra = 5", "'zebra', which is not a setting. docs/settings.md lists the settings"),
        ("file = 'x'", "'file', which is not a setting"),
        ("[search]\nk = 'five'", "search.k must be a whole number, not 'five'"),
        ("[search]\nk = 5.5", "must be a whole number"),
        ("[search]\nk = true", "must be a whole number, not true"),
        ("[search]\nk = [1]", "must be a whole number"),
        ("[search]\nk = 0", "rag.toml: search.k = 0 is out of range: 1 to 50"),
        ("[search]\nk = 51", "out of range"),
        (
            "[generator]\ncontext = 10",
            r"context = 10 is out of range: 0 \(automatic\), or 512 to 1048576",
        ),
        ('[notes]\nv = "v"\nformats = "md, .pdf"', r'list of names.* formats = \["md", ".pdf"\]'),
        ("[generator]\nthreads = -1", "out of range"),
        ("[embedder]\nmodel = 5", "embedder.model must be text, not 5"),
        ("notes = ''", "notes must be text"),
        ("notes = ['a', 'b']", "notes must be text"),
        (r'notes = "a\u0000b"', "notes must be text"),
        (r'generator.model = "~\u0000"', "generator.model must be text"),
        ("notes = ", "not valid TOML"),
        ("notes = 'a'\nnotes = 'b'", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, toml: str, says: str):
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, toml)


@pytest.mark.parametrize(
    "setting",
    [
        "rerank.model",
        "grounding.model",
        "embedder.query_prompt",
        "embedder.document_prompt",
        "endpoint.key_env",
        "chat.theme",
    ],
)
def test_nothing_is_a_text_where_nothing_may_be_set(tmp_path: Path, setting: str):
    assert load(tmp_path, environ=own(tmp_path, f'{setting} = ""')) == replace(
        Config(), file=tmp_path / "own" / "rag.toml"
    )


def test_a_wrong_variable_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"RAG_SEARCH_K: search\.k must be a whole number"):
        load(tmp_path, environ={"RAG_SEARCH_K": "many"})
    with pytest.raises(ConfigError, match=r"RAG_SEARCH_K: search\.k = 999 is out of range"):
        load(tmp_path, "[search]\nk = 3", environ={"RAG_SEARCH_K": "999"})
    with pytest.raises(ConfigError, match=r"^search\.k = 99 is out of range"):
        load(tmp_path, "[search]\nk = 3", environ={"RAG_SEARCH_K": "4"}, search_k=99)


def test_a_file_that_is_no_text(tmp_path: Path):
    (tmp_path / "rag.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path)


def test_keys_and_theme_of_the_interface(tmp_path: Path):
    config = load(
        tmp_path, '[chat]\ntheme = "nord"\n[keys]\nsources = "ctrl+t"\n"turn.copy" = "c"\n'
    )
    assert config.chat_theme == "nord"
    assert config.keys == {"sources": "ctrl+t", "turn.copy": "c"}
    assert load(tmp_path, "", {"RAG_CHAT_THEME": "rag-light"}).chat_theme == "rag-light"


@pytest.mark.parametrize("toml", ["keys = 3", "[keys]\nsources = 3", '[keys]\nsources = ["a"]'])
def test_keys_must_be_text(tmp_path: Path, toml: str):
    with pytest.raises(ConfigError, match=r"\[keys\] must name keys as text"):
        load(tmp_path, toml)


def test_formats_of_notes_stand_beside_named_folders_or_in_the_environment(tmp_path):
    (tmp_path / "rag.toml").write_text('[notes]\nvault = "v"\nformats = ["md", ".htm"]\n')
    config = load_config(tmp_path, {})
    assert config.notes_formats == ("md", "html")
    assert config.folders == {"vault": tmp_path / "v"}
    (tmp_path / "rag.toml").write_text('[notes]\nformats = "f/md"\n')
    assert load_config(tmp_path, {}).folders == {"formats": tmp_path / "f" / "md"}
    config = load_config(tmp_path, {"RAG_NOTES_FORMATS": "org, txt"})
    assert config.notes_formats == ("org", "txt")


def test_an_unknown_format_suggests_the_nearest(tmp_path):
    (tmp_path / "rag.toml").write_text('[notes]\nformats = ["orgg"]\n')
    with pytest.raises(ConfigError, match="Did you mean 'org'"):
        load_config(tmp_path, {})
    (tmp_path / "rag.toml").write_text('[notes]\nformats = ["wav"]\n')
    with pytest.raises(ConfigError, match=r"'wav', which rag cannot read\. It reads md"):
        load_config(tmp_path, {})


def own(folder: Path, toml: str) -> dict[str, str]:
    (folder / "own").mkdir(exist_ok=True)
    (folder / "own" / "rag.toml").write_text(toml)
    return {"RAG_CONFIG_DIR": str(folder / "own")}


def test_the_readers_own_file_then_the_folders(tmp_path: Path):
    environ = own(tmp_path, '[search]\nk = 3\n[generator]\nthreads = 1\n[notes]\na = "/a"\n')
    assert load(tmp_path, environ=environ).file == tmp_path / "own" / "rag.toml"
    assert load(tmp_path, environ=environ).folders == {"a": Path("/a")}
    config = load(tmp_path, 'notes = "b"\n[search]\nk = 4\n', environ)
    assert (config.search_k, config.generator_threads) == (4, 1)
    assert config.file == tmp_path / "rag.toml"
    assert (config.notes, config.folders) == (tmp_path / "b", {})


ENDPOINT = '[endpoint]\nurl = "https://example.org/v1"\nmodel = "m"\nkey_env = "K"\n'


def test_an_endpoint_is_for_the_reader_alone_to_name(tmp_path: Path):
    environ = own(tmp_path, ENDPOINT + '[generator]\nmodel = "endpoint"\n')
    config = load(tmp_path, environ=environ)
    assert (config.endpoint_url, config.endpoint_model) == ("https://example.org/v1", "m")
    assert config.generator_model == "endpoint"
    assert load(tmp_path, environ={"RAG_ENDPOINT_URL": "http://x/v1"}).endpoint_url == "http://x/v1"
    for toml in (ENDPOINT, '[endpoint]\nkey_env = "K"\n', '[generator]\nmodel = "endpoint"\n'):
        with pytest.raises(ConfigError, match="may not choose where your notes are sent"):
            load(tmp_path, toml, environ)


def test_a_name_of_the_hub_is_no_path(tmp_path: Path):
    config = load(tmp_path, '[embedder]\nmodel = "org/name"\n[generator]\nmodel = "a/b.gguf"\n')
    assert config.embedder_model == "org/name"
    assert Path(config.generator_model) == tmp_path / "a" / "b.gguf"
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert Path(load(tmp_path).embedder_model) == tmp_path / "org" / "name"


def test_prompts_are_taken_as_they_are(tmp_path: Path):
    toml = '[embedder]\nquery_prompt = "~ask / "\ndocument_prompt = "passage: "\n'
    assert load(tmp_path, toml).embedder_query_prompt == "~ask / "


def test_a_context_of_none_is_automatic(tmp_path: Path):
    assert load(tmp_path, "[generator]\ncontext = 0\n").generator_context == 0
    with pytest.raises(ConfigError, match="out of range"):
        load(tmp_path, "[generator]\ncontext = 1\n")
    with pytest.raises(ConfigError, match=r"generator\.thinking = 'maybe' is none of off, on"):
        load(tmp_path, '[generator]\nthinking = "maybe"\n')
