"""What a person reads where there is no place for another page, or none at all: a sentence, and a way on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

PATIENCE_SECONDS: Final = 6.0
"""How long a page waits for a place before it is refused: a page that is loaded again leaves its own within that."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Why a page is not opened now: ``title`` and ``sentence`` for the person, and when it is worth another try."""

    title: str
    sentence: str
    retry_seconds: int
    status: int = 503


HUB_PATIENCE_SECONDS: Final = 0.5
"""The hub waits for a start for a second; after that it shows a page that waits, and could refuse nothing any more."""

HOUSE_IS_FULL: Final = Notice(
    "Every place is taken at the moment",
    "So many people are here that another page has no room. Your orders and scripts are safe, and go on. "
    "Please try again in a minute; this page tries by itself.",
    30,
)
NO_SUCH_PAGE: Final = Notice("There is no such page", "Your desk is where it always is.", 0, status=404)
OUR_SIDE: Final = Notice("Something went wrong", "It is our side. Please try again in a moment.", 0, status=500)
NOT_ALLOWED: Final = Notice("You cannot come in with this account", "This desk is somebody else's.", 0, status=403)

AHEAD: Final = {"Sec-Purpose": "pre", "Purpose": "pre", "X-Purpose": "pre", "X-Moz": "pre"}
"""How browsers say that nobody has asked for the page yet: prefetch, prerender, preview."""

NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six")


def open_already(places: int) -> Notice:
    """For a person who has so many pages open as one may have."""
    number = NUMBERS[places] if places < len(NUMBERS) else str(places)
    return Notice(
        f"Your desk is open in {number} place{'' if places == 1 else 's'} already",
        "Close one of them, and then try again; this page tries by itself. Nothing is lost: an order is written "
        "whether its page is open or not.",
        5,
    )


def looks_ahead(headers: Mapping[str, str]) -> bool:
    """Whether a request is of a browser that guesses, and not of a person."""
    return any(headers.get(name, "").lower().startswith(word) for name, word in AHEAD.items())


def page(notice: Notice, house: Mapping[str, Any], *, again: str) -> str:
    """The whole page, in the house's look; ``again`` is where its link leads. A page that can wait reloads itself."""
    wait = notice.retry_seconds
    return PAGE.format(
        colours="; ".join(f"--house-{name}: {colour}" for name, colour in house["look"].items()),
        product=escape(house["product"]),
        disclaimer=escape(house["disclaimer"]),
        title=escape(notice.title),
        sentence=escape(notice.sentence),
        again=escape(again, quote=True),
        way="Try again" if wait else "Go to my desk",
        refresh=f'<meta http-equiv="refresh" content="{wait}">' if wait else "",
    )


PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
{refresh}
<link rel="icon" href="data:,">
<title>{title} · {product}</title>
<style>
:root {{ {colours} }}
body {{ margin: 0; background: #f4f2ec; color: #1b2230; line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }}
header {{ padding: 14px max(20px, calc(50vw - 660px)); background: var(--house-night); color: var(--house-on-night);
  border-bottom: 4px solid var(--house-amber); font: 650 19px/28px system-ui, sans-serif; letter-spacing: .04em }}
main, footer {{ max-width: 34rem; margin: 12vh auto 4rem; padding: 0 1.25rem }}
footer {{ margin: 0 auto; padding-bottom: 2rem; opacity: .75; font-size: .8rem }}
h1 {{ font-size: 1.6rem; font-weight: 600; margin: 0 0 1rem }}
a {{ display: inline-block; margin-top: 1rem; padding: .6rem 1.2rem; border: 1px solid var(--house-amber-edge);
  border-radius: .5rem; background: var(--house-amber); color: var(--house-on-amber); font-weight: 700;
  text-decoration: none }}
a:hover, a:focus-visible {{ background: var(--house-amber-hover) }}
</style>
</head>
<body>
<header>{product}</header>
<main>
<h1>{title}</h1>
<p role="status">{sentence}</p>
<a href="{again}">{way}</a>
</main>
<footer>{disclaimer}</footer>
</body>
</html>
"""
