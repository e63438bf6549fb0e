"use strict";
const KEY = "windlass-key";
const session = {
  memory: {},
  get(name) { try { return sessionStorage.getItem(name); } catch { return this.memory[name] || null; } },
  set(name, value) { try { sessionStorage.setItem(name, value); return true; } catch { this.memory[name] = value; } },
};
let waiting = null;
// `fetch` with the key that a person typed in; asked for on 401, kept until the tab is closed.
async function keyed(path, options) {
  const ask = () => {
    const key = session.get(KEY);
    const spoken = {...options.headers, "accept-language": document.documentElement.lang || "en"};
    const headers = key ? {...spoken, authorization: "Bearer " + key} : spoken;
    return fetch(path, {...options, headers});
  };
  const response = await ask();
  return response.status === 401 && await askForKey() ? ask() : response;
}
// True when a key was typed in.
function askForKey() {
  waiting ??= new Promise((resolve) => {
    const dialog = document.createElement("dialog"), form = document.createElement("form");
    const label = document.createElement("label"), input = document.createElement("input");
    const use = document.createElement("button"), leave = document.createElement("button");
    label.textContent = "API key · 密钥";
    input.type = "password";
    input.autocomplete = "off";
    input.required = true;
    use.textContent = "OK";
    leave.textContent = "Esc";
    leave.type = "button";
    leave.className = "plain";
    leave.addEventListener("click", () => dialog.close());
    label.append(input);
    form.append(label, use, leave);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      session.set(KEY, input.value.trim());
      dialog.close("typed");
    });
    dialog.id = "key";
    dialog.append(form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      waiting = null;
      resolve(dialog.returnValue === "typed");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return waiting;
}
