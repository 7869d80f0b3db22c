"""A real browser, and what a person does with it on our pages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import APIResponse, Browser, Page, expect, sync_playwright

from tests.open_house import OpenHouse

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHY_SKIPPED = f"no browser: none of {', '.join(CHROMIUMS)} is on the PATH (on Debian: apt-get install chromium)"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SCREENSHOTS = Path(__file__).parent / "e2e" / "screenshots"
DESKTOP = {"width": 1280, "height": 900}
TABLET = {"width": 820, "height": 1180}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
READY = ".tng-header[data-ready]"
"""The page of a customer, once it is filled."""


def chromium() -> str | None:
    """The path of a browser of this machine, or None."""
    return next((path for name in CHROMIUMS if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        yield launched
        launched.close()


class Visitor:
    """One person with one browser profile. ``hosts`` are all that the pages asked anything of."""

    def __init__(self, launched: Browser, house: OpenHouse, *, phone: bool = False, trusting: bool = False) -> None:
        self.context = launched.new_context(
            viewport=PHONE if phone else DESKTOP, accept_downloads=True, ignore_https_errors=trusting
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.house = house
        self.hosts: set[str] = set()
        self.context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc or "(the page itself)"))

    def close(self) -> None:
        """Leave."""
        self.context.close()

    def photograph(self, name: str) -> None:
        """Keep a picture of the page, for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def come_in(self) -> None:
        """Open the front door and press its button."""
        self.page.goto(self.house.url)
        self.page.click("#sign-in")
        self.page.wait_for_selector("button[name=email]")

    def choose(self, address: str) -> None:
        """Be this person of the demo."""
        self.page.click(f'button[value="{address}"]')

    def sign_in(self, address: str) -> None:
        """The whole way to one's own dashboard."""
        self.come_in()
        self.choose(address)
        self.wait_until_usable()

    def wait_until_usable(self) -> None:
        """The page's kernel runs and has heard from the api, whatever view is seen."""
        self.page.wait_for_selector(READY)

    def turn_to(self, view: str) -> None:
        """Press a link of the bar: "New script" or "My scripts"."""
        self.page.locator(".tng-nav").get_by_role("link", name=view).click()
        expect(self.page.locator(".tng-nav [aria-current=page]")).to_contain_text(view)

    def open_account(self) -> None:
        """Open the menu with the account, the theme and the way out."""
        self.page.locator(".tng-account-menu summary").click()

    def ask(self, path: str) -> APIResponse:
        """Ask the api for something in the browser's name; the hub signs it in on the first visit of a page."""
        door = self.context.new_page()
        door.goto(f"{self.house.url}/services/api/me")
        door.close()
        return self.context.request.get(f"{self.house.url}/services/api{path}", max_redirects=0)

    def compose(self, title: str, *, cast: tuple[str, ...] = ("Picard", "Worf"), length: str = "Teaser") -> None:
        """Fill the form."""
        self.page.locator(".tng-title-field input").fill(title)
        for box in self.page.locator(".tng-cast .tng-option").all():
            wanted = box.locator(".tng-option-name").inner_text().strip() in cast
            box.locator("input").set_checked(wanted)
        self.page.get_by_label(re.compile(f"^{length}")).check()

    def order(self) -> str:
        """Press the button, and arrive on the payment page. Returns its address."""
        self.page.get_by_role("button", name="Order & pay").click()
        self.page.wait_for_selector("#card")
        return self.page.url

    def pay(self, card: str = "4242 4242 4242 4242") -> None:
        """Fill the card form and press its button."""
        self.page.fill("#email", "someone@example.com")
        self.page.fill("#card", card)
        self.page.fill("#name", "Some One")
        self.page.click("button[type=submit]")

    def come_back(self) -> str:
        """Wait for the dashboard after a payment. Returns the id of the order in the address."""
        self.page.wait_for_url(re.compile(r"/user/.*order=ord_"))
        self.wait_until_usable()
        return self.page.url.split("order=")[1][:36]

    def expect_sentence(self, words: str, *, patience_ms: int = PATIENCE_MS) -> None:
        """The order's sentence says this."""
        expect(self.page.locator(".tng-sentence")).to_contain_text(words, timeout=patience_ms)

    def scenes(self) -> int:
        """How many scenes stand on the page."""
        return self.page.locator(".tng-scene .tng-heading").count()

    def wait_for_scenes(self, count: int) -> None:
        """So many scenes, at least, stand on the page."""
        self.page.locator(".tng-scene .tng-heading").nth(count - 1).wait_for(state="attached")
