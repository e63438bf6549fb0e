// Passages that are found, the best first, without an answer.
const found = $("#found"), box = $("#query");
let shownSearch = null;
function drawFound() {
  if (!shownSearch) return;
  const {query, passages} = shownSearch;
  found.replaceChildren(...(passages.length ? passages.map((each, number) => element("article", {class: "passage"},
    element("h3", {}, element("span", {}, `${number + 1}. `, element("bdi", {}, placeOf(each))),
      element("span", {class: "note"}, word("score", {n: each.score.toFixed(2)}))),
    element("blockquote", {dir: "auto"}, ...marked(each.text, query)))) : [element("p", {class: "waits"}, word("noPassages"))]));
}
async function search() {
  const query = box.value.trim();
  if (!query) { box.focus(); return; }
  try {
    const given = await (await send("/v1/search", {query})).json();
    shownSearch = {query, passages: given.passages};
    drawFound();
    speak(word("nPassages", {n: given.passages.length}));
  } catch (error) {
    found.replaceChildren(trouble(error));
  }
}
$("#form").addEventListener("submit", (event) => { event.preventDefault(); search(); });
redraw = drawFound;
say(language);
box.focus({preventScroll: true});
