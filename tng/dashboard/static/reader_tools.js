// The reader's letters, keys and places: how large the letters are and where somebody was, kept by this browser alone.
const SIZES = [0.8, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2];
const USUAL_SIZE = 2;
const SIZE_KEY = "tng-reader-size";
const PLACES_KEY = "tng-reader-places";
const MOST_PLACES = 100;
const KEYS = [
  ["j or n", "next scene"],
  ["k or p", "previous scene"],
  ["/", "find"],
  ["+ and −", "larger and smaller letters"],
  ["o", "acts and scenes"],
  ["f", "the whole window, and back"],
  ["?", "this list"],
];

// A browser may keep nothing for a page, or be full: then the page simply does not remember.
function recall(key, otherwise) {
  try {
    return JSON.parse(window.localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(key, value) {
  try {
    window.localStorage.setItem(key, JSON.stringify(value));
  } catch {
    return;
  }
}

function makeLetters(frame, say) {
  const kept = recall(SIZE_KEY, USUAL_SIZE);
  let size = Number.isInteger(kept) && kept in SIZES ? kept : USUAL_SIZE;
  const use = (next) => {
    size = Math.min(Math.max(next, 0), SIZES.length - 1);
    frame.style.setProperty("--tng-size", String(SIZES[size]));
    smaller.disabled = size === 0;
    larger.disabled = size === SIZES.length - 1;
  };
  const change = (by) => {
    use(size + by);
    keep(SIZE_KEY, size);
    say(`Letters at ${Math.round(SIZES[size] * 100)} %`);
  };
  const smaller = button("tng-tool", "A−", () => change(-1), "Smaller letters");
  const larger = button("tng-tool tng-larger", "A+", () => change(1), "Larger letters");
  use(size);
  return { buttons: [smaller, larger], change };
}

function makeHelp(frame) {
  const dialog = element("dialog", "tng-keys");
  const list = element("dl", "");
  for (const [key, what] of KEYS) list.append(element("dt", "", key), element("dd", "", what));
  dialog.setAttribute("aria-label", "Keys");
  const close = button("tng-tool", "Close", () => dialog.close());
  dialog.append(element("p", "tng-keys-title", "Keys, while you are in the script"), list, close);
  frame.append(dialog);
  return { open: () => dialog.showModal() };
}

// Where somebody is: the block at the top of the page, counted within its section, so that larger letters do not matter.
function placeOf(page, body) {
  const section = sectionInSight(page, body);
  if (!section || page.scrollTop < STEP_PIXELS) return null;
  const top = [...section.children].findIndex((part) => part.getBoundingClientRect().bottom > page.getBoundingClientRect().top);
  return [[...body.children].indexOf(section), Math.max(top, 0)];
}

function goToPlace(page, body, place) {
  const section = Array.isArray(place) ? body.children[place[0]] : undefined;
  if (section) goTo(page, section.children[place[1]] || section, 8);
}

// A place is taken when it is come to, and written down a little later: by then another script may be on the page, or
// the page be turned away, and what is seen then is nobody's place.
function makePlaces(page, body) {
  let key = "";
  let later = 0;
  let taken = null;
  const save = () => {
    clearTimeout(later);
    if (!taken) return;
    const { [taken.key]: _old, ...places } = recall(PLACES_KEY, {});
    if (taken.place) places[taken.key] = taken.place;
    taken = null;
    keep(PLACES_KEY, Object.fromEntries(Object.entries(places).slice(-MOST_PLACES)));
  };
  return {
    use(next) {
      if (next !== key) save();
      key = next;
    },
    here: () => key,
    isOf: (script) => key.split("/")[0] === script.split("/")[0],
    restore: () => { if (key) goToPlace(page, body, recall(PLACES_KEY, {})[key]); },
    saveSoon() {
      if (!key || !page.clientHeight) return;
      taken = { key, place: placeOf(page, body) };
      clearTimeout(later);
      later = setTimeout(save, 250);
    },
    end: save,
  };
}

// A reader in a view that is turned away has no width and cannot be scrolled: what needs that is done once it is seen.
// ``resized`` is called whenever it has another size and is seen.
function makeSight(frame, resized) {
  let later = [];
  const isSeen = () => frame.clientWidth > 0;
  const observer = new ResizeObserver(() => {
    if (!isSeen()) return;
    const acts = later;
    later = [];
    for (const act of acts) act();
    resized();
  });
  observer.observe(frame);
  return {
    whenSeen(act) {
      if (isSeen()) return act();
      later.push(act);
      observer.unobserve(frame); // observed anew, it is told of the next size, even where that is the last one again:
      observer.observe(frame); // a frame that is away for less than a picture's time has not changed its size
    },
    end: () => observer.disconnect(),
  };
}

// Keys speak to the reader only while nobody types, and leave the browser's own alone.
function listenToKeys(frame, actions) {
  frame.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog, [role=menu]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  });
}
