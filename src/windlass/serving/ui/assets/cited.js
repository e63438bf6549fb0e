// An answer out of documents: its sentences, each with the number of its source; the sources open with the quotation marked.
const placeOf = (each) => [each.title && each.title !== each.document ? `${each.title} (${each.document})` : each.document,
  each.page ? word("page", {n: each.page}) : ""].filter(Boolean).join(", ");
function sourceOf(citation, number, passages) {
  const home = passages.find((each) => each.document === citation.document && each.start <= citation.start && citation.end <= each.end);
  const from = home ? [...home.text].slice(0, citation.start - home.start).join("") : "";
  const rest = home ? [...home.text].slice(citation.end - home.start).join("") : "";
  return element("details", {class: "source", id: `source-${number}`}, element("summary", {}, element("b", {}, `${number} `),
    element("bdi", {}, placeOf(citation))), element("blockquote", {dir: "auto"}, from, element("mark", {}, citation.quote), rest));
}
function cited(ask) {
  const {sentences, passages = [], refused} = ask.value, citations = sentences.flatMap((each) => each.citations);
  const sources = citations.map((citation, place) => sourceOf(citation, place + 1, passages));
  const open = (number) => { sources[number - 1].open = true; sources[number - 1].querySelector("summary").focus(); };
  let count = 0;
  const said = sentences.flatMap((each) => [element("span", {}, each.text), ...each.citations.map(() => {
    count += 1;
    const number = count;
    return element("button", {type: "button", class: "cite", "aria-label": word("source", {n: number}), on: {click: () => open(number)}}, String(number));
  }), " "]);
  const near = passages.slice(0, 3).map((each) => element("details", {class: "source"}, element("summary", {},
    element("bdi", {}, placeOf(each))), element("blockquote", {dir: "auto"}, each.text)));
  const others = (ask.value.conflicts || []).map((each) => element("p", {class: "note conflict"}, `${word("saysOtherwise")} `,
    element("bdi", {}, placeOf(each)), ": ", element("q", {dir: "auto"}, each.quote)));
  const sure = refused || ask.confidence === null ? "" : element("p", {class: `sure ${sureness(ask.confidence)}`},
    `${word(sureness(ask.confidence))} (${percent(ask.confidence)})`);
  return [element("p", {class: "over"}, facts.output),
    refused ? element("p", {class: "text refused"}, word("refused")) : element("p", {class: "text", dir: "auto"}, ...said),
    sure, ...others, ...sources, refused && near.length ? element("h3", {}, word("nearest")) : "", ...(refused ? near : [])];
}
// What a person says of it: a better answer, or that nothing in the documents answers.
const noAnswer = (ask) => button("nothingAnswers", () => tell(ask, {correct: {}}), "plain");
