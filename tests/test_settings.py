"""Settings that are written: nothing else in the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config_files import load_config
from rag.errors import ConfigError, StorageError
from rag.settings import file_for, set_values

FILE = """\
# My notes.
notes = "~/vault"   # the big one

[search]
k = 7 # seven

[generator]
# a small one for now
model = "old"
threads = 2
"""


def test_comments_and_order_stay(tmp_path: Path):
    file = tmp_path / "rag.toml"
    file.write_text(FILE)
    file.chmod(0o600)
    set_values(file, "generator", {"model": 'a "new" one'})
    assert file.read_text() == FILE.replace('"old"', '"a \\"new\\" one"')
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_and_a_table_are_made(tmp_path: Path):
    file = tmp_path / "new" / "rag.toml"
    set_values(file, "generator", {"model": "m"})
    set_values(file, "endpoint", {"url": "http://localhost/v1", "model": "x"})
    config = load_config(tmp_path, {"RAG_CONFIG_DIR": str(file.parent)})
    assert (config.generator_model, config.endpoint_model) == ("m", "x")
    assert config.file == file
    assert "docs/settings.md" in file.read_text()


def test_windows_line_ends_stay(tmp_path: Path):
    file = tmp_path / "rag.toml"
    file.write_bytes(FILE.replace("\n", "\r\n").encode())
    set_values(file, "generator", {"model": "new"})
    assert file.read_bytes() == FILE.replace("old", "new").replace("\n", "\r\n").encode()


def test_a_link_is_followed(tmp_path: Path):
    (tmp_path / "dotfiles.toml").write_text(FILE)
    link = tmp_path / "rag.toml"
    link.symlink_to("dotfiles.toml")
    set_values(link, "generator", {"model": "new"})
    assert link.is_symlink()
    assert '"new"' in (tmp_path / "dotfiles.toml").read_text()


def test_a_broken_file_is_left_alone(tmp_path: Path):
    file = tmp_path / "rag.toml"
    file.write_text("[generator\nmodel = 3")
    with pytest.raises(ConfigError, match="not valid TOML"):
        set_values(file, "generator", {"model": "m"})
    assert file.read_text() == "[generator\nmodel = 3"
    file.write_text("generator = 3")
    with pytest.raises(ConfigError, match="not a table"):
        set_values(file, "generator", {"model": "m"})


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match=r"taken cannot be used: file exists.*RAG_CONFIG_DIR"):
        set_values(tmp_path / "taken" / "rag.toml", "generator", {"model": "m"})


def test_the_file_that_counts(tmp_path: Path):
    own = {"RAG_CONFIG_DIR": str(tmp_path / "own")}
    vault = tmp_path / "vault"
    vault.mkdir()
    assert file_for("generator", "model", vault, own) == tmp_path / "own" / "rag.toml"
    (vault / "rag.toml").write_text("[search]\nk = 3\n")
    assert file_for("generator", "model", vault, own) == tmp_path / "own" / "rag.toml"
    (vault / "rag.toml").write_text('[generator]\nmodel = "m"\n')
    assert file_for("generator", "model", vault, own) == vault / "rag.toml"
