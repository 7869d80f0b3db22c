"""The list of scripts alone in a browser: its script and style on an empty page, and the kernel's side beside it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from hub.front import front
from tests.reader_host import LOOK
from tests.shows import first_show
from tng.dashboard.library import Library

ADDRESS = "http://127.0.0.1:9/"
"""Nothing listens there; a page of this machine may use the clipboard, as a page with TLS may."""

PAGE = "<!doctype html><html lang=en><title>Library</title><main class=tng-dashboard><h1>Library</h1><div></div></main>"
TRAITS = ("rows", "bin_rows", "is_loaded", "is_bin", "offers", "undone", "longest_title")
MODEL = """
const state = {}, listeners = [];
window.sent = [];
window.model = {
  get: name => state[name],
  set: (name, value) => { state[name] = value; },
  on: (name, listener) => listeners.push([name, listener]),
  off: () => {},
  send: message => window.sent.push(message),
};
window.hear = name => listeners.filter(([n]) => n === name).forEach(([, l]) => l());
window.tell = message => listeners.filter(([n]) => n === "msg:custom").forEach(([, l]) => l(message));
"""


class LibraryPage:
    """A list of scripts and a page that shows it. What a person does there is heard by ``work``."""

    def __init__(self, browser: Browser, library: Library, *, width: int = 1280, dark: bool = False) -> None:
        self.library = library
        theme: Any = "dark" if dark else "light"
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, accept_downloads=True
        )
        self.page: Page = self.context.new_page()
        self._told: list[Any] = []
        library.send = lambda content, _buffers=None: self._told.append(content)
        library.observe(lambda change: self._told.append(change["name"]), TRAITS)
        self.page.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        self.page.goto(ADDRESS)
        self._draw()

    def _draw(self) -> None:
        look = "; ".join(f"--tng-{name}: {colour}" for name, colour in front(first_show())["look"].items())
        for sheet in ("style.css", "library.css"):
            self.page.add_style_tag(content=(LOOK / sheet).read_text(encoding="utf-8"))
        self.page.add_style_tag(content=f":root {{ {look} }} main {{ padding: 20px }}")
        self.page.add_script_tag(content=MODEL)
        for name in TRAITS:
            self._set(name)
        code = str(Library._esm).replace("export default", "const list =")
        place = "Object.assign(document.querySelector('main div'), {className: 'tng-library'})"
        begin = f"list.render({{model: window.model, el: {place}}});"
        self.page.add_script_tag(content=f"(() => {{ {code}\n{begin} }})()")

    def _set(self, name: str) -> None:
        self.page.evaluate("([name, value]) => model.set(name, value)", [name, getattr(self.library, name)])

    def work(self) -> None:
        """Let the kernel hear what the page said, and the page what came of it, in the order in which it came."""
        for said in self.page.evaluate("sent.splice(0)"):
            self.library._handle_custom_msg(said, [])
        told, self._told[:] = list(self._told), []
        for each in told:
            if isinstance(each, str):
                self._set(each)
                self.page.evaluate("name => hear(name)", f"change:{each}")
            else:
                self.page.evaluate("message => tell(message)", each)

    def row(self, title: str) -> Any:
        """The row of a script."""
        return self.page.locator(".tng-row", has_text=title)

    def more(self, title: str, words: str) -> None:
        """Choose something of a script's menu."""
        self.row(title).get_by_role("button", name="More for").click()
        self.row(title).get_by_role("button", name=words, exact=True).click()
        self.work()
