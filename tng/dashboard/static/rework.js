// The versions of a script, and another name for a guest. All words are text; the kernel is told, and decides nothing either.
const LOOK_AGAIN_MS = 1500;

function make(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// The reader's own clock and language; today's time alone is enough.
function atTime(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}

function fold(className, words) {
  const details = make("details", className);
  const summary = make("summary", "", words);
  details.append(summary);
  return { details, summary };
}

function drawVersions(model, { edition, versions }) {
  const entry = (number, words, at) => {
    const item = make("li", number === edition ? "tng-version tng-here" : "tng-version");
    const what = make("span", "tng-version-words");
    what.append(make("b", "", number ? `Version ${number}` : "Original"), make("span", "", [words, at].filter(Boolean).join(" · ")));
    item.append(what);
    if (number === edition) {
      item.setAttribute("aria-current", "true");
      item.append(make("span", "tng-version-here", "what you see"));
      return item;
    }
    const back = make("button", "tng-version-back", "Back to this");
    back.type = "button";
    back.setAttribute("aria-label", number ? `Back to version ${number}` : "Back to the original");
    back.addEventListener("click", () => model.send({ kind: "back", number }));
    item.append(back);
    return item;
  };
  const list = make("ol", "tng-versions-list");
  for (const one of [...versions].reverse()) list.append(entry(one.number, one.words, atTime(one.made_at)));
  list.append(entry(0, "as it was written", ""));
  return list;
}

function drawRename(model) {
  const form = make("form", "tng-rename");
  const whom = make("label", "", "Who");
  const old = make("select");
  const called = make("label", "", "is called");
  const name = make("input");
  const go = make("button", "tng-rename-go", "Rename everywhere");
  const note = make("p", "tng-rename-note");
  const hint = make("p", "tng-rename-hint", "In every cue, and wherever the name is said. The version before stays in the list.");
  name.maxLength = 24;
  name.autocomplete = "off";
  name.spellcheck = false;
  note.setAttribute("role", "alert");
  whom.append(old);
  called.append(name);
  form.append(whom, called, go, note, hint);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    note.textContent = "";
    if (name.value.trim()) model.send({ kind: "rename", old: old.value, new: name.value.trim() });
    else note.textContent = "Please type the new name.";
  });
  name.addEventListener("input", () => { note.textContent = ""; });
  const offer = (guests) => {
    const before = old.value;
    old.replaceChildren(...guests.map((guest) => { const one = make("option", "", guest); one.value = guest; return one; }));
    if (guests.includes(before)) old.value = before;
  };
  return { form, offer, refuse: (sentence) => { note.textContent = sentence; name.focus(); }, done: () => { name.value = ""; note.textContent = ""; } };
}

export default {
  render({ model, el }) {
    el.classList.add("tng-rework");
    const versions = fold("tng-versions", "Versions");
    const names = fold("tng-names", "Rename a guest");
    const rename = drawRename(model);
    names.details.append(rename.form);
    el.append(versions.details, names.details);
    const draw = () => {
      const shown = model.get("shown") || {};
      el.hidden = !Array.isArray(shown.versions);
      if (el.hidden) return;
      const focused = document.activeElement?.closest?.(".tng-versions-list");
      versions.details.hidden = !shown.versions.length;
      versions.summary.textContent = `Versions (${shown.versions.length + 1})`;
      versions.details.querySelector("ol")?.remove();
      versions.details.append(drawVersions(model, shown));
      if (focused) versions.summary.focus({ preventScroll: true });
      names.details.hidden = !shown.guests.length;
      rename.offer(shown.guests);
    };
    const listen = (message) => {
      if (message.kind === "refused") rename.refuse(message.sentence);
      if (message.kind === "renamed") rename.done();
    };
    // another tab may have changed the script while this one was out of sight
    let looked = Date.now();
    const look = () => {
      if (el.hidden || document.visibilityState !== "visible" || Date.now() - looked < LOOK_AGAIN_MS) return;
      looked = Date.now();
      model.send({ kind: "look" });
    };
    model.on("change:shown", draw);
    model.on("msg:custom", listen);
    window.addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    draw();
    return () => {
      model.off("change:shown", draw);
      model.off("msg:custom", listen);
      window.removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  },
};
