// A row of the list: what it is called, how far it is, when it was ordered, and what can be done with it.
const DAY_MS = 86_400_000;
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

function dayOf(iso) {
  const day = element("time", "", DAY.format(new Date(iso)));
  day.dateTime = iso;
  return day;
}

function drawFacts(row) {
  const facts = element("p", "tng-facts");
  facts.append(element("span", `tng-state tng-state-${row.state}`, row.words), dayOf(row.at));
  for (const part of row.about) facts.append(" · ", element("span", "tng-fact", part));
  if (row.shared) facts.append(" · ", element("span", "tng-fact tng-shared", "shared by a link"));
  if (row.gone_at) {
    const days = Math.ceil((new Date(row.gone_at) - Date.now()) / DAY_MS);
    facts.append(" · ", element("span", "tng-fact", days > 1 ? `erased in ${days} days` : "erased soon"));
  }
  return facts;
}

function drawTitle(row, state, isBin) {
  const heading = element("h3", "tng-row-title"), words = element("b", "", row.title);
  if (isBin) {
    heading.append(words);
    return heading;
  }
  const open = button("tng-title-link", undefined, () => state.ask("open", row.id), `${row.id}:title`);
  open.append(words);
  heading.append(open);
  return heading;
}

function drawNaming(row, state) {
  const form = element("form", "tng-naming"), { naming } = state;
  const field = element("input", "tng-input"), fault = element("p", "tng-fault");
  field.value = naming.value;
  field.dataset.key = `${row.id}:name`;
  field.maxLength = 4 * state.longestTitle;
  field.autocomplete = "off";
  field.setAttribute("aria-label", `What to call “${row.title}”`);
  field.setAttribute("aria-invalid", String(Boolean(naming.fault)));
  fault.id = `${state.name}-naming-fault`;
  fault.textContent = naming.fault;
  fault.setAttribute("role", "alert");
  field.setAttribute("aria-describedby", fault.id);
  field.addEventListener("input", () => { naming.value = field.value; });
  field.addEventListener("keydown", (event) => event.key === "Escape" && state.endNaming(row.id));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() === row.title) state.endNaming(row.id);
    else state.ask("rename", row.id, { title: field.value });
  });
  const save = button("tng-strong", "Save", () => {}, `${row.id}:save`);
  save.type = "submit";
  form.append(field, save, button("tng-quiet", "Cancel", () => state.endNaming(row.id), `${row.id}:cancel`), fault);
  return form;
}

function drawFiles(row, state) {
  const links = row.files.map((file) => {
    const link = anchor("tng-file", file.name, file.path, `${row.id}:file:${file.ending}`);
    link.download = "";
    if (file.type) link.type = file.type;
    link.append(element("span", "tng-ending", `.${file.ending}`));
    return link;
  });
  return drawMenu(row, "files", state, "Download", `Download “${row.title}”`, links);
}

function drawMore(row, state) {
  const entry = (words, act, key, className = "") => button(`tng-entry-button ${className}`, words, act, `${row.id}:${key}`);
  const entries = [];
  if (state.offers.includes("keep")) entries.push(entry("Rename", () => state.callIt(row), "rename"));
  if (state.offers.includes("duplicate")) {
    entries.push(entry("Order one like it", () => { state.unfold(""); state.ask("duplicate", row.id); }, "duplicate"));
  }
  if (state.offers.includes("keep") && row.sharable) {
    entries.push(entry(row.shared ? "The link to it" : "Share by a link", () => state.share(row), "share"));
  }
  if (row.receipt) {
    const receipt = anchor("tng-entry-button", "Receipt", row.receipt, `${row.id}:receipt`);
    receipt.target = "_blank";
    receipt.rel = "noopener";
    entries.push(receipt);
  }
  if (state.offers.includes("keep") && row.ended) {
    entries.push(entry("Delete", () => state.throwAway(row.id), "delete", "tng-danger"));
  }
  return entries.length ? [drawMenu(row, "more", state, "⋯", `More for “${row.title}”`, entries)] : [];
}

function drawRow(row, state, isBin) {
  const item = element("li", "tng-row"), main = element("div", "tng-row-main"), about = element("div", "tng-row-about");
  item.dataset.id = row.id;
  const isNamed = state.naming && state.naming.id === row.id;
  about.append(isNamed ? drawNaming(row, state) : drawTitle(row, state, isBin), drawFacts(row));
  const acts = element("div", "tng-row-acts");
  if (isBin) {
    const words = `Restore “${row.title}”`;
    acts.append(button("tng-quiet", "Restore", () => state.ask("have_back", row.id), `${row.id}:back`, words));
  } else {
    const words = `${row.step} “${row.title}”`;
    acts.append(button("tng-quiet tng-lead", row.step, () => state.ask("open", row.id), `${row.id}:open`, words));
    if (row.files.length) acts.append(drawFiles(row, state));
    acts.append(...drawMore(row, state));
  }
  main.append(about, acts);
  item.append(main);
  if (!isBin && state.sharing === row.id) item.append(drawShare(row, state));
  return item;
}
