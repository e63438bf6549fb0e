// Asking, by hand or by keyboard; examples, tabs, language.
let going = null, examples = null, nextExample = 0;
const findButton = $("#find"), stopButton = $("#stop");
function busy(isBusy) {
  findButton.disabled = isBusy;
  place.setAttribute("aria-busy", String(isBusy));
  if (isBusy) place.classList.add("busy");
}
async function ask() {
  if (going) return;
  let row;
  try {
    row = readRow();
    if (Object.values(row).every((value) => value === null)) throw Object.assign(new Error(word("empty")), {field: fields[0]});
  } catch (error) {
    showTrouble(error);
    return;
  }
  going = new AbortController();
  busy(true);
  speak(word("busy"));
  const onWait = (left) => place.replaceChildren(element("p", {class: "waits"}, word("again", {s: left})));
  try {
    await (facts.streams ? stream : predict)(row, {signal: going.signal, onWait});
  } catch (error) {
    if (error.name !== "AbortError") showTrouble(error);
    else drawAnswer();
  } finally {
    going = null;
    busy(false);
    stopButton.hidden = true;
  }
}
function done(found) {
  asks.unshift(found);
  show(found);
  keep();
  speak(`${word("answer")}: ${briefly(found)}${found.confidence ? `, ${percent(found.confidence)}` : ""}`);
  const isOutside = place.getBoundingClientRect().top > innerHeight * 0.8;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (isOutside) place.scrollIntoView({behavior: isStill ? "auto" : "smooth", block: "start"});
}
async function predict(row, options) {
  const started = performance.now();
  const response = await send("/v1/predict", {row}, options), given = await response.json();
  done({row, ...given.answers[0], release: given.release,
    ms: performance.now() - started, at: Date.now()});
}
// A text appears while it is written; what was written until it is stopped is kept.
async function stream(row, options) {
  const started = performance.now(), value = Object.values(row)[0];
  const messages = Array.isArray(value) ? value : [{role: "user", content: value}];
  const found = {row, value: "", at: Date.now(), isWriting: true};
  stopButton.hidden = false;
  try {
    const response = await send("/v1/chat/completions", {model: facts.product, messages, stream: true}, options);
    shown = found;
    drawAnswer();
    for await (const event of events(response)) {
      if (event.error) throw new Refusal(503, event.error, 0);
      found.id = event.id;
      found.value += event.choices[0].delta.content || "";
      found.finish = event.choices[0].finish_reason || found.finish;
      $(".text", place).textContent = found.value || "…";
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    found.finish = "stopped";
  } finally {
    found.isWriting = false;
    found.ms = performance.now() - started;
  }
  if (found.id) done(found);
}
async function example() {
  try {
    examples ??= (await (await send("/v1/examples", null, {method: "GET"})).json()).rows;
    if (!examples.length) throw new Error(word("noExamples"));
    fillRow(examples[nextExample % examples.length]);
    nextExample += 1;
  } catch (error) {
    showTrouble(error);
  }
}
form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && going) going.abort(); });
stopButton.addEventListener("click", () => going && going.abort());
$("#example").addEventListener("click", example);
$("#clear").addEventListener("click", () => {
  fillRow({});
  $("textarea, input, select", form).focus();
});
$("#forget").addEventListener("click", () => {
  asks = [];
  shown = null;
  keep();
  drawAnswer();
  $("textarea, input, select", form).focus();
});
const tabs = $$("[role=tab]");
function open(tab, hasFocus) {
  for (const each of tabs) {
    const isOpen = each === tab;
    each.setAttribute("aria-selected", String(isOpen));
    each.tabIndex = isOpen ? 0 : -1;
    $(`#${each.getAttribute("aria-controls")}`).hidden = !isOpen;
  }
  if (hasFocus) tab.focus();
}
for (const [number, tab] of tabs.entries()) {
  tab.addEventListener("click", () => open(tab));
  tab.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step) open(tabs[(number + step + tabs.length) % tabs.length], true);
  });
}
function say(chosen) {
  language = chosen;
  rememberLanguage(chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  for (const home of $$("[data-word]")) home.textContent = word(home.dataset.word);
  for (const home of $$("[data-label]")) home.setAttribute("aria-label", word(home.dataset.label));
  drawAnswer();
  drawRecent();
}
$("#language").addEventListener("click", () => say(language === "en" ? "zh" : "en"));
say(language);
$("textarea, input, select", form).focus({preventScroll: true});
