"""The web page in a real browser: asks, shows cited sources, and takes all text for text."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag.api import Notes
from tests.answering.test_answer import Said
from tests.answering.test_endpoint_cut import CUTS, cutting
from tests.conftest import Box
from tests.http.conftest import TOKEN, serving
from tests.test_api import BORNE_OUT_AND_NOT

pytestmark = pytest.mark.model
DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EVIL = """# Vault <script>document.title = "owned"</script>

The vault code of the bank is <img src=x onerror="document.title='owned'"> 4711 </details>.
"""


class Browser:
    """Chromium, told what to do over a pipe (its DevTools protocol, one JSON object a message)."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._count, self._waiting = 0, b""
        self._session = ""
        self.complaints: list[str] = []

    def open(self, address: str) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=address)

    def call(self, method: str, **params: Any) -> Any:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (reply := self._next()).get("id") != self._count:
            self._note(reply)
        assert "error" not in reply, reply
        return reply["result"]

    def run(self, script: str) -> Any:
        """What a script gives in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, script: str, seconds: float = 60) -> None:
        """Until a script gives something true."""
        deadline = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < deadline, self.run("document.body.innerText")
            time.sleep(0.1)

    def ask(self, question: str) -> None:
        turns = self.run("document.querySelectorAll('article').length")
        self.run(f"document.getElementById('question').value = {json.dumps(question)};"
                 "document.getElementById('ask').requestSubmit()")  # fmt: skip
        self.wait(f"document.querySelectorAll('article').length === {turns + 1}")
        self.wait("!document.getElementById('send').hidden")

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif event.get("method") == "Network.requestWillBeSent":
            assert params["request"]["url"].startswith("http://127.0.0.1"), params

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            data = os.read(self._read, 1 << 16)
            assert data, "the browser has ended"
            self._waiting += data
        message, _, self._waiting = self._waiting.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    program = next((found for each in BROWSERS if (found := shutil.which(each))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", f"--user-data-dir={folder}", "--remote-debugging-pipe"]  # fmt: skip
    # The browser reads commands from descriptor 3 and answers on 4.
    command = f'exec "$@" 3<&{in_read} 4>&{out_write}'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", program, *flags],
        pass_fds=(in_read, out_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(in_read)
    os.close(out_write)
    try:
        yield Browser(in_write, out_read)
    finally:
        os.close(in_write)
        os.close(out_read)
        process.terminate()
        process.wait(20)


def test_the_page(box: Box):
    (box.notes / "<b>evil<i>.md").write_text(EVIL)
    box.index()
    with serving(Notes(box.engine())) as served, browser(box.folder / "browser") as page:
        page.open(f"http://127.0.0.1:{served.port}/#token={TOKEN}")
        page.wait("document.readyState === 'complete' && !document.getElementById('ask').hidden")
        assert TOKEN not in page.run("location.href")

        page.ask("How many litres does the rain barrel hold?")
        said = page.run("document.querySelector('.answer').innerText")
        assert "300" in said
        assert said.endswith("✓")
        assert "[1] barrel.md:3" in page.run("document.querySelector('summary').innerText")
        assert page.run("document.querySelector('mark').innerText") == (
            "The rain barrel holds 300 litres."
        )
        page.run("document.querySelector('button.place').click()")
        page.wait("document.getElementById('note').open")
        assert page.run("document.querySelector('li.cited').innerText") == (
            "The rain barrel holds 300 litres."
        )
        page.run("document.getElementById('close').click()")

        page.ask("What is the vault code of the bank?")
        text = page.run("document.querySelectorAll('article')[1].innerText")
        assert "<b>evil<i>.md" in text
        assert "4711" in text
        assert page.run("document.title") == "Ask your notes"
        assert page.run("document.querySelectorAll('article img, article script').length") == 0

        page.ask("Who won the chess tournament in Reykjavik?")
        last = page.run("[...document.querySelectorAll('article')].pop().innerText")
        assert "do not say" in last
        assert "Nearest notes:" in last
        assert page.complaints == []

        page.run("document.getElementById('token').value = 'nonsense'")
        page.run("document.getElementById('unlock').requestSubmit()")
        page.wait("!document.getElementById('refused').hidden")
        page.run(f"document.getElementById('token').value = '{TOKEN}'")
        page.run("document.getElementById('unlock').requestSubmit()")
        page.wait("!document.getElementById('ask').hidden")
        assert page.run("document.getElementById('refused').hidden")
        page.complaints.clear()  # Chromium names the status of what is refused

        page.run("sessionStorage.setItem('token', 'wrong')")
        page.ask("Where is the hive?")
        assert "token is wrong" in page.run("document.querySelector('.error').innerText")
        assert page.run("document.getElementById('unlock').hidden") is False


def test_the_page_says_before_a_question_where_it_goes(box: Box):
    box.index()
    for engine, says in ((box.elsewhere(), "go to big at ai.example.org."), (box.engine(), "")):
        with serving(Notes(engine)) as served, browser(box.folder / "browser") as page:
            (model,) = served.get("/v1/models").json["data"]
            assert model["sent_to"] == ("big at ai.example.org" if says else "")
            page.open(f"http://127.0.0.1:{served.port}/#token={TOKEN}")
            page.wait("document.getElementById('sent')?.textContent")
            assert page.run("document.getElementById('sent').checkVisibility()") == bool(says)
            if says:
                assert says in page.run("document.getElementById('sent').innerText")
            assert page.complaints == []


def test_the_page_marks_what_is_doubtful_and_names_places_as_the_screen_does(box: Box):
    (box.notes / "heat.pdf").write_bytes((DOCUMENTS / "heat.pdf").read_bytes())
    (box.notes / "hive.md").write_text("# Two * hives & [9]\n\nOf the hive: a*b < c.\n")
    box.index()
    notes = Notes(box.engine())
    with serving(notes) as served, browser(box.folder / "browser") as page:
        page.open(f"http://127.0.0.1:{served.port}/#token={TOKEN}")
        page.wait("document.readyState === 'complete' && !document.getElementById('ask').hidden")
        last = "[...document.querySelectorAll('article')].pop()"

        page.ask("Which notes mention the hive?")
        said = page.run(f"{last}.querySelector('.answer').innerText")
        assert "Two * hives & [9] hive.md:3" in said
        assert "\\" not in said
        assert "**" not in said
        assert page.run(f"{last}.querySelectorAll('b').length") == 2

        page.ask("How many watts does the unit draw at full load?")
        assert "heat.pdf, p. " in page.run(f"{last}.querySelector('summary').innerText")

        notes.engine.models._generator = Said(BORNE_OUT_AND_NOT)
        page.ask("How many litres does the rain barrel hold?")
        said = page.run(f"{last}.querySelector('.answer').innerText")
        assert said == "The rain barrel holds 300 litres. [1] ✓ The rain barrel was a gift. (?)"
        assert "(?) not in your notes" in page.run(f"{last}.innerText")
        assert page.complaints == []


def test_a_reload_keeps_the_conversation_of_its_tab_alone(box: Box):
    (box.notes / "<b>evil<i>.md").write_text(EVIL)
    box.index()
    ready = "document.readyState === 'complete' && !document.getElementById('ask').hidden"
    with serving(Notes(box.engine())) as served, browser(box.folder / "browser") as page:

        def reload() -> None:
            page.run("window.before = true")
            page.call("Page.reload")
            page.wait(f"!window.before && {ready}")

        def shown() -> str:
            return str(page.run("document.getElementById('turns').outerHTML"))

        address = f"http://127.0.0.1:{served.port}/"
        page.open(f"{address}#token={TOKEN}")
        page.wait(ready)
        page.ask("How many litres does the rain barrel hold?")
        page.ask("What is the vault code of the bank?")
        before = shown()
        assert "&lt;img src=x" in before
        reload()
        assert shown() == before
        assert page.run("document.title") == "Ask your notes"
        assert page.run("document.querySelectorAll('article img, article script').length") == 0

        page.ask("How many litres does the rain barrel hold?")
        assert page.run("history_.map((each) => each.question)[1]").startswith("What is the vault")
        page.run("KEPT.turns = 2; keep({ ...answers[0], question: 'Again?' })")
        assert page.run("JSON.parse(sessionStorage.getItem('answers')).length") == 2
        page.run("KEPT.letters = JSON.stringify([answers[1]]).length; keep(answers[1])")
        assert page.run("JSON.parse(sessionStorage.getItem('answers')).length") == 1

        page.run("document.getElementById('anew').click()")
        assert "article" not in shown()
        reload()
        assert "article" not in shown()
        assert page.complaints == []

        for broken in ("no JSON", "7", '[{"event": "answer", "question": "Q?"}]', "[null]"):
            page.run(f"sessionStorage.setItem('answers', {json.dumps(broken)})")
            reload()
            assert "article" not in shown()
            assert page.run("sessionStorage.getItem('answers')") is None
        assert page.complaints == []
        page.ask("How many litres does the rain barrel hold?")
        page.run("sessionStorage.setItem('token', 'wrong')")
        page.ask("Where is the hive?")
        assert page.run("sessionStorage.length") == 0  # whoever is locked out reads no more

        page._session = ""
        page.open(address)
        page.wait("document.getElementById('unlock')?.hidden === false")
        assert "article" not in shown()
        assert page.run("sessionStorage.length") == 0


def test_what_was_found_stays_where_the_model_fails(box: Box):
    box.index()
    with cutting(CUTS["after some words"]) as url:
        engine = box.engine(generator_model="endpoint", endpoint_url=url, endpoint_model="m")
        with serving(Notes(engine)) as served, browser(box.folder / "browser") as page:
            page.open(f"http://127.0.0.1:{served.port}/#token={TOKEN}")
            page.wait(
                "document.readyState === 'complete' && !document.getElementById('ask').hidden"
            )
            page.ask("How many litres does the rain barrel hold?")
            text = page.run("document.querySelector('article').innerText")
            assert "broke off before its answer was whole." in text
            assert "Found in your notes:\n" in text
            assert "[1] barrel.md:3" in text
            assert page.complaints == []


def test_a_new_answer_is_in_view_unless_the_reader_has_scrolled_up(box: Box):
    box.index()
    question = "How many litres does the rain barrel hold?"
    in_view = """(() => {
        const { top, bottom, height } =
            [...document.querySelectorAll('article')].pop().getBoundingClientRect();
        return top > -1 && (bottom < innerHeight + 1 || height > innerHeight && top < 1);
    })()"""
    with serving(Notes(box.engine())) as served, browser(box.folder / "browser") as page:
        page.open(f"http://127.0.0.1:{served.port}/#token={TOKEN}")
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=780,
            height=493,
            deviceScaleFactor=1,
            mobile=False,
        )
        page.wait("document.readyState === 'complete' && !document.getElementById('ask').hidden")
        for _ in range(4):
            page.ask(question)
            assert page.run(in_view)
        assert page.run("scrollY") > 100

        page.run(f"document.getElementById('question').value = {json.dumps(question)};"
                 "document.getElementById('ask').requestSubmit(); scrollTo(0, 0)")  # fmt: skip
        page.wait("document.querySelectorAll('article').length === 5")
        page.wait("!document.getElementById('send').hidden")
        assert page.run("scrollY") == 0
        page.ask(question)
        assert page.run(in_view)
        assert page.complaints == []


def test_a_server_that_has_ended_is_told_in_a_sentence(box: Box):
    box.index()
    with browser(box.folder / "browser") as page:
        with serving(Notes(box.engine())) as served:
            page.open(f"http://127.0.0.1:{served.port}/#token={TOKEN}")
            page.wait(
                "document.readyState === 'complete' && !document.getElementById('ask').hidden"
            )
        page.ask("Where is the hive?")
        assert page.run("document.querySelector('article .error').innerText") == (
            "The server has ended, or cannot be reached. Start it again: rag serve --http"
        )
