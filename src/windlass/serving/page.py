"""The page of a release: what it is, how good it is, and a form to try it. One file, no network but its own server."""

import base64
import hashlib
from html import escape

from windlass.records import Column, Manifest, Release

FORM = {
    "text": '<textarea rows="3"{attributes}></textarea>',
    "number": '<input type="number" step="any"{attributes}>',
    "date": '<input type="date"{attributes}>',
    "image": '<input type="file" accept="image/*"{attributes}>',
    "category": "<input{attributes}>{choices}",
    "chat": '<textarea rows="3" data-chat{attributes}></textarea>',
}
"""kind -> how the page asks for a value of it."""

STYLE = """
:root {
  color-scheme: light dark; --ink: #1b2430; --soft: #5b6675; --line: #d8dee6; --paper: #f7f8fa;
  --card: #fff; --mark: #1f6feb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #313a46; --paper: #11161d; --card: #1a212b; --mark: #6aa8ff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 2.5rem 1.25rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -0.01em; overflow-wrap: anywhere; }
.about { margin: 0.25rem 0 1.75rem; color: var(--soft); overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem; }
label { display: block; margin-bottom: 1rem; font-weight: 600; overflow-wrap: anywhere; }
label small { font-weight: 400; color: var(--soft); }
textarea, input { display: block; width: 100%; margin-top: 0.3rem; padding: 0.6rem 0.7rem; font: inherit;
  font-weight: 400; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 6px; resize: vertical; }
textarea:focus-visible, input:focus-visible, button:focus-visible {
  outline: 2px solid var(--mark); outline-offset: 1px; }
button { padding: 0.55rem 1.4rem; font: inherit; font-weight: 600; color: var(--card); background: var(--mark);
  border: 0; border-radius: 6px; cursor: pointer; }
button:disabled { opacity: 0.5; cursor: default; }
#answer { margin-top: 1.25rem; }
#answer h2 { margin: 0 0 0.75rem; font-size: 1.3rem; overflow-wrap: anywhere; }
.bar { display: grid; grid-template-columns: minmax(7rem, 14rem) 1fr 4.2rem; gap: 0.75rem; align-items: center;
  margin: 0.35rem 0; }
.bar span:first-child { overflow-wrap: anywhere; }
.bar span:last-child { text-align: right; font-variant-numeric: tabular-nums; color: var(--soft); }
.bar progress { width: 100%; height: 0.6rem; accent-color: var(--mark); }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: 0.9rem; margin: 0.75rem 0 0; }
.wrong { border-color: #c62f2f; }
footer { margin-top: 1.5rem; color: var(--soft); font-size: 0.9rem; }
a { color: var(--mark); }
@media (max-width: 32rem) {
  .bar { grid-template-columns: 1fr 4.2rem; } .bar progress { grid-column: 1 / -1; grid-row: 2; }
}
"""

KEYED = """
"use strict";
async function keyed(path, options) {
  const key = sessionStorage.getItem("windlass-key");
  if (key) options.headers = {...options.headers, authorization: "Bearer " + key};
  const response = await fetch(path, options);
  if (response.status === 401 || response.status === 403) askForKey();
  return response;
}
function askForKey() {
  if (document.querySelector("#key")) return;
  const form = document.createElement("form"), label = document.createElement("label");
  const input = document.createElement("input"), use = document.createElement("button");
  form.id = "key";
  form.className = "card";
  label.textContent = "API key \u00b7 \u5bc6\u94a5";
  input.type = "password";
  input.autocomplete = "off";
  input.required = true;
  use.textContent = "OK";
  label.append(input);
  form.append(label, use);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("windlass-key", input.value.trim());
    form.remove();
  });
  document.querySelector("main").prepend(form);
  input.focus();
}
"""
"""`keyed` is `fetch` with the key that a person typed in; it is kept until the tab is closed, and asked for on 401."""

SCRIPT = (
    KEYED
    + """
const form = document.querySelector("form"), answer = document.querySelector("#answer");
const button = form.querySelector("button");
const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const content = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(new Error("the file cannot be read"));
  reader.readAsDataURL(file);
});
async function value(field) {
  if (field.type === "file") return field.files.length ? content(field.files[0]) : null;
  if (field.value === "") return null;
  if ("chat" in field.dataset) return [{role: "user", content: field.value}];
  return field.type === "number" ? Number(field.value) : field.value;
}
function bar(name, share) {
  const line = element("div", undefined, "bar"), progress = element("progress");
  progress.max = 1;
  progress.value = share;
  line.append(element("span", name), progress, element("span", (100 * share).toFixed(1) + " %"));
  return line;
}
function show(found, milliseconds) {
  const card = element("section", undefined, "card");
  if ("text" in answer.dataset) {
    const written = element("p", found.value, "text");
    written.dir = "auto";
    card.append(written);
  } else card.append(element("h2", found.value), bar(found.value, found.confidence));
  for (const note of found.evidence || []) card.append(element("p", note, "note"));
  for (const other of found.alternatives) card.append(bar(other.value, other.confidence));
  card.append(element("p", `${milliseconds.toFixed(0)} ms there and back, answer ${found.id}`, "note"));
  answer.replaceChildren(card);
}
function complain(message, hint) {
  const card = element("section", undefined, "card wrong");
  card.append(element("strong", message));
  if (hint) card.append(element("p", hint, "note"));
  answer.replaceChildren(card);
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    const row = {};
    for (const field of form.querySelectorAll("[data-column]")) row[field.dataset.column] = await value(field);
    const started = performance.now();
    const response = await keyed("/v1/predict", {method: "POST", headers: {"content-type": "application/json"},
      body: JSON.stringify({row})});
    const result = await response.json();
    if (response.ok) show(result.answers[0], performance.now() - started);
    else complain(result.error.message, result.error.hint);
  } catch (error) {
    complain("The server did not answer.", String(error.message || error));
  } finally {
    button.disabled = false;
  }
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
"""
)


def page(release: Release, manifest: Manifest, has_chat: bool = False) -> bytes:
    """The page as HTML. has_chat: there is a page to talk to it, too."""
    name, output = escape(release.product), escape(manifest.output.name)
    fields = "\n".join(_field(column, number) for number, column in enumerate(manifest.inputs))
    measured = f"{escape(release.headline)} {escape(str(release.score))}"
    writes = manifest.output.kind == "text"
    body = f"""<main>
<h1>{name}</h1>
<p class="about">Release {escape(release.id)} &middot; {measured}, 95 % interval &middot;
{escape(release.candidate)}</p>
<form class="card" autocomplete="off">
{fields}
<button>{"Write" if writes else "Find"} {output}</button>
</form>
<div id="answer" aria-live="polite"{" data-text" if writes else ""}></div>
<footer>{'<a href="/chat">Talk to it</a>. ' if has_chat else ""}For programs: <code>POST /v1/predict</code>,
described in <a href="/openapi.json">openapi.json</a>.</footer>
</main>"""
    return document(name, body, STYLE, SCRIPT)


def document(title: str, body: str, style: str, script: str) -> bytes:
    """An HTML document with nothing from elsewhere. title, body: HTML."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
""".encode()


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy under which only this style and this script run."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _field(column: Column, number: int) -> str:
    name = escape(column.name)
    levels = column.state.get("levels", [])
    choices = ""
    attributes = f' data-column="{name}"'
    if levels:
        options = "".join(f'<option value="{escape(str(level))}">' for level in levels)
        choices = f'<datalist id="levels-{number}">{options}</datalist>'
        attributes += f' list="levels-{number}"'
    widget = FORM.get(column.kind, FORM["text"]).format(attributes=attributes, choices=choices)
    return f"<label>{name} <small>{escape(column.kind)}</small>{widget}</label>"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
