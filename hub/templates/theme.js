// Light or dark: what the person chose here, on any page of the house; where nothing was chosen, as the system has it.
(function () {
  var root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)"), key = "tng-theme";
  function chosen() {
    try { var theme = localStorage.getItem(key); return theme === "light" || theme === "dark" ? theme : ""; }
    catch (refused) { return ""; } // a browser that keeps nothing follows its system
  }
  function current() { return root.dataset.theme || (dark.matches ? "dark" : "light"); }
  function show(theme) {
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    root.setAttribute("data-bs-theme", current());
  }
  show(chosen());
  dark.addEventListener("change", function () { show(chosen()); });
  window.addEventListener("storage", function (change) { if (change.key === key) show(chosen()); });
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.getElementById("theme-switch");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      var theme = current() === "dark" ? "light" : "dark";
      try { localStorage.setItem(key, theme); } catch (refused) { /* for this page alone, then */ }
      show(theme);
    });
  });
})();
