"use strict";
// What a tab remembers until it is closed; never a key.
const session = {
  memory: {},
  get(name) { try { return sessionStorage.getItem(name); } catch { return this.memory[name] || null; } },
  set(name, value) { try { sessionStorage.setItem(name, value); return true; } catch { this.memory[name] = value; } },
};
// Which language a person chose, for the pages that the server writes, too.
function rememberLanguage(chosen) {
  session.set("windlass-language", chosen);
  document.cookie = `windlass-language=${chosen}; path=/; samesite=strict; max-age=31536000`;
}
const firstLanguage = () => (/windlass-language=(en|zh)/.exec(document.cookie) || [])[1] || session.get("windlass-language")
  || (navigator.language.startsWith("zh") ? "zh" : "en");
const KEY_WORDS = {
  en: {title: "Sign in", key: "API key", whence: "A key comes from whoever runs this service. They make it with",
    once: "and see it once; it begins with “wl_”. It goes into a cookie that no script can read, and is forgotten after 12 hours or when you sign out.",
    memory: "and see it once; it begins with “wl_”. It is kept by this page alone, until you leave it.",
    use: "Sign in", leave: "Cancel", byPassword: "With name and password", byKey: "With a key", name: "Name of the key",
    password: "Password", shape: "A key begins with “wl_” and has 59 characters. Was it copied whole?",
    wrong: "This opens nothing here. Was it copied whole, and is it still valid?", often: "Too many tries. Wait a minute, then try again.",
    failed: "The server did not answer.", lacks: "“{name}” may not see this page. Sign in with a key that may (scope {scope}).",
    other: "中文"},
  zh: {title: "登录", key: "API 密钥", whence: "密钥由运行本服务的人提供，用下面的命令生成：",
    once: "只显示一次，以“wl_”开头。密钥存放在脚本无法读取的 Cookie 中，12 小时后或退出登录时即被遗忘。",
    memory: "只显示一次，以“wl_”开头。密钥只保存在本页中，离开即消失。",
    use: "登录", leave: "取消", byPassword: "用名称和密码登录", byKey: "用密钥登录", name: "密钥名称",
    password: "密码", shape: "密钥以“wl_”开头，共 59 个字符。是否复制完整？",
    wrong: "无法用它登录。是否复制完整？是否仍然有效？", often: "尝试次数过多，请一分钟后再试。",
    failed: "服务器没有应答。", lacks: "“{name}”无权查看此页，请用有权限（{scope}）的密钥登录。",
    other: "English"},
};
const keyWord = (name) => KEY_WORDS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"][name];
// In a frame on somebody else's page no cookie of ours is sent: a key is then held in memory, by this page alone.
const isFramed = window.top !== window;
let heldKey = "", waiting = null;
if (isFramed) {
  // The page around us, which is on our list or would not be shown with us, may bring a key that all its visitors may know.
  addEventListener("message", (event) => {
    if (event.source === window.parent && typeof event.data?.windlassKey === "string") heldKey = event.data.windlassKey;
  });
  window.parent.postMessage("windlass:ready", "*");
}
// `fetch` as whoever has signed in; a person is asked for a key on 401.
async function keyed(path, options) {
  const ask = () => {
    const spoken = {...options.headers, "accept-language": document.documentElement.lang || "en"};
    return fetch(path, {...options, headers: heldKey ? {...spoken, authorization: "Bearer " + heldKey} : spoken});
  };
  const response = await ask();
  return response.status === 401 && await askForKey() ? ask() : response;
}
// Signs in: the server gives a cookie that no script can read. Gives the name of what went wrong, or nothing.
async function signIn(given) {
  if (given.key !== undefined && !/^wl_[0-9a-f]{12}_[\w-]{43}$/.test(given.key)) return "shape";
  if (isFramed && given.key) { heldKey = given.key; return ""; }
  try {
    const response = await fetch("/v1/session", {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(given)});
    return response.ok ? "" : response.status === 429 ? "often" : response.status === 401 ? "wrong" : "failed";
  } catch {
    return "failed";
  }
}
const signOut = () => fetch("/v1/session", {method: "DELETE"});
function made(name, attributes = {}, ...inside) {
  const home = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) home.setAttribute(key, value);
  home.append(...inside);
  return home;
}
// The form on which one signs in, and says where keys come from. leave: what Cancel does, where one can. scope: of a key
// that opens what is wanted.
function signInForm(done, leave, scope = "predict") {
  const form = made("form", {class: "sign-in-form", autocomplete: "off"}), fault = made("p", {class: "trouble", role: "alert"});
  let byPassword = false;
  fault.hidden = true;
  const fieldOf = (name, type) => made("label", {}, keyWord(name), made("input", {type, required: "", autocomplete: "off", name, spellcheck: "false"}));
  function draw() {
    const use = made("button", {}, keyWord("use")), other = made("button", {type: "button", class: "plain"}, keyWord(byPassword ? "byKey" : "byPassword"));
    other.hidden = !form.dataset.passwords;
    other.addEventListener("click", () => { byPassword = !byPassword; fault.hidden = true; draw(); form.querySelector("input").focus(); });
    const cancel = made("button", {type: "button", class: "plain"}, keyWord("leave"));
    cancel.addEventListener("click", () => leave());
    const whence = made("p", {class: "note"}, keyWord("whence") + " ", made("code", {}, `windlass keys create NAME --scope ${scope}`), " ",
      keyWord(isFramed ? "memory" : "once"));
    form.replaceChildren(made("h2", {}, keyWord("title")), ...(byPassword ? [fieldOf("name", "text"), fieldOf("password", "password")] : [fieldOf("key", "password"), whence]),
      fault, made("div", {class: "actions"}, use, ...(leave ? [cancel] : []), other));
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, name === "password" ? value : value.trim()]));
    const wrong = await signIn(given);
    if (!wrong) { done(); return; }
    fault.textContent = keyWord(wrong);
    fault.hidden = false;
    form.querySelector("input").focus();
  });
  draw();
  if (!isFramed) fetch("/v1/session").then((response) => response.json()).then((state) => { if (state.passwords) { form.dataset.passwords = "1"; form.querySelector(".actions .plain:last-child").hidden = false; } }, () => {});
  form.redraw = draw;
  return form;
}
// True when somebody signed in.
function askForKey(scope = "predict") {
  waiting ??= new Promise((resolve) => {
    const dialog = made("dialog", {id: "key", "aria-label": keyWord("title")});
    dialog.append(signInForm(() => dialog.close("in"), () => dialog.close(), scope));
    dialog.addEventListener("close", () => {
      dialog.remove();
      waiting = null;
      resolve(dialog.returnValue === "in");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return waiting;
}
// The buttons to sign in and out, where the page has them.
// Who came by a link of another site has signed in and yet sees the visitor's page: no cookie was sent for that one request.
const whoIsThere = () => fetch("/v1/session").then((response) => response.json()).catch(() => ({}));
document.querySelector("button#sign-in")?.addEventListener("click", async () => {
  if ((await whoIsThere()).name || await askForKey("admin")) location.reload();
});
document.querySelector("button#sign-out")?.addEventListener("click", async () => { await signOut(); location.reload(); });
