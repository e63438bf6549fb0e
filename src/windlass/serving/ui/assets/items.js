// A shop window: items as cards. What one clicks goes into the history at once, and the window is filled anew.
const TITLES = kept + "titles", MOST_CLICKED = 60;
const named = new Map(JSON.parse(session.get(TITLES) || "[]"));
const titleOf = (id) => named.get(id)?.[language] || named.get(id)?.en || id;
const idOf = (each) => String(each !== null && typeof each === "object" ? each.item ?? each[0] : each);
// Ids, whatever form a history has; null for one that only names its user.
function idsOf(value) {
  if (typeof value === "string") return /^\s*[[{]/.test(value) ? idsOf(JSON.parse(value)) : value.split(/[\s,;]+/).filter(Boolean);
  if (Array.isArray(value)) return value.map(idOf);
  const events = value?.events || value?.items;
  return events?.length ? events.map(idOf) : value?.user ? null : [];
}
read.items = (field) => $("textarea", field).value.trim();
fill.items = (field, value) => {
  const ids = idsOf(value ?? []);
  $("textarea", field).value = ids ? [...new Set(ids)].slice(-MOST_CLICKED).join(", ") : JSON.stringify(value);
};
const historyField = () => fields.find((field) => field.dataset.kind === "items");
// The item behind all that was clicked before; of a history that names its user the event is added to it.
function addToHistory(item, event) {
  const box = $("textarea", historyField()), text = box.value.trim();
  if (!text.startsWith("{")) {
    const before = text.startsWith("[") ? idsOf(text) : text.split(/[\s,;]+/).filter(Boolean);
    box.value = [...before.filter((each) => each !== item), item].slice(-MOST_CLICKED).join(", ");
    return;
  }
  const told = JSON.parse(text), key = told.items ? "items" : "events";
  const {now, times, weights, ...rest} = told;
  box.value = JSON.stringify({...rest, [key]: [...(told[key] || []), key === "items" ? item : {item, event}]});
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
  if (isWanted) addToHistory(item, event);
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
  const [most, least] = [facts.wanted[0], facts.wanted.at(-1)], title = titleOf(entry.item);
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
  const had = [...new Set(idsOf(Object.values(ask.row)[0] ?? "") || [])].slice(-6).reverse();
  return [element("h2", {}, word("window")), element("p", {class: "note"}, word(facts.wanted.length ? "clickNote" : "windowNote")),
    had.length && element("p", {class: "had", dir: "auto"}, `${word("had")} ${had.map(titleOf).join(" · ")}`),
    element("ol", {class: "window"}, ...ask.value.map((entry) => offer(ask, entry))), ask.failed ? trouble(ask.failed) : ""];
}
const briefItems = (ask) => ask.value.slice(0, 3).map((entry) => titleOf(entry.item)).join(", ");
if (facts.answer === "items") addEventListener("load", () => { if (!shown) ask(); });
