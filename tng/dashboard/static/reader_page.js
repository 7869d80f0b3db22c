// The blocks of the printed page. Every word is set as textContent: nothing that a script says can become markup.
const ACTION_COLUMNS = 60;
const DIALOGUE_COLUMNS = 35;
const STEP_PIXELS = 24;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A button with a sign on it is named in words; one with words needs no other name.
function button(className, text, act, label) {
  const made = element("button", className, text);
  made.type = "button";
  if (label) {
    made.setAttribute("aria-label", label);
    made.title = label;
  }
  made.addEventListener("click", act);
  return made;
}

function drawHeading(block) {
  const heading = element(block.kind === "heading" ? "h4" : "h5", "tng-heading tng-block");
  heading.append(
    element("span", "tng-number", block.number),
    element("span", "tng-place", block.text),
    element("span", "tng-number tng-number-right", block.number),
  );
  heading.lastChild.setAttribute("aria-hidden", "true");
  return heading;
}

function drawSpeech(block) {
  const speech = element("div", "tng-speech tng-block");
  speech.append(element("p", "tng-cue", block.cue));
  if (block.parenthetical) speech.append(element("p", "tng-parenthetical", `(${block.parenthetical})`));
  speech.append(element("p", "tng-dialogue", block.text));
  return speech;
}

function draw(block) {
  switch (block.kind) {
    case "act":
      return element("h3", "tng-act tng-block", block.text);
    case "ending":
      return element("p", "tng-ending tng-block", block.text);
    case "heading":
    case "shot":
      return drawHeading(block);
    case "speech":
      return drawSpeech(block);
    case "transition":
      return element("p", "tng-transition tng-block", block.text);
    default:
      return element("p", "tng-action tng-block", block.text);
  }
}

// About how many lines a block takes: what is not drawn yet keeps the page as long as it will be.
function linesOf(block) {
  const text = (block.text || "").length;
  if (block.kind !== "speech") return 1.7 + Math.ceil(text / ACTION_COLUMNS);
  return 2 + (block.parenthetical ? 1 : 0) + Math.ceil(text / DIALOGUE_COLUMNS);
}

// A scene and the act that it opens. What it was drawn of is kept beside it: ``section.blocks``, ``section.scene``.
function drawSection(blocks) {
  const section = element("section", "tng-scene");
  fillSection(section, blocks);
  return section;
}

function fillSection(section, blocks) {
  section.blocks = blocks;
  section.heading = blocks.findIndex((block) => block.kind === "heading");
  section.scene = section.heading < 0 ? 0 : Number(blocks[section.heading].number) || 0;
  section.style.setProperty("--tng-lines", String(Math.ceil(blocks.reduce((sum, block) => sum + linesOf(block), 0))));
  section.replaceChildren(...blocks.map(draw));
}

// How far below the top of the page something stands, in pixels; less than 0 above it.
function below(page, part) {
  return part.getBoundingClientRect().top - page.getBoundingClientRect().top;
}

// Scroll to a part, at once. What comes into sight is drawn only then, and may move it: it is looked at again.
function goTo(page, part, room = STEP_PIXELS, looks = 4) {
  const off = below(page, part) - room;
  if (Math.abs(off) >= 1) page.scrollTop += off;
  if (looks > 1) requestAnimationFrame(() => goTo(page, part, room, looks - 1));
}

// The last section that begins above a line near the top of the page: the one that is read.
function sectionInSight(page, body) {
  const line = page.clientHeight / 4;
  let found = null;
  for (const section of body.children) {
    if (found && below(page, section) > line) break;
    found = section;
  }
  return found;
}
