// One learner works through exercises: what comes next is told with each answer.
const WHO = `${kept}learner`;
let learner = decodeURIComponent(location.hash.slice(1)) || session.get(WHO) || "", standing = null, chosen = 0, last = null, failed = null, going = false;
const speech = (told) => (language === "zh" ? told.zh || told.en : told.en || told.zh);
const inPercent = (share) => Math.round(100 * share);
const nameOf = (skill) => {
  const found = standing.skills.find((each) => each.skill === skill);
  return (found && speech(found.name)) || skill;
};
const fold = (name, text, isOpen) => text && element("details", {open: isOpen}, element("summary", {}, word(name)), element("p", {dir: "auto"}, text));
async function asked(path, body) {
  going = true;
  failed = null;
  try {
    return await (await send(path, body)).json();
  } catch (error) {
    failed = error;
    return null;
  } finally {
    going = false;
  }
}
async function load() {
  standing = last = null;
  if (learner) {
    standing = await asked("/v1/tutor", {learner});
    if (standing) session.set(WHO, learner);
  }
  chosen = 0;
  draw(true);
}
async function answered(said) {
  if (going) return;
  const tried = standing.suggestions[chosen], before = standing.skills;
  $$("#exercise button").forEach((each) => { each.disabled = true; });
  const found = await asked("/v1/tutor/answers", {learner, exercise: tried.exercise, ...said});
  if (found) {
    last = {tried, written: said.written || "", right: found.right, answer: found.answer, before};
    standing = found.next;
    chosen = 0;
  }
  draw(true);
  if (found) speak(word(found.right ? "isRight" : "isWrong"));
}
function verdict() {
  const {tried, written, right, answer} = last;
  return [element("p", {class: "was", dir: "auto"}, element("span", {class: right ? "good" : "warn"}, `${right ? "✓" : "✗"} ${word(right ? "isRight" : "isWrong")}`), " ", speech(tried.text) || tried.exercise),
    element("p", {class: "note", dir: "auto"}, [!right && written ? word("youWrote", {written}) : "", answer ? word("theAnswer", {answer}) : ""].filter(Boolean).join(" ")),
    !right && fold("workedExample", speech(tried.example), true)].filter(Boolean);
}
function exercise() {
  const one = standing.suggestions[chosen], text = speech(one.text) || one.exercise;
  const others = standing.suggestions.map((each, at) => at !== chosen && element("button", {type: "button", class: "plain", on: {click: () => { chosen = at; draw(true); }}}, nameOf(each.skill)));
  const input = element("input", {id: "written", maxlength: 200, autocomplete: "off", spellcheck: "false", "aria-label": word("yourAnswer"), dir: "auto"});
  const form = one.is_checked
    ? element("form", {autocomplete: "off", on: {submit: (event) => { event.preventDefault(); if (input.value.trim()) answered({written: input.value}); else input.focus(); }}},
      element("label", {for: "written"}, word("yourAnswer")), element("div", {class: "line"}, input, element("button", {}, word("check"))))
    : element("div", {}, element("p", {class: "note"}, word("wasIt")), element("div", {class: "actions"},
      button("iWas", () => answered({right: true})), button("iWasNot", () => answered({right: false}), "second")));
  return [element("div", {class: "asked-of note"}, element("span", {}, nameOf(one.skill)), element("span", {}, word("chance", {n: inPercent(one.chance)}))),
    element("p", {class: "exercise", dir: "auto"}, text), form, fold("hint", speech(one.hint)), fold("workedExample", speech(one.example)),
    element("p", {class: "note"}, word("why")), others.some(Boolean) && element("div", {class: "others"}, element("span", {}, word("orTry")), ...others)].filter(Boolean);
}
function skillLine(each) {
  const before = last?.before.find((one) => one.skill === each.skill)?.share ?? each.share, rise = inPercent(each.share) - inPercent(before);
  const span = element("div", {class: "span"}, element("i", {style: {left: `${100 * each.low}%`, width: `${100 * (each.high - each.low)}%`}}), element("u", {style: {left: `${100 * each.share}%`}}));
  const tries = each.tries === 0 ? word("noTry") : each.tries === 1 ? word("oneTry") : word("nTries", {n: each.tries});
  const needs = each.is_open ? "" : word("firstNeeds", {skills: each.needs.map(nameOf).join(language === "zh" ? "、" : ", ")});
  return element("li", {}, element("span", {dir: "auto"}, speech(each.name) || each.skill), span, element("b", {class: rise > 0 ? "moved" : ""}, `${rise > 0 ? "↑ " : ""}${inPercent(each.share)} %`),
    element("small", {}, `${inPercent(each.low)}–${inPercent(each.high)} % · ${tries}${needs ? ` · ${needs}` : ""}`));
}
function skills() {
  return [element("h2", {}, word("skills")), element("p", {class: "note"}, `${standing.learner} · ${word("whole", {n: inPercent(standing.share)})} · ${word("tried", {n: standing.tried, right: inPercent(standing.right)})} `, button("another", forget, "plain")),
    element("ul", {class: "known"}, ...standing.skills.map(skillLine)), element("p", {class: "note"}, word("skillsNote"))];
}
function forget() {
  learner = "";
  session.set(WHO, "");
  history.replaceState(null, "", location.pathname);
  load();
}
function draw(isFocused = false) {
  $("#who").hidden = Boolean(standing) || Boolean(learner && !failed);
  $("#verdict").hidden = !last;
  $("#verdict").replaceChildren(...(last ? verdict() : []));
  $("#exercise").hidden = !standing && !failed;
  $("#exercise").replaceChildren(...(failed ? [trouble(failed)] : []), ...(standing ? exercise() : []));
  $("#skills").hidden = !standing;
  $("#skills").replaceChildren(...(standing ? skills() : []));
  if (isFocused) (standing ? $("#written") || $("#exercise button") : $("#learner"))?.focus({preventScroll: !last});
}
redraw = () => draw();
$("#who form").addEventListener("submit", (event) => {
  event.preventDefault();
  learner = $("#learner").value.trim();
  if (learner) load();
});
say(language);
load();
