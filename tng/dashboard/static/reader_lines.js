// The fields of a scene's lines. Each is saved by itself; the kernel says whether it is, or why it is not.
const MOST_CHARACTERS = 1000;
const PATIENCE_MS = 40_000;
const NO_ANSWER = "There was no answer. Please save it once more.";

function nameOf(block, index) {
  if (index < 0) return "Heading of the scene";
  return block.kind === "speech" ? `Line ${index + 1}, ${block.cue}` : `Line ${index + 1}, ${block.kind}`;
}

const plainLine = (text) => text.replace(/\s+/g, " ").trim();

// Where the blocks of a scene are after a change of it: those before and behind what differs stay what they were.
function movesOf(before, after) {
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  let tail = 0;
  while (head < shorter && same(before[head], after[head])) head += 1;
  while (tail < shorter - head && same(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  return (at) => {
    if (at < head) return at;
    if (at >= before.length - tail) return at + after.length - before.length;
    return before.length === after.length ? at : -1;
  };
}

// One line is on its way at a time: what is taken out moves those below it, and the next must mean the right one.
function makePost({ model, place, late }) {
  let waiting = [];
  let flying = null;
  let timer = 0;
  const next = () => {
    clearTimeout(timer);
    flying = waiting.shift() || null;
    if (!flying) return;
    const { section, index, text } = flying;
    model.send({ kind: "line", scene: section.scene, block: index, text, place: place() });
    timer = setTimeout(() => late(section, flying.index), PATIENCE_MS);
  };
  return {
    send(section, index, text) {
      waiting = waiting.filter((one) => one.section !== section || one.index !== index);
      waiting.push({ section, index, text });
      if (!flying) next();
    },
    // the line that was answered, as it was sent
    answered(section) {
      const line = flying && flying.section === section ? flying : null;
      if (line) next();
      return line;
    },
    of: (section) => [flying, ...waiting].filter((one) => one?.section === section),
    move(section, to) {
      for (const one of waiting) if (one.section === section) one.index = to(one.index);
      waiting = waiting.filter((one) => one.section !== section || one.index >= -1);
    },
    end: () => clearTimeout(timer),
  };
}

function makeLines({ model, page, drawAgain, place, moreOf }) {
  const rowOf = (section, index) => [...section.querySelectorAll(".tng-field-row")].find((row) => row.block === index);
  const blockOf = (section, index) => section.blocks[section.heading + 1 + index];
  const save = (section, index, box, note) => {
    note.textContent = "Saving…";
    post.send(section, index, plainLine(box.value));
  };
  const field = (section, block, index, typed) => {
    const row = element("div", `tng-field-row tng-field-${block.kind}`);
    const box = element("textarea", "tng-field");
    const note = element("p", "tng-field-note");
    const changed = () => {
      row.classList.toggle("tng-typed", box.value !== (block.text || ""));
      keep.hidden = leave.hidden = box.value === (block.text || "");
    };
    const send = () => { if (!keep.hidden) save(section, index, box, note); };
    const keep = button("tng-tool", "Save", send);
    const leave = button("tng-tool", "Leave as it was", () => { box.value = block.text || ""; note.textContent = ""; changed(); box.focus(); });
    box.value = typed ?? block.text ?? "";
    box.maxLength = MOST_CHARACTERS;
    box.rows = Math.max(1, Math.ceil(box.value.length / (block.kind === "speech" ? DIALOGUE_COLUMNS : ACTION_COLUMNS)));
    box.setAttribute("aria-label", nameOf(block, index));
    box.addEventListener("input", () => { note.textContent = ""; changed(); });
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
    const acts = element("div", "tng-field-acts");
    acts.append(keep, leave, note);
    row.append(box, acts);
    Object.assign(row, { block: index, box, note, changed, send });
    return row;
  };
  const typedIn = (section) =>
    new Map([...section.querySelectorAll(".tng-field-row")]
      .filter((row) => row.box.value !== (blockOf(section, row.block)?.text || ""))
      .map((row) => [row.block, row.box.value]));
  const draw_ = (section, blocks, typed) => {
    fillSection(section, blocks);
    section.classList.add("tng-editing");
    const rows = blocks.map((block, at) => {
      const index = at - section.heading - 1;
      return index < -1 ? draw(block) : field(section, block, index, typed.get(index));
    });
    const done = button("tng-tool tng-done", "Done", () => finish(section));
    done.title = "Save what is changed, and read on";
    section.replaceChildren(...rows, done);
  };
  // what was sent stands on the page at once; should it be refused, its field is opened again
  const showSent = (section) => {
    for (const { index, text } of post.of(section)) {
      const part = section.querySelectorAll(".tng-block")[section.heading + 1 + index];
      const words = part?.querySelector(".tng-dialogue, .tng-place") || part;
      if (!words) continue;
      words.textContent = text;
      part.classList.toggle("tng-taken-out", !text);
    }
  };
  const close = (section) => {
    section.classList.remove("tng-editing");
    drawAgain(section, section.blocks);
    showSent(section);
  };
  // the line that was at the top of the page stays there: fields are higher than what they become
  const finish = (section) => {
    const rows = [...section.querySelectorAll(".tng-field-row")];
    const top = rows.find((row) => below(page, row) >= 0) || rows.at(-1);
    const [index, room] = [top.block, Math.max(below(page, top), STEP_PIXELS)];
    for (const row of rows) row.send();
    close(section);
    section.querySelector(".tng-scene-menu")?.focus({ preventScroll: true });
    goTo(page, section.querySelectorAll(".tng-block")[section.heading + 1 + index] || section, room);
  };
  const open = (section, typed = new Map(), at = -1) => {
    draw_(section, section.blocks, typed);
    moreOf(section);
    (rowOf(section, at) || section).querySelector("textarea")?.focus();
  };
  const refuse = (section, index, sentence) => {
    const line = post.answered(section);
    if (!section.classList.contains("tng-editing")) open(section, new Map(line ? [[index, line.text]] : []), index);
    const row = rowOf(section, index);
    if (row) row.note.textContent = sentence;
  };
  const post = makePost({ model, place, late: (section, index) => refuse(section, index, NO_ANSWER) });
  return {
    open: (section) => open(section),
    // what came is the script now; what is typed and not saved stays typed
    change(section, blocks) {
      const to = movesOf(section.blocks, blocks);
      const moved = (index) => to(index + section.heading + 1) - section.heading - 1;
      const focused = section.querySelector("textarea:focus")?.closest(".tng-field-row").block;
      const typed = new Map([...typedIn(section)].map(([index, text]) => [moved(index), text]));
      post.move(section, moved);
      draw_(section, blocks, typed);
      if (focused !== undefined) rowOf(section, moved(focused))?.box.focus();
    },
    moved: (section, blocks) => {
      const to = movesOf(section.blocks, blocks);
      post.move(section, (index) => to(index + section.heading + 1) - section.heading - 1);
    },
    showSent,
    close,
    saved(section, index) {
      const line = post.answered(section);
      const row = rowOf(section, index);
      if (!line || !row || plainLine(row.box.value) !== line.text) return;
      row.box.value = blockOf(section, index)?.text || "";
      row.changed();
      row.note.textContent = "Saved";
    },
    refuse,
    end: () => post.end(),
  };
}
