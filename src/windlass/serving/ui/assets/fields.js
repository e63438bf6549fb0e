// The fields of the form: from what a person gave to a row, and back.
const form = $("#form"), fields = $$(".field", form);
const picture = (value) => (value.startsWith("data:") ? value : `data:;base64,${value}`);
const read = {
  text: (field) => $("textarea", field).value || null,
  chat: (field) => ($("textarea", field).value ? [{role: "user", content: $("textarea", field).value}] : null),
  image: (field) => field.picture || null,
  number(field) {
    const input = $("input", field);
    if (input.validity.badInput) throw Object.assign(new Error(`${word("notNumber")} ${field.dataset.column}`), {field});
    return input.value === "" ? null : Number(input.value);
  },
  date: (field) => field.exact || $("input", field).value || null,
  category(field) {
    const select = $("select", field);
    return (select && !select.selectedOptions[0].hasAttribute("data-another") ? select : $("input", field)).value || null;
  },
};
const fill = {
  text(field, value) { $("textarea", field).value = value ?? ""; },
  chat(field, value) { $("textarea", field).value = value ? value.at(-1).content : ""; },
  image: (field, value) => showPicture(field, value ? picture(value) : "", ""),
  number(field, value) { $("input", field).value = value ?? ""; },
  date(field, value) {
    $("input", field).value = String(value ?? "").slice(0, 10);
    field.exact = String(value ?? "").length > 10 ? value : "";
  },
  category(field, value) {
    const select = $("select", field), name = value ?? "";
    if (!select) { $("input", field).value = name; return; }
    const known = [...select.options].find((option) => option.value === String(name) && !("another" in option.dataset));
    (known || $("[data-another]", select)).selected = true;
    $("input", field).value = known ? "" : name;
    $("input", field).hidden = Boolean(known);
  },
};
const kindOf = (field) => (field.dataset.kind in read ? field.dataset.kind : "text");
const readRow = () => Object.fromEntries(fields.map((field) => [field.dataset.column, read[kindOf(field)](field)]));
function fillRow(row) {
  for (const field of fields) fill[kindOf(field)](field, row[field.dataset.column]);
}
function showPicture(field, url, name) {
  const image = $("img", field);
  field.picture = url;
  field.classList.toggle("filled", Boolean(url));
  $(".name", field).textContent = name;
  if (url) image.src = url; else image.removeAttribute("src");
}
function take(field, file) {
  const reader = new FileReader();
  reader.addEventListener("load", () => showPicture(field, reader.result, file.name));
  reader.addEventListener("error", () => showTrouble(new Error(reader.error.message)));
  reader.readAsDataURL(file);
}
const pictured = (files) => [...(files || [])].find((file) => file.type.startsWith("image/"));
function watchPicture(field) {
  const input = $("input", field), zone = $(".drop", field);
  input.addEventListener("change", () => { if (input.files.length) take(field, input.files[0]); input.value = ""; });
  for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = pictured(event.dataTransfer.files) || event.dataTransfer.files[0];
    if (file) take(field, file);
  });
  $("img", field).addEventListener("error", () => { $(".name", field).textContent ||= word("noPreview"); });
  $(".remove", field).addEventListener("click", () => { showPicture(field, "", ""); input.focus(); });
}
for (const field of fields) {
  if (field.dataset.kind === "image") watchPicture(field);
  const select = $("select", field);
  if (select) select.addEventListener("change", () => {
    const input = $("input", field);
    input.hidden = !select.selectedOptions[0].hasAttribute("data-another");
    if (!input.hidden) input.focus();
  });
  if (field.dataset.kind === "date") $("input", field).addEventListener("input", () => { field.exact = ""; });
}
document.addEventListener("paste", (event) => {
  const file = pictured(event.clipboardData && event.clipboardData.files);
  const targets = fields.filter((field) => field.dataset.kind === "image");
  const target = targets.find((field) => field.contains(document.activeElement))
    || targets.find((field) => !field.picture) || targets[0];
  if (file && target) { event.preventDefault(); take(target, file); }
});
