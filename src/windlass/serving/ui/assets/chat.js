const WORDS = {
  en: {fresh: "New conversation", earlier: "Earlier", forget: "Delete", you: "You", send: "Send", stop: "Stop",
    ask: "Write a message", again: "Try again", copy: "Copy", copied: "Copied", good: "Good", poor: "Poor",
    better: "What would have been a good answer? (may stay empty)", submit: "Send", thanks: "Thank you.",
    notKept: "It counts, but the model cannot learn from it: this service does not keep what is asked (keep_inputs).",
    keys: "Enter sends, Shift+Enter starts a line, Esc stops", alone: "Each message is answered by itself.",
    empty: "Ask something.", stopped: "Stopped.", cut: "It was cut at its greatest length.", options: "Options",
    system: "Instruction to the model", chance: "Temperature (0: always the likeliest words)",
    longest: "Longest answer, tokens", failed: "The server did not answer.", busy: "Writing", other: "中文"},
  zh: {fresh: "新对话", earlier: "历史对话", forget: "删除", you: "你", send: "发送", stop: "停止",
    ask: "输入消息", again: "重新生成", copy: "复制", copied: "已复制", good: "有用", poor: "不好",
    better: "怎样回答才算好？（可留空）", submit: "提交", thanks: "谢谢反馈。",
    notKept: "反馈已计数，但模型无法从中学习：本服务没有保存提问内容（keep_inputs）。",
    keys: "回车发送，Shift+回车换行，Esc 停止", alone: "每条消息单独回答，不看上文。",
    empty: "请提问。", stopped: "已停止。", cut: "已达到最大长度，回答被截断。", options: "选项",
    system: "给模型的指示", chance: "温度（0：总选最可能的词）",
    longest: "回答最长词元数", failed: "服务器没有应答。", busy: "正在生成", other: "English"},
};
const KEPT = 50, RETRY_MS = 1000, NEWLY = 0.8;
const main = document.querySelector("main"), log = document.querySelector("#log");
const list = document.querySelector("nav ul");
const form = document.querySelector("#composer"), box = document.querySelector("#box");
const sendButton = document.querySelector("#send"), stopButton = document.querySelector("#stop");
const product = main.dataset.product, readsChat = main.dataset.reads === "conversation";
const store = {
  get(name) { try { return JSON.parse(localStorage.getItem(`windlass:${product}:${name}`)); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(`windlass:${product}:${name}`, JSON.stringify(value)); } catch {} },
};
let language = firstLanguage();
let talks = store.get("talks") || [], talk = {messages: []}, writing = null;
const word = (name) => WORDS[language][name];
function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
function button(name, act, pressed) {
  const made = element("button", word(name), "plain");
  made.type = "button";
  if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
  made.addEventListener("click", () => act(made));
  return made;
}
function say(chosen) {
  language = chosen;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = word(place.dataset.word);
  box.placeholder = word("ask");
  box.setAttribute("aria-label", word("ask"));
  rememberLanguage(language);
  draw();
}
function keep() {
  if (talk.messages.length && !talks.includes(talk)) talks.unshift(talk);
  talks = talks.slice(0, KEPT);
  store.set("talks", talks);
  drawList();
}
function open(chosen) {
  if (writing) writing.abort();
  talk = chosen;
  draw();
  box.focus();
}
function drawList() {
  list.replaceChildren(...talks.map((each) => {
    const line = element("li");
    if (each === talk) line.setAttribute("aria-current", "true");
    const name = element("button", each.messages[0].content.slice(0, 60), "plain");
    name.dir = "auto";
    name.addEventListener("click", () => open(each));
    const forget = button("forget", () => {
      if (each === talk) open({messages: []});
      talks = talks.filter((other) => other !== each);
      keep();
    });
    forget.textContent = "×";
    forget.title = word("forget");
    forget.setAttribute("aria-label", `${word("forget")}: ${name.textContent}`);
    line.append(name, forget);
    return line;
  }));
}
function draw() {
  drawList();
  const shown = talk.messages.map((message, number) => article(message, number === talk.messages.length - 1));
  log.replaceChildren(...(shown.length ? shown : [element("p", word("empty"), "empty")]));
  log.scrollTop = log.scrollHeight;
  sendButton.hidden = Boolean(writing);
  stopButton.hidden = !writing;
}
function article(message, isLast) {
  const made = element("article", undefined, message.role), text = element("p", message.content, "text");
  text.dir = "auto";
  made.append(element("h2", message.role === "user" ? word("you") : main.dataset.name), text);
  if (message.error) made.append(element("p", message.error, "note"));
  if (message.finish === "length") made.append(element("p", word("cut"), "note"));
  if (message.finish === "stopped") made.append(element("p", word("stopped"), "note"));
  const isBusy = isLast && Boolean(writing);
  text.setAttribute("aria-busy", String(isBusy));
  if (message.role === "assistant" && !isBusy) made.append(tools(message, isLast));
  return made;
}
function tools(message, isLast) {
  const row = element("div", undefined, "tools");
  if (message.content) row.append(button("copy", async (made) => {
    await navigator.clipboard.writeText(message.content);
    made.textContent = word("copied");
  }));
  if (isLast) row.append(button("again", () => answer(true)));
  if (message.id) {
    row.append(button("good", () => judge(message, true), message.right === true));
    row.append(button("poor", async () => {
      if (await judge(message, false)) ask(message);
    }, message.right === false));
  }
  return row;
}
async function tell(body) {
  const send = () => keyed("/v1/feedback", {method: "POST", headers: {"content-type": "application/json"},
    body: JSON.stringify(body)});
  let response = await send();
  if (response.status === 404) {  // an answer that was stopped is logged a moment later
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    response = await send();
  }
  return response;
}
async function judge(message, right) {
  const response = await tell({id: message.id, right}).catch(() => null);
  if (response && response.ok) message.right = right;
  else message.error = response ? (await response.json()).error.message : word("failed");
  keep();
  draw();
  return Boolean(response && response.ok);
}
function ask(message) {
  const place = log.children[talk.messages.indexOf(message)], asking = element("form"), field = element("textarea");
  const label = element("label", word("better")), done = element("button", word("submit"));
  field.rows = 3;
  field.dir = "auto";
  label.append(field);
  asking.append(label, done);
  asking.addEventListener("submit", async (event) => {
    event.preventDefault();
    const response = field.value.trim() ? await tell({id: message.id, correct: field.value}) : null;
    const stored = response && response.ok ? await response.json() : {};
    asking.replaceWith(element("p", word("thanks") + (stored.hint ? ` ${word("notKept")}` : ""), "note"));
  });
  asking.addEventListener("keydown", (event) => { if (event.key === "Escape") asking.remove(); });
  place.append(asking);
  field.focus();
}
function wish(isAgain) {
  const said = talk.messages.filter((message) => message.content && !message.error);
  const system = form.elements.system.value, chance = form.elements.temperature.value;
  const messages = said.map(({role, content}) => ({role, content}));
  if (system && readsChat) messages.unshift({role: "system", content: system});
  const body = {model: product, messages: readsChat ? messages : messages.slice(-1), stream: true};
  if (chance !== "") body.temperature = Number(chance);
  if (isAgain) body.temperature = Math.max(Number(chance), NEWLY);
  if (form.elements.longest.value) body.max_tokens = Number(form.elements.longest.value);
  return body;
}
async function answer(isAgain) {
  if (writing) return;
  if (talk.messages.at(-1).role === "assistant") talk.messages.pop();
  const body = wish(isAgain), told = {role: "assistant", content: ""}, asked = talk;
  writing = new AbortController();
  asked.messages.push(told);
  keep();
  draw();
  const text = log.lastElementChild.querySelector(".text");
  text.textContent = "…";
  text.setAttribute("aria-label", word("busy"));
  try {
    const response = await keyed("/v1/chat/completions", {method: "POST", body: JSON.stringify(body),
      headers: {"content-type": "application/json"}, signal: writing.signal});
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      told.id = event.id;
      const choice = event.choices[0];
      told.content += choice.delta.content || "";
      if (choice.finish_reason) told.finish = choice.finish_reason;
      const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      text.textContent = told.content || "…";
      if (isAtEnd) log.scrollTop = log.scrollHeight;
    }
  } catch (error) {
    if (error.name === "AbortError") told.finish = "stopped";
    else told.error = error instanceof TypeError ? word("failed") : String(error.message || error);
  } finally {
    writing = null;
    keep();
    if (asked === talk) draw();
    box.focus();
  }
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const content = box.value.trim();
  if (!content || writing) return;
  talk.messages.push({role: "user", content});
  box.value = "";
  grow();
  answer(false);
});
function grow() {
  box.rows = Math.min(8, Math.max(2, box.value.split("\n").length));
}
box.addEventListener("input", grow);
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && writing) writing.abort(); });
stopButton.addEventListener("click", () => writing && writing.abort());
document.querySelector("#fresh").addEventListener("click", () => open({messages: []}));
document.querySelector("#language").addEventListener("click", () => say(language === "en" ? "zh" : "en"));
say(language);
box.focus();
