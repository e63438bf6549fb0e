// Boxes on a picture: shown as an answer, and drawn, moved, sized, renamed and removed as a correction.
const HUES = ["#e6550d", "#3182bd", "#31a354", "#8a63d2", "#d6278a", "#a06d1c", "#0f9a9a", "#636363"];
const hueOf = (label) => HUES[Math.max(0, facts.labels.indexOf(label)) % HUES.length];
const shape = (name, attributes) => {
  const made = document.createElementNS($("#drawing").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const HAVE_THINGS = new Set(["boxes", "masks"]);  // answers that are labelled things in a picture
// Of boxes, how many of each class: `3 disc, 1 square`.
function countsOf(boxes) {
  const counts = new Map();
  for (const each of boxes) counts.set(each.label, (counts.get(each.label) || 0) + 1);
  return [...counts].map(([label, count]) => `${count} ${label}`).join(", ") || word("nothingThere");
}
const pictureOf = (ask) => picture(ask.row[facts.pictures[0]] || "");
// The picture with a drawing over it that counts in its own pixels; `draw(svg, width, height)` once it is loaded.
function overPicture(ask, draw, kind = "") {
  const drawing = shape("svg", {class: `boxes ${kind}`, preserveAspectRatio: "none"});
  const image = element("img", {src: pictureOf(ask), alt: ""});
  const load = () => {
    if (!image.naturalWidth) return;
    drawing.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
    draw(drawing, image.naturalWidth, image.naturalHeight);
  };
  image.addEventListener("load", load);
  const home = element("div", {class: "over-picture"}, image);
  home.append(drawing);
  return home;
}
const NAMED = 24;  // boxes up to which each has its name beside it
function boxShape(each, width, height, said, isNamed = true) {
  const [left, top, right, bottom] = each.box, line = Math.max(width, height) / 200;
  const made = shape("g", {}), words = shape("title", {});
  words.textContent = said;
  const size = Math.max(width, height) / 40, label = shape("text", {x: left, y: top > size * 1.2 ? top - line : top + size, "font-size": size, fill: hueOf(each.label), class: "box-name"});
  label.textContent = isNamed ? each.label : "";
  made.append(words, shape("rect", {x: left, y: top, width: right - left, height: bottom - top, fill: "transparent",
    stroke: hueOf(each.label), "stroke-width": line}), label);
  return made;
}
function boxed(ask) {
  const said = (each) => `${each.label} ${percent(each.score)}`, isNamed = ask.value.length <= NAMED;
  const draw = (drawing, width, height) => drawing.replaceChildren(...ask.value.map((each) => boxShape(each, width, height, said(each), isNamed)));
  const rows = ask.value.map((each) => element("li", {}, element("i", {class: "hue", style: {background: hueOf(each.label)}}), element("bdi", {}, each.label), ` ${percent(each.score)}`));
  return [element("p", {class: "over"}, facts.output), element("h2", {dir: "auto"}, countsOf(ask.value)),
    overPicture(ask, draw), ask.value.length ? element("details", {}, element("summary", {}, word("foundAll", {n: ask.value.length})),
      element("ol", {class: "found"}, ...rows)) : ""];
}
// The right boxes: drawn with the pointer, or added and moved with the keys.
function boxCorrection(ask) {
  const boxes = ask.value.map(({label, box}) => ({label, box: [...box]}));
  let chosen = -1, held = null, drawing = null, wide = 1, high = 1;
  const names = element("select", {"aria-label": word("boxClass")}), free = element("input", {maxlength: 200, dir: "auto", hidden: true, "aria-label": word("newClass")});
  const remove = button("removeBox", () => take(-1), "plain"), keys = element("p", {class: "note"}, word("moveBox"));
  const known = () => [...new Set([...facts.labels, ...boxes.map((each) => each.label)])];
  const nameNow = () => (names.selectedOptions[0]?.hasAttribute("data-another") ? free.value.trim() : names.value) || facts.labels[0];
  const inside = ([left, top, right, bottom]) => [Math.max(0, Math.min(left, right)), Math.max(0, Math.min(top, bottom)),
    Math.min(wide, Math.max(left, right)), Math.min(high, Math.max(top, bottom))];
  function show() {
    if (!drawing) return;
    drawing.replaceChildren(...boxes.map((each, place) => {
      const made = boxShape(each, wide, high, each.label, boxes.length <= NAMED || place === chosen);
      made.setAttribute("tabindex", "0");
      made.setAttribute("role", "button");
      made.setAttribute("aria-label", word("boxOf", {label: each.label, n: place + 1}));
      made.setAttribute("aria-pressed", String(place === chosen));
      made.dataset.place = place;
      if (place === chosen) made.append(...[[0, 1], [2, 1], [0, 3], [2, 3]].map(([x, y]) => shape("circle", {cx: each.box[x], cy: each.box[y],
        r: Math.max(wide, high) / 55, fill: hueOf(each.label), "data-x": x, "data-y": y})));
      return made;
    }));
    names.replaceChildren(...known().map((label) => element("option", {value: label, selected: chosen >= 0 && boxes[chosen].label === label}, label)),
      element("option", {"data-another": true}, word("newClass")));
    remove.disabled = chosen < 0;
    keys.hidden = chosen < 0;
  }
  function choose(place, hasFocus) {
    chosen = place;
    free.hidden = true;
    show();
    if (hasFocus && place >= 0) drawing.children[place].focus();
  }
  function take() {
    if (chosen < 0) return;
    boxes.splice(chosen, 1);
    choose(-1);
  }
  names.addEventListener("change", () => {
    free.hidden = !names.selectedOptions[0].hasAttribute("data-another");
    if (!free.hidden) free.focus();
    else if (chosen >= 0) { boxes[chosen].label = names.value; show(); }
  });
  free.addEventListener("change", () => { if (chosen >= 0 && free.value.trim()) { boxes[chosen].label = free.value.trim(); choose(chosen); } });
  const at = (event) => {
    const area = drawing.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width * wide, (event.clientY - area.top) / area.height * high];
  };
  const home = overPicture(ask, (svg, width, height) => { drawing = svg; wide = width; high = height; show(); }, "edited");
  const svg = home.lastChild;
  svg.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const [x, y] = at(event), group = event.target.closest("g"), corner = event.target.dataset.x;
    if (corner !== undefined) held = {x: Number(corner), y: Number(event.target.dataset.y)};
    else if (group) { choose(Number(group.dataset.place), true); held = {from: [x, y], was: [...boxes[chosen].box]}; }
    else { boxes.push({label: nameNow(), box: [x, y, x, y]}); choose(boxes.length - 1); held = {x: 2, y: 3, isNew: true}; }
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = at(event), each = boxes[chosen];
    if (held.from) each.box = held.was.map((side, place) => side + (place % 2 ? y - held.from[1] : x - held.from[0]));
    else { each.box[held.x] = x; each.box[held.y] = y; }
    show();
  });
  const drop = () => {
    if (!held) return;
    const least = Math.max(wide, high) / 100;
    boxes[chosen].box = inside(boxes[chosen].box);
    const [left, top, right, bottom] = boxes[chosen].box;
    held = null;
    if (right - left < least || bottom - top < least) take(); else choose(chosen, true);
  };
  svg.addEventListener("pointerup", drop);
  svg.addEventListener("pointercancel", drop);
  svg.addEventListener("focusin", (event) => {
    const group = event.target.closest("g");
    if (group && Number(group.dataset.place) !== chosen) choose(Number(group.dataset.place), true);
  });
  svg.addEventListener("keydown", (event) => {
    if (chosen < 0) return;
    const step = Math.max(wide, high) / 100, [x, y] = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]}[event.key] || [0, 0];
    if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); take(); return; }
    if (!x && !y) return;
    event.preventDefault();
    const [left, top, right, bottom] = boxes[chosen].box, isSize = event.shiftKey;
    const moved = isSize ? [left, top, Math.max(left + step, right + x), Math.max(top + step, bottom + y)] : [left + x, top + y, right + x, bottom + y];
    boxes[chosen].box = inside(moved);
    choose(chosen, true);
  });
  const add = button("addBox", () => {
    boxes.push({label: nameNow(), box: [wide * 0.4, high * 0.4, wide * 0.6, high * 0.6]});
    choose(boxes.length - 1, true);
  }, "small");
  const away = () => { ask.asking = false; drawAnswer(); $(".verdict button", place).focus(); };
  return element("form", {class: "right-boxes", on: {submit: (event) => {
    event.preventDefault();
    tell(ask, {correct: boxes.map(({label, box}) => ({label, box: box.map((side) => Math.round(side * 100) / 100)}))});
  }, keydown: (event) => { if (event.key === "Escape") away(); }}}, element("p", {}, word("rightBoxes")), home, keys,
  element("div", {class: "actions"}, names, free, add, remove),
  element("div", {class: "actions"}, element("button", {class: "small"}, word("send")), button("unknown", () => tell(ask, {right: false}), "plain"), button("back", away, "plain")));
}
