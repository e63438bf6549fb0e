// The page on which one signs in: it stands where a page would that asks for it, which is shown afterwards.
const home = document.querySelector("#sign-in"), form = signInForm(() => (location.pathname === "/login" ? location.assign("/") : location.reload()));
const scopes = {"/watch": "read"}, lacks = made("p", {class: "note"});
let seen = null;
function say(chosen) {
  rememberLanguage(chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  document.querySelector("#language").textContent = keyWord("other");
  lacks.hidden = !seen?.name || location.pathname === "/login";
  lacks.textContent = keyWord("lacks").replace("{name}", seen?.name).replace("{scope}", scopes[location.pathname] || "admin");
  form.redraw();
}
document.querySelector("#language").addEventListener("click", () => say(document.documentElement.lang === "en" ? "zh" : "en"));
home.append(lacks, form);
say(firstLanguage());
form.querySelector("input").focus();
fetch("/v1/session").then((response) => response.json()).then((state) => { seen = state; if (!state.asks_for_keys) location.assign("/"); else say(firstLanguage()); }, () => {});
