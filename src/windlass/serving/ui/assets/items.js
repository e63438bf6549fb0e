// A ranked list: each item with its reason, and two buttons that say what came of it; what is wanted joins the history.
const nameOf = (each) => each.title || each.item;
const becauseOf = (each) => (each.because && each.because.length ? word("asYouHad", {name: each.reason.replace(/^as you had /, "")})
  : each.people ? word("peopleHad", {n: plain(each.people)}) : word("isNew"));
const idsOf = (text) => text.split(/[\s]*[,;|\n\t][\s]*/).filter(Boolean);
read.items = (field) => {
  const user = $("input", field).value.trim(), written = $("textarea", field).value.trim();
  if (/^[[{]/.test(written)) {
    try {
      return JSON.parse(written);
    } catch {
      throw Object.assign(new Error(`${word("notItems")} ${field.dataset.column}`), {field});
    }
  }
  const events = idsOf(written);
  if (!user && !events.length) return null;
  return user ? {user, events} : events;
};
fill.items = (field, value) => {
  const isList = Array.isArray(value), events = isList ? value : value ? value.events || value.items || [] : [];
  $("input", field).value = isList || !value || value.whole ? "" : value.user || "";
  $("textarea", field).value = events.map((each) => (each !== null && typeof each === "object" ? each.item : each)).join(", ");
};
async function cameOf(ask, each, event) {
  ask.acts = {...ask.acts, [each.item]: event};
  try {
    await send("/v1/feedback", {id: ask.id, correct: {item: each.item, event}}, {headers: {"idempotency-key": token()}});
    ask.failed = null;
    const box = $('.field[data-kind="items"] textarea');
    const isPlain = box && !/^[[{]/.test(box.value.trim());
    if (event !== facts.unwanted && isPlain) box.value = [...idsOf(box.value), each.item].join(", ");
    speak(word(event === facts.unwanted ? "notedNot" : "notedWanted"));
  } catch (error) {
    delete ask.acts[each.item];
    ask.failed = error;
  }
  keep();
  if (ask === shown) drawAnswer();
}
function recommended(ask) {
  const wanted = facts.wanted[0] || "like", acts = ask.acts || {};
  const acted = (each) => element("p", {class: "note acted"}, acts[each.item] === facts.unwanted ? word("notedNot") : word("notedWanted"));
  const choices = (each) => element("div", {class: "actions"},
    button("wantIt", () => cameOf(ask, each, wanted), "small"), button("notForMe", () => cameOf(ask, each, facts.unwanted), "plain"));
  const list = ask.value.map((each) => element("li", {}, element("b", {dir: "auto"}, nameOf(each)),
    each.title ? element("span", {class: "hint"}, ` ${each.item}`) : "",
    element("p", {class: "why", dir: "auto"}, becauseOf(each)), ask.id ? (each.item in acts ? acted(each) : choices(each)) : ""));
  return [element("p", {class: "over"}, facts.output), list.length ? element("ol", {class: "items"}, ...list) : element("p", {class: "note"}, word("nothingLeft")),
    ask.failed ? trouble(ask.failed) : ""];
}
