// "Was this right?", the right answer, and what the service has stored.
const token = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const AFTER_MS = 800;
// Stored once, however often it is sent. An answer that was streamed may be in the log a moment later.
async function tell(ask, body) {
  const sent = {headers: {"idempotency-key": token()}};
  const once = () => send("/v1/feedback", {id: ask.id, ...body}, sent);
  try {
    const response = await once().catch(async (error) => {
      if (error.status !== 404 && !(error instanceof TypeError)) throw error;
      await pause(AFTER_MS);
      return once();
    });
    const stored = await response.json();
    const isSame = "right" in body || Array.isArray(ask.value) || stored.correct === ask.value;  // a number may be right, and another one righter
    ask.said = {right: stored.right && isSame, correct: stored.correct, hint: stored.hint};
    ask.asking = false;
    ask.failed = null;
    keep();
    speak(told(ask));
  } catch (error) {
    ask.failed = error;
  }
  if (ask === shown) {
    drawAnswer();
    $(".verdict .plain, .verdict button", place)?.focus();
  }
}
const told = (ask) => (ask.said.right ? word("wasRight") : ask.said.correct ? `${word("noted")} ${HAVE_THINGS.has(facts.answer) ? countsOf(ask.said.correct) : Array.isArray(ask.said.correct)
  ? ask.said.correct.join(", ") || word("noTag") : facts.answer === "cited" ? ask.said.correct.text || word("nothingAnswers")
  : plain(ask.said.correct)}`
  : word("wasWrong")) + (ask.said.hint ? ` ${word("notKept")}` : "");
function verdict(ask) {
  const failed = ask.failed ? trouble(ask.failed) : "";
  if (ask.asking) return element("div", {class: "verdict"}, correction(ask), failed);
  if (ask.said) {
    const mark = element("span", {class: "tick", "aria-hidden": "true"}, ask.said.right ? "✓" : "✎");
    return element("div", {class: "verdict stored"}, mark, element("span", {dir: "auto"}, told(ask)),
      button("change", () => { ask.said = null; drawAnswer(); $(".verdict button", place).focus(); }, "plain"),
      ask.isQueued ? button("nextQueued", nextWaiting, "small") : "", failed);
  }
  return element("div", {class: "verdict"}, element("span", {}, word("right")),
    button("yes", () => tell(ask, {right: true}), "small"), button("no", () => {
      ask.asking = true;
      drawAnswer();
      $(".verdict select, .verdict textarea, .verdict input", place)?.focus();
    }, "small"), failed);
}
// The right tags: each chip is taken away or put back by a click, others are added by name.
function tagCorrection(ask) {
  const chosen = new Set(ask.value), list = element("ul", {class: "chips"});
  const free = element("input", {maxlength: 200, dir: "auto", list: "known-tags", "aria-label": word("addTag")});
  const shownTags = new Set([...ask.value, ...ask.alternatives.map((other) => other.value)]);
  const draw = () => list.replaceChildren(...[...shownTags].map((tag) => element("li", {}, element("button", {
    type: "button", class: chosen.has(tag) ? "chip" : "chip off", "aria-pressed": String(chosen.has(tag)),
    on: {click: () => { chosen.delete(tag) || chosen.add(tag); draw(); }}}, element("bdi", {}, tag)))));
  const add = () => {
    const tag = free.value.trim();
    if (tag) { shownTags.add(tag); chosen.add(tag); free.value = ""; draw(); }
    free.focus();
  };
  draw();
  return element("form", {on: {submit: (event) => {
    event.preventDefault();
    if (free.value.trim()) add();
    tell(ask, {correct: [...chosen]});
  }, keydown: (event) => {
    if (event.key === "Enter" && event.target === free && free.value.trim()) { event.preventDefault(); add(); }
    if (event.key === "Escape") { ask.asking = false; drawAnswer(); $(".verdict button", place).focus(); }
  }}}, element("span", {}, word("shouldTags")), list, element("datalist", {id: "known-tags"},
    ...facts.labels.map((label) => element("option", {value: label}))), free, element("div", {class: "actions"},
    element("button", {class: "small"}, word("send")), button("unknown", () => tell(ask, {right: false}), "plain"),
    button("back", () => { ask.asking = false; drawAnswer(); }, "plain")));
}
function correction(ask) {
  if (facts.answer === "tags") return tagCorrection(ask);
  if (facts.answer === "boxes") return boxCorrection(ask);
  if (facts.answer === "masks") return maskCorrection(ask);
  const isNumber = facts.answer === "number", steps = facts.answer === "forecast" ? cameTrue(ask) : null;
  const free = steps ? steps.box : ["text", "cited"].includes(facts.answer) ? element("textarea", {rows: 3, dir: "auto"})
    : element("input", isNumber ? {type: "number", step: "any"} : {maxlength: 500, dir: "auto"});
  const labels = facts.labels.filter((label) => label !== ask.value);
  const select = labels.length ? element("select", {}, ...labels.map((label) => element("option", {}, label)),
    element("option", {"data-another": true}, word("freely"))) : null;
  if (select) {
    const likely = ask.alternatives && ask.alternatives.find((other) => labels.includes(other.value));
    if (likely) select.value = likely.value;
    free.hidden = true;
    free.setAttribute("aria-label", word("freely"));
    select.addEventListener("change", () => {
      free.hidden = !select.selectedOptions[0].hasAttribute("data-another");
      if (!free.hidden) free.focus();
    });
  }
  const wanted = () => (steps ? steps.value() : select && free.hidden ? select.value : isNumber && free.value ? free.valueAsNumber : free.value.trim());
  return element("form", {on: {submit: (event) => {
    event.preventDefault();
    if (wanted() !== "") tell(ask, {correct: wanted()}); else free.focus();
  }, keydown: (event) => {
    if (event.key === "Escape") { ask.asking = false; drawAnswer(); $(".verdict button", place).focus(); }
  }}}, element("label", {}, word(steps ? "cameTrue" : "should"), select || free), select ? free : "",
  element("div", {class: "actions"}, element("button", {class: "small"}, word("send")),
    facts.answer === "cited" ? noAnswer(ask) : "",
    button("unknown", () => tell(ask, {right: false}), "plain"),
    button("back", () => { ask.asking = false; drawAnswer(); }, "plain")));
}
