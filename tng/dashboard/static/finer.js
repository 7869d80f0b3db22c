// The fold for those who want it: the seed with a roll, and how boldly it is written.
const STEP = 0.05;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(text) {
  const made = element("button", "jupyter-button tng-small", text);
  made.type = "button";
  return made;
}

export default {
  render({ model, el }) {
    const id = `tng-finer-${Math.random().toString(36).slice(2)}`; // a widget each has a module of its own: nobody can count
    const fold = element("details", "tng-finer");
    const seed = element("input", "tng-input"), roll = button("Roll");
    const heat = element("input", "tng-heat"), as = button("As the preset");
    const said = element("output", "tng-hint"), fault = element("p", "tng-fault");
    const seedLabel = element("label", "tng-legend", "Seed");
    const heatLabel = element("label", "tng-legend", "Temperature");
    const seedRow = element("div", "tng-finer-row"), heatRow = element("div", "tng-finer-row");
    const seedHint = element("p", "tng-hint", "The same words and the same seed give the same script.");
    seed.type = "number";
    seed.min = 0;
    seed.step = 1;
    heat.type = "range";
    heat.step = STEP;
    seed.id = seedLabel.htmlFor = `${id}-seed`;
    heat.id = heatLabel.htmlFor = `${id}-heat`;
    fault.id = `${id}-fault`;
    fault.setAttribute("aria-live", "polite");
    seed.setAttribute("aria-describedby", fault.id);
    roll.title = "Roll another seed";
    seedRow.append(seed, roll);
    heatRow.append(heat, as);
    fold.append(element("summary", "", "Advanced"), seedLabel, seedRow, fault, seedHint, heatLabel, heatRow, said);
    fold.open = model.get("temperature") !== null;
    el.append(fold);

    const refresh = () => {
      const own = model.get("temperature");
      seed.max = model.get("seed_below") - 1;
      if (document.activeElement !== seed || model.get("seed") >= 0) seed.value = Math.max(model.get("seed"), 0);
      heat.min = model.get("coolest");
      heat.max = model.get("hottest");
      heat.value = own ?? (model.get("coolest") + model.get("hottest")) / 2;
      heat.classList.toggle("tng-unused", own === null);
      as.disabled = own === null;
      const words = own === null ? `as ${model.get("preset") || "the preset"} does` : `${own.toFixed(2)}: your own`;
      said.textContent = `Written ${words}. Low keeps to the known, high dares more.`;
      heat.setAttribute("aria-valuetext", own === null ? words : own.toFixed(2));
      fault.textContent = model.get("fault");
      fault.hidden = !model.get("fault");
      seed.setAttribute("aria-invalid", String(!fault.hidden));
    };
    const say = (what) => {
      for (const [name, value] of Object.entries(what)) model.set(name, value);
      model.send({ kind: "says", ...what });
    };
    const focus = (message) => {
      if (message.kind !== "focus") return;
      fold.open = true;
      seed.focus();
    };
    seed.addEventListener("input", () => say({ seed: seed.value === "" ? -1 : Number(seed.value) }));
    roll.addEventListener("click", () => {
      const [drawn] = crypto.getRandomValues(new Uint32Array(1));
      say({ seed: drawn % model.get("seed_below") });
    });
    heat.addEventListener("input", () => say({ temperature: Number(heat.value) }));
    as.addEventListener("click", () => {
      heat.focus(); // the button rests from now on, and a resting button holds nobody
      say({ temperature: null });
    });
    const traits = ["seed", "seed_below", "temperature", "coolest", "hottest", "preset", "fault"];
    for (const trait of traits) model.on(`change:${trait}`, refresh);
    model.on("msg:custom", focus);
    refresh();
    return () => model.off("msg:custom", focus);
  },
};
