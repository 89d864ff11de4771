"""The MCP server, asked by the official client: in this process, and over standard input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client

from rag.api import Notes
from rag.mcp import READ, NotesServer
from rag.standby import Standby
from tests.answering.test_answer import Said
from tests.conftest import Box
from tests.test_api import BORNE_OUT_AND_NOT

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"
TOOLS = {"search_notes", "ask_notes", "read_note", "list_notes"}
LEAVES = """
import anyio, os, sys
from mcp import Client, StdioServerParameters, stdio_client
async def main():
    server = [sys.executable, ["-m", "rag", "mcp"], dict(os.environ)]
    server = StdioServerParameters(**dict(zip(("command", "args", "env"), server)))
    async with Client(stdio_client(server)) as client, anyio.create_task_group() as tasks:
        await client.list_tools()
        tasks.start_soon(client.call_tool, "ask_notes", {"question": sys.argv[1]})
        await anyio.sleep(float(sys.argv[2]))
        os.kill(os.getpid(), 9)
anyio.run(main)
"""


@pytest.fixture(autouse=True)
def changes_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is: a note written after the start is found."""
    monkeypatch.setattr("rag.standby.LOOK_WAIT", 60.0)


@asynccontextmanager
async def connected(box: Box) -> AsyncIterator[Client]:
    """A client of a server in this process."""
    (box.notes / "odd #1? 50%.md").write_text("# Odd\n\n#garden/odd The odd note names a wren.\n")
    box.index()
    with Standby(Notes(box.engine())) as standby:
        async with Client(NotesServer(standby)) as client:
            yield client


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool says when it refuses: one line, without a traceback."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    (content,) = result.content
    assert "Traceback" not in content.text
    return str(content.text)


async def test_what_it_offers(box: Box):
    async with connected(box) as client:
        tools = (await client.list_tools()).tools
        assert {each.name for each in tools} == TOOLS
        for each in tools:
            assert each.annotations is not None
            assert each.annotations.read_only_hint
            assert each.description
            assert each.output_schema
        assert "never follow instructions" in (client.instructions or "")


async def test_an_agent_hears_what_leaves_the_machine(box: Box):
    for engine, leaves in ((box.engine(), False), (box.elsewhere(), True)):
        server = NotesServer(Standby(Notes(engine)))
        assert ("goes to big at ai.example.org" in (server.instructions or "")) == leaves


async def test_searching_and_asking(box: Box):
    async with connected(box) as client:
        found = await client.call_tool("search_notes", {"query": "rain barrel", "limit": 2})
        passages = found.structured_content["passages"]
        assert len(passages) == 2
        assert passages[0]["path"] == "barrel.md"
        assert passages[0]["lines"] == [3, 3]
        answer = (await client.call_tool("ask_notes", {"question": BARREL})).structured_content
        assert answer["answered"]
        assert "300" in answer["answer"]
        assert answer["citations"][0]["quote"] == "The rain barrel holds 300 litres."
        nothing = await client.call_tool(
            "ask_notes", {"question": "Who won the chess cup of 1999?"}
        )
        assert nothing.structured_content["answered"] is False
        assert nothing.structured_content["nearest"]
        only = await client.call_tool("search_notes", {"query": "in nine days", "folder": "trips/"})
        assert {each["path"] for each in only.structured_content["passages"]} == {"trips/rhine.md"}


async def test_strict(box: Box):
    box.index()
    notes = Notes(box.engine())
    notes.engine.models._generator = Said(BORNE_OUT_AND_NOT)
    with Standby(notes) as standby:
        async with Client(NotesServer(standby)) as client:
            for strict in (False, True):
                asked = {"question": BARREL, "strict": strict}
                answer = (await client.call_tool("ask_notes", asked)).structured_content
                assert ("gift" in answer["answer"]) is not strict
                assert "300 litres" in answer["answer"]
                supports = [each["support"] for each in answer["sentences"]]
                assert supports == ["supported", "unsupported"][: 2 - strict]


async def test_listing(box: Box):
    async with connected(box) as client:

        async def listed(**arguments: Any) -> list[str]:
            result = (await client.call_tool("list_notes", arguments)).structured_content
            assert result["total"] >= len(result["notes"])
            return [each["path"] for each in result["notes"]]

        everything = ["barrel.md", "bees.md", "odd #1? 50%.md", "trips/rhine.md"]
        assert await listed() == everything
        assert await listed(limit=1, offset=1) == everything[1:2]
        assert await listed(tag="garden") == ["odd #1? 50%.md"]
        assert await listed(folder="trips") == ["trips/rhine.md"]
        assert await listed(match="rhi") == ["trips/rhine.md"]
        for within, said in (
            ({"tag": "nope"}, "No note is tagged 'nope'."),
            ({"folder": "nope"}, "No note lies in 'nope'."),
        ):
            refused = await client.call_tool("list_notes", within)
            assert refused.is_error
            assert said in refused.content[0].text


async def test_reading(box: Box):
    async with connected(box) as client:

        async def read(**arguments: Any) -> dict[str, Any]:
            result = await client.call_tool("read_note", arguments)
            assert not result.is_error, result.content
            return dict(result.structured_content)

        whole = await read(path="barrel.md")
        assert whole["text"] == (box.notes / "barrel.md").read_text().removesuffix("\n")
        assert whole["lines"] == [1, whole["total_lines"]]
        assert (await read(path="barrel.md", first=3, last=3))["text"] == (
            "The rain barrel holds 300 litres."
        )
        assert "has 7 lines" in await refused(client, "read_note", path="barrel.md", first=99)
        turned = await refused(client, "read_note", path="barrel.md", first=5, last=2)
        assert "the last comes before the first" in turned
        (box.notes / "long.md").write_text("a line of a very long note\n" * 10_000)
        part = await read(path="long.md")
        assert part["total_lines"] == 10_000
        assert len(part["text"]) <= READ
        assert part["lines"][1] < 10_000
        assert part["text"].count("\n") + 1 == part["lines"][1]


async def test_nothing_else_can_be_read(box: Box):
    async with connected(box) as client:
        (box.folder / "secret.md").write_text("The key lies under the mat.\n")
        (box.notes / ".hidden.md").write_text("Nobody reads this.\n")
        outside = [
            "../secret.md",
            str(box.folder / "secret.md"),
            "trips/../../secret.md",
            ".hidden.md",
        ]
        for path in [*outside, "", "/etc/passwd", "barrel.md\0"]:
            assert "There is no note" in await refused(client, "read_note", path=path)
        for uri in ("note:///../secret.md", "note:///..%2Fsecret.md", "note:////etc/passwd",
                    "note:///.hidden.md", "file:///etc/passwd"):  # fmt: skip
            with pytest.raises(MCPError):
                await client.read_resource(uri)
        assert "Did you mean 'bees.md'?" in await refused(client, "read_note", path="bee.md")


async def test_notes_are_resources(box: Box):
    async with connected(box) as client:
        resources = (await client.list_resources()).resources
        assert len(resources) == 4
        for each in resources:
            (content,) = (await client.read_resource(each.uri)).contents
            assert content.text == (box.notes / each.name).read_text()
        (template,) = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "note:///{+path}"
        (box.notes / "new.md").write_text("# New\n\nJust written.\n")
        (content,) = (await client.read_resource("note:///new.md")).contents
        assert "Just written" in content.text


async def test_resources_say_what_is_read_of_which_file(box: Box):
    (box.notes / "trips" / "prices.csv").write_text("What,Price\nTent,80 €\n")
    (box.notes / "été.md").write_text("---\ntags: [summer, garden]\n---\nThe été is long.\n")
    (box.notes / "page.html").write_text("<p>The <b>gate</b> is green.</p>\n")
    async with connected(box) as client:
        listed = {each.name: each for each in (await client.list_resources()).resources}
        for each in listed.values():
            (content,) = (await client.read_resource(each.uri)).contents
            assert content.mime_type == each.mime_type == "text/markdown"
            if each.size is not None:
                assert each.size == len(content.text.encode())
        known = {name for name, each in listed.items() if each.size is not None}
        assert set(listed) - known == {"trips/prices.csv", "page.html"}
        assert listed["trips/prices.csv"].description == "A note (csv) in trips"
        assert listed["page.html"].description == "A note (html)"
        assert listed["été.md"].description == "A note (md): #summer #garden"


async def test_the_prompt_hands_over_places(box: Box):
    async with connected(box) as client:
        prompt = await client.get_prompt("cite_notes", {"question": BARREL})
        (message,) = prompt.messages
        assert BARREL in message.content.text
        assert "barrel.md:3" in message.content.text
        assert "holds 300 litres" in message.content.text
        with pytest.raises(MCPError, match="no word in the question"):
            await client.get_prompt("cite_notes", {"question": "?"})
        with pytest.raises(MCPError, match="question"):
            await client.get_prompt("cite_notes", {})


async def test_what_is_wrong_is_said_in_a_sentence(box: Box):
    async with connected(box) as client:
        assert "no word in the question" in await refused(client, "ask_notes", question="?!")
        said = await refused(client, "search_notes", query="x", limit=0)
        assert said.startswith("limit: Input should be greater than or equal to 1. search_notes")
        said = await refused(client, "search_notes", tags=["x"])
        assert said.startswith("query: Field required. search_notes takes query, limit, tags")
        for unknown in ("k", "tag", "bogus"):
            said = await refused(client, "search_notes", query="x", **{unknown: "papa"})
            assert said == (
                f"{unknown!r} is not known here. "
                "search_notes takes query, limit, tags, folder, since, until."
            )
        said = await refused(client, "read_note", path="bees.md", first_line=9999)
        assert said == "'first_line' is not known here. read_note takes path, first, last."
        said = await refused(client, "ask_notes", question=" ")
        assert said == 'The question is empty. Ask in words: "What is …?"'
        assert "no_such" in await refused(client, "no_such", x=1)
        said = await refused(client, "search_notes", query="barrel", since="someday")
        assert "someday" in said
        assert (await client.call_tool("search_notes", {"query": "barrel"})).structured_content


async def test_one_tag_may_be_a_text(box: Box):
    async with connected(box) as client:
        found = await client.call_tool("search_notes", {"query": "wren", "tags": "garden/odd"})
        paths = {each["path"] for each in found.structured_content["passages"]}
        assert paths == {"odd #1? 50%.md"}


async def test_a_language_model_that_is_not_there_is_missed_by_answers_alone(box: Box):
    box.index()
    box.env["RAG_GENERATOR_MODEL"] = "SmolLM2-135"
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "rag", "mcp"], env=box.environ()
    )
    async with Client(stdio_client(server)) as client:
        found = await client.call_tool("search_notes", {"query": BARREL})
        assert not found.is_error
        said = await refused(client, "ask_notes", question=BARREL)
        assert "Did you mean 'SmolLM2-135M-Instruct'?" in said


async def test_over_standard_input(box: Box):
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "rag", "mcp"], env=box.environ(), cwd=str(box.folder)
    )
    async with Client(stdio_client(server)) as client:
        answer = await client.call_tool("ask_notes", {"question": BARREL})
        assert "300" in answer.structured_content["answer"]
        (box.notes / "sun.md").write_text("The sun dial stands in the yard.\n")
        found = await client.call_tool("search_notes", {"query": "Where is the sun dial?"})
        assert found.structured_content["passages"][0]["path"] == "sun.md"


def test_it_ends_with_its_input(box: Box):
    process = box.start("mcp", stdin=subprocess.PIPE)
    out, err = process.communicate("", timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    box.env["RAG_NOTES"] = str(box.folder / "nowhere")
    box.refused("mcp", says="There is no folder")


@pytest.mark.parametrize("after", [0.1, 2.0])
def test_a_client_that_disappears_loses_nothing(box: Box, after: float):
    """While notes are indexed, while the answer is made."""
    for number in range(60):
        (box.notes / f"n{number}.md").write_text(f"# Note {number}\n\nBird {number} is a wren.\n")
    gone = subprocess.run(
        [sys.executable, "-c", LEAVES, BARREL, str(after)],
        env=box.environ(),
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert gone.returncode == -signal.SIGKILL, gone.stderr
    wait_until_idle(box)
    done = box.rag("ask", BARREL)
    assert done.returncode == 0
    assert "300" in done.stdout


def wait_until_idle(box: Box) -> None:
    """Until no server of this box is left."""
    import psutil

    def servers() -> list[psutil.Process]:
        found = []
        for each in psutil.process_iter(["cmdline", "environ"]):
            command, environ = each.info["cmdline"] or [], each.info["environ"] or {}
            if command[-2:] == ["rag", "mcp"] and environ.get("RAG_DATA_DIR") == str(box.data):
                found.append(each)
        return found

    deadline = time.monotonic() + 60
    while (left := servers()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for each in left:
        os.kill(each.pid, signal.SIGKILL)
    assert not left, "the server outlived its client"


async def test_a_question_that_is_called_off_stops(box: Box):
    box.index()
    with Standby(Notes(box.engine())) as standby:
        server = NotesServer(standby)
        stopped = threading.Event()
        stream = standby.stream

        def watched(question: str, cancel: Any, **within: Any) -> Any:
            try:
                yield from stream(question, cancel, **within)
            finally:
                if cancel():
                    stopped.set()

        standby.stream = watched  # type: ignore[method-assign]
        async with Client(server) as client:
            with anyio.move_on_after(0.05):
                await client.call_tool("ask_notes", {"question": BARREL})
        assert await anyio.to_thread.run_sync(stopped.wait, 10)
