// A page lives by its kernel. Where that is gone, or cannot be reached, the page says so, and how to go on.
(function () {
  const LOOK_MS = 500, PATIENCE_MS = 4000;
  const GONE = "This page has lost its desk. Nothing of yours is lost, and what you ordered goes on being written.";
  const AWAY = "The connection is interrupted. This page tries again by itself, and nothing of yours is lost.";
  const BROKEN = "This page could not be set up. It is our side, and nothing of yours is lost.";
  let strip = null, waiting = 0, gone = false;

  function hush() {
    clearTimeout(waiting);
    if (strip) strip.remove();
    strip = null;
  }
  function say(sentence) {
    hush();
    strip = document.createElement("div");
    strip.className = "tng-lost";
    strip.setAttribute("role", "alert");
    const words = document.createElement("p"), again = document.createElement("button");
    words.textContent = sentence;
    again.type = "button";
    again.textContent = "Load it again";
    again.addEventListener("click", function () { window.location.reload(); });
    strip.append(words, again);
    document.body.append(strip);
  }
  function lose() {
    if (!window.house_left) say(GONE);
    gone = true;
  }
  function connection(state) {
    if (gone || window.house_left) return;
    clearTimeout(waiting);
    if (state === "connected") hush();
    else if (!strip) waiting = setTimeout(say, PATIENCE_MS, AWAY);
  }
  function follow(kernel) {
    // one that was restarted knows nothing of this page's widgets
    kernel.statusChanged.connect(function (_kernel, state) {
      if (["restarting", "autorestarting", "dead"].includes(state)) lose();
    });
    kernel.connectionStatusChanged.connect(function (_kernel, state) { connection(state); });
    connection(kernel.connectionStatus);
  }
  const looking = setInterval(function () {
    const app = window.jupyterapp, widgets = app && app.widgetManager, kernel = widgets && widgets.kernel;
    if (!kernel) return;
    clearInterval(looking);
    follow(kernel);
    if (!document.querySelector(".tng-dashboard") && document.querySelector("[data-mime-type$=stderr]")) say(BROKEN);
  }, LOOK_MS);
})();
