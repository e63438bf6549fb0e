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
    stroke: hueOf(each.label), "stroke-width": line, ...(each.hand_over ? {"stroke-dasharray": `${line * 3} ${line * 2}`} : {})}), label);
  return made;
}
function boxed(ask) {
  const said = (each) => `${each.label} ${percent(each.score)}${each.hand_over ? ` · ${word("lookAtBox")}` : ""}`, isNamed = ask.value.length <= NAMED;
  const draw = (drawing, width, height) => drawing.replaceChildren(...ask.value.map((each) => boxShape(each, width, height, said(each), isNamed)));
  const rows = ask.value.map((each) => element("li", {}, element("i", {class: "hue", style: {background: hueOf(each.label)}}), element("bdi", {}, each.label), said(each).slice(each.label.length)));
  const {low, high, share} = ask.interval || {}, range = low === high ? low : `${low}–${high}`;
  const counted = ask.interval && `${word("inAll", {n: ask.value.length, range})} (${percent(share)})`;
  return [element("p", {class: "over"}, facts.output), element("h2", {dir: "auto"}, countsOf(ask.value)), counted ? element("p", {class: "sure"}, counted) : "",
    overPicture(ask, draw), ask.value.length ? element("details", {open: ask.value.some((each) => each.hand_over)}, element("summary", {}, word("foundAll", {n: ask.value.length})),
      element("ol", {class: "found"}, ...rows)) : ""];
}
// Drawn whatever corner was pulled over which: left before right, top before bottom.
const inOrder = ([left, top, right, bottom]) => [Math.min(left, right), Math.min(top, bottom), Math.max(left, right), Math.max(top, bottom)];
const areaOf = ({box: [left, top, right, bottom]}) => (right - left) * (bottom - top);
const CORNERS = [[0, 1], [2, 1], [0, 3], [2, 3]], REACH = 16, DOT = 6;  // pixels of the screen: what a finger reaches, and what is seen
// The right boxes: drawn with the pointer, or added and moved with the keys.
function boxCorrection(ask) {
  const boxes = ask.value.map(({label, box}) => ({label, box: [...box]})), before = [];
  let chosen = -1, held = null, drawing = null, wide = 1, high = 1, next = facts.labels[0];
  const names = element("select", {"aria-label": word("boxClass")}), free = element("input", {maxlength: 200, dir: "auto", hidden: true, "aria-label": word("newClass")});
  const remove = button("removeBox", () => take(true), "plain"), keys = element("p", {class: "note"}, word("moveBox"));
  const undo = button("undoBox", () => back(), "plain"), tally = element("p", {class: "note", "aria-live": "polite"});
  const known = () => [...new Set([...facts.labels, ...boxes.map((each) => each.label)])];
  const remember = () => { before.push(JSON.stringify(boxes)); };
  const inside = (box) => inOrder(box).map((side, place) => Math.max(0, Math.min(place % 2 ? high : wide, side)));
  function show() {
    if (!drawing) return;
    const pixel = wide / (drawing.getBoundingClientRect().width || wide), order = boxes.map((_, place) => place)
      .sort((one, other) => areaOf({box: inOrder(boxes[other].box)}) - areaOf({box: inOrder(boxes[one].box)}));  // small ones on top
    const top = chosen >= 0 ? [...order.filter((place) => place !== chosen), chosen] : order;
    drawing.replaceChildren(...top.map((place) => {
      const each = {...boxes[place], box: inOrder(boxes[place].box)};
      const made = boxShape(each, wide, high, each.label, boxes.length <= NAMED || place === chosen);
      made.setAttribute("tabindex", place === Math.max(0, chosen) ? "0" : "-1");
      made.setAttribute("role", "button");
      made.setAttribute("aria-label", word("boxOf", {label: each.label, n: place + 1}));
      made.setAttribute("aria-pressed", String(place === chosen));
      made.dataset.place = place;
      if (place === chosen) made.append(...CORNERS.flatMap(([x, y]) => [[REACH, "transparent"], [DOT, hueOf(each.label)]].map(([r, fill]) =>
        shape("circle", {cx: boxes[place].box[x], cy: boxes[place].box[y], r: r * pixel, fill, "data-x": x, "data-y": y}))));
      return made;
    }));
    const now = chosen >= 0 ? boxes[chosen].label : next;
    names.replaceChildren(...known().map((label, place) => element("option", {value: label, selected: label === now}, place < 9 ? `${place + 1} ${label}` : label)),
      element("option", {"data-another": true}, word("newClass")));
    remove.disabled = chosen < 0;
    undo.disabled = !before.length;
    keys.hidden = chosen < 0;
    tally.textContent = countsOf(boxes);
  }
  const groupOf = (place) => drawing.querySelector(`g[data-place="${place}"]`);
  function choose(place, hasFocus) {
    chosen = place;
    free.hidden = true;
    show();
    if (hasFocus && place >= 0) groupOf(place).focus({preventScroll: true});
  }
  function take(isMeant) {
    if (chosen < 0) return;
    if (isMeant) remember();
    boxes.splice(chosen, 1);
    choose(isMeant && boxes.length ? Math.min(chosen, boxes.length - 1) : -1, isMeant);
  }
  function back() {
    if (!before.length) return;
    boxes.splice(0, boxes.length, ...JSON.parse(before.pop()));
    choose(-1);
    svg.focus({preventScroll: true});
  }
  function call(label) {
    next = label;
    if (chosen >= 0 && boxes[chosen].label !== label) { remember(); boxes[chosen].label = label; }
  }
  names.addEventListener("change", () => {
    free.hidden = !names.selectedOptions[0].hasAttribute("data-another");
    if (!free.hidden) free.focus();
    else { call(names.value); show(); }
  });
  free.addEventListener("change", () => { if (free.value.trim()) { call(free.value.trim()); choose(chosen); } });
  const at = (event) => {
    const area = drawing.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width * wide, (event.clientY - area.top) / area.height * high];
  };
  const home = overPicture(ask, (svg, width, height) => { drawing = svg; wide = width; high = height; show(); }, "edited");
  const svg = home.lastChild;
  svg.setAttribute("tabindex", "-1");
  svg.addEventListener("pointerdown", (event) => {
    if (held || !drawing) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const [x, y] = at(event), group = event.target.closest("g"), corner = event.target.dataset.x;
    remember();
    if (corner !== undefined) held = {x: Number(corner), y: Number(event.target.dataset.y)};
    else if (group) { choose(Number(group.dataset.place), true); held = {from: [x, y], was: [...boxes[chosen].box]}; }
    else { boxes.push({label: next || known()[0], box: [x, y, x, y]}); choose(boxes.length - 1); held = {x: 2, y: 3, isNew: true}; }
    held.pointer = event.pointerId;
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const [x, y] = at(event), each = boxes[chosen];
    held.isMoved = true;
    if (held.from) {
      const [left, top, right, bottom] = held.was, across = Math.max(-left, Math.min(wide - right, x - held.from[0])), down = Math.max(-top, Math.min(high - bottom, y - held.from[1]));
      each.box = [left + across, top + down, right + across, bottom + down];
    } else { each.box[held.x] = x; each.box[held.y] = y; }
    show();
  });
  const drop = (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const least = Math.max(wide, high) / 100, was = held;
    boxes[chosen].box = inside(boxes[chosen].box);
    const [left, top, right, bottom] = boxes[chosen].box;
    held = null;
    if (right - left < least || bottom - top < least) { if (was.isNew) take(); else back(); if (was.isNew) before.pop(); show(); return; }
    if (!was.isMoved) before.pop();
    choose(chosen, true);
  };
  svg.addEventListener("pointerup", drop);
  svg.addEventListener("pointercancel", drop);
  svg.addEventListener("focusin", (event) => {
    const group = event.target.closest("g");
    if (group && Number(group.dataset.place) !== chosen) choose(Number(group.dataset.place), true);
  });
  // Tab goes through the boxes in their order, whichever lies on top, and then on.
  function along(event) {
    const to = chosen + (event.shiftKey ? -1 : 1);
    if (chosen < 0 || to < 0 || to >= boxes.length) return;
    event.preventDefault();
    choose(to, true);
  }
  function move(event, x, y) {
    event.preventDefault();
    remember();
    const [left, top, right, bottom] = boxes[chosen].box, least = Math.max(wide, high) / 100;
    const across = Math.max(-left, Math.min(wide - right, x)), down = Math.max(-top, Math.min(high - bottom, y));
    boxes[chosen].box = event.shiftKey ? inside([left, top, Math.max(left + least, right + x), Math.max(top + least, bottom + y)])
      : [left + across, top + down, right + across, bottom + down];
    choose(chosen, true);
  }
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Tab") { along(event); return; }
    if (chosen < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.repeat ? Math.max(wide, high) / 50 : Math.max(wide, high) / 100, label = known()[Number(event.key) - 1];
    const [x, y] = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]}[event.key] || [0, 0];
    if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); take(true); }
    else if (label) { call(label); choose(chosen, true); }
    else if (x || y) move(event, x, y);
  });
  const add = button("addBox", () => {
    remember();
    boxes.push({label: next || known()[0], box: [wide * 0.4, high * 0.4, wide * 0.6, high * 0.6]});
    choose(boxes.length - 1, true);
  }, "small");
  const away = () => { ask.asking = false; drawAnswer(); $(".verdict button", place).focus(); };
  return element("form", {class: "right-boxes", on: {submit: (event) => {
    event.preventDefault();
    tell(ask, {correct: boxes.map(({label, box}) => ({label, box: box.map((side) => Math.round(side * 100) / 100)}))});
  }, keydown: (event) => {
    if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && event.target !== free) { event.preventDefault(); back(); }
    if (event.key === "Enter" && event.target === free) { event.preventDefault(); free.blur(); }
    if (event.key === "Escape") { if (chosen >= 0) { choose(-1); add.focus(); } else away(); }
  }}}, element("p", {}, word("rightBoxes")), home, keys, tally,
  element("div", {class: "actions"}, names, free, add, remove, undo),
  element("div", {class: "actions"}, element("button", {class: "small"}, word("send")), button("unknown", () => tell(ask, {right: false}), "plain"), button("back", away, "plain")));
}
