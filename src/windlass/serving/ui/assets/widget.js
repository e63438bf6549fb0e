// Embeds the product on another site's page: <script src="https://desk.example.com/widget.js" async></script>
// data-place="#help": inside that element, not behind a button. data-label: of the button. data-key: an API key that every
// visitor may know (scope predict, with a rate). data-color: of the button.
(() => {
  const script = document.currentScript, home = new URL(script.src).origin, given = script.dataset;
  const isChinese = (document.documentElement.lang || navigator.language).startsWith("zh");
  const name = "__NAME__", label = given.label || (isChinese ? "提问" : "Ask"), shut = isChinese ? "关闭" : "Close";
  const frame = document.createElement("iframe");
  frame.title = name;
  frame.allow = "clipboard-write";
  Object.assign(frame.style, {border: "0", width: "100%", height: "100%", display: "block", colorScheme: "normal"});
  // The frame says that it is there, and only the frame, at its own address, is told the key.
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== home || event.data !== "windlass:ready") return;
    if (given.key) frame.contentWindow.postMessage({windlassKey: given.key}, home);
  });
  const load = () => { if (!frame.src) frame.src = home + "/widget"; };
  function inside(place) {
    place.style.minHeight ||= "560px";
    frame.style.minHeight = "560px";
    place.append(frame);
    load();
  }
  function behindButton() {
    const box = document.createElement("div"), button = document.createElement("button");
    Object.assign(box.style, {position: "fixed", right: "16px", bottom: "76px", width: "min(400px, calc(100vw - 32px))",
      height: "min(640px, calc(100vh - 100px))", borderRadius: "12px", overflow: "hidden", background: "#fff", zIndex: "2147483000",
      boxShadow: "0 8px 32px rgba(0, 0, 0, .25)", display: "none"});
    Object.assign(button.style, {position: "fixed", right: "16px", bottom: "16px", minHeight: "48px", padding: "0 22px", border: "0",
      borderRadius: "24px", font: "600 16px system-ui, sans-serif", color: "#fff", background: given.color || "__ACCENT__",
      cursor: "pointer", zIndex: "2147483000", boxShadow: "0 2px 10px rgba(0, 0, 0, .25)"});
    button.type = "button";
    box.id = "windlass-widget";
    button.setAttribute("aria-controls", box.id);
    const show = (isOpen) => {
      if (isOpen) load();
      box.style.display = isOpen ? "block" : "none";
      button.textContent = isOpen ? shut : label;
      button.setAttribute("aria-expanded", String(isOpen));
    };
    button.addEventListener("click", () => show(box.style.display === "none"));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && box.style.display !== "none") { show(false); button.focus(); }
    });
    box.append(frame);
    document.body.append(box, button);
    show(false);
  }
  function start() {
    const place = given.place && document.querySelector(given.place);
    if (place) inside(place); else behindButton();
  }
  if (document.body && document.readyState !== "loading") start(); else addEventListener("DOMContentLoaded", start);
})();
