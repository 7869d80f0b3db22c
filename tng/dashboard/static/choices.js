// A group of real check boxes or radio buttons in another dress: the keyboard and the screen reader know them.
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const TINTS = 6;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function drawOption(option, index, model, name) {
  const label = element("label", `tng-option tng-tint-${index % TINTS}`);
  const input = element("input", "tng-pick");
  input.type = model.get("many") ? "checkbox" : "radio";
  input.name = name;
  input.value = option.value;
  label.append(input);
  if (option.mark) {
    const mark = element("span", "tng-mark", option.mark);
    mark.setAttribute("aria-hidden", "true");
    label.append(mark);
  }
  for (const part of ["name", "words", "price"]) {
    if (option[part]) label.append(element("span", `tng-option-${part}`, option[part]), " ");
  }
  return label;
}

export default {
  render({ model, el }) {
    const name = `tng-choices-${Math.random().toString(36).slice(2)}`; // a widget each has a module of its own: nobody can count
    const group = element("fieldset", `tng-choices tng-as-${model.get("look")}`);
    const legend = element("legend", "tng-legend", model.get("legend"));
    const help = element("p", "tng-hint");
    const options = element("div", "tng-options");
    const tally = element("p", "tng-hint tng-tally");
    const fault = element("p", "tng-fault");
    help.id = `${name}-help`;
    fault.id = `${name}-fault`;
    for (const live of [tally, fault]) live.setAttribute("aria-live", "polite");
    if (!model.get("many")) group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", model.get("legend"));
    group.setAttribute("aria-describedby", `${help.id} ${fault.id}`);
    group.append(legend, help, options, tally, fault);
    el.classList.add("tng-choices-box");
    el.append(group);

    const inputs = () => [...options.querySelectorAll("input")];
    const refresh = () => {
      const chosen = model.get("chosen");
      for (const input of inputs()) input.checked = chosen.includes(input.value);
      help.textContent = model.get("help");
      help.hidden = !model.get("help");
      fault.textContent = model.get("fault");
      fault.hidden = !model.get("fault");
      tally.hidden = !model.get("many") || !options.childElementCount;
      tally.textContent = tally.hidden ? "" : `${chosen.length} chosen`;
    };
    const draw = () => {
      options.replaceChildren(...model.get("options").map((option, index) => drawOption(option, index, model, name)));
      refresh();
    };
    const focus = (message) => {
      if (message.kind === "focus") (inputs().find((input) => input.checked) || inputs()[0])?.focus();
    };
    options.addEventListener("change", () => {
      const chosen = inputs().filter((input) => input.checked).map((input) => input.value);
      model.set("chosen", chosen);
      model.send({ kind: "says", chosen });
    });
    options.addEventListener("keydown", (event) => {
      // radio buttons walk by themselves
      if (!model.get("many") || !(event.key in STEPS)) return;
      const all = inputs(), here = all.indexOf(document.activeElement);
      if (here < 0) return;
      event.preventDefault();
      all[(here + STEPS[event.key] + all.length) % all.length].focus();
    });
    model.on("change:options", draw);
    for (const trait of ["chosen", "fault", "help"]) model.on(`change:${trait}`, refresh);
    model.on("msg:custom", focus);
    draw();
    return () => {
      model.off("change:options", draw);
      model.off("msg:custom", focus);
    };
  },
};
