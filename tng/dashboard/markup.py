"""The one place where the page makes HTML: text is escaped, unless it was made here. No style, and no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is markup already, because ``tag`` or ``joined`` made it."""

    __slots__ = ()


def tag(name: str, *inside: str, **attributes: str | None) -> Html:
    """An element. ``class_`` is the attribute class, ``aria_label`` is aria-label; an attribute of None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{joined(inside)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """Parts one after the other; what is not markup is escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def link(text: str, url: str, **attributes: str | None) -> Html:
    """A link to an address of the web or a path of this house. Any other address is shown as plain text."""
    if not is_address(url):
        return tag("span", text)
    return tag("a", text, href=url, **attributes)


def is_address(url: str) -> bool:
    """Whether a link may lead there: http, https, or a path from the root of this house."""
    return url.startswith(("https://", "http://")) or (url.startswith("/") and not url.startswith(("//", "/\\")))
