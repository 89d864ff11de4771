// Asks the notes and shows what an answer rests on. All text is set as text, never as markup.
"use strict";

// Behind each sentence, and what the last two mean.
const MARKS = { supported: " ✓", weak: " ≈", unsupported: " (?)" };
const LEGEND = {
  weak: "≈ only partly borne out by its source, or not what you asked",
  unsupported: "(?) not in your notes",
};

const $ = (id) => document.getElementById(id);
const history_ = []; // questions and answers of this conversation
const KEPT = { turns: 50, letters: 1_000_000 }; // for a reload of this tab
let answers = []; // the events of these answers, as they came
let following = true; // until the reader scrolls up
let at = 0; // how far the page was scrolled when it was last looked at
let running = null; // AbortController of the answer that is being made

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key === "click") made.addEventListener("click", value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

function token() { return sessionStorage.getItem("token") || ""; }

function unlocked(yes) {
  $("unlock").hidden = yes;
  $("ask").hidden = !yes;
  if (yes) $("refused").hidden = true;
  (yes ? $("question") : $("token")).focus();
  if (yes) warn();
}

// Where another machine writes the answers, the page says so before anything is asked.
async function warn() {
  try {
    const { data } = await (await fetched("/v1/models")).json();
    $("sent").textContent = `Every question and the passages found for it go to ${data[0].sent_to}.`;
    $("sent").hidden = !data[0].sent_to;
  } catch { /* an answer will say what is wrong */ }
}

async function fetched(address, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${token()}` };
  const reply = await fetch(address, { ...options, headers }).catch(gone);
  if (reply.status === 401) {
    $("refused").hidden = !token();
    sessionStorage.clear();
    unlocked(false);
  }
  if (!reply.ok) {
    const said = await reply.json().catch(() => ({ error: `The server said ${reply.status}.` }));
    throw new Error(`${said.error} ${said.remedy || ""}`.trim());
  }
  return reply;
}

// Nobody answers at the address this page came from, or the connection broke off.
function gone(error) {
  if (error.name === "AbortError") throw error;
  throw new Error("The server has ended, or cannot be reached. Start it again: rag serve --http");
}

async function* events(reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read().catch(gone);
    if (done) return;
    const parts = (waiting + value).split("\n\n");
    waiting = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}

// The parts of a new turn: its article, where the answer goes, and what is going on.
function begun(question) {
  const state = element("p", { class: "state" }, "searching");
  const answer = element("div", { class: "answer" });
  const turn = element("article", {}, element("h2", {}, question), answer, state);
  $("turns").append(turn);
  return [turn, answer, state];
}

// Keeps the conversation until the tab is closed, its latest turns at least.
function keep(event) {
  answers = [...answers, event].slice(-KEPT.turns);
  let written = JSON.stringify(answers);
  while (written.length > KEPT.letters && answers.length) {
    answers.shift();
    written = JSON.stringify(answers);
  }
  try { sessionStorage.setItem("answers", written); } catch { /* this browser keeps nothing */ }
}

// After a reload: what was kept is shown as it was when it came.
function restore() {
  try {
    const kept = JSON.parse(sessionStorage.getItem("answers") || "[]");
    for (const event of kept) show(event, ...begun(event.question));
    answers = kept;
  } catch {
    forget();
  }
}

function forget() {
  history_.length = 0;
  answers = [];
  sessionStorage.removeItem("answers");
  $("turns").replaceChildren();
}

// Whoever has scrolled up reads there, and is left alone.
function look() {
  if (scrollY < at) following = false;
  at = scrollY;
}

// Scrolls to a turn, of one that is taller than the window to its beginning.
function follow(turn) {
  const { height } = turn.getBoundingClientRect();
  if (following) turn.scrollIntoView({ block: height > innerHeight ? "start" : "nearest" });
  at = scrollY;
}

async function ask(question) {
  const [turn, answer, state] = begun(question);
  following = true; // a question is asked to see its answer
  follow(turn);
  running = new AbortController();
  busy(true);
  try {
    const reply = await fetched("/ask", {
      method: "POST",
      body: JSON.stringify({ question, history: history_ }),
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      signal: running.signal,
    });
    for await (const event of events(reply)) {
      look();
      show(event, turn, answer, state);
      follow(turn);
      if (event.event === "answer" && turn.isConnected) keep(event);
    }
  } catch (error) {
    state.textContent = error.name === "AbortError" ? "Stopped." : error.message;
    state.className = error.name === "AbortError" ? "state" : "error";
  } finally {
    running = null;
    busy(false);
  }
}

function show(event, turn, answer, state) {
  if (event.event === "retrieved") {
    const first = event.evidence[0];
    state.textContent = first ? `Found: ${first.quote}` : "";
    turn.found = event.passages;
  } else if (event.event === "reading") {
    state.textContent = `reading ${event.tokens_done} of ${event.tokens_total} tokens`;
  } else if (event.event === "thinking") {
    state.textContent = "thinking";
  } else if (event.event === "sentence") {
    answer.append(answer.textContent ? " " : "", event.text, MARKS[event.support]);
  } else if (event.event === "error") {
    state.textContent = `${event.error} ${event.remedy}`.trim();
    state.className = "error";
    turn.append(...listedSources("Found in your notes:", turn.found || []));
  } else if (event.event === "answer") {
    answer.replaceChildren(...(event.answered && event.notes ? listed(event.answer) : [checked(event)]));
    state.remove();
    turn.append(...sources(event), ...legend(event));
    if (turn.isConnected) history_.push({ question: event.question, answer: event.answer });
  }
}

// The answer with the mark of each sentence behind it.
function checked(event) {
  if (!event.answered) return event.answer;
  let said = "", rest = event.answer;
  for (const each of event.sentences) {
    const start = rest.indexOf(each.text);
    if (start < 0) continue;
    const end = start + each.text.length;
    said += rest.slice(0, end) + MARKS[each.support];
    rest = rest.slice(end);
  }
  return said + rest;
}

function legend(event) {
  const seen = new Set(event.answered ? event.sentences.map((each) => each.support) : []);
  const means = Object.keys(LEGEND).filter((each) => seen.has(each)).map((each) => LEGEND[each]);
  return means.length ? [element("p", { class: "state" }, means.join("   "))] : [];
}

// A list, which is Markdown whose text is escaped.
function listed(text) {
  return text.split(/(?<!\\)\*\*(.+?)(?<!\\)\*\*/).map((part, at) => {
    const plain = part.replace(/\\([\\`*_[\]<>#|~!&])/g, "$1");
    return at % 2 ? element("b", {}, plain) : plain;
  });
}

function sources(event) {
  if (!event.answered) return listedSources("Nearest notes:", event.passages);
  if (event.notes) return event.passages.map((each) => source(each, [], false));
  const numbers = [...new Set(event.citations.map((each) => each.n))].sort((a, b) => a - b);
  return numbers.map((n) => {
    const cited = event.citations.filter((each) => each.n === n);
    return source(event.passages[n - 1], cited, true);
  });
}

function listedSources(head, passages) {
  const shown = passages.slice(0, 3).map((each) => source(each, [], false));
  return shown.length ? [element("p", { class: "state" }, head), ...shown] : [];
}

function source(passage, cited, open) {
  const lines = cited.length ? cited.map((each) => each.lines) : [passage.lines];
  const text = element("div", { class: "text" }, ...marked(passage.text, cited.map((each) => each.quote)));
  const place = element("button", { type: "button", class: "place", click: () => read(passage.path, lines) });
  place.textContent = "Show in the note";
  const where = written(passage.path, passage.lines, (cited[0] || passage).place || "");
  const title = `[${passage.n}] ${where}  ${passage.heading}`;
  return element("details", { open }, element("summary", {}, title), text, place);
}

// As the command line writes a place: a page has no lines that a person could count, nor has a
// text that flows.
function written(path, [first, last], place) {
  if (/^(p\.|slide) /.test(place)) return `${path}, ${place}`;
  if (/\.(docx|epub)$/i.test(path)) return path;
  const span = `${path}:${first === last ? first : `${first}-${last}`}`;
  return place ? `${span} (${place})` : span;
}

function marked(text, quotes) {
  const parts = [];
  let done = 0;
  for (const [start, quote] of quotes.map((each) => [text.indexOf(each), each]).sort((a, b) => a[0] - b[0])) {
    if (start < done) continue;
    parts.push(text.slice(done, start), element("mark", {}, quote));
    done = start + quote.length;
  }
  return [...parts, text.slice(done)];
}

async function read(path, spans) {
  try {
    const address = `/notes/${path.split("/").map(encodeURIComponent).join("/")}`;
    const note = await (await fetched(address)).json();
    $("note-title").textContent = note.path;
    const within = (n) => spans.some(([first, last]) => n >= first && n <= last);
    $("lines").replaceChildren(...note.text.split("\n").map((line, at) =>
      element("li", { class: within(at + 1) ? "cited" : "" }, line)));
    $("note").showModal();
    $("lines").querySelector(".cited")?.scrollIntoView({ block: "center" });
  } catch (error) {
    $("turns").append(element("p", { class: "error" }, error.message));
  }
}

function busy(yes) {
  $("send").hidden = yes;
  $("stop").hidden = !yes;
  if (!yes) $("question").focus({ preventScroll: true });
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question || running) return;
  $("question").value = "";
  ask(question);
});
$("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  unlocked(true);
});
addEventListener("scroll", look);
$("stop").addEventListener("click", () => running?.abort());
$("close").addEventListener("click", () => $("note").close());
$("anew").addEventListener("click", () => {
  running?.abort();
  forget();
  $("question").focus();
});

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", "/");
}
if (token()) restore();
unlocked(Boolean(token()));
