"""What must be true before the house is opened to the world: each fault is one sentence, and all are said at once.

A demonstration on this machine passes. What depends on the settings alone stands with them (``tng.settings``).
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator

from hub.entrance import entrance_faults
from hub.front import check_address
from hub.unix_users import can_isolate, isolates
from tng.errors import SettingsError
from tng.settings import Carrier, Isolation, Mode, Settings

TRUST = "set TNG_TRUSTED_USERS=1 where they may read everything here"


def refuse(settings: Settings) -> None:
    """Raise SettingsError with every fault of these settings on this machine, a line each; else do nothing."""
    if faults := [*settings.faults(), *house_faults(settings)]:
        raise SettingsError("\n".join(dict.fromkeys(faults)))


def house_faults(settings: Settings) -> Iterator[str]:
    """What is wrong beside the settings themselves: with the address, the machine, and who would live side by side."""
    yield from _raised_by(check_address, settings)
    yield from entrance_faults(settings)
    yield from _raised_by(isolates, settings)
    if settings.mode is Mode.PRODUCTION:
        yield from _home_faults(settings)
        if not settings.trusted_users:
            yield from _neighbour_faults(settings)


def _home_faults(settings: Settings) -> Iterator[str]:
    home = settings.home.resolve()
    if home.is_dir() and stat.S_IMODE(home.stat().st_mode) & 0o066:
        yield f"TNG_HOME {home} can be read or written by others; close it (chmod go-rw), and see what they have read"


def _neighbour_faults(settings: Settings) -> Iterator[str]:
    """Servers that run as one user could read each other, the keys and every order; one host name is nearly as bad."""
    if settings.carrier is Carrier.LOCAL and (why := _why_one_user(settings)):
        yield (
            "people's servers would run as the user of this house, who can read its keys and everybody's orders: "
            f"{why}. Mend that, or {TRUST}"
        )
    if settings.power_users and not settings.own_hosts:
        yield (
            "TNG_SUBDOMAINS may not be off beside TNG_POWER_USERS: a page that one of them writes could act for "
            f"whoever opens it; leave it out, or {TRUST}"
        )


def _why_one_user(settings: Settings) -> str:
    if settings.isolation is Isolation.ONE:
        return "TNG_ISOLATION is one"
    return can_isolate(settings) if settings.isolation is Isolation.AUTO else ""


def _raised_by(check: Callable[[Settings], object], settings: Settings) -> Iterator[str]:
    try:
        check(settings)
    except SettingsError as error:
        yield str(error)
