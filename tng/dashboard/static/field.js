// A label and a text. Every word is set as text; what is typed is said to the kernel, and never comes back from there.
const WAIT_MS = 150;
const NEAR = 0.8;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export default {
  render({ model, el }) {
    const id = `tng-field-${Math.random().toString(36).slice(2)}`; // a widget each has a module of its own: nobody can count
    const many = model.get("rows") > 1;
    const label = element("label", "tng-legend", model.get("label"));
    const input = element(many ? "textarea" : "input", "tng-input");
    const help = element("p", "tng-hint", model.get("help"));
    const fault = element("p", "tng-fault");
    const count = element("p", "tng-count");
    const foot = element("div", "tng-foot");
    if (many) input.rows = model.get("rows");
    else input.type = "text";
    input.id = label.htmlFor = id;
    input.autocomplete = "off";
    input.placeholder = model.get("placeholder");
    help.id = `${id}-help`;
    fault.id = `${id}-fault`;
    fault.setAttribute("aria-live", "polite");
    input.setAttribute("aria-describedby", `${help.id} ${fault.id}`);
    foot.append(fault, count);
    el.classList.add("tng-field-box");
    el.append(label, input, help, foot);

    let waiting;
    const say = () => {
      clearTimeout(waiting);
      waiting = undefined;
      model.send({ kind: "says", value: input.value });
    };
    const flush = () => waiting !== undefined && say();
    const refresh = () => {
      const limit = model.get("limit"), long = [...input.value].length;
      help.hidden = !model.get("help");
      help.textContent = model.get("help");
      fault.textContent = model.get("fault");
      fault.hidden = !model.get("fault");
      input.setAttribute("aria-invalid", String(!fault.hidden));
      count.hidden = !limit || long < limit * NEAR;
      count.textContent = count.hidden ? "" : `${long} of ${limit}`;
      count.classList.toggle("tng-over", long > limit);
      foot.hidden = fault.hidden && count.hidden;
    };
    const told = () => {
      if (waiting === undefined && input.value !== model.get("value")) input.value = model.get("value");
      refresh();
    };
    const focus = (message) => message.kind === "focus" && input.focus();
    input.addEventListener("input", () => {
      model.set("value", input.value);
      refresh();
      clearTimeout(waiting);
      waiting = setTimeout(say, WAIT_MS);
    });
    input.addEventListener("change", flush);
    input.addEventListener("blur", flush);
    model.on("change:value", told);
    for (const name of ["fault", "limit", "help"]) model.on(`change:${name}`, refresh);
    model.on("msg:custom", focus);
    told();
    return () => {
      flush();
      model.off("change:value", told);
      model.off("msg:custom", focus);
    };
  },
};
