// One short message at a time, said to screen readers too; it goes by itself, but not while it is pointed at.
const SHOWN_MS = 10_000;

export default {
  render({ model, el }) {
    el.classList.add("tng-toasts");
    el.setAttribute("role", "status");
    let timer = 0;
    const clear = () => { clearTimeout(timer); el.replaceChildren(); };
    const wait = () => { clearTimeout(timer); timer = setTimeout(clear, SHOWN_MS); };
    const say = ({ kind, number, text, action }) => {
      if (kind !== "say") return;
      const toast = document.createElement("div"), words = document.createElement("span");
      toast.className = "tng-toast";
      words.textContent = text;
      toast.append(words);
      if (action) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = action;
        button.addEventListener("click", () => { clear(); model.send({ kind: "action", number }); });
        toast.append(button);
      }
      toast.addEventListener("pointerenter", () => clearTimeout(timer));
      toast.addEventListener("focusin", () => clearTimeout(timer));
      toast.addEventListener("pointerleave", wait);
      toast.addEventListener("focusout", wait);
      el.replaceChildren(toast);
      wait();
    };
    model.on("msg:custom", say);
    return () => { clear(); model.off("msg:custom", say); };
  },
};
