"""The commands for Neovim that docs/neovim.md gives, in a real one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
PAGE = Path(__file__).parents[2] / "docs" / "neovim.md"
DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"
WAIT = """
local function wait(ready)
  assert(vim.wait(60000, ready, 50), "nothing came of it")
end
local function keys(typed)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(typed, true, false, true), "xt", false)
end
local function answered(question)
  vim.cmd("Rag " .. question)
  wait(function() return vim.bo.buftype == "nofile" end)
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end
local told = {}
vim.notify = function(text) table.insert(told, text) end
local opened = {}
vim.ui.open = function(path) table.insert(opened, path) end
"""


@pytest.fixture
def neovim() -> str:
    program = shutil.which("nvim")
    if program is None:
        pytest.skip("Neovim is not installed")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, re.findall(r"\d+", said)[:2])) < (0, 10):
        pytest.skip("Neovim is older than 0.10")
    return program


def run(box: Box, program: str, script: str) -> Any:
    """What `script` puts into `result`, with the page's commands at hand and ~/notes the notes."""
    (code,) = re.findall(r"^```lua\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    programs = box.folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "rag").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rag "$@"\n')
    (programs / "rag").chmod(0o755)
    file = box.folder / "script.lua"
    written = f"vim.fn.writefile({{vim.json.encode(result)}}, '{box.folder}/result')"
    file.write_text(f"{code}\n{WAIT}\nlocal result = {{}}\n{script}\n{written}\n")
    environ = box.environ()
    environ |= {"HOME": str(box.folder), "PATH": f"{programs}:{environ['PATH']}"}
    done = subprocess.run(
        [program, "--clean", "--headless", "-l", str(file)],
        env=environ,
        cwd=box.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((box.folder / "result").read_text())


def test_a_source_opens_at_its_line_and_a_document_in_its_own_program(box: Box, neovim: str):
    (box.notes / "heat.pdf").write_bytes((DOCUMENTS / "heat.pdf").read_bytes())
    box.index()
    script = """
    result.text = answered("When was the hive painted green?")
    vim.fn.search("^\\\\[1\\\\]")
    keys("<CR>")
    result.note = {vim.fn.expand("%:t"), vim.fn.line(".")}
    vim.cmd("only")
    result.document = answered("How many watts does the unit draw at full load?")
    vim.fn.search("heat.pdf, p")
    keys("<CR>")
    result.opened = opened
    """
    result = run(box, neovim, script)
    assert "[1] bees.md:3" in result["text"]
    assert result["note"] == ["bees.md", 3]
    assert "[1] heat.pdf, p. 1" in result["document"]
    assert result["opened"] == [str(box.notes / "heat.pdf")]


def test_a_task_of_a_list_opens(box: Box, neovim: str):
    (box.notes / "tasks.md").write_text("# *Tasks*\n\n- [ ] paint the hive\n- [ ] oil the gate\n")
    box.index()
    script = """
    result.text = answered("Which tasks are open?")
    vim.fn.search("oil the gate")
    keys("<CR>")
    result.note = {vim.fn.expand("%:t"), vim.fn.line(".")}
    """
    result = run(box, neovim, script)
    assert result["text"][0] == "2 open tasks in 1 note:"
    assert result["text"][-1] == "tasks.md:4  oil the gate"
    assert result["note"] == ["tasks.md", 4]


def test_found_documents_are_named_and_not_jumped_to(box: Box, neovim: str):
    (box.notes / "heat.pdf").write_bytes((DOCUMENTS / "heat.pdf").read_bytes())
    box.index()
    script = """
    vim.cmd("RagFind how many watts does the unit draw")
    wait(function() return vim.bo.buftype == "quickfix" end)
    for _, each in ipairs(vim.fn.getqflist()) do
      local file = each.bufnr > 0 and vim.fn.fnamemodify(vim.fn.bufname(each.bufnr), ":t") or ""
      table.insert(result, {file, each.valid, each.text})
    end
    """
    found = run(box, neovim, script)
    document = next(each for each in found if each[2].startswith("heat.pdf, p. 1: "))
    assert document[:2] == ["", 0]
    assert "barrel.md" in {file for file, valid, _ in found if valid}


def test_whole_lines_that_are_selected_are_asked_whole(box: Box, neovim: str):
    box.index()
    script = """
    vim.ui.input = function(_, done) done("Who is the landlord?") end
    local lines = {"The rent is 500 euros.", "The landlord is Mrs Ogden.", "It is an old house."}
    vim.api.nvim_buf_set_lines(0, 0, -1, false, lines)
    keys("ggVj\\\\r")
    wait(function() return #told > 0 end)
    result.told = told
    """
    assert "Mrs Ogden" in run(box, neovim, script)["told"][0]
