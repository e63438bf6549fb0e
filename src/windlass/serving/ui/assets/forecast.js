// Series and what comes next: a table of points as text, a picture of past and future, and the steps as a table.
const STEP_MS = {s: 1e3, min: 6e4, h: 36e5, d: 864e5, w: 7 * 864e5}, MONTHS = {mo: 1, q: 3, y: 12};
const isDay = (moment) => moment.endsWith("T00:00:00");
// The moments of a series as the service keeps it: the first one, and the step.
function momentsOf(start, every, count) {
  const zone = start.endsWith("Z") ? "Z" : "", [, size, unit] = every.match(/^(\d+)([a-z]+)$/);
  const made = [], begin = new Date(zone ? start : `${start}Z`);
  for (let n = 0, day = new Date(begin); n < count; n += 1) {
    let at = new Date(begin);
    if (unit in STEP_MS) at = new Date(begin.getTime() + n * size * STEP_MS[unit]);
    else if (unit in MONTHS) {
      const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate() === at.getUTCDate();
      const months = at.getUTCMonth() + n * size * MONTHS[unit], date = at.getUTCDate();
      const end = new Date(Date.UTC(at.getUTCFullYear(), months + 1, 0)).getUTCDate();
      at = new Date(Date.UTC(at.getUTCFullYear(), months, last ? end : Math.min(date, end), at.getUTCHours(), at.getUTCMinutes()));
    } else {
      at = day;
      for (let left = Number(size); left > 0;) {
        day = new Date(day.getTime() + STEP_MS.d);
        if (day.getUTCDay() % 6) left -= 1;
      }
    }
    made.push(at.toISOString().slice(0, 19));
  }
  return !zone && made.every(isDay) ? made.map((moment) => moment.slice(0, 10)) : made.map((moment) => moment + zone);
}
// A series as points, whatever form it has: `{date: ..., sales: ...}` each.
function pointsOf(value, field) {
  if (Array.isArray(value)) return value.map((each) => (each !== null && typeof each === "object" ? each : {[facts.output]: each}));
  if (!value || !value.columns) return [];
  const names = Object.keys(value.columns), count = value.columns[names[0]]?.length || 0;
  const moments = value.start ? momentsOf(value.start, value.every, count) : null, time = field?.dataset.time || "time";
  return Array.from({length: count}, (_, n) => ({...(moments ? {[time]: moments[n]} : {}),
    ...Object.fromEntries(names.map((name) => [name, value.columns[name][n]]))}));
}
const cell = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
function asTable(value, field) {
  if (!value) return "";
  const points = pointsOf(value, field), names = [...new Set(points.flatMap((each) => Object.keys(each)))];
  return [names.join(","), ...points.map((each) => names.map((name) => cell(each[name])).join(","))].join("\n");
}
// Rows as they are copied from a sheet or a CSV file, the first of them names; or plain numbers, or JSON.
function fromTable(text) {
  const written = text.trim();
  if (!written) return null;
  if (/^[[{]/.test(written)) return JSON.parse(written);
  const lines = written.split(/\r?\n/), mark = ["\t", ";", ","].find((each) => lines[0].includes(each)) || "\t";
  const rows = lines.map((line) => line.split(mark).map((each) => each.trim().replace(/^"(.*)"$/, "$1")));
  const known = (each) => (each === "" ? null : Number.isNaN(Number(each)) ? each : Number(each));
  if (!rows[0].some((each) => each && Number.isNaN(Number(each)))) return rows.flat().map(known);
  return rows.slice(1).map((row) => Object.fromEntries(rows[0].map((name, n) => [name, known(row[n] ?? "")])));
}
read.series = (field) => {
  try {
    return fromTable($("textarea", field).value);
  } catch {
    throw Object.assign(new Error(`${word("notSeries")} ${field.dataset.column}`), {field});
  }
};
fill.series = (field, value) => { $("textarea", field).value = asTable(value, field); };
function svg(name, attributes, ...inside) {
  const made = document.createElementNS($("#drawing").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}
const numbers = (values) => values.filter((value) => typeof value === "number");
// The past as a line, the future as another, the interval as a band.
function drawn(past, steps) {
  const wide = 620, tall = 230, left = 52, foot = tall - 26;
  const all = numbers([...past.map((each) => each.value), ...steps.flatMap((step) => [step.value, step.low, step.high])]);
  const low = Math.min(...all), high = Math.max(...all), air = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  const count = past.length + steps.length, x = (n) => left + (n / Math.max(1, count - 1)) * (wide - left - 8);
  const y = (value) => foot - ((value - low + air) / (high - low + 2 * air)) * (foot - 10);
  const line = (kind, places) => svg("polyline", {class: kind, points: places.map(([n, value]) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(" ")});
  const known = past.map((each, n) => [n, each.value]).filter(([, value]) => typeof value === "number");
  const ahead = steps.map((step, n) => [past.length + n, step.value]);
  const band = steps.every((step) => "low" in step) ? svg("polygon", {class: "band", points: [...steps.map((step, n) => [past.length + n, step.high]),
    ...steps.map((step, n) => [past.length + n, step.low]).reverse()].map(([n, value]) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(" ")}) : "";
  const ticks = [0, 0.5, 1].map((share) => low + share * (high - low)).map((value) => svg("text", {x: left - 8, y: y(value) + 4, "text-anchor": "end"}, plain(Number(value.toPrecision(3)))));
  const label = (n, words, anchor) => svg("text", {x: x(n), y: tall - 6, "text-anchor": anchor}, String(words ?? ""));
  return svg("svg", {class: "outlook", viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": word("outlook")},
    ...ticks, svg("line", {class: "now", x1: x(past.length - 0.5), x2: x(past.length - 0.5), y1: 8, y2: foot}), band,
    line("past", known), line("ahead", known.length ? [known.at(-1), ...ahead] : ahead),
    label(0, past[0]?.time, "start"), label(count - 1, steps.at(-1).time, "end"));
}
function foreseen(ask) {
  const field = fields.find((each) => each.dataset.kind === "series"), time = field?.dataset.time;
  const points = pointsOf(field ? ask.row[field.dataset.column] : null, field);
  const last = points.findLastIndex((each) => typeof each[facts.output] === "number");
  const most = Math.max(3 * ask.value.length, 30);
  const past = points.slice(Math.max(0, last + 1 - most), last + 1).map((each) => ({time: each[time], value: each[facts.output]}));
  const digits = (step, value) => deserved(value, {value: step.value, interval: step});
  const rows = ask.value.map((step) => element("tr", {}, element("th", {}, String(step.time)), element("td", {class: "n"}, digits(step, step.value)),
    element("td", {class: "n"}, "low" in step ? `${digits(step, step.low)} – ${digits(step, step.high)}` : "")));
  const table = element("details", {open: ask.value.length <= 14}, element("summary", {}, word("steps", {n: ask.value.length})),
    element("div", {class: "scroll"}, element("table", {}, element("tbody", {}, ...rows))));
  return [element("p", {class: "over"}, facts.output), element("h2", {}, briefly(ask)),
    drawn(past, ask.value), element("p", {class: "sure"}, word("bandNote")), table];
}
// What an answer is in a line.
const briefly = (ask) => (facts.answer === "items" ? briefItems(ask) : HAVE_THINGS.has(facts.answer) ? countsOf(ask.value) : facts.answer === "cited" ? ask.value.text || word("refused") : Array.isArray(ask.value) && facts.answer === "forecast"
  ? `${word("onAverage")} ${plain(Number((ask.value.reduce((sum, step) => sum + step.value, 0) / ask.value.length).toPrecision(4)))}` : deserved(ask.value, ask) + counted());
// What came true, one number a step.
function cameTrue(ask) {
  const box = element("textarea", {rows: Math.min(8, ask.value.length), placeholder: ask.value.slice(0, 3).map((step) => plain(step.value)).join("\n")});
  const value = () => box.value.trim().split(/[\s;]+/).filter(Boolean).map((each) => (each === "-" ? null : Number(each)));
  return {box, value: () => (box.value.trim() && value().every((each) => each === null || !Number.isNaN(each)) ? value() : "")};
}
