"""What the addresses answer, and whom."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rag.api import Notes
from rag.errors import StorageError
from rag.events import Retrieved
from rag.http.chat import conversation
from rag.http.guard import LARGEST
from rag.http.token import load_token
from rag.standby import Standby
from tests.answering.test_answer import Said
from tests.conftest import Box
from tests.http.conftest import TOKEN, Served, serving
from tests.test_api import BORNE_OUT_AND_NOT
from tests.test_shapes import check

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"
ASKED = "/ask?q=How+many+litres+does+the+rain+barrel+hold%3F"


def test_search_and_notes(served: Served, box: Box):
    found = served.get("/search?q=rain+barrel&k=2").json
    check(found, "SearchJson")
    assert found["passages"][0]["path"] == "barrel.md"
    only = served.get("/search?q=nine+days&path=trips/").json
    assert {each["path"] for each in only["passages"]} == {"trips/rhine.md"}
    listed = served.get("/notes").json["notes"]
    for each in listed:
        check(each, "NoteJson")
    assert [each["id"] for each in listed] == ["barrel.md", "bees.md", "trips/rhine.md"]
    assert [e["id"] for e in served.get("/notes?match=rhine").json["notes"]] == ["trips/rhine.md"]
    (box.notes / "odd #1? 50%.md").write_text("# Odd\n\nA wren.\n")
    note = served.get("/notes/odd%20%231%3F%2050%25.md").json
    check(note, "NoteJson")
    assert note["text"] == "# Odd\n\nA wren.\n"
    (box.notes / "two\nlines.md").write_text("A name of two lines.\n")
    assert served.get("/notes/two%0Alines.md").json["text"] == "A name of two lines.\n"


def test_an_answer_step_by_step(served: Served):
    reply = served.get(ASKED)
    assert reply.headers["content-type"].startswith("text/event-stream")
    kinds = [each["event"] for each in reply.events]
    assert kinds[0] == "retrieved"
    assert kinds[-1] == "answer"
    for each in reply.events:
        check(each, f"{each['event'].capitalize()}EventJson")
    assert "300" in reply.events[-1]["answer"]
    whole = served.get(ASKED, Accept="application/json").json
    check(whole, "AnswerJson")
    assert whole["answer"] == reply.events[-1]["answer"]
    before = [{"question": BARREL, "answer": whole["answer"]}]
    later = {"question": "and when should it be emptied?", "history": before}
    assert served.post("/ask", later).events[-1]["passages"][0]["path"] == "barrel.md"


def test_strict(served: Served):
    served.notes.engine.models._generator = Said(BORNE_OUT_AND_NOT)
    for path, says in ((ASKED, True), (f"{ASKED}&strict=0", True), (f"{ASKED}&strict=true", False)):
        answer = served.get(path, Accept="application/json").json["answer"]
        assert "300 litres" in answer
        assert ("gift" in answer) is says
    marked = "The rain barrel was a gift. (?)\n\nSources:\n[1] barrel.md:3  Rain barrel\n\n(?) not"
    chat = {"messages": [{"role": "user", "content": BARREL}]}
    whole = served.post("/v1/chat/completions", chat).json["choices"][0]["message"]["content"]
    assert marked in whole
    chunks = served.post("/v1/chat/completions", {**chat, "stream": True}).events
    assert "".join(e["choices"][0]["delta"].get("content", "") for e in chunks) == whole
    body = {"question": BARREL, "strict": True}
    assert "gift" not in served.post("/ask", body).events[-1]["answer"]
    assert "gift" not in served.post("/ask", {**body, "stream": False}).json["answer"]
    assert served.get(f"{ASKED}&stream=false").json["answer"]
    assert served.get(f"{ASKED}&stream=1", Accept="application/json").events[-1]["answer"]
    for wrong in (
        served.post("/ask", {**body, "stream": "no"}),
        served.get(f"{ASKED}&stream=perhaps"),
        served.get(f"{ASKED}&strict=perhaps"),
        served.post("/ask", {**body, "strict": 1}),
    ):
        assert wrong.status == 400
        assert "neither true nor false" in wrong.json["error"]


def test_a_tag_that_no_note_has_is_told(served: Served):
    for within, said in (("tag=nope", "No note is tagged"), ("folder=nope", "No note lies in")):
        reply = served.get(f"/notes?{within}")
        assert reply.status == 400
        assert said in reply.json["error"]
        check(reply.json, "ErrorJson")


def test_only_indexed_notes_are_served(served: Served, box: Box):
    (box.folder / "secret.md").write_text("The key lies under the mat.\n")
    (box.notes / ".hidden.md").write_text("Nobody reads this.\n")
    for path in ("../secret.md", "..%2Fsecret.md", "%2Fetc%2Fpasswd", ".hidden.md", "barrel.md%00",
                 "trips/../../secret.md", "trips%2F..%2F..%2Fsecret.md"):  # fmt: skip
        reply = served.get(f"/notes/{path}")
        assert reply.status == 404
        assert "key lies" not in reply.text
        check(reply.json, "ErrorJson")


def test_who_may_ask(served: Served):
    own = f"127.0.0.1:{served.port}"
    for path in ("/search?q=x", "/notes", "/notes/barrel.md", ASKED, "/nowhere"):
        for wrong in ("", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN):
            reply = served.get(path, Authorization=wrong)
            assert reply.status == 401
            assert "token" in reply.json["error"]
            assert "Bearer" in reply.headers["www-authenticate"]
    for right in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN}"):
        assert served.get("/notes", Authorization=right).status == 200
    for host in (
        "evil.example",
        f"evil.example:{served.port}",
        "127.0.0.1",
        f"0.0.0.0:{served.port}",
    ):
        assert served.get("/notes", Host=host).status == 421
        assert served.get("/", Host=host).status == 421
    assert served.get("/notes", Host=f"localhost:{served.port}").status == 200
    for origin in ("http://evil.example", "null", f"https://{own}"):
        assert served.get("/notes", Origin=origin).status == 403
    assert served.get("/notes", Origin=f"http://{own}").status == 200
    for path in ("/", "/page.js", "/page.css", "/openapi.json", "/docs"):
        reply = served.get(path, Authorization="")
        assert reply.status == 200
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "http:" not in reply.text.replace("http://127.0.0.1", "")
        assert "barrel" not in reply.text


def test_what_is_wrong_is_said_in_a_sentence(served: Served):
    for path, says in (
        ("/search", "empty"), ("/ask?q=%3F", "no word"), ("/search?q=a&k=0", "1 to 50"),
        ("/search?q=a&k=x", "1 to 50"), ("/search?q=barrel&since=someday", "someday"),
        (f"/search?q=a&k={'9' * 5000}", "1 to 50"),
    ):  # fmt: skip
        reply = served.get(path)
        assert reply.status == 400, path
        assert says in reply.json["error"]
    for body in ("no json", "[]", '{"question": 4}', '{"question": "a", "tags": 3}', "[" * 5000,
                 '{"question": "a", "history": ["b"]}', b"\xff",
                 '{"question": "a", "history": [{"q": 1}]}',
                 '{"question": "a", "history": [{"question": "b"}]}'):  # fmt: skip
        assert served.post("/ask", body).status == 400
    assert served.post("/ask", "x" * (LARGEST + 1)).status == 413
    assert served.get("/nowhere").status == 404
    wrong = served.post("/search", {})
    assert (wrong.status, wrong.json["remedy"]) == (405, "Send GET.")
    for path in ("/search?q=x&colour=red", "/search?q=x&strict=true"):
        assert served.get(path).status == 400
    assert served.get("/search?q=barrel").status == 200


def test_half_a_letter_comes_back_as_it_was(served: Served):
    half = {"question": "How much does the barrel hold? \ud800"}
    reply = served.post("/ask", half, Accept="application/json")
    assert reply.status == 200
    assert reply.json["question"].endswith("\ud800")


def test_nothing_that_a_question_holds_is_left_out_in_silence(served: Served):
    said = served.post("/ask", {"question": BARREL, "streamed": True})
    assert said.status == 400
    assert "'streamed' is not known here" in said.json["error"]
    assert "streamed" not in said.json["remedy"]


def test_openapi_describes_what_there_is(served: Served):
    described = served.get("/openapi.json").json
    assert set(described["paths"]) == {
        "/search", "/ask", "/notes", "/notes/{id}", "/v1/models", "/v1/models/{id}",
        "/v1/chat/completions",
    }  # fmt: skip
    text = json.dumps(described)
    assert "$defs" not in text
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(described["components"]["schemas"])
    asked = {
        each["name"]: each["schema"] for each in described["paths"]["/ask"]["get"]["parameters"]
    }
    assert (asked["k"]["type"], asked["strict"]["type"]) == ("integer", "boolean")
    assert asked["stream"]["type"] == "boolean"
    assert asked["tag"] == {"type": "string"}
    page = served.get("/docs").text
    assert "/v1/chat/completions" in page


def test_a_chat_client(served: Served):
    """The official client, whole and as a stream."""
    from openai import AuthenticationError, BadRequestError, NotFoundError, OpenAI

    address = f"http://127.0.0.1:{served.port}/v1"
    client = OpenAI(base_url=address, api_key=TOKEN, max_retries=0)
    assert [each.id for each in client.models.list()] == ["rag"]
    assert client.models.retrieve("rag").id == "rag"
    with pytest.raises(NotFoundError, match="There is no model of this name"):
        client.models.retrieve("gpt-9")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": BARREL}]
    whole = client.chat.completions.create(model="rag", messages=messages)
    said = whole.choices[0].message.content
    assert "300" in said
    assert "[1] barrel.md:3" in said
    chunks = list(client.chat.completions.create(model="rag", messages=messages, stream=True))
    assert "".join(each.choices[0].delta.content or "" for each in chunks) == said
    assert chunks[-1].choices[0].finish_reason == "stop"
    *_, last = client.chat.completions.create(
        model="rag", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    assert (last.choices, last.usage.total_tokens) == ([], 0)
    with pytest.raises(BadRequestError, match="no word"):
        client.chat.completions.create(model="rag", messages=[{"role": "user", "content": "?"}])
    with pytest.raises(NotFoundError, match="nothing at this address"):
        client.embeddings.create(model="rag", input="x")
    with pytest.raises(AuthenticationError, match="The token is wrong"):
        OpenAI(base_url=address, api_key="wrong", max_retries=0).models.list()


def test_a_conversation_in_messages():
    parts = [{"type": "text", "text": "and when?"}, {"type": "image_url", "image_url": {}}]
    question, history = conversation([
        {"role": "user", "content": "What holds 300 litres?"},
        {"role": "assistant", "content": "The barrel [1]\n\nSources:\n[1] barrel.md:3"},
        {"role": "user", "content": "Whose is it?"},
        {"role": "assistant", "content": "Ours. (?) It leaks. [1] ≈\n\n(?) not in your notes"},
        {"role": "user", "content": parts},
    ])  # fmt: skip
    assert question == "and when?"
    assert [(each.question, each.answer) for each in history] == [
        ("What holds 300 litres?", "The barrel [1]"),
        ("Whose is it?", "Ours. It leaks. [1]"),
    ]


def test_a_client_that_disappears(served: Served):
    connection = served.connect()
    connection.request("GET", ASKED, headers=served.headers)
    sock = connection.sock
    reply = connection.getresponse()
    assert reply.readline().startswith(b"event: retrieved")
    sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    started = time.monotonic()
    assert "300" in served.get(ASKED, Accept="application/json").json["answer"]
    assert time.monotonic() - started < 50


CHAT = json.dumps({"messages": [{"role": "user", "content": BARREL}]})


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", ASKED, None), ("POST", "/v1/chat/completions", CHAT)],
)
def test_a_client_that_waits_for_the_whole_and_disappears_stops_it(
    served: Served, monkeypatch: pytest.MonkeyPatch, begun: bool, method: str, path: str, body: Any
):
    asked, stopped = threading.Event(), threading.Event()

    def endless(_standby: Standby, _question: str, cancel: Any, **_: Any) -> Any:
        asked.set()
        if begun:
            yield Retrieved((), (), "")
        while not cancel():
            time.sleep(0.02)
        stopped.set()

    monkeypatch.setattr(Standby, "stream", endless)
    connection = served.connect()
    connection.request(method, path, body, {**served.headers, "Accept": "application/json"})
    assert asked.wait(20)
    assert not stopped.wait(1)
    connection.close()
    assert stopped.wait(10)


def test_the_first_index_is_waited_for(box: Box, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rag.standby.FIRST_WAIT", 0.0)
    for number in range(200):
        (box.notes / f"n{number}.md").write_text(f"# Note {number}\n\nBird {number} is a wren.\n")
    with serving(Notes(box.engine())) as served:
        reply = served.get("/search?q=barrel")
        assert reply.status == 503
        assert "indexed for the first time" in reply.json["error"]
    with serving(Notes(box.engine())) as served:
        monkeypatch.setattr("rag.standby.FIRST_WAIT", 60.0)
        assert served.get("/search?q=rain+barrel").json["passages"][0]["path"] == "barrel.md"


def test_a_long_look_at_what_changed_is_not_waited_for(box: Box, monkeypatch: pytest.MonkeyPatch):
    box.index()
    (box.notes / "sun.md").write_text("The sun dial stands in the yard.\n")
    go_on = threading.Event()
    look = Standby._index

    def long_look(standby: Standby) -> None:
        assert go_on.wait(60)
        look(standby)

    monkeypatch.setattr(Standby, "_index", long_look)
    monkeypatch.setattr("rag.standby.LOOK_WAIT", 0.05)
    with serving(Notes(box.engine())) as served:
        paths = {each["path"] for each in served.get("/search?q=rain+barrel").json["passages"]}
        assert "barrel.md" in paths
        assert "sun.md" not in paths
        go_on.set()
        deadline = time.monotonic() + 60
        while served.get("/search?q=sun+dial").json["passages"][0]["path"] != "sun.md":
            assert time.monotonic() < deadline


def test_the_token(tmp_path: Path):
    made = load_token(tmp_path / "data")
    assert made.new
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    again = load_token(tmp_path / "data")
    assert (again.value, again.new) == (made.value, False)
    other = load_token(tmp_path / "data", renew=True)
    assert other.new
    assert other.value != made.value
    made.file.chmod(0o644)
    with pytest.raises(StorageError, match="--new-token"):
        load_token(tmp_path / "data")
    made.file.write_text("short")
    os.chmod(made.file, 0o600)
    assert load_token(tmp_path / "data").new


def test_the_command(box: Box):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        box.refused("serve", "--http", "--port", port, says=f"Port {port} is in use")
        for each in (("--idle", "3"), ("--stop",)):
            box.refused("serve", "--http", "--port", port, *each, says="runs until Ctrl-C")
    box.refused("serve", "--http", "--port", "99999", says="no port")
    process = box.start("serve", "--http", "--port", "0")
    lines = [process.stderr.readline() for _ in range(4)]
    page = next(line for line in lines if line.startswith("Page: "))
    address, _, token = page.removeprefix("Page: ").strip().partition("#token=")
    assert address.startswith("http://127.0.0.1:")
    assert token == (box.data / "http-token").read_text().strip()
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
