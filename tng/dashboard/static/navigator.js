// Moves the browser's window for the page. Addresses are checked here too: only http, https, and this page's own.
const PLACE = /^\?(view=(new|library)|order=[A-Za-z0-9_-]{1,64})$/;
const PATIENCE_FRAMES = 60;

function go(url) {
  const target = new URL(url, window.location.href);
  if (target.protocol === "https:" || target.protocol === "http:") {
    window.top.location.assign(target.href);
  }
}

function write(query, replaces) {
  const now = window.location.search;
  if (!PLACE.test(query) || now === query || (now === "" && query === "?view=new")) return;
  const address = new URL(window.location.href);
  address.search = query;
  address.hash = "";
  if (replaces) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
}

// what is shown is said to the widgets one by one: the heading of the new view may come a few frames later
function turn(query, frames = 0) {
  const name = query.startsWith("?order=") ? "order" : query.slice("?view=".length);
  const heading = [...document.querySelectorAll(`.tng-view-${name} h2`)].find((h2) => h2.offsetParent !== null);
  if (!heading) {
    if (frames < PATIENCE_FRAMES) requestAnimationFrame(() => turn(query, frames + 1));
    return;
  }
  window.scrollTo({ top: 0 });
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

export default {
  render({ model, el }) {
    el.hidden = true;
    const listen = (message) => {
      if (message.kind === "go") go(message.url);
      if (message.kind !== "at") return;
      write(message.query, message.replaces);
      if (message.turns) turn(message.query);
    };
    const ask = (query, there) => model.send({ kind: "asked", query, there });
    const follow = (event) => {
      const pressed = event.target instanceof Element && event.target.closest('a[href^="?"]');
      const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
      if (!pressed || elsewhere || event.defaultPrevented || !PLACE.test(pressed.getAttribute("href"))) return;
      event.preventDefault();
      ask(pressed.getAttribute("href"), false);
    };
    const back = () => ask(window.location.search, true);
    model.on("msg:custom", listen);
    document.addEventListener("click", follow);
    window.addEventListener("popstate", back);
    for (const content of document.querySelectorAll(".tng-content")) content.setAttribute("role", "main");
    // What the kernel said while the page was being drawn reached nobody: it is asked to say it again.
    model.send({ kind: "here" });
    return () => {
      model.off("msg:custom", listen);
      document.removeEventListener("click", follow);
      window.removeEventListener("popstate", back);
    };
  },
};
