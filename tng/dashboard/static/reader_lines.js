// What can be done with one scene: its menu, and the fields of its lines. The kernel is told; what happens is its affair.
const MOST_CHARACTERS = 1000;

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
  const entry = (words, act) => {
    const item = button("tng-menu-item", words, () => { close(true); act(); });
    item.setAttribute("role", "menuitem");
    item.tabIndex = -1;
    return item;
  };
  const tell = (number, act) => model.send({ kind: "scene", number, act });
  const copyScene = (section) =>
    copy(inText(section.blocks.slice(section.heading)))
      .then(() => say(`Scene ${section.scene} is copied`))
      .catch(() => say("This browser does not let the page copy"));
  const entries = (section) => {
    const items = [entry("Copy this scene", () => copyScene(section))];
    if (!model.get("editable")) return items;
    return [
      entry("Write this scene again", () => tell(section.scene, "again")),
      entry("Edit its lines", () => { edit(section); tell(section.scene, "edit"); }),
      entry("Takes", () => tell(section.scene, "takes")),
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

function nameOf(block, index) {
  if (index < 0) return "Heading of the scene";
  return block.kind === "speech" ? `Line ${index + 1}, ${block.cue}` : `Line ${index + 1}, ${block.kind}`;
}

// The fields of a scene's lines: each is saved by itself, with Enter or its button; Escape takes it back.
function makeLines({ model, drawAgain }) {
  const field = (section, block, index, typed) => {
    const row = element("div", `tng-field-row tng-field-${block.kind}`);
    const box = element("textarea", "tng-field");
    const note = element("p", "tng-field-note");
    const save = button("tng-tool", "Save", () => send());
    const leave = button("tng-tool", "Leave as it was", () => { box.value = block.text; changed(); box.focus(); });
    const changed = () => { save.hidden = leave.hidden = box.value === (block.text || ""); note.textContent = ""; };
    const send = () => {
      if (save.hidden) return;
      const text = box.value.replace(/\s+/g, " ").trim();
      note.textContent = "Saving…";
      model.send({ kind: "line", scene: section.scene, block: index, text });
    };
    box.value = typed ?? block.text ?? "";
    box.maxLength = MOST_CHARACTERS;
    box.rows = Math.max(1, Math.ceil(box.value.length / (block.kind === "speech" ? DIALOGUE_COLUMNS : ACTION_COLUMNS)));
    box.setAttribute("aria-label", nameOf(block, index));
    box.addEventListener("input", changed);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) send();
      else if (event.key === "Escape") leave.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    note.setAttribute("role", "status");
    changed();
    if (block.cue) row.append(element("p", "tng-cue", block.cue));
    row.append(box, save, leave, note);
    row.block = index;
    return row;
  };
  const typedIn = (section) =>
    new Map([...section.querySelectorAll(".tng-field-row")]
      .map((row) => [row.block, row.querySelector("textarea").value])
      .filter(([index, text]) => text !== (section.blocks[section.heading + 1 + index]?.text || "")));
  const draw_ = (section, blocks, typed) => {
    fillSection(section, blocks);
    section.classList.add("tng-editing");
    const rows = blocks.map((block, at) => {
      const index = at - section.heading - 1;
      return index < -1 ? draw(block) : field(section, block, index, typed.get(index));
    });
    section.replaceChildren(...rows, button("tng-tool tng-done", "Done", () => close(section)));
  };
  const close = (section) => {
    section.classList.remove("tng-editing");
    drawAgain(section, section.blocks);
  };
  return {
    open(section) {
      draw_(section, section.blocks, new Map());
      section.querySelector("textarea")?.focus();
    },
    // what was saved is the kernel's now; what is typed in other lines of the scene stays typed
    change(section, blocks) {
      const typed = blocks.length === section.blocks.length ? typedIn(section) : new Map();
      blocks.forEach((block, at) => {
        const index = at - section.heading - 1;
        if ((block.text || "") === typed.get(index) || block.text !== section.blocks[at].text) typed.delete(index);
      });
      const focused = [...section.querySelectorAll("textarea")].indexOf(document.activeElement);
      draw_(section, blocks, typed);
      section.querySelectorAll("textarea")[focused]?.focus();
    },
    close,
    refuse(section, index, sentence) {
      const row = [...section.querySelectorAll(".tng-field-row")].find((one) => one.block === index);
      if (row) row.querySelector(".tng-field-note").textContent = sentence;
    },
  };
}
