// What unfolds in the list of scripts: menus, and the link by which a script is read. Every word is set as text.
const COPIED_MS = 2_000;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// ``key`` is how the focus is found again when the list is drawn anew.
function button(className, text, act, key, label) {
  const made = element("button", className, text);
  made.type = "button";
  made.dataset.key = key;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

// Only this house's paths and pages of the web; anything else is no link.
function anchor(className, text, path, key) {
  const made = element("a", className, text);
  const target = new URL(path, window.location.href);
  if (target.protocol === "https:" || target.protocol === "http:") made.href = target.href;
  made.dataset.key = key;
  return made;
}

function drawMenu(row, what, state, sign, label, entries) {
  const box = element("div", "tng-menu");
  const name = `${row.id}:${what}`, isOpen = state.menu === name;
  const toggle = button(`tng-quiet tng-${what}-toggle`, sign, () => state.unfold(isOpen ? "" : name), name, label);
  toggle.setAttribute("aria-expanded", String(isOpen));
  box.append(toggle);
  if (isOpen) {
    const list = element("ul", "tng-menu-list");
    list.setAttribute("aria-label", label);
    for (const entry of entries) {
      const item = element("li", "");
      item.append(entry);
      list.append(item);
    }
    box.append(list);
  }
  return box;
}

// Where there is no clipboard, as on a page without TLS, the browser's older way is tried; the text stays selected.
async function copyText(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy");
  }
}

function drawLink(row, state) {
  const line = element("div", "tng-link-line");
  const field = element("input", "tng-input");
  field.readOnly = true;
  field.value = row.link;
  field.dataset.key = `${row.id}:link`;
  field.setAttribute("aria-label", `Link to “${row.title}”`);
  field.addEventListener("focus", () => field.select());
  const copy = button("tng-strong", "Copy", async () => {
    const isCopied = await copyText(field);
    copy.textContent = isCopied ? "Copied" : "Press Ctrl+C";
    state.say(isCopied ? "The link is copied." : "The link is selected: copy it with Ctrl+C.");
    setTimeout(() => { copy.textContent = "Copy"; }, COPIED_MS);
  }, `${row.id}:copy`);
  line.append(field, copy);
  return line;
}

function drawShare(row, state) {
  const panel = element("section", "tng-share");
  panel.setAttribute("aria-label", `The link to “${row.title}”`);
  const asks = (kind) => () => state.ask(kind, row.id);
  const acts = element("div", "tng-acts");
  const close = button("tng-quiet", "Close", () => state.fold(row.id), `${row.id}:close`, "Close what is said of the link");
  if (row.link) {
    const words = "Anybody with this link can read it, without signing in. Copy it now: it is not shown again.";
    panel.append(element("p", "", words), drawLink(row, state));
  } else if (row.shared) {
    panel.append(element("p", "", "Anybody with its link can read it. The link was shown once; a new one ends it."));
    acts.append(button("tng-quiet", "Make a new link", asks("share"), `${row.id}:renew`));
  } else {
    panel.append(element("p", "", "Nobody but you can read it."));
    acts.append(button("tng-quiet", "Make a link", asks("share"), `${row.id}:make`));
  }
  if (row.shared) acts.append(button("tng-quiet tng-danger", "Stop sharing", asks("unshare"), `${row.id}:unshare`));
  acts.append(close);
  panel.append(acts);
  return panel;
}
