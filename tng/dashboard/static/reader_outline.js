// The acts and scenes at the side of the page: a click goes there, and the scene that is read is marked.
function makeOutline({ frame, page, body, close }) {
  const nav = element("nav", "tng-outline");
  nav.setAttribute("aria-label", "Acts and scenes");
  let links = new Map();
  let current = null;

  const visit = (section) => {
    const heading = section.querySelector("h4");
    goTo(page, section);
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    mark(section);
    close();
  };
  const entry = (section) => {
    const item = element("li", "");
    const link = button("tng-outline-scene", undefined, () => visit(section));
    const heading = section.blocks[section.heading];
    link.append(element("span", "tng-outline-number", heading.number), element("span", "", heading.text));
    item.append(link);
    links.set(section, link);
    return item;
  };
  const refresh = () => {
    links = new Map();
    current = null;
    const parts = [];
    let list = null;
    for (const section of body.children) {
      const act = section.blocks.find((block) => block.kind === "act");
      if (section.heading < 0) continue;
      if (act || !list) {
        if (act) parts.push(element("p", "tng-outline-act", act.text));
        parts.push((list = element("ol", "")));
      }
      list.append(entry(section));
    }
    nav.replaceChildren(...parts);
    frame.classList.toggle("tng-no-outline", links.size < 2);
    mark(sectionInSight(page, body));
  };
  const mark = (section) => {
    if (section === current || !links.has(section)) return;
    links.get(current)?.removeAttribute("aria-current");
    current = section;
    const link = links.get(section);
    link.setAttribute("aria-current", "true");
    if (!nav.clientHeight) return;
    const off = below(nav, link);
    if (off < 0 || off > nav.clientHeight - link.offsetHeight) nav.scrollTop += off - nav.clientHeight / 3;
  };
  const step = (by) => {
    const scenes = [...links.keys()];
    const at = scenes.indexOf(sectionInSight(page, body));
    const here = scenes[at];
    // "previous" within a scene is its own beginning
    const backToItsTop = by < 0 && here && below(page, here) < -STEP_PIXELS;
    const next = backToItsTop ? here : scenes[Math.min(Math.max(at + by, 0), scenes.length - 1)];
    if (next) visit(next);
  };
  return { nav, refresh, mark: () => mark(sectionInSight(page, body)), step };
}
