// Why it was answered so: marked words, a heat-map, bars of columns; as `windlass explain` draws them.
const SPEAKS = "0, 114, 178", AGAINST = "213, 94, 0";  // Okabe & Ito 2008: told apart by colour-blind readers
const DEEPEST = 0.75, FAINTEST = 0.02, N_STRONGEST = 6, N_BARS = 12, LONGEST_RUN = 4;
async function explain(ask, label = "") {
  ask.explaining = true;
  if (ask === shown) drawAnswer();
  try {
    const response = await send("/v1/explain", label ? {row: ask.row, label} : {row: ask.row});
    ask.why = (await response.json()).explanations[0];
  } catch (error) {
    ask.why = {error};
  }
  ask.explaining = false;
  if (ask === shown) drawAnswer();
}
function reasons(ask) {
  if (ask.explaining && !ask.why) return element("div", {class: "why"}, element("p", {class: "note"}, word("explaining")));
  if (!ask.why) return element("div", {class: "why"}, button("why", () => explain(ask), "small"));
  if (ask.why.error) return element("div", {class: "why"}, trouble(ask.why.error));
  return element("div", {class: "why explained"}, ...explained(ask, ask.why));
}
function explained(ask, why) {
  const largest = Math.max(...why.parts.map((part) => Math.abs(part.weight)), 0) || 1;
  const texts = Object.entries(why.texts).map(([name, text]) => [name, text, why.parts.filter((part) => part.column === name && part.span)]);
  const pictured = facts.pictures.map((name) => [name, why.parts.filter((part) => part.column === name && part.box)]);
  return [heading(ask, why), legend(), ...texts.filter((each) => each[2].length).map((each) => marked(...each, largest)),
    ...pictured.filter((each) => each[1].length && ask.row[each[0]]).map(([name, parts]) => heat(name, ask.row[name], parts, largest)),
    facts.answer === "boxes" ? "" : bars(ask, why), element("p", {class: "said"}, methodWords(ask, why))];
}
function heading(ask, why) {
  if (facts.answer === "boxes") return boxHeading(ask, why);
  const labels = [ask.value, ...ask.alternatives.map((other) => other.value)];
  if (labels.length < 2) return element("h3", {}, `${word("whyLabel")} ${deserved(ask.value, ask)}${counted()}`);
  const select = element("select", {"aria-label": word("whyLabel"), on: {change: async () => {
    await explain(ask, select.value);
    $(".why select", place)?.focus();
  }}}, ...labels.map((label) => element("option", {selected: label === why.label}, label)));
  return element("h3", {}, element("label", {}, word("whyLabel"), " ", select));
}
// Of boxes: the heat of all classes together, or of one.
function boxHeading(ask, why) {
  const select = element("select", {"aria-label": word("heatOf"), on: {change: async () => {
    await explain(ask, select.value);
    $(".why select", place)?.focus();
  }}}, element("option", {value: ""}, word("allClasses")), ...facts.labels.map((label) => element("option", {value: label, selected: label === why.label}, label)));
  return element("h3", {}, element("label", {}, word("heatOf"), " ", select));
}
const weigh = (ask, value) => (ask.interval ? deserved(value, ask, 1, {signDisplay: "always"}) : signed(value));
// Of answers that are larger or smaller rather than likelier: words for the sides.
const SIDES = {number: ["raises", "lowers"], forecast: ["raises", "lowers"]};
function legend() {
  if (facts.answer === "boxes") return element("p", {class: "said"}, element("span", {class: "key", style: {background: `rgba(${SPEAKS}, ${DEEPEST})`}}), word("heatNote"));
  const [more, less] = SIDES[facts.answer] || ["speaksFor", "against"];
  const key = (colour, name) => [element("span", {class: "key", style: {background: `rgba(${colour}, ${DEEPEST})`}}), word(name)];
  return element("p", {class: "said"}, ...key(SPEAKS, more), ...key(AGAINST, less), word("stronger"));
}
function methodWords(ask, why) {
  if (facts.answer === "boxes") return "";
  const ends = {base: weigh(ask, why.base), total: weigh(ask, why.total)};
  const times = why.n_evaluations === 1 ? word("once") : word("times", {n: why.n_evaluations});
  const [colon, half, comma, stop] = language === "zh" ? ["", "；", "，", "。"] : [" ", "; ", ", ", ". "];
  return `${word("numbers")}${colon}${SIDES[facts.answer] ? word(facts.unit ? "amountsIn" : "amounts", facts) : term(why.unit)}${half}${word(why.adds_up ? "sums" : "ends", ends)}${stop}`
    + `${word("by")}${colon}${term(why.method)}${comma}${times}${stop}`.trim();
}
function colour(weight, largest) {
  const part = Math.abs(weight) / largest;
  return part < FAINTEST ? "" : `rgba(${weight > 0 ? SPEAKS : AGAINST}, ${(DEEPEST * part).toFixed(3)})`;
}
// Spans count characters as Python does: code points, not the units of a JavaScript string.
function marked(name, text, parts, largest) {
  const points = Array.from(text), pieces = [];
  let last = 0;
  for (const part of [...parts].sort((one, other) => one.span[0] - other.span[0])) {
    const start = Math.max(part.span[0], last), inside = points.slice(start, part.span[1]).join("");
    const paint = colour(part.weight, largest);
    pieces.push(points.slice(last, start).join(""));
    pieces.push(paint ? element("mark", {title: signed(part.weight), style: {background: paint}}, inside) : inside);
    last = Math.max(last, part.span[1]);
  }
  pieces.push(points.slice(last).join(""));
  return element("div", {}, element("p", {class: "column"}, name), element("p", {class: "marked", dir: "auto"}, ...pieces));
}
function heat(name, url, parts, largest) {
  const boxes = parts.filter((part) => colour(part.weight, largest)).map(({box: [left, top, right, foot], weight}) =>
    element("i", {title: signed(weight), style: {background: colour(weight, largest), left: `${100 * left}%`,
      top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (foot - top)}%`}}));
  const image = () => element("img", {src: picture(url), alt: name});
  return element("div", {}, element("p", {class: "column"}, name), element("div", {class: "pair"},
    element("div", {class: "heat plain"}, image()), element("div", {class: "heat"}, image(), ...boxes)));
}
const isWide = (words) => /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]/u.test(words.slice(0, 1));
// Words, with neighbours of Chinese that speak for the same side told as one: two or three make a word.
function joined(parts) {
  const found = [];
  for (const part of parts) {
    const last = found.at(-1);
    if (last && last.column === part.column && last.span[1] === part.span[0] && isWide(last.words) && isWide(part.words)
      && last.words.length < LONGEST_RUN && last.weight * part.weight > 0) {
      found[found.length - 1] = {...last, words: last.words + part.words, weight: last.weight + part.weight,
        span: [last.span[0], part.span[1]]};
    } else found.push(part);
  }
  return found;
}
function strongest(parts) {
  const byWeight = (one, other) => Math.abs(other.weight) - Math.abs(one.weight);
  const placed = [...joined(parts.filter((part) => part.span)), ...parts.filter((part) => part.box)];
  const wholes = parts.filter((part) => !part.span && !part.box);
  return [...wholes, ...placed.sort(byWeight).slice(0, N_STRONGEST)].sort(byWeight).slice(0, N_BARS)
    .filter((part) => part.weight);
}
// The service tells reasons in English; in Chinese they are told from the row itself.
function reason(ask, part) {
  const side = (share) => Math.round(100 * share);
  if (part.box && language === "zh") {
    const [left, top, right, foot] = part.box.map(side);
    return `左起 ${left}–${right} %，上起 ${top}–${foot} %`;
  }
  if (part.span || part.box || language !== "zh") return part.words.replace(/, and (speaks|says|raises|lowers|leaves) .*$/s, "");
  if (/ lacks other words/.test(part.words)) return `${part.column}：没有其他的词`;
  const below = / \((\d+)\w\w percentile/.exec(part.words), held = /\((\d+ ?%) of the training rows\)/.exec(part.words);
  const value = ask.row[part.column];
  return `${part.column}：${value === null ? "缺失" : shortDay(value)}`
    + (below ? `（高于训练数据的 ${below[1]}\u00a0%）` : held ? `（占训练数据的 ${held[1]}）` : "");
}
function bars(ask, why) {
  const found = strongest(why.parts), largest = Math.max(...found.map((part) => Math.abs(part.weight)), 0) || 1;
  return element("ol", {class: "reasons"}, ...found.map((part) => {
    const wide = (50 * Math.abs(part.weight)) / largest, left = part.weight > 0 ? 50 : 50 - wide;
    const fill = element("i", {style: {left: `${left}%`, width: `${wide}%`,
      background: `rgba(${part.weight > 0 ? SPEAKS : AGAINST}, ${DEEPEST})`}});
    return element("li", {}, element("span", {dir: "auto", title: part.words}, reason(ask, part)),
      element("span", {class: "track"}, fill), element("b", {}, weigh(ask, part.weight)));
  }));
}
