"""The page on which a person compares two answers without knowing whose they are: English and Chinese, keys 1, 2, 0."""

from windlass.serving.ui import page

OWN = """
main { max-width: 76rem; padding: 1.5rem 1.25rem 6rem; }
header { display: flex; gap: 1rem; align-items: center; margin-bottom: 1.25rem; }
header h1 { font-size: 1.25rem; flex: 1; }
header progress { width: 10rem; height: 0.6rem; accent-color: var(--mark); }
header output { color: var(--soft); font-variant-numeric: tabular-nums; font-size: 0.9rem; }
h2 { margin: 0 0 0.5rem; font-size: 0.9rem; color: var(--soft); font-weight: 600; }
.said { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
#request { margin-bottom: 1rem; max-height: 30vh; overflow-y: auto; }
#answers { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
#answers .card { display: flex; flex-direction: column; gap: 1rem; min-width: 0; }
#answers .said { flex: 1; }
#answers button, .choices button { width: 100%; }
.choices { display: flex; justify-content: center; gap: 1rem; margin-top: 1rem; }
.choices button { max-width: 14rem; }
button.plain { color: var(--ink); background: transparent; border: 1px solid var(--line); }
kbd { display: inline-block; min-width: 1.5em; padding: 0 0.35em; margin-right: 0.5em; font: inherit; font-size: 0.85em;
  text-align: center; border: 1px solid currentColor; border-radius: 4px; opacity: 0.8; }
#notice:empty { display: none; }
#notice { margin-bottom: 1rem; }
[hidden] { display: none !important; }
@media (max-width: 44rem) {
  #answers { grid-template-columns: 1fr; } header { flex-wrap: wrap; }
  header h1 { flex-basis: 100%; } header progress { flex: 1; }
}
"""
STYLE = page.STYLE + OWN

SCRIPT = """
"use strict";
const WORDS = {
  en: {title: "Which answer is better?", request: "Request", choose: "This one", tie: "About the same",
    back: "Back", of: "of", done: "All pairs are compared. Thank you!", download: "Download the preferences",
    failed: "It was not stored.", again: "Try again", other: "中文"},
  zh: {title: "哪个回答更好？", request: "请求", choose: "选这个", tie: "差不多",
    back: "返回", of: "/", done: "全部比较完了，谢谢！", download: "下载偏好数据",
    failed: "没有保存成功。", again: "重试", other: "English"},
};
const KEYS = {1: "left", 2: "right", 0: "tie"};
const find = (id) => document.getElementById(id);
let language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
let state = null, shown = null, busy = false;
const before = [];
function translate() {
  const words = WORDS[language];
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = words.title;
  for (const item of document.querySelectorAll("[data-word]")) item.textContent = words[item.dataset.word];
  count();
}
function count() {
  if (!state) return;
  find("progress").max = Math.max(1, state.total);
  find("progress").value = state.done;
  find("count").textContent = `${state.done} ${WORDS[language].of} ${state.total}`;
}
function show(pair) {
  shown = pair;
  find("pair").hidden = !pair;
  find("end").hidden = Boolean(pair);
  for (const [place, text] of pair ? [["asked", pair.asked], ["left", pair.left], ["right", pair.right]] : []) {
    find(place).textContent = text;
  }
  find("back").disabled = before.length === 0;
  window.scrollTo(0, 0);
  count();
}
function complain(detail, retry) {
  const notice = find("notice"), words = WORDS[language], button = document.createElement("button");
  button.textContent = words.again;
  button.addEventListener("click", retry);
  notice.className = "card wrong";
  notice.replaceChildren(`${words.failed} ${detail} `, button);
}
function calm() {
  find("notice").className = "";
  find("notice").replaceChildren();
}
async function ask(path, options) {
  const response = await fetch(path, options);
  const result = await response.json();
  if (!response.ok) throw new Error(result.error.message);
  return result;
}
async function next() {
  try {
    state = await ask("/v1/pair");
    calm();
    show(state.pair);
  } catch (error) {
    complain(error.message, next);
  }
}
function choose(choice) {
  if (busy || !shown) return;
  send(shown, choice, crypto.randomUUID());
}
async function send(pair, choice, key) {
  busy = true;
  try {
    state = await ask("/v1/preference", {method: "POST", body: JSON.stringify({pair: pair.id, choice}),
      headers: {"content-type": "application/json", "idempotency-key": key}});
    calm();
    before.push(pair);
    show(state.pair);
  } catch (error) {
    complain(error.message, () => send(pair, choice, key));
  } finally {
    busy = false;
  }
}
function back() {
  if (!busy && before.length) show(before.pop());
}
for (const button of document.querySelectorAll("[data-choice]")) {
  button.addEventListener("click", () => choose(button.dataset.choice));
}
find("back").addEventListener("click", back);
find("language").addEventListener("click", () => { language = language === "zh" ? "en" : "zh"; translate(); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key in KEYS) choose(KEYS[event.key]);
  else if (event.key === "Backspace") back();
  else return;
  event.preventDefault();
});
translate();
next();
"""

BODY = """<main>
<header>
<h1 data-word="title">Which answer is better?</h1>
<progress id="progress" max="1" value="0" aria-labelledby="count"></progress>
<output id="count"></output>
<button id="language" class="plain" type="button" data-word="other">中文</button>
</header>
<div id="notice" role="alert"></div>
<div id="pair" hidden>
<section id="request" class="card" tabindex="0" aria-labelledby="request-head">
<h2 id="request-head" data-word="request">Request</h2><p id="asked" class="said" dir="auto"></p>
</section>
<div id="answers">
<section class="card"><p id="left" class="said" dir="auto"></p>
<button type="button" data-choice="left"><kbd>1</kbd><span data-word="choose">This one</span></button></section>
<section class="card"><p id="right" class="said" dir="auto"></p>
<button type="button" data-choice="right"><kbd>2</kbd><span data-word="choose">This one</span></button></section>
</div>
<div class="choices">
<button id="back" class="plain" type="button"><kbd>⌫</kbd><span data-word="back">Back</span></button>
<button class="plain" type="button" data-choice="tie"><kbd>0</kbd><span data-word="tie">About the same</span></button>
</div>
</div>
<div id="end" class="card" hidden>
<p class="said" data-word="done">All pairs are compared. Thank you!</p>
<p><a href="/v1/preferences.jsonl" download="preferences.jsonl" data-word="download">Download the preferences</a></p>
</div>
</main>"""


def sidebyside_page() -> bytes:
    """The page as HTML; it holds no text of the product, which comes as JSON."""
    return page.document("Which answer is better?", BODY, STYLE, SCRIPT)


def sidebyside_policy() -> str:
    """The Content-Security-Policy of the page."""
    return page.policy(STYLE, SCRIPT)
