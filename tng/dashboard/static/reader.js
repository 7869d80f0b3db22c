// The script as a printed page. Every word is set as textContent: nothing that a script says can become markup.
const NEAR_END_PIXELS = 48;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function draw(block) {
  switch (block.kind) {
    case "act":
      return element("h3", "tng-act", block.text);
    case "heading":
    case "shot": {
      const heading = element(block.kind === "heading" ? "h4" : "h5", "tng-heading");
      heading.append(
        element("span", "tng-number", block.number),
        element("span", "tng-place", block.text),
        element("span", "tng-number tng-number-right", block.number),
      );
      heading.lastChild.setAttribute("aria-hidden", "true");
      return heading;
    }
    case "speech": {
      const speech = element("div", "tng-speech");
      speech.append(element("p", "tng-cue", block.cue));
      if (block.parenthetical) speech.append(element("p", "tng-parenthetical", `(${block.parenthetical})`));
      speech.append(element("p", "tng-dialogue", block.text));
      return speech;
    }
    case "transition":
      return element("p", "tng-transition", block.text);
    default:
      return element("p", "tng-action", block.text);
  }
}

function drawSection(blocks) {
  const section = element("section", "tng-scene");
  section.append(...blocks.map(draw));
  return section;
}

export default {
  render({ model, el }) {
    const frame = element("div", "tng-reader");
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
    page.append(title, body, waiting);
    frame.append(page, newer);
    el.append(frame);

    let edition = -1;
    const atEnd = () => page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_END_PIXELS;
    const toEnd = () => page.scrollTo({ top: page.scrollHeight });
    const hello = () => model.send({ kind: "hello" });

    // the page follows the writing only while the reader is at its end; a finished script is read from its beginning
    const keepingPlace = (change) => {
      const following = atEnd() && model.get("waiting") !== "";
      change();
      if (following) toEnd();
      else newer.hidden = atEnd();
    };
    const showWords = () => {
      title.textContent = model.get("title");
      keepingPlace(() => {
        waiting.textContent = model.get("waiting");
        frame.classList.toggle("tng-empty", !body.childElementCount && !model.get("waiting"));
      });
      if (!model.get("waiting")) newer.hidden = true; // nothing more comes: the button would only cover the text
    };
    const listen = (message) => {
      if (message.kind === "all") {
        if (message.edition < edition) return;
        const fresh = message.edition !== edition;
        edition = message.edition;
        const more = message.sections.slice(fresh ? 0 : body.childElementCount).map(drawSection);
        if (fresh) {
          body.replaceChildren(...more);
          page.scrollTo({ top: 0 });
          newer.hidden = true;
        } else keepingPlace(() => body.append(...more));
      } else if (message.kind === "more") {
        if (message.edition !== edition || message.index > body.childElementCount) return hello();
        if (message.index === body.childElementCount) keepingPlace(() => body.append(drawSection(message.section)));
      }
      showWords();
    };
    page.addEventListener("scroll", () => { if (atEnd()) newer.hidden = true; });
    newer.addEventListener("click", toEnd);
    model.on("msg:custom", listen);
    model.on("change:title change:waiting", showWords);
    showWords();
    hello();
    return () => {
      model.off("msg:custom", listen);
      model.off("change:title change:waiting", showWords);
    };
  },
};
