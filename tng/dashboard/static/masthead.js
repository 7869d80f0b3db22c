// The bar at the top. Words are set as text; addresses are the web's, a path of this house, or a view of this page.
const KEY = "tng-theme";
const THEMES = [["", "As the system"], ["light", "Light"], ["dark", "Dark"]];
const GOOD = /^(https?:\/\/|\/(?![/\\])|\?)/;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function anchor(className, text, url) {
  const made = element("a", className, text);
  if (GOOD.test(url)) made.href = url;
  return made;
}

function chosen() {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : "";
  } catch { return document.documentElement.dataset.theme || ""; } // a browser that keeps nothing
}

function wear(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function choose(theme) {
  try {
    if (theme) localStorage.setItem(KEY, theme);
    else localStorage.removeItem(KEY);
  } catch { /* it holds for this page alone */ }
  wear(theme);
}

// a group of three, with the browser's own keys
function themes() {
  const group = element("fieldset", "tng-themes"), legend = element("legend", "", "Light or dark");
  group.append(legend);
  const buttons = THEMES.map(([theme, words]) => {
    const label = element("label", "tng-theme"), input = element("input", "");
    input.type = "radio";
    input.name = "tng-theme";
    input.value = theme;
    input.addEventListener("change", () => choose(theme));
    label.append(input, element("span", "", words));
    group.append(label);
    return input;
  });
  const show = () => buttons.forEach((input) => { input.checked = input.value === chosen(); });
  show();
  return { group, show };
}

function accountMenu() {
  const menu = element("details", "tng-account-menu"), summary = element("summary", "tng-account-mark");
  const mark = element("span", "tng-initial"), name = element("span", "tng-account");
  const inside = element("div", "tng-account-inside"), full = element("p", "tng-account-full");
  const links = element("div", "tng-account-links"), look = themes();
  mark.setAttribute("aria-hidden", "true");
  summary.append(mark, name);
  const leave = element("a", "tng-leave", "Sign out");
  inside.append(full, links, look.group, leave);
  menu.append(summary, inside);
  const close = (back) => { menu.open = false; if (back) summary.focus(); };
  const outside = (event) => { if (menu.open && !menu.contains(event.target)) close(false); };
  const escape = (event) => { if (event.key === "Escape" && menu.open) close(true); };
  const other = (event) => { if (event.key === KEY) { wear(chosen()); look.show(); } };
  menu.addEventListener("keydown", escape);
  document.addEventListener("pointerdown", outside);
  document.addEventListener("focusin", outside);
  window.addEventListener("storage", other);
  const gone = () => {
    document.removeEventListener("pointerdown", outside);
    document.removeEventListener("focusin", outside);
    window.removeEventListener("storage", other);
  };
  return { menu, summary, mark, name, full, links, leave, gone };
}

export default {
  render({ model, el }) {
    const header = element("header", "tng-header"), brand = element("h1", "tng-brand"), home = element("a", "");
    const nav = element("nav", "tng-nav"), account = accountMenu();
    nav.setAttribute("aria-label", "Views");
    brand.append(home);
    header.append(brand, nav, account.menu);
    el.classList.add("tng-masthead");
    el.append(header);
    const tabs = new Map();

    const drawNav = () => {
      nav.replaceChildren();
      tabs.clear();
      for (const { view, words } of model.get("views")) {
        const tab = anchor("tng-tab", words, `?view=${encodeURIComponent(view)}`);
        tabs.set(view, tab);
        nav.append(tab);
      }
      nav.hidden = !tabs.size;
      drawHere();
    };
    const drawHere = () => {
      for (const [view, tab] of tabs) {
        if (view === model.get("here")) tab.setAttribute("aria-current", "page");
        else tab.removeAttribute("aria-current");
      }
      drawCount();
    };
    const drawCount = () => {
      nav.querySelector(".tng-badge")?.remove();
      const tab = tabs.get(model.get("counted")), count = model.get("count");
      if (!tab || count < 1) return;
      const badge = element("span", "tng-badge"), number = element("span", "", String(count));
      badge.append(number, element("span", "tng-unseen", " under way"));
      tab.append(" ", badge);
    };
    const drawRest = () => {
      const name = model.get("account"), product = model.get("product");
      home.textContent = product;
      if (tabs.size) home.href = "?view=new";
      account.full.textContent = account.name.textContent = name;
      account.mark.textContent = [...name][0]?.toUpperCase() ?? "·";
      account.summary.setAttribute("aria-label", name ? `Account: ${name}` : "Account");
      const leave = model.get("leave");
      if (GOOD.test(leave)) account.leave.href = leave;
      account.links.replaceChildren(...model.get("links").map(({ words, url }) => anchor("", words, url)));
      header.toggleAttribute("data-ready", model.get("ready"));
    };
    const heard = [["views", drawNav], ["here", drawHere], ["counted", drawHere], ["count", drawCount]];
    for (const name of ["product", "account", "links", "leave", "ready"]) heard.push([name, drawRest]);
    for (const [name, draw] of heard) model.on(`change:${name}`, draw);
    drawNav();
    drawRest();
    return () => {
      for (const [name, draw] of heard) model.off(`change:${name}`, draw);
      account.gone();
    };
  },
};
