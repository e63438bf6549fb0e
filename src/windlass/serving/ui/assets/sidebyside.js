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
  const headers = {...(options || {}).headers, "accept-language": document.documentElement.lang || "en"};
  const response = await fetch(path, {...options, headers});
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
