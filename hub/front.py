"""What the house shows of itself: its name, its colours, its address, and what is not the real thing in it.

It imports little. Texts are plain: every template escapes them.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from tng.errors import SettingsError
from tng.look import whole_look
from tng.settings import Mode, Settings
from tng.shows import Show


def front(show: Show) -> dict[str, Any]:
    """What the templates know of the show: the house's ``product`` name, ``title``, ``disclaimer`` and ``look``."""
    return {
        "product": show.product,
        "title": show.title,
        "disclaimer": show.disclaimer,
        "look": whole_look(show.look),
    }


def stand_ins(settings: Settings) -> list[str]:
    """What is not the real thing here: shown on every page, in the order in which a customer meets it."""
    names = {"Google": settings.google_stand_in, "Stripe": settings.stripe_stand_in}
    return [name for name, standing_in in names.items() if standing_in]


def check_address(settings: Settings) -> None:
    """Refuse a public address that is none, or has a path, and stand-ins that anybody but this machine could reach."""
    address = urlsplit(settings.public)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise SettingsError(
            f"TNG_PUBLIC_URL {settings.public} is no address; write it as people do in a browser: https://shop.example"
        )
    if address.path or address.query:
        raise SettingsError(f"TNG_PUBLIC_URL {settings.public} may have no path: the house stands at the root")
    demo = settings.mode is Mode.DEMO  # production has no stand-in, wherever it stands: the settings say so themselves
    if demo and stand_ins(settings) and not _is_loopback(address.hostname or ""):
        raise SettingsError(
            f"TNG_PUBLIC_URL {settings.public} is not on this machine, and the stand-ins for Google and Stripe, "
            "which let anybody in, run on 127.0.0.1 only; set the keys of Google and Stripe, or leave it out"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
