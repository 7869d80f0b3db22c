// What can be done with one scene: its menu, and its takes. The kernel is told; what happens is its affair.

function inText(blocks) {
  const lines = { speech: (b) => [b.cue, b.parenthetical && `(${b.parenthetical})`, b.text].filter(Boolean).join("\n") };
  return blocks.map((block) => (lines[block.kind] || ((b) => b.text))(block)).join("\n\n") + "\n";
}

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = element("textarea", "tng-out-of-sight", text);
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser does not let this page copy");
}

function makeMenu({ model, frame, page, say, edit }) {
  const menu = element("div", "tng-menu");
  menu.setAttribute("role", "menu");
  menu.hidden = true;
  let opener = null;
  let openedAt = 0;

  const close = (refocus = false) => {
    if (menu.hidden) return;
    menu.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    if (refocus) opener.focus();
  };
  // an entry that does nothing now says why, and can be reached like the others
  const entry = (words, act) => {
    const item = button("tng-menu-item", words, () => { if (act) { close(true); act(); } });
    item.setAttribute("role", "menuitem");
    if (!act) item.setAttribute("aria-disabled", "true");
    item.tabIndex = -1;
    return item;
  };
  const tell = (number, act) => model.send({ kind: "scene", number, act });
  const again = (section) => {
    const [left, busy] = [takesLeft(model, section.scene), model.get("busy_scene")];
    if (busy) return entry(`Write this scene again (scene ${busy} is being written)`);
    if (!left) return entry("Write this scene again (no take is left)");
    return entry(`Write this scene again (${left} left)`, () => tell(section.scene, "again"));
  };
  const copyScene = (section) =>
    copy(inText(section.blocks.slice(section.heading)))
      .then(() => say(`Scene ${section.scene} is copied`))
      .catch(() => say("This browser does not let the page copy"));
  const entries = (section) => {
    const items = [entry("Copy this scene", () => copyScene(section))];
    if (!model.get("editable")) return items;
    return [
      again(section),
      entry("Edit its lines", () => { edit(section); tell(section.scene, "edit"); }),
      ...items,
    ];
  };
  const open = (dots, section) => {
    const was = opener === dots && !menu.hidden;
    close();
    if (was) return;
    opener = dots;
    openedAt = page.scrollTop;
    menu.replaceChildren(...entries(section));
    menu.setAttribute("aria-label", `Scene ${section.scene}`);
    menu.hidden = false;
    dots.setAttribute("aria-expanded", "true");
    const [around, at] = [frame.getBoundingClientRect(), dots.getBoundingClientRect()];
    const lowest = around.height - menu.offsetHeight - 8;
    menu.style.top = `${Math.max(Math.min(at.bottom - around.top, lowest), 0)}px`;
    menu.style.right = `${Math.max(around.right - at.right, 8)}px`;
    menu.firstChild.focus();
  };
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 };
    if (event.key === "Escape") close(true);
    else if (event.key in steps) items[steps[event.key] % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget) && event.relatedTarget !== opener) close(); });
  page.addEventListener("scroll", () => { if (Math.abs(page.scrollTop - openedAt) > STEP_PIXELS) close(); }, { passive: true });
  return {
    menu,
    add(section) {
      if (!section.scene) return;
      const heading = section.querySelector("h4, .tng-field-row");
      const dots = button("tng-scene-menu", "⋯", () => open(dots, section), `Scene ${section.scene}: more`);
      dots.setAttribute("aria-haspopup", "menu");
      dots.setAttribute("aria-expanded", "false");
      const row = element("div", "tng-heading-row");
      heading.replaceWith(row);
      row.append(heading, dots);
    },
  };
}

// How often more a scene can be written again.
function takesLeft(model, scene) {
  return (model.get("scene_takes") || {})[scene]?.left ?? model.get("most_takes") ?? 0;
}

// Below the heading of a scene: a short note, and its takes where it was written again.
function makeTakes({ model }) {
  const choose = (section, take, chosen) => {
    const words = take ? `Take ${take}` : "Original";
    const act = () => take === chosen || model.send({ kind: "take", scene: section.scene, take });
    const pill = button("tng-take", words, act);
    pill.setAttribute("aria-pressed", String(take === chosen));
    return pill;
  };
  const bar = (section) => {
    const takes = model.get("editable") && (model.get("scene_takes") || {})[section.scene];
    if (!takes) return [];
    const group = element("div", "tng-takes");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", `Takes of scene ${section.scene}`);
    group.append(...takes.takes.map((take) => choose(section, take, takes.chosen)));
    return [group];
  };
  const note = (section) => {
    const words = (model.get("scene_notes") || {})[section.scene];
    if (!words) return [];
    const busy = model.get("busy_scene") === section.scene;
    return [element("p", `tng-scene-note${busy ? " tng-busy" : ""}`, words)];
  };
  return {
    add(section) {
      const old = section.querySelector(".tng-scene-more");
      const focused = old ? [...old.querySelectorAll("button")].indexOf(document.activeElement) : -1;
      old?.remove();
      section.classList.toggle("tng-rewriting", Boolean(section.scene) && model.get("busy_scene") === section.scene);
      const parts = section.scene ? [...note(section), ...bar(section)] : [];
      if (!parts.length) return;
      const more = element("div", "tng-scene-more");
      more.append(...parts);
      section.querySelector(".tng-heading-row")?.after(more);
      if (focused >= 0) more.querySelectorAll("button")[focused]?.focus();
    },
  };
}
