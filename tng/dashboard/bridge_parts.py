"""What the pages of the bridge share: tables, times and flags as markup. Every text is set as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tng.dashboard.markup import Html, tag

MINUTE, HOUR, DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """A length of time in two words at most: 8 s, 3 min, 2 h 5 min, 3 d."""
    whole = int(max(seconds, 0))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a moment was."""
    return f"{span((now - moment).total_seconds())} ago"


def day_and_time(moment: datetime) -> Html:
    """A moment, for people and for programs. Moments are UTC where nothing else is said."""
    return tag("time", f"{moment:%-d %b %Y, %H:%M}", datetime=moment.isoformat())


def table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]], empty: str, *, note: str = "") -> Html:
    """A panel with a table that scrolls by itself where it is too wide; a sentence where it has no row."""
    heading = tag("h2", title)
    bodies = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    if not bodies:
        return panel(heading, hint(empty))
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    drawn = tag("table", head, tag("tbody", *bodies))
    scrolls = tag("div", drawn, class_="tng-scrolls", tabindex="0", role="region", aria_label=title)
    return panel(heading, scrolls, hint(note) if note else Html(""))


def panel(*parts: str) -> Html:
    """A card of the page."""
    return tag("section", *parts, class_="tng-panel")


def hint(*words: str) -> Html:
    """A line that explains, and does not ask to be read."""
    return tag("p", *words, class_="tng-hint")


def words(sentence: str) -> Html:
    """A cell that may have several lines."""
    return tag("span", sentence, class_="tng-words")


def flag(said: str, *, good: bool) -> Html:
    """Words that stand out where they are not good."""
    return tag("span", said, class_="" if good else "tng-unwell")


def verdict(passed: bool | None) -> Html:
    """A verdict in words, a sign and a colour."""
    said, kind = {True: ("✓ passed", "well"), False: ("✗ not passed", "unwell"), None: ("– not judged", "unknown")}[
        passed
    ]
    return tag("span", said, class_=f"tng-{kind}")
