// The page on which one signs in: it stands where a page would that asks for it, which is shown afterwards.
const home = document.querySelector("#sign-in"), scope = location.pathname === "/watch" ? "read" : "admin";
const form = signInForm(() => (location.pathname === "/login" ? location.assign("/") : location.reload()), null, scope);
const lacks = made("p", {class: "note"});
let seen = null;
function say(chosen) {
  rememberLanguage(chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  document.querySelector("#language").textContent = keyWord("other");
  lacks.hidden = !seen?.name || location.pathname === "/login";
  lacks.textContent = keyWord("lacks").replace("{name}", seen?.name).replace("{scope}", scope);
  form.redraw();
}
document.querySelector("#language").addEventListener("click", () => say(document.documentElement.lang === "en" ? "zh" : "en"));
home.append(lacks, form);
say(firstLanguage());
form.querySelector("input").focus();
whoIsThere().then((state) => {
  seen = state;
  const may = state.name && (state.scopes.includes(scope) || state.scopes.includes("admin")), place = location.pathname;
  if (state.asks_for_keys === false) location.assign("/");
  else if (may && place !== "/login" && session.get("windlass-again") !== place) { session.set("windlass-again", place); location.reload(); } else say(firstLanguage());
});
