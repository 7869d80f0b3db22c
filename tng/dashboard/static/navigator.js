// Moves the browser's window for the page. Addresses are checked here too: only http, https, and this page's own.
const ORDER_ID = /^[A-Za-z0-9_-]{1,64}$/;

function go(url) {
  const target = new URL(url, window.location.href);
  if (target.protocol === "https:" || target.protocol === "http:") {
    window.top.location.assign(target.href);
  }
}

function keep(order) {
  const address = new URL(window.location.href);
  address.search = ORDER_ID.test(order) ? `?order=${order}` : "";
  window.history.replaceState(null, "", address);
  if (address.search) window.scrollTo({ top: 0 });
}

export default {
  render({ model, el }) {
    el.hidden = true;
    const listen = (message) => {
      if (message.kind === "go") go(message.url);
      if (message.kind === "keep") keep(message.order);
    };
    model.on("msg:custom", listen);
    // What the kernel said while the page was being drawn reached nobody: it is asked to say it again.
    model.send({ kind: "here" });
    return () => model.off("msg:custom", listen);
  },
};
