// The list of scripts: searched and sorted here, changed by the kernel alone, which asks the api.
const SHOWN = 20;
const GHOSTS = 3;
const SORTS = {
  newest: ["Newest first", () => 0],
  title: ["By title", (one, other) => one.title.localeCompare(other.title, "en", { sensitivity: "base" })],
  state: ["By state", (one, other) => one.words.localeCompare(other.words, "en")],
};

function drawTools(state) {
  const tools = element("div", "tng-library-tools");
  const search = element("input", "tng-input tng-search"), sort = element("select", "tng-input tng-sort");
  search.type = "search";
  search.placeholder = "Search by title";
  search.autocomplete = "off";
  search.setAttribute("aria-label", "Search by title");
  search.addEventListener("input", () => { state.all = false; state.draw(); });
  sort.setAttribute("aria-label", "Order of the list");
  for (const [value, [words]] of Object.entries(SORTS)) sort.append(new Option(words, value));
  sort.addEventListener("change", () => state.draw());
  const bin = button("tng-quiet tng-bin", "Bin", () => state.showBin(), "tools:bin");
  tools.append(search, sort, bin);
  return { tools, search, sort, bin };
}

function drawEmpty(state, isBin, isSearched) {
  const empty = element("div", "tng-empty");
  if (isSearched) empty.append(element("p", "", "No script has these words in its title."));
  else if (isBin) empty.append(element("p", "", "The bin is empty."));
  else {
    empty.append(element("p", "tng-empty-title", "Nothing here yet"), element("p", "", "Your scripts will stand here, each with its files."));
    if (state.offers.includes("new")) {
      empty.append(button("tng-strong", "Describe your first episode", () => state.ask("new"), "empty:new"));
    }
  }
  return empty;
}

// Whoever worked with the keys stays where they were; where that is gone, at what stands in its place.
function keepFocus(el, draw) {
  const before = document.activeElement, key = el.contains(before) ? before.dataset.key : undefined;
  const caret = key !== undefined && before instanceof HTMLInputElement ? [before.selectionStart, before.selectionEnd] : null;
  const ids = [...el.querySelectorAll(".tng-row")].map((row) => row.dataset.id);
  draw();
  if (key === undefined || el.contains(document.activeElement)) return;
  const find = (wanted) => [...el.querySelectorAll("[data-key]")].find((one) => one.dataset.key === wanted);
  const id = key.split(":")[0], here = ids.indexOf(id);
  const rows = [...el.querySelectorAll(".tng-row")];
  const same = find(key), row = rows.find((one) => one.dataset.id === id) || rows[Math.min(here, rows.length - 1)];
  (same || row?.querySelector("[data-key]") || find("tools:bin"))?.focus();
  if (same && caret) same.setSelectionRange(...caret);
}

function makeState(model, el) {
  const state = {
    menu: "", sharing: "", naming: null, all: false,
    name: `tng-library-${Math.random().toString(36).slice(2)}`,
    longestTitle: model.get("longest_title"),
    offers: model.get("offers"),
    ask: (kind, id, more = {}) => model.send({ kind, ...(id === undefined ? {} : { id }), ...more }),
  };
  const focus = (key) => [...el.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus();
  const to = (key) => { state.draw(); focus(key); };
  state.focus = focus;
  state.unfold = (name) => { state.menu = name; state.draw(); };
  state.callIt = (row) => {
    state.menu = "";
    state.naming = { id: row.id, value: row.title, fault: "" };
    to(`${row.id}:name`);
    document.activeElement?.select?.();
  };
  state.endNaming = (id) => { state.naming = null; to(`${id}:more`); };
  state.share = (row) => {
    state.menu = "";
    state.sharing = row.id;
    to(`${row.id}:more`);
    if (!row.shared) state.ask("share", row.id);
  };
  state.fold = (id) => { state.sharing = ""; to(`${id}:more`); };
  state.throwAway = (id) => {
    state.menu = "";
    state.ask("throw_away", id);
    to(`${id}:more`);
  };
  return state;
}

function makeList(model, el) {
  const state = makeState(model, el);
  const head = element("div", "tng-library-head"), heading = element("h2", "", "My scripts");
  const count = element("span", "tng-count"), said = element("p", "tng-said"), rule = element("p", "tng-hint");
  const undo = element("div", "tng-undo"), list = element("ul", "tng-rows"), rest = element("div", "tng-rest");
  const { tools, search, sort, bin } = drawTools(state);
  rule.textContent = "What lies here can be had back for 30 days; then its words are erased.";
  list.setAttribute("aria-label", "My scripts");
  list.setAttribute("aria-keyshortcuts", "Control+Z");
  for (const live of [count, said, undo]) live.setAttribute("role", "status");
  head.append(heading, count);
  el.append(head, tools, rule, undo, list, rest, said);
  state.say = (words) => { said.textContent = words; };
  state.showBin = () => {
    search.value = "";
    state.menu = state.sharing = "";
    state.naming = null;
    state.ask("show_bin", undefined, { shown: !model.get("is_bin") });
  };

  const chosen = (rows) => {
    const wanted = search.value.trim().toLowerCase();
    const found = rows.filter((row) => row.title.toLowerCase().includes(wanted));
    return [...found].sort((SORTS[sort.value] || SORTS.newest)[1]);
  };
  const drawHead = (isBin, rows, found) => {
    heading.textContent = isBin ? "The bin" : "My scripts";
    count.textContent = found.length === rows.length ? String(rows.length || "") : `${found.length} of ${rows.length}`;
    const isKept = state.offers.includes("keep") && model.get("is_loaded");
    tools.hidden = !isKept;
    search.hidden = sort.hidden = rows.length < 2 && !search.value;
    bin.textContent = isBin ? "Back to my scripts" : "Bin";
    rule.hidden = !isBin;
  };
  const drawUndo = () => {
    const gone = model.get("undone");
    undo.hidden = !gone.id;
    undo.replaceChildren();
    if (gone.id) undo.append(element("span", "", `“${gone.title}” is in the bin.`), button("tng-quiet", "Undo", () => state.ask("undo"), "undo"));
  };
  const drawRest = (isBin, rows, found) => {
    rest.replaceChildren();
    if (!model.get("is_loaded")) for (let ghost = 0; ghost < GHOSTS; ghost++) rest.append(element("div", "tng-ghost"));
    else if (!found.length) rest.append(drawEmpty(state, isBin, rows.length > 0));
    else if (!state.all && found.length > SHOWN) {
      rest.append(button("tng-quiet", `Show all ${found.length}`, () => { state.all = true; state.draw(); }, "rest:all"));
    }
  };
  state.draw = () => keepFocus(el, () => {
    const isBin = model.get("is_bin"), rows = model.get(isBin ? "bin_rows" : "rows"), found = chosen(rows);
    drawHead(isBin, rows, found);
    drawUndo();
    const shown = state.all ? found : found.slice(0, SHOWN);
    list.replaceChildren(...shown.map((row) => drawRow(row, state, isBin)));
    list.hidden = !shown.length;
    drawRest(isBin, rows, found);
  });
  return state;
}

export default {
  render({ model, el }) {
    const state = makeList(model, el);
    const hear = (message) => {
      const isNamed = state.naming && state.naming.id === message.id;
      if (message.kind === "named" && isNamed) state.endNaming(message.id);
      if (message.kind === "refused" && isNamed) {
        state.naming.fault = message.sentence;
        state.draw();
      }
      if (message.kind === "back" && !model.get("is_bin")) state.focus(`${message.id}:title`);
    };
    const leave = (event) => {
      // drawn anew meanwhile, what was pressed may be gone: then it was one of ours
      const inMenu = event.target instanceof Element && (!event.target.isConnected || event.target.closest(".tng-menu"));
      if (state.menu && !inMenu) state.unfold("");
    };
    const keys = (event) => {
      const isTyping = event.target instanceof HTMLInputElement;
      if (event.key === "Escape" && state.menu) {
        const toggle = state.menu;
        state.unfold("");
        state.focus(toggle);
      } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && !isTyping) {
        event.preventDefault();
        state.ask("undo");
      }
    };
    const watched = ["rows", "bin_rows", "is_loaded", "is_bin", "undone"].map((trait) => `change:${trait}`);
    for (const change of watched) model.on(change, state.draw);
    model.on("msg:custom", hear);
    el.addEventListener("keydown", keys);
    document.addEventListener("click", leave);
    state.draw();
    return () => {
      for (const change of watched) model.off(change, state.draw);
      model.off("msg:custom", hear);
      document.removeEventListener("click", leave);
    };
  },
};
