// Refused questions in groups: a person writes the answer, picks a passage, or says that nothing answers.
const list = $("#waiting"), tests = $("#tests");
let queue = null, failed = null;
const textOf = (row) => facts.inputs.map((name) => row[name]).join("\n");
const newRow = (text) => Object.fromEntries(facts.inputs.map((name) => [name, text]));
async function load() {
  try {
    queue = await (await send("/v1/refusals", null, {method: "GET"})).json();
    failed = null;
    speak(word("waitingCount", {n: queue.waiting}));
  } catch (error) {
    failed = error;
  }
  draw();
}
function draw() {
  if (failed) { list.replaceChildren(trouble(failed), button("more", load, "plain")); return; }
  if (!queue) return;
  const empty = element("p", {class: "card waits"}, word(queue.keeps_inputs ? "noneWaits" : "notKeptHere"));
  list.replaceChildren(...(queue.groups.length ? queue.groups.map(groupCard) : [empty]));
  tests.hidden = !queue.tests.length;
  $("ol", tests).replaceChildren(...queue.tests.map((each) => element("li", {}, element("strong", {dir: "auto"}, textOf(each.row)),
    element("div", {dir: "auto"}, each.answer.text || each.answer.quote || each.answer.document || word("refuseRight")),
    element("span", {class: each.holds ? "holds" : "fails"}, `${each.holds ? "✓" : "✗"} ${word(each.holds ? "holds" : "fails")}`))));
}
function groupCard(group) {
  const card = element("form", {class: "card group", "aria-label": group.name, novalidate: true});
  if (group.done) {
    card.append(element("h2", {}, element("bdi", {}, group.name)), element("p", {class: "stored", role: "status"},
      element("span", {class: "tick", "aria-hidden": "true"}, "✓"), word(group.done)));
    return card;
  }
  group.typed ??= {chosen: group.questions.map(() => true), wording: textOf(group.questions[0].row), answer: ""};
  const typed = group.typed, trouble_ = element("div", {}), single = facts.inputs.length === 1;
  const questions = group.questions.map((each, at) => element("label", {class: "pick"},
    element("input", {type: "checkbox", checked: typed.chosen[at], on: {change: (event) => { typed.chosen[at] = event.target.checked; }}}),
    element("span", {dir: "auto"}, textOf(each.row)), element("span", {class: "count"}, times(each.times))));
  const wording = element("input", {dir: "auto", maxlength: 2000, on: {input: (event) => { typed.wording = event.target.value; }}});
  wording.value = typed.wording;
  const answer = element("textarea", {rows: 3, dir: "auto", maxlength: 20000, on: {input: (event) => { typed.answer = event.target.value; }}});
  answer.value = typed.answer;
  const refuse = (name, home) => { trouble_.replaceChildren(element("p", {class: "trouble", role: "alert"}, word(name))); home?.focus(); };
  async function settle(correct, done) {
    const ids = group.questions.flatMap((each, at) => (typed.chosen[at] ? each.ids : []));
    if (!ids.length) { refuse("needQuestion", $("input", card)); return; }
    try {
      const row = single && typed.wording.trim() ? {row: newRow(typed.wording.trim())} : {};
      await send("/v1/refusals", {ids: ids.slice(0, 500), ...row, correct});
      const left = group.questions.filter((each, at) => !typed.chosen[at]);
      group.done = done;
      if (left.length) await load(); else { draw(); speak(word(done)); }
    } catch (error) {
      trouble_.replaceChildren(trouble(error));
    }
  }
  const proposed = group.proposed.map((each) => element("p", {class: "note"}, `${word("proposedBy")} `,
    element("q", {dir: "auto"}, each.text || each.quote || ""), " ", button("take", () => {
      answer.value = typed.answer = each.text || each.quote || "";
      answer.focus();
    }, "plain")));
  card.append(element("h2", {}, element("bdi", {}, group.name), element("span", {class: "count"}, times(group.times))),
    element("fieldset", {}, element("legend", {}, word("whichAsk")), ...questions),
    single ? element("label", {class: "free"}, word("wording"), wording) : "",
    ...proposed, element("label", {class: "free"}, word("rightAnswer"), answer),
    element("div", {class: "actions"}, element("button", {}, word("publish")),
      button("notInDocuments", () => settle({}, "nothingThere"), "second")),
    passagesOf(group, settle, refuse), trouble_);
  card.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!answer.value.trim()) refuse("needAnswer", answer); else settle({text: answer.value.trim()}, "published");
  });
  card.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); card.requestSubmit(); }
  });
  return card;
}
// The nearest passages, looked for once they are wanted: one of them may answer, and was not taken.
function passagesOf(group, settle, refuse) {
  const home = element("div", {}), name = `passage-${group.questions[0].ids[0]}`;
  const box = element("details", {on: {toggle: async () => {
    if (!box.open || home.childElementCount) return;
    try {
      const given = await (await send("/v1/search", {query: textOf(group.questions[0].row).slice(0, 2000), k: 5})).json();
      const choices = given.passages.map((each, at) => element("label", {class: "pick"},
        element("input", {type: "radio", name, value: String(at)}),
        element("span", {}, element("bdi", {}, placeOf(each)), element("blockquote", {dir: "auto", tabindex: "0"}, each.text))));
      home.replaceChildren(element("fieldset", {}, element("legend", {}, word("lookFor")), ...choices), button("pickPassage", () => {
        const chosen = $("input:checked", home);
        if (!chosen) { refuse("needPassage", $("input", home)); return; }
        const passage = given.passages[Number(chosen.value)];
        settle({document: passage.document, quote: passage.text}, "picked");
      }, "second"));
    } catch (error) {
      home.replaceChildren(trouble(error));
    }
  }}}, element("summary", {}, word("fromPassage")), home);
  return box;
}
redraw = draw;
say(language);
load();
