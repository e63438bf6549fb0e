// A window of items as cards. What one clicks goes into the history at once, and the window is filled anew.
const TITLES = kept + "titles", MOST_CLICKED = 60;
const named = new Map(JSON.parse(session.get(TITLES) || "[]"));
const titleOf = (id) => named.get(id)?.[language] || named.get(id)?.en || id;
const idOf = (each) => String(each !== null && typeof each === "object" ? each.item : each);
const asIds = (text) => text.split(/[\s]*[,;|\n\t][\s]*/).filter(Boolean);
// The ids of a history, whatever form it has.
const idsOf = (value) => (Array.isArray(value) ? value : value?.events || value?.items || []).map(idOf);
// An empty history is one: what is popular is recommended to it.
read.items = (field) => {
  const user = $("input", field).value.trim(), written = $("textarea", field).value.trim();
  if (/^[[{]/.test(written)) {
    try {
      return JSON.parse(written);
    } catch {
      throw Object.assign(new Error(`${word("notItems")} ${field.dataset.column}`), {field});
    }
  }
  return user ? {user, events: asIds(written)} : asIds(written);
};
fill.items = (field, value) => {
  $("input", field).value = Array.isArray(value) || !value || value.whole ? "" : value.user || "";
  $("textarea", field).value = [...new Set(idsOf(value))].slice(-MOST_CLICKED).join(", ");
};
// The item behind all that was there before.
function addToHistory(item) {
  const field = fields.find((each) => each.dataset.kind === "items"), box = $("textarea", field), text = box.value.trim();
  const before = /^[[{]/.test(text) ? idsOf(JSON.parse(text)) : asIds(text);
  if (text.startsWith("{")) $("input", field).value = JSON.parse(text).user || "";
  box.value = [...before.filter((each) => each !== item), item].slice(-MOST_CLICKED).join(", ");
}
async function chose(ask, item, event) {
  if (going) return;
  const isWanted = event !== facts.unwanted;
  try {
    await send("/v1/feedback", {id: ask.id, correct: {item, event}}, {headers: {"idempotency-key": token()}});
    ask.failed = null;
  } catch (error) {
    ask.failed = error;
    if (ask === shown) drawAnswer();
    if (!isWanted) return;
  }
  if (isWanted) addToHistory(item);
  else {
    ask.value = ask.value.filter((each) => each.item !== item);
    keep();
    drawAnswer();
    speak(word("hidden", {item: titleOf(item)}));
    return;
  }
  await windowFilled(item);
}
async function windowFilled(item) {
  speak(word("added", {item: titleOf(item)}));
  await ask();
  $(".window .open", place)?.focus({preventScroll: true});
}
// Why it is shown, in the language of the page.
function because(entry) {
  if (entry.because?.length) return word("asYouHad", {item: entry.because.map(titleOf).join(", ")});
  return entry.people ? word("peopleHad", {n: plain(entry.people)}) : word("isNew");
}
const COLOURS = 9;
// The letter on a tile: of what the thing is, which stands last in both languages.
const markOf = (title) => (/[\u4e00-\u9fff]/.test(title) ? [...title].at(-1) : [...title.split(" ").at(-1)][0].toUpperCase());
const colourOf = (text) => [...text].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % COLOURS;
function offer(ask, entry) {
  const [most, least] = [facts.wanted[0] || "like", facts.wanted.at(-1) || "like"], title = titleOf(entry.item);
  const open = element("button", {type: "button", class: "open", on: {click: () => chose(ask, entry.item, least)}},
    element("span", {class: `tile tile-${colourOf(entry.category || entry.item)}`, "aria-hidden": "true"}, markOf(title)),
    element("b", {dir: "auto"}, title), entry.price && element("span", {class: "price"}, entry.price),
    element("span", {class: "because", dir: "auto"}, because(entry)));
  const buy = most !== least && element("button", {type: "button", class: "small", on: {click: () => chose(ask, entry.item, most)}}, term(most));
  return element("li", {}, open, element("div", {class: "row"}, buy, element("button", {type: "button", class: "plain", title: word("notWanted"),
    "aria-label": `${word("notWanted")}: ${title}`, on: {click: () => chose(ask, entry.item, facts.unwanted)}}, "✕")));
}
function recommended(ask) {
  for (const {item, title, titles} of ask.value) named.set(item, {en: title || item, ...titles});
  session.set(TITLES, JSON.stringify([...named].slice(-500)));
  const had = [...new Set(idsOf(ask.row[fields.find((each) => each.dataset.kind === "items").dataset.column]))].slice(-6).reverse();
  return [element("h2", {}, word("window")), element("p", {class: "note"}, word("clickNote")),
    had.length ? element("p", {class: "had", dir: "auto"}, `${word("had")} ${had.map(titleOf).join(" · ")}`) : "",
    ask.value.length ? element("ol", {class: "window"}, ...ask.value.map((entry) => offer(ask, entry))) : element("p", {class: "note"}, word("nothingLeft")), ask.failed ? trouble(ask.failed) : ""];
}
const briefItems = (ask) => ask.value.slice(0, 3).map((entry) => titleOf(entry.item)).join(", ");
if (facts.answer === "items") addEventListener("load", () => { if (!shown) ask(); });
