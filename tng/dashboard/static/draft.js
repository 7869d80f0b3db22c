// Keeps what the form holds in this browser, whatever becomes of the kernel, and gives it back when the page is opened again.
const PREFIX = "tng-draft-";
const WAIT_MS = 400;
const MOST_CHARACTERS = 100_000;
const SIGN_OUT = ".tng-leave";

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
    const parts = {};
    el.hidden = true;

    const name = () => PREFIX + model.get("key");
    const held = () =>
      Object.fromEntries(
        Object.entries(parts).map(([part, { controls, trait, many }]) => {
          const values = controls.flatMap((control) => control.get(trait));
          return [part, many ? values : (values[0] ?? null)];
        }),
      );
    const write = () => {
      clearTimeout(waiting);
      if (!changed || !given || gone || !model.get("key")) return;
      changed = false;
      attempt(() => localStorage.setItem(name(), JSON.stringify(held())));
    };
    const later = () => {
      changed = true;
      clearTimeout(waiting);
      waiting = setTimeout(write, WAIT_MS);
    };
    const offer = () => {
      if (!model.get("key")) return;
      given = false;
      const kept = attempt(() => localStorage.getItem(name())) || "";
      const draft = kept.length > MOST_CHARACTERS ? null : attempt(() => JSON.parse(kept));
      model.send({ kind: "kept", draft });
    };
    const listen = ({ kind }) => {
      if (kind === "given") given = true;
      if (kind === "given" && changed) later();
      if (kind !== "forget") return;
      clearTimeout(waiting);
      changed = false;
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
        parts[part] = { controls: await Promise.all(ids.map((id) => model.widget_manager.get_model(id))), trait, many };
        for (const control of parts[part].controls) control.on(`change:${trait}`, later);
      }
    };

    model.on("msg:custom", listen);
    window.addEventListener("pagehide", write);
    for (const press of ["click", "auxclick"]) document.addEventListener(press, leave, true);
    watch().then(() => {
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
      for (const { controls, trait } of Object.values(parts)) for (const one of controls) one.off(`change:${trait}`, later);
    };
  },
};
