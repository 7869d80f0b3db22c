"""A screen as four people see it: by day, by night, on a tablet and on a phone. What keeps somebody out is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page, ViewportSize

from tests.axe import serious
from tests.browser import DESKTOP, PHONE, SCREENSHOTS, TABLET

WIDER = "() => document.documentElement.scrollWidth - window.innerWidth"


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks at the house."""

    name: str
    viewport: ViewportSize
    scheme: Literal["light", "dark"] = "light"


DAY = Look("light", DESKTOP)
LOOKS = (Look("dark", DESKTOP, "dark"), Look("tablet", TABLET), Look("phone", PHONE), DAY)
"""Day comes last: whoever goes on does so as before."""


def barriers(page: Page, name: str) -> list[str]:
    """Photograph the page in every look; a line for all that would keep somebody out, with the look it was seen in."""
    return [f"{name}, {look.name}: {fault}" for look in LOOKS for fault in _seen(page, name, look)]


def _seen(page: Page, name: str, look: Look) -> list[str]:
    page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
    page.set_viewport_size(look.viewport)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"screen-{name}-{look.name}.png", full_page=True, animations="disabled")
    wider = int(page.evaluate(WIDER))
    return [*serious(page), *([f"{wider} px wider than the screen"] if wider > 0 else [])]
