// Keeps what the form holds in this browser, whatever becomes of the kernel, and gives it back when the page is opened again.
const PREFIX = "tng-draft-";
const WAIT_MS = 400;
const MOST_CHARACTERS = 100_000;
const SIGN_OUT = ".tng-leave";
const WORDS = ["title", "logline", "guests"]; // what nobody but the person at the keyboard puts into a form that is new

// a browser without a storage, a full one, and what is no draft are all the same: there is none
function attempt(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

function forgetAll() {
  for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name);
}

export default {
  render({ model, el }) {
    let waiting, changed = false, given = false, gone = false;
    const parts = {}, typed = new Set();
    el.hidden = true;

    const name = () => PREFIX + model.get("key");
    const held = () =>
      Object.fromEntries(
        Object.entries(parts).map(([part, { controls, trait, many }]) => {
          const values = controls.flatMap((control) => control.get(trait));
          return [part, many ? values : (values[0] ?? null)];
        }),
      );
    const read = () => {
      const kept = attempt(() => localStorage.getItem(name())) || "";
      return kept.length > MOST_CHARACTERS ? null : attempt(() => JSON.parse(kept));
    };
    // until the form was given what was kept, it is not the draft: only what was typed into it is put to that
    const draft = () => {
      const now = held();
      return given ? now : { ...read(), ...Object.fromEntries([...typed].map((part) => [part, now[part]])) };
    };
    const write = () => {
      clearTimeout(waiting);
      if (!changed || gone || !model.get("key") || (!given && !typed.size)) return;
      changed = false;
      attempt(() => localStorage.setItem(name(), JSON.stringify(draft())));
    };
    const later = (part) => {
      changed = true;
      if (!given && WORDS.includes(part)) typed.add(part);
      clearTimeout(waiting);
      waiting = setTimeout(write, WAIT_MS);
    };
    const offer = () => {
      if (!model.get("key")) return;
      given = false;
      model.send({ kind: "kept", draft: read() });
    };
    const listen = ({ kind }) => {
      if (kind === "given") {
        given = true;
        if (changed || typed.size) later();
        typed.clear();
      }
      if (kind !== "forget") return;
      clearTimeout(waiting);
      changed = false;
      typed.clear();
      attempt(() => localStorage.removeItem(name()));
    };
    const leave = (event) => {
      if (!event.target.closest?.(SIGN_OUT)) return;
      gone = true;
      attempt(forgetAll);
    };
    const watch = async () => {
      for (const [part, { controls, trait, many }] of Object.entries(model.get("parts"))) {
        const ids = controls.map((id) => id.replace("IPY_MODEL_", ""));
        const found = await Promise.all(ids.map((id) => model.widget_manager.get_model(id)));
        parts[part] = { controls: found, trait, many, change: () => later(part) };
        for (const control of found) control.on(`change:${trait}`, parts[part].change);
      }
    };

    model.on("msg:custom", listen);
    window.addEventListener("pagehide", write);
    for (const press of ["click", "auxclick"]) document.addEventListener(press, leave, true);
    watch().then(() => {
      for (const part of WORDS) if ([held()[part]].flat().some(Boolean)) later(part); // typed before anybody listened
      model.on("change:key", offer);
      if (model.get("key")) offer();
      else model.send({ kind: "here" });
    });
    return () => {
      write();
      model.off("msg:custom", listen);
      model.off("change:key", offer);
      window.removeEventListener("pagehide", write);
      for (const press of ["click", "auxclick"]) document.removeEventListener(press, leave, true);
      for (const { controls, trait, change } of Object.values(parts)) for (const one of controls) one.off(`change:${trait}`, change);
    };
  },
};
