// The reader: a page that grows while it is written, and what helps to read it. The parts stand in reader_*.js.
const NEAR_END_PIXELS = 48;

// The row of buttons above the page, and the one line that says what they did.
function makeTools() {
  const bar = element("div", "tng-tools");
  const said = element("output", "tng-said");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Reading");
  said.setAttribute("aria-live", "polite");
  let later = 0;
  const say = (words) => {
    said.textContent = words;
    clearTimeout(later);
    later = setTimeout(() => { said.textContent = ""; }, 4000);
  };
  return { bar, said, say };
}

// A button that shows or hides something, and says whether it is there.
function makeSwitch(frame, className, text, label, state) {
  const set = (on) => {
    frame.classList.toggle(className, on);
    toggle.setAttribute(state, String(on));
  };
  const toggle = button("tng-tool", text, () => set(!frame.classList.contains(className)), label);
  toggle.setAttribute(state, "false");
  return { toggle, set, isOn: () => frame.classList.contains(className) };
}

// A scene that has just become another one stands out for a moment.
function pointOut(section) {
  section.classList.add("tng-fresh");
  setTimeout(() => section.classList.remove("tng-fresh"), 4000);
}

// The sections of the page, as the kernel tells them. ``changed`` is called once after each telling that changed any.
function makeSections({ body, drawn, lines, hello }) {
  let drawing = -1;
  const same = (section, blocks) => JSON.stringify(section.blocks) === JSON.stringify(blocks);
  const drawAgain = (section, blocks) => {
    const editing = section.classList.contains("tng-editing");
    if (editing) lines().change(section, blocks);
    else {
      lines().moved(section, blocks);
      fillSection(section, blocks);
      lines().showSent(section);
    }
    drawn(section);
  };
  const append = (sections) => {
    const made = sections.map(drawSection);
    made.forEach(drawn);
    body.append(...made);
  };
  const all = (message) => {
    const fresh = message.drawing !== drawing;
    drawing = message.drawing;
    if (fresh) body.replaceChildren();
    [...body.children].forEach((section, index) => {
      if (message.sections[index] && !same(section, message.sections[index])) drawAgain(section, message.sections[index]);
    });
    append(message.sections.slice(body.childElementCount));
    return fresh;
  };
  const one = (message) => {
    if (message.drawing !== drawing || message.index > body.childElementCount) hello();
    else if (message.index === body.childElementCount) append([message.section]);
    else if (message.kind === "changed") drawAgain(body.children[message.index], message.section);
  };
  return { all, one, drawAgain, isOld: (message) => message.drawing < drawing };
}

function drawReader(model, el) {
  const frame = element("div", "tng-reader");
  const desk = element("div", "tng-desk");
  const page = element("article", "tng-page");
  const title = element("h2", "tng-title");
  const body = element("div", "tng-body");
  const waiting = element("p", "tng-waiting");
  const newer = element("button", "tng-newer", "New lines below ↓");
  page.tabIndex = 0;
  page.setAttribute("aria-label", "Script");
  waiting.setAttribute("aria-live", "polite");
  newer.type = "button";
  newer.hidden = true;

  const { bar, said, say } = makeTools();
  const side = makeSwitch(frame, "tng-outlined", "☰ Scenes", "", "aria-expanded");
  const wide = makeSwitch(frame, "tng-wide", "⤢", "The whole window", "aria-pressed");
  const narrow = () => getComputedStyle(outline.nav).getPropertyValue("--tng-narrow").trim() !== "0";
  const outline = makeOutline({ frame, page, body, close: () => narrow() && side.set(false) });
  const finder = makeFinder({ page, body, back: () => page.focus({ preventScroll: true }) });
  const letters = makeLetters(frame, say);
  const places = makePlaces(page, body);
  const sight = makeSight(frame, () => turn());
  const menu = makeMenu({ model, frame, page, say, edit: (section) => lines.open(section) });
  const takes = makeTakes({ model });
  const hello = () => model.send({ kind: "hello" });
  const drawn = (section) => { menu.add(section); takes.add(section); };
  const sections = makeSections({ body, drawn, lines: () => lines, hello });
  const lines = makeLines({ model, page, drawAgain: sections.drawAgain, place: places.here, moreOf: drawn });
  const help = makeHelp(frame);
  const find = button("tng-tool", "Find", finder.open);
  bar.append(side.toggle, find, said, ...letters.buttons, wide.toggle, button("tng-tool tng-help", "?", help.open, "Keys"));
  page.append(title, body, waiting);
  desk.append(outline.nav, page, newer);
  frame.append(bar, finder.bar, desk, menu.menu);
  el.append(frame);

  const isGrowing = () => model.get("waiting") !== "";
  const atEnd = () => page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_END_PIXELS;
  const toEnd = () => page.scrollTo({ top: page.scrollHeight });
  // the page follows the writing only while the reader is at its end; a finished script is read from its beginning
  const keepingPlace = (change) => {
    const following = isGrowing() && atEnd();
    change();
    if (following) toEnd();
    else newer.hidden = !isGrowing() || atEnd(); // once nothing more comes, the button would only cover the text
  };
  const showWords = () => {
    title.textContent = model.get("title");
    keepingPlace(() => {
      frame.classList.toggle("tng-growing", isGrowing());
      waiting.textContent = model.get("waiting");
      frame.classList.toggle("tng-empty", !body.childElementCount && !isGrowing());
    });
  };
  // the outline is there where it has room beside the page; only a page with something on it has a width. Where the
  // room goes, as by a tablet that is turned, it folds: it would lie on the script. It comes back with the room
  let unfolded = false, isNarrow = null, isWanted = true;
  const turn = () => {
    if (!unfolded || isNarrow === narrow()) return;
    if (isNarrow === false) isWanted = side.isOn();
    isNarrow = narrow();
    side.set(!isNarrow && isWanted);
    outline.mark();
  };
  const unfold = () => {
    if (unfolded || !body.childElementCount) return;
    unfolded = true;
    sight.whenSeen(() => requestAnimationFrame(turn));
  };
  const showAll = (message) => {
    const before = places.isOf(message.place) ? placeOf(page, body) : null;
    places.use(message.place);
    let fresh = false;
    keepingPlace(() => { fresh = sections.all(message); });
    if (!fresh) return;
    newer.hidden = true;
    sight.whenSeen(() => {
      page.scrollTo({ top: 0 });
      if (before) goToPlace(page, body, before);
      else if (!isGrowing()) places.restore();
    });
  };
  const showOne = (message) => {
    places.use(message.place);
    keepingPlace(() => sections.one(message));
  };
  const sectionOf = (message) => [...body.children].find((section) => section.scene && section.scene === message.scene);
  const listenForScene = (message, section) => {
    if (!section) return;
    if (message.kind === "go") goTo(page, section);
    else if (message.kind === "close") lines.close(section);
    else if (message.kind === "saved") lines.saved(section, message.block);
    else if (message.kind === "refused") lines.refuse(section, message.block, message.sentence);
    else if (message.kind === "fresh") pointOut(section);
  };
  const listen = (message) => {
    if (message.kind === "all" && !sections.isOld(message)) showAll(message);
    else if (message.kind === "more" || message.kind === "changed") showOne(message);
    else if (message.kind === "place") places.use(message.place);
    else return listenForScene(message, sectionOf(message));
    showWords();
    unfold();
    outline.refresh();
    finder.refresh();
  };
  const notes = () => [...body.children].forEach(takes.add);
  const busy = () => {
    notes();
    if (model.get("busy_scene")) say(`Scene ${model.get("busy_scene")} is being written again`);
  };
  let asked = false;
  page.addEventListener("scroll", () => {
    if (atEnd()) newer.hidden = true;
    if (!isGrowing()) places.saveSoon();
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; outline.mark(); });
  }, { passive: true });
  newer.addEventListener("click", toEnd);
  listenToKeys(frame, {
    j: () => outline.step(1), n: () => outline.step(1), k: () => outline.step(-1), p: () => outline.step(-1),
    "/": finder.open, "+": () => letters.change(1), "=": () => letters.change(1), "-": () => letters.change(-1),
    "?": help.open, o: () => side.toggle.click(), f: () => wide.toggle.click(),
    Escape: () => wide.set(false),
  });
  model.on("msg:custom", listen);
  model.on("change:title change:waiting", showWords);
  model.on("change:scene_notes change:scene_takes change:editable", notes);
  model.on("change:busy_scene", busy);
  showWords();
  hello();
  return () => {
    model.off("msg:custom", listen);
    model.off("change:title change:waiting", showWords);
    model.off("change:scene_notes change:scene_takes change:editable", notes);
    model.off("change:busy_scene", busy);
    lines.end();
    places.end();
    sight.end();
    finder.end();
  };
}

export default { render: ({ model, el }) => drawReader(model, el) };
