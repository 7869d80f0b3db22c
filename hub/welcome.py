"""What the front door says beside its sign-in: the price, and scenes to read. Made once, when the house starts."""

from __future__ import annotations

from dataclasses import dataclass

from tng.export.html import TELEPLAY, TOKENS, teleplay_html, title_of
from tng.look import whole_look
from tng.programme import price_of
from tng.sample import read_sample
from tng.settings import Settings
from tng.shows import Show


@dataclass(frozen=True, slots=True)
class Welcome:
    """``tokens``, ``teleplay`` and ``sample`` are CSS and HTML, ready to stand in a page; the others are texts.

    ``sample`` is empty where the show has none; ``sample_title`` is escaped already. ``address`` ends in a slash.
    """

    price: str
    address: str
    tokens: str
    teleplay: str
    sample: str = ""
    sample_title: str = ""


def welcome(settings: Settings, show: Show) -> Welcome:
    """What the templates know beside the show's front. Raises ShowError where its sample cannot be read."""
    told = Welcome(str(price_of(settings, show)), f"{settings.public}/", tokens_of(show), TELEPLAY)
    script = read_sample(show.folder)
    if script is None:
        return told
    sample = teleplay_html(script, level=3)
    return Welcome(told.price, told.address, told.tokens, told.teleplay, sample, title_of(script))


def tokens_of(show: Show) -> str:
    """The sheet of colours and measures: the show's own colours first, then those of the page in both themes."""
    own = "; ".join(f"--tng-{name}: {colour}" for name, colour in whole_look(show.look).items())
    return f":root {{ {own} }}{TOKENS}"
