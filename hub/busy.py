"""What a person reads where there is no place for another page, or none at all: a sentence, and a way on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from tng.export.html import TOKENS

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
        colours="; ".join(f"--tng-{name}: {colour}" for name, colour in house["look"].items()),
        tokens=TOKENS,
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
<script>
try {{ const theme = localStorage.getItem("tng-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme; }} catch (refused) {{ }}
</script>
<style>
:root {{ {colours} }}
{tokens}
body {{ margin: 0; background: var(--tng-page); color: var(--tng-ink); font: 16px/1.5 var(--tng-letters) }}
header {{ padding: 14px max(20px, calc(50vw - 660px)); background: var(--tng-night); color: var(--tng-on-night);
  border-bottom: 4px solid var(--tng-amber); font: 650 19px/28px var(--tng-letters); letter-spacing: .04em }}
main {{ box-sizing: border-box; width: calc(100% - 40px); max-width: 36rem; margin: 10vh auto 3rem; padding: 32px;
  border: 1px solid var(--tng-line); border-radius: var(--tng-round); background: var(--tng-card) }}
footer {{ max-width: 36rem; margin: 0 auto; padding: 0 20px 2rem; color: var(--tng-soft); font-size: 14px }}
h1 {{ font-size: 1.6rem; font-weight: 700; line-height: 1.25; margin: 0 0 1rem }}
a {{ display: inline-block; margin-top: 1rem; padding: 10px 24px; border: 1px solid var(--tng-amber-edge);
  border-radius: 999px; background: var(--tng-amber); color: var(--tng-on-amber); font-weight: 700;
  text-decoration: none }}
a:hover, a:focus-visible {{ background: var(--tng-amber-hover) }}
a:focus-visible {{ outline: 3px solid var(--tng-accent); outline-offset: 3px }}
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
