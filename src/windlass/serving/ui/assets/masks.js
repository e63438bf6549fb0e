// Masks on a picture: shown as an answer, and painted or erased with a brush as a correction.
// COCO's run lengths, column by column: text -> runs, and back.
function runsOf(counts) {
  if (typeof counts !== "string") return counts;
  const runs = [];
  for (let value = 0, shift = 0, at = 0; at < counts.length; at += 1) {
    const bits = counts.charCodeAt(at) - 48;
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    if (bits & 16) value -= 1 << shift;
    runs.push(value + (runs.length > 2 ? runs[runs.length - 2] : 0));
    value = shift = 0;
  }
  return runs;
}
function packed(runs) {
  let text = "";
  runs.forEach((run, place) => {
    let value = run - (place > 2 ? runs[place - 2] : 0), isOpen = true;
    while (isOpen) {
      const bits = value & 31;
      value >>= 5;
      isOpen = value !== (bits & 16 ? -1 : 0);
      text += String.fromCharCode((isOpen ? bits | 32 : bits) + 48);
    }
  });
  return text;
}
// The number of the thing at each pixel, row by row, 0 = none; `things` are numbered from 1, smaller ones lie on top.
function numbersOf(things, wide, high) {
  const numbers = new Uint16Array(wide * high), area = (runs) => runs.reduce((sum, run, place) => sum + (place % 2 ? run : 0), 0);
  const read = things.map((each, place) => ({runs: runsOf(each.mask.counts), number: place + 1}));
  for (const {runs, number} of read.sort((one, other) => area(other.runs) - area(one.runs))) {
    let at = 0;
    runs.forEach((run, place) => {
      if (place % 2) for (let pixel = at; pixel < at + run; pixel += 1) numbers[(pixel % high) * wide + Math.floor(pixel / high)] = number;
      at += run;
    });
  }
  return numbers;
}
function thingsOf(numbers, labels, wide, high) {
  const found = new Map();
  for (let x = 0; x < wide; x += 1) for (let y = 0; y < high; y += 1) {
    const number = numbers[y * wide + x], pixel = x * high + y;
    if (!number) continue;
    const own = found.get(number) || {runs: [], end: 0};
    if (own.runs.length && own.end === pixel) own.runs[own.runs.length - 1] += 1;
    else own.runs.push(pixel - own.end, 1);
    own.end = pixel + 1;
    found.set(number, own);
  }
  return [...found].map(([number, {runs, end}]) => ({label: labels[number - 1],
    mask: {size: [high, wide], counts: packed(end < wide * high ? [...runs, wide * high - end] : runs)}}));
}
// Colours the things of a map on a canvas: full at their outline, thin inside.
function tint(canvas, numbers, labels) {
  const {width: wide, height: high} = canvas, pen = canvas.getContext("2d"), image = pen.createImageData(wide, high);
  const colours = labels.map((label) => [1, 3, 5].map((at) => parseInt(hueOf(label).slice(at, at + 2), 16)));
  const reach = Math.max(1, Math.round(Math.max(wide, high) / 400));
  for (let y = 0; y < high; y += 1) for (let x = 0; x < wide; x += 1) {
    const at = y * wide + x, number = numbers[at];
    if (!number) continue;
    const isEdge = x < reach || y < reach || x >= wide - reach || y >= high - reach || numbers[at - reach] !== number || numbers[at + reach] !== number
      || numbers[at - reach * wide] !== number || numbers[at + reach * wide] !== number;
    image.data.set([...colours[number - 1], isEdge ? 255 : 90], at * 4);
  }
  pen.putImageData(image, 0, 0);
}
// The picture with a canvas over it of its own pixels; `draw(canvas, width, height)` once it is loaded.
function underCanvas(ask, draw, attributes) {
  const canvas = element("canvas", attributes), image = element("img", {src: pictureOf(ask), alt: ""});
  image.addEventListener("load", () => {
    if (!image.naturalWidth) return;
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    draw(canvas, canvas.width, canvas.height);
  });
  return element("div", {class: "over-picture"}, image, canvas);
}
function masked(ask) {
  const labels = ask.value.map((each) => each.label);
  const rows = ask.value.map((each) => element("li", {}, element("i", {class: "hue", style: {background: hueOf(each.label)}}), element("bdi", {}, each.label), ` ${percent(each.score)}`));
  return [element("p", {class: "over"}, facts.output), element("h2", {dir: "auto"}, countsOf(ask.value)),
    underCanvas(ask, (canvas, wide, high) => tint(canvas, numbersOf(ask.value, wide, high), labels), {"aria-label": countsOf(ask.value), role: "img"}),
    ask.value.length ? element("details", {}, element("summary", {}, word("foundAll", {n: ask.value.length})), element("ol", {class: "found"}, ...rows)) : ""];
}
const STROKES = 20;  // that can be taken back
// The right masks: painted and erased with a brush, by the pointer or by the arrow keys and the space bar.
function maskCorrection(ask) {
  const labels = ask.value.map((each) => each.label), before = [];
  let numbers = null, canvas = null, wide = 1, high = 1, held = 0, last = null, cursor = null;
  const names = element("select", {"aria-label": word("maskClass")}, ...[...new Set([...facts.labels, ...labels])].map((label) => element("option", {}, label)),
    element("option", {"data-another": true}, word("newClass")));
  const free = element("input", {maxlength: 200, dir: "auto", hidden: true, "aria-label": word("newClass")});
  const size = element("input", {type: "range", min: 1, max: 100, value: 30, "aria-label": word("brushSize")});
  const erases = element("input", {type: "checkbox", id: "erases"});
  names.addEventListener("change", () => { free.hidden = !names.selectedOptions[0].hasAttribute("data-another"); if (!free.hidden) free.focus(); });
  const label = () => (free.hidden ? names.value : free.value.trim()) || facts.labels[0];
  const radius = () => Math.max(0.5, (size.valueAsNumber / 100) ** 2 * Math.max(wide, high) / 4);
  const show = () => {
    tint(canvas, numbers, labels);
    if (!cursor) return;
    const pen = canvas.getContext("2d");
    pen.beginPath();
    pen.arc(...cursor, radius(), 0, 2 * Math.PI);
    pen.strokeStyle = "#ffffff";
    pen.stroke();
  };
  // What a stroke that begins here paints: more of the thing below it, or of the class; else a new thing.
  function begin([x, y]) {
    before.push(numbers.slice());
    if (before.length > STROKES) before.shift();
    back.disabled = false;
    const below = numbers[Math.floor(y) * wide + Math.floor(x)], own = facts.apart ? (below && labels[below - 1] === label() ? below : 0) : labels.indexOf(label()) + 1;
    held = erases.checked ? -1 : own || labels.push(label());
  }
  function stamp([x, y]) {
    const r = radius();
    for (let row = Math.max(0, Math.floor(y - r)); row <= Math.min(high - 1, Math.ceil(y + r)); row += 1)
      for (let column = Math.max(0, Math.floor(x - r)); column <= Math.min(wide - 1, Math.ceil(x + r)); column += 1)
        if ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= r * r + 0.5) numbers[row * wide + column] = Math.max(0, held);
  }
  function stroke(to) {
    const from = last || to, steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / Math.max(1, radius() / 2)));
    for (let n = 1; n <= steps; n += 1) stamp([from[0] + (to[0] - from[0]) * n / steps, from[1] + (to[1] - from[1]) * n / steps]);
    last = to;
    show();
  }
  const back = button("takeBack", () => { numbers = before.pop() || numbers; back.disabled = !before.length; show(); }, "plain");
  back.disabled = true;
  const home = underCanvas(ask, (made, width, height) => { canvas = made; wide = width; high = height; numbers = numbersOf(ask.value, wide, high); show(); },
    {class: "edited", tabindex: "0", role: "application", "aria-label": word("paintKeys")});
  const sheet = home.lastChild;
  const at = (event) => {
    const area = sheet.getBoundingClientRect(), inside = (value, most) => Math.min(most - 0.01, Math.max(0, value));
    return [inside((event.clientX - area.left) / area.width * wide, wide), inside((event.clientY - area.top) / area.height * high, high)];
  };
  sheet.addEventListener("pointerdown", (event) => {
    if (!numbers) return;
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    cursor = last = null;
    begin(at(event));
    stroke(at(event));
  });
  sheet.addEventListener("pointermove", (event) => { if (held) stroke(at(event)); });
  const drop = () => { held = 0; last = null; };
  sheet.addEventListener("pointerup", drop);
  sheet.addEventListener("pointercancel", drop);
  sheet.addEventListener("keydown", (event) => {
    const step = Math.max(1, radius()), [x, y] = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]}[event.key] || [0, 0];
    if (!numbers || (!x && !y && event.key !== " ")) return;
    event.preventDefault();
    const now = cursor || [wide / 2, high / 2];
    cursor = [Math.min(wide - 0.01, Math.max(0, now[0] + x)), Math.min(high - 0.01, Math.max(0, now[1] + y))];
    if (event.key === " ") { begin(cursor); stroke(cursor); drop(); } else show();
  });
  const away = () => { ask.asking = false; drawAnswer(); $(".verdict button", place).focus(); };
  return element("form", {class: "right-boxes", on: {submit: (event) => {
    event.preventDefault();
    if (numbers) tell(ask, {correct: thingsOf(numbers, labels, wide, high)});
  }, keydown: (event) => { if (event.key === "Escape") away(); }}}, element("p", {}, word("rightMasks")), home, element("p", {class: "note"}, word("paintKeys")),
  element("div", {class: "actions"}, names, free, element("label", {class: "brush"}, word("brushSize"), size), element("label", {class: "brush"}, erases, word("erase")), back),
  element("div", {class: "actions"}, element("button", {class: "small"}, word("send")), button("unknown", () => tell(ask, {right: false}), "plain"), button("back", away, "plain")));
}
