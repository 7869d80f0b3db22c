// One short message at a time, said to screen readers too. It goes by itself, but not while it is pointed at or held.
const SHOWN_MS = 8_000;

export default {
  render({ model, el }) {
    let timer = 0, byKey = false, back = null;
    el.classList.add("tng-toasts");
    el.setAttribute("role", "status");
    el.setAttribute("aria-live", "polite");

    const clear = () => {
      clearTimeout(timer);
      const held = el.contains(document.activeElement);
      el.replaceChildren();
      if (held && back?.isConnected) back.focus();
    };
    const isHeld = () => el.matches(":hover") || el.contains(document.activeElement);
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => (isHeld() ? wait() : clear()), SHOWN_MS);
    };
    const press = (number) => {
      clear();
      model.send({ kind: "action", number });
    };
    const button = (words, label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = words;
      if (label) made.setAttribute("aria-label", label);
      made.addEventListener("click", act);
      return made;
    };
    const say = ({ kind, number, text, action }) => {
      if (kind !== "say") return;
      const toast = document.createElement("div"), words = document.createElement("span");
      toast.className = "tng-toast";
      words.textContent = text;
      toast.append(words);
      const act = action ? button(action, "", () => press(number)) : null;
      if (act) toast.append(act);
      toast.append(button("×", "Dismiss", clear));
      el.replaceChildren(toast);
      wait();
      // what a key did away with took the keyboard's place with it: that is here now, and waits
      const lost = !document.activeElement || document.activeElement === document.body;
      if (act && byKey && lost) act.focus();
    };
    const seen = (event) => { byKey = event.type === "keydown"; };
    const focused = (event) => { if (!el.contains(event.target)) back = event.target; };
    const escape = (event) => { if (event.key === "Escape" && el.firstChild) clear(); };
    model.on("msg:custom", say);
    el.addEventListener("keydown", escape);
    for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, seen, true);
    document.addEventListener("focusin", focused);
    return () => {
      clear();
      model.off("msg:custom", say);
      for (const name of ["keydown", "pointerdown"]) document.removeEventListener(name, seen, true);
      document.removeEventListener("focusin", focused);
    };
  },
};
