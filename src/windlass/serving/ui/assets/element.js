const main = document.querySelector("main"), facts = JSON.parse(main.dataset.facts);
const $ = (selector, home = document) => home.querySelector(selector);
const $$ = (selector, home = document) => [...home.querySelectorAll(selector)];
const kept = `windlass:${facts.product}:`;
let language = firstLanguage();
function word(name, values = {}) {
  return WORDS[language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
const term = (english) => (language === "zh" && TERMS[english]) || english;
// A value as people read it: numbers with six digits, whatever is no text as JSON.
const plain = (value) => (typeof value === "number" ? value.toLocaleString(language, {maximumSignificantDigits: 6})
  : typeof value === "string" ? value : Array.isArray(value) && value.every((each) => typeof each === "string") ? value.join(", ")
  : JSON.stringify(value));
// A number with the digits that its interval deserves: two of half of it, as `kinds/number.py:places`.
function deserved(value, ask, more = 0, how = {}) {
  const half = ask.interval ? Math.max(ask.interval.high - ask.value, (ask.interval.high - ask.interval.low) / 2) : 0;
  if (typeof value !== "number" || !(half > 0)) return plain(value);
  const places = 1 - Math.floor(Math.log10(Number(half.toPrecision(2)))) + more, step = 10 ** Math.max(-places, 0);
  const digits = Math.min(Math.max(places, 0), 20);
  return (step > 1 ? Math.round(value / step) * step : value).toLocaleString(language, {minimumFractionDigits: digits, maximumFractionDigits: digits, ...how});
}
// The unit of an answer, behind its number.
const counted = () => (facts.unit ? ` ${facts.unit}` : "");
// An element; `on` are its listeners, `style` goes through the object model, which the policy allows.
function element(name, {on = {}, style = {}, ...attributes} = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  for (const [key, act] of Object.entries(on)) made.addEventListener(key, act);
  Object.assign(made.style, style);
  made.append(...inside.filter((each) => each !== undefined && each !== null && each !== false && each !== ""));
  return made;
}
const button = (name, act, kind = "") => element("button", {type: "button", class: kind, on: {click: act}}, word(name));
const percent = (share) => (share > 0.999 && share < 1 ? "> 99.9" : share > 0 && share < 0.001 ? "< 0.1"
  : (100 * share).toFixed(1)) + " %";
const signed = (number) => (number < 0 ? "−" : "+") + (Math.abs(number) < 100 ? Math.abs(number).toFixed(2)
  : Math.abs(number).toLocaleString(language, {maximumFractionDigits: Math.abs(number) < 1000 ? 1 : 0}));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
// What a reader that cannot see the page hears.
function speak(text) { $("#spoken").textContent = text; }
class Refusal extends Error {
  constructor(status, {message, hint, id, kind}, wait_s) {
    super(message);
    Object.assign(this, {status, hint, id, kind, wait_s});
  }
}
const RETRIES = 3;
// What the service answers. A busy one is asked again after the moment that it names. Throws: Refusal, TypeError.
async function send(path, body, {headers = {}, signal, onWait = () => {}, method = "POST"} = {}) {
  const options = {method, signal, headers: {...headers}};
  if (method === "POST") {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  for (let tries = 0; ; tries += 1) {
    const response = await keyed(path, options);
    if (response.ok) return response;
    const wait_s = Number(response.headers.get("retry-after")) || 0;
    const said = await response.json().then((found) => found.error, () => ({message: response.statusText}));
    const refusal = new Refusal(response.status, typeof said === "string" ? {message: said} : said, wait_s);
    if (response.status !== 503 || !wait_s || tries === RETRIES || said.kind === "log_unavailable") throw refusal;
    for (let left = wait_s; left > 0; left -= 1) {
      onWait(left);
      await pause(1000);
    }
  }
}
function trouble(error) {
  const known = (language === "zh" && ERRORS[error.kind]) || "";
  const told = known || (error instanceof TypeError ? word("failed") : error.message);
  const later = error.status === 429 && error.wait_s ? word("later", {s: error.wait_s}) : "";
  const key = [401, 403].includes(error.status) ? button("otherKey", () => askForKey(), "plain") : "";
  return element("div", {class: "trouble", role: "alert"}, element("strong", {}, told),
    known && element("p", {class: "note"}, error.message), later && element("p", {}, later), error.hint && element("p", {class: "note"}, error.hint),
    error.status >= 500 && error.id && element("p", {class: "note"}, `${word("fault")} ${error.id}`), key);
}
