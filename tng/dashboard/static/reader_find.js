// Find in the script: what is found is marked by the browser's own highlights, beside the text and not in it.
const WHERE = ".tng-act, .tng-place, .tng-action, .tng-cue, .tng-parenthetical, .tng-dialogue, .tng-transition";
const MOST_FOUND = 1000;
const FOUND = "tng-found";
const FOUND_NOW = "tng-found-now";

function makeFinder({ page, body, back }) {
  const bar = element("div", "tng-finder");
  const box = element("input", "tng-find");
  const count = element("output", "tng-count");
  box.type = "search";
  box.placeholder = "Find in the script";
  box.setAttribute("aria-label", "Find in the script");
  box.autocomplete = "off";
  box.spellcheck = false;
  bar.setAttribute("role", "search");
  bar.setAttribute("aria-label", "Find in the script");
  bar.hidden = true;
  count.setAttribute("aria-live", "polite");
  let found = [];
  let now = -1;

  const rangeOf = ({ node, start, end }) =>
    new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end });
  const highlight = () => {
    if (!globalThis.CSS?.highlights) return;
    CSS.highlights.delete(FOUND);
    CSS.highlights.delete(FOUND_NOW);
    if (!found.length) return;
    CSS.highlights.set(FOUND, new Highlight(...found.map(rangeOf)));
    if (now < 0) return;
    const here = new Highlight(rangeOf(found[now]));
    here.priority = 1;
    CSS.highlights.set(FOUND_NOW, here);
  };
  // browsers without highlights show the place as a selection, which takes the focus from nothing
  const select = (match) => {
    if (globalThis.CSS?.highlights) return;
    window.getSelection().setBaseAndExtent(match.node, match.start, match.node, match.end);
  };
  const say = () => {
    const all = found.length >= MOST_FOUND ? `${MOST_FOUND} or more` : String(found.length);
    if (!box.value.trim()) count.textContent = "";
    else if (!found.length) count.textContent = "not found";
    else count.textContent = now < 0 ? `${all} found` : `${now + 1} of ${all}`;
    for (const step of [previous, next]) step.disabled = !found.length;
  };
  const search = () => {
    const wanted = box.value.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
    found = [];
    if (!wanted) return;
    const pattern = new RegExp(wanted, "giu");
    for (const part of body.querySelectorAll(WHERE)) {
      const node = part.firstChild;
      if (!node) continue;
      for (const match of node.data.matchAll(pattern)) {
        found.push({ node, part, start: match.index, end: match.index + match[0].length });
        if (found.length >= MOST_FOUND) return;
      }
    }
  };
  // the first one from where the reader is, so that nobody is thrown back to the beginning
  const fromHere = () => Math.max(found.findIndex(({ part }) => below(page, part) >= 0), 0);
  const show = (index) => {
    now = found.length ? (index + found.length) % found.length : -1;
    highlight();
    say();
    if (now < 0) return;
    select(found[now]);
    const off = below(page, found[now].part);
    if (off < STEP_PIXELS || off > page.clientHeight - 3 * STEP_PIXELS) goTo(page, found[now].part, page.clientHeight / 3);
  };
  const again = () => {
    search();
    show(found.length ? fromHere() : -1);
  };
  const previous = button("tng-tool", "↑", () => show(now - 1), "Previous place");
  const next = button("tng-tool", "↓", () => show(now + 1), "Next place");
  const close = () => {
    bar.hidden = true;
    box.value = "";
    again();
    back();
  };
  bar.append(box, count, previous, next, button("tng-tool", "✕", close, "Close find"));
  box.addEventListener("input", again);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") show(event.shiftKey ? now - 1 : now + 1);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  say();
  return {
    bar,
    open() {
      bar.hidden = false;
      box.focus();
      box.select();
    },
    // the script has changed: what was found may stand elsewhere; nobody is moved
    refresh() {
      if (bar.hidden || !box.value.trim()) return;
      search();
      now = Math.min(now, found.length - 1);
      highlight();
      say();
    },
    end() {
      found = [];
      highlight();
    },
  };
}
