"""What axe-core finds on a page that keeps people out: what a machine can check of WCAG, contrast among it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

BARRIERS = frozenset({"serious", "critical"})
OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}


def serious(page: Page) -> list[str]:
    """A line for every place on the page, as it is now, that breaks a rule of serious or critical impact."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {node['target'][0]} {_told(node)}"
        for rule in found
        if rule["impact"] in BARRIERS
        for node in rule["nodes"]
    ]


def _told(node: dict[str, str]) -> str:
    """The element, and what is wrong with it, in one line."""
    return " ".join(f"{node['html'][:160]} ({node.get('failureSummary', '')})".split())
