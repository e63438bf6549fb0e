// What both pages share: the language, and the words of a question inside a passage.
let redraw = () => {};
function say(chosen) {
  language = chosen;
  rememberLanguage(chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  for (const home of $$("[data-word]")) home.textContent = word(home.dataset.word);
  for (const home of $$("[data-label]")) home.setAttribute("aria-label", word(home.dataset.label));
  redraw();
}
$("#language").addEventListener("click", () => say(language === "en" ? "zh" : "en"));
const times = (count) => (count === 1 ? word("askedOnce") : word("asked", {n: count}));
// The passage with what it shares with the words marked: words of three letters and more, and pairs of Chinese characters.
function marked(text, query) {
  const words = query.toLowerCase().match(/[\p{Script=Han}]+|[\p{L}\p{N}]{3,}/gu) || [];
  const parts = words.flatMap((each) => (/\p{Script=Han}/u.test(each)
    ? [...each].slice(1).map((sign, at) => [...each][at] + sign) : [each]));
  if (!parts.length) return [text];
  const pattern = new RegExp(`(${[...new Set(parts)].join("|")})`, "giu");
  return text.split(pattern).map((piece, at) => (at % 2 ? element("mark", {}, piece) : piece));
}
