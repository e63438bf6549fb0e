// What was asked and answered. `asks` lives in this tab; `shown` is the one on the page.
const KEPT = 12;
let asks = JSON.parse(session.get(kept + "asks") || "[]"), shown = null;
const place = $("#answer");
// Older asks with large pictures are forgotten first, when the tab holds no more.
function keep() {
  asks = asks.slice(0, KEPT);
  for (let n = asks.length; n >= 0; n -= 1) {
    const rest = asks.slice(0, n).map(({why, asking, explaining, failed, ...rest}) => rest);
    if (session.set(kept + "asks", JSON.stringify(rest))) break;
  }
  drawRecent();
}
function bar(name, share, isFirst) {
  const fill = element("i", {style: {width: `${100 * share}%`}});
  return element("div", {class: isFirst ? "share first" : "share"}, element("bdi", {}, name),
    element("span", {class: "bar"}, fill), element("b", {}, percent(share)));
}
const sureness = (share) => (share >= 0.9 ? "very" : share >= 0.6 ? "fairly" : "unsure");
function labelled(ask) {
  const others = ask.alternatives.map((other) => bar(other.value, other.confidence));
  const sure = ask.confidence === null ? "" : element("p", {class: `sure ${sureness(ask.confidence)}`},
    word(sureness(ask.confidence)));
  return [element("p", {class: "over"}, facts.output), element("h2", {dir: "auto"}, ask.value), sure,
    element("div", {class: "shares"}, ask.confidence === null ? "" : bar(ask.value, ask.confidence, true), ...others)];
}
function written(ask) {
  const copy = button("copy", async () => {
    await navigator.clipboard.writeText(ask.value);
    copy.textContent = word("copied");
  }, "plain");
  const ends = {length: "cut", stopped: "stopped"}[ask.finish];
  return [element("p", {class: "over"}, facts.output),
    element("p", {class: "text", dir: "auto", "aria-busy": String(Boolean(ask.isWriting))}, ask.value || "…"),
    ends && element("p", {class: "note"}, word(ends)), ask.isWriting ? "" : copy,
    ask.confidence === undefined || ask.confidence === null ? "" : bar(word("sure"), ask.confidence, true)];
}
function measured(ask) {
  const range = ask.interval && element("p", {class: "sure"},
    `${word("between")} ${deserved(ask.interval.low, ask)} – ${deserved(ask.interval.high, ask)} ${counted()} (${percent(ask.interval.share)})`);
  return [element("p", {class: "over"}, facts.output), element("h2", {dir: "auto"}, deserved(ask.value, ask) + counted()), range || ""];
}
// Tags as chips, each with its own probability; the next likeliest below them as bars.
function tagged(ask) {
  const shares = new Map(ask.alternatives.map((other) => [other.value, other.confidence]));
  const chip = (tag) => element("li", {class: "chip"}, element("bdi", {}, tag), shares.has(tag) ? ` ${percent(shares.get(tag))}` : "");
  const others = ask.alternatives.filter((other) => !ask.value.includes(other.value));
  const sure = ask.confidence === null ? "" : element("p", {class: `sure ${sureness(ask.confidence)}`},
    `${word("allRight")} ${percent(ask.confidence)}`);
  return [element("p", {class: "over"}, facts.output),
    ask.value.length ? element("ul", {class: "chips"}, ...ask.value.map(chip)) : element("p", {class: "note"}, word("noTag")),
    sure, element("div", {class: "shares"}, ...others.map((other) => bar(other.value, other.confidence)))];
}
const SHOWN = {labels: labelled, text: written, tags: tagged, forecast: (ask) => foreseen(ask), cited: (ask) => cited(ask), boxes: (ask) => boxed(ask), masks: (ask) => masked(ask), items: (ask) => recommended(ask)};
function drawAnswer() {
  place.classList.remove("busy");
  if (!shown) {
    place.replaceChildren(element("p", {class: "waits"}, word("waits")));
    return;
  }
  const ask = shown;
  const notes = (ask.evidence || []).map((note) => element("p", {class: "note", dir: "auto"}, note));
  const meta = [ask.ms === undefined ? "" : `${Math.round(ask.ms)} ms ${word("took")}`, ask.id,
    ask.release && `${word("release")} ${ask.release}`].filter(Boolean).join(" · ");
  const newer = ask.release && ask.release !== facts.release && element("p", {class: "newer"},
    `${word("newer")} ${ask.release}. `, button("reload", () => location.reload(), "plain"));
  place.replaceChildren(...(SHOWN[facts.answer] || measured)(ask), ...notes, newer || "",
    ask.id && !ask.isWriting && facts.answer !== "items" ? verdict(ask) : "", facts.explains && ask.id ? reasons(ask) : "",
    element("p", {class: "meta"}, meta));
}
function showTrouble(error) {
  place.classList.remove("busy");
  place.replaceChildren(trouble(error));
  if (error.field) $("input, textarea, select", error.field).focus();
}
function show(ask) {
  shown = ask;
  drawAnswer();
  drawRecent();
  if (facts.explains === "at once" && ask.id && !ask.why) explain(ask);
}
const shortDay = (value) => (typeof value === "string" ? value.replace(/^(\d{4}-\d\d-\d\d)T00:00:00$/, "$1") : value);
const summary = (row) => Object.entries(row).map(([name, value]) => (Array.isArray(value) && value.at(-1)?.content ? value.at(-1).content
  : value !== null && typeof value === "object" ? [value.user, ...(value.events || value.items || (Array.isArray(value) ? value : []))].map((each) => each?.item ?? each).filter((each) => typeof each === "string").join(", ")
  : typeof value === "string" && value.startsWith("data:") ? "" : shortDay(value))).filter((value) => value !== null && value !== "")
  .join(", ").slice(0, 160);
function drawRecent() {
  const list = $("#recent ol");
  $("#recent").hidden = !asks.length;
  list.replaceChildren(...asks.map((ask) => {
    const small = Object.values(ask.row).find((value) => typeof value === "string" && value.startsWith("data:image"));
    const mark = ask.said ? (ask.said.right ? "✓" : "✗") : "";
    const open = element("button", {type: "button", class: "ask", "aria-current": ask === shown ? "true" : undefined,
      on: {click: () => { fillRow(ask.row); show(ask); }}},
    small ? element("img", {src: small, alt: ""}) : "",
    element("span", {class: "asked", dir: "auto"}, summary(ask.row)),
    element("span", {class: "given"}, element("bdi", {}, briefly(ask).slice(0, 80)),
      ask.confidence ? ` ${percent(ask.confidence)}` : "", mark && ` ${mark}`));
    return element("li", {}, open);
  }));
}
