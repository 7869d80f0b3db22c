"""What a person may open, and what of it they chose. Decided here, on the server, for whatever a request carries.

A customer gets the dashboard: no form, and no wish counts. A power user chooses between the workbench and the
dashboard, and how many GPUs the workbench has. The form is plain HTML: it needs no script.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from jupyterhub.spawner import SpawnException

from hub.auth import POWER_USERS


class Door(StrEnum):
    """What is behind it: Voilà, or JupyterLab."""

    WORKBENCH = "workbench"
    DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class Offer:
    """The doors that somebody may choose from, the first being the default, and how many GPUs at most."""

    doors: tuple[Door, ...]
    most_gpus: int = 0

    @property
    def is_choice(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.doors) > 1


@dataclass(frozen=True, slots=True)
class Choice:
    """What is opened."""

    door: Door
    gpus: int = 0

    def to_options(self) -> dict[str, Any]:
        """As the hub remembers it for the next start."""
        return {"door": self.door.value, "gpus": self.gpus}

    def to_query(self) -> str:
        """As a query of the hub's spawn page, which starts at once what it names."""
        return urlencode({f"opt-{name}": value for name, value in self.to_options().items()})


class Refusal(SpawnException):  # type: ignore[misc]
    """A start that is refused on purpose: a page with a sentence, and no failure that counts.

    ``again_seconds`` is when the page may ask again by itself; the hub sends it as a header too. ``again_query`` asks
    the spawn page for the same once more.
    """

    again_query = ""

    def __init__(self, message: str, *, reason: str, status_code: int = 400, again_seconds: int = 0) -> None:
        super().__init__(message, reason=reason, status_code=status_code)
        self.jupyterhub_message = message
        self.again_seconds = again_seconds
        self.headers = {"Retry-After": str(again_seconds)} if again_seconds else {}


@dataclass(frozen=True, slots=True)
class Form:
    """What the spawn page shows: what is offered, what there is of GPUs, and why it was refused the last time."""

    offer: Offer
    gpus: Any = None
    refused: Refusal | None = None

    def refusal_of(self, message: str | None) -> Refusal | None:
        """The last refusal, where it is what the page is about; it may be another failure's."""
        return self.refused if self.refused is not None and self.refused.jupyterhub_message == message else None

    def checks(self, door: str) -> bool:
        """Whether this door is marked at first."""
        return door == self.offer.doors[0]

    def checks_gpus(self, number: int) -> bool:
        """Whether this number of GPUs is marked at first: one, where one can be had."""
        able = self.gpus is not None and self.gpus.free != 0 and self.gpus.left_hours > 0
        return number == (1 if able else 0)


class WithoutTraceback(logging.Filter):
    """The hub logs a traceback with whatever its spawn page could not do; a refusal is no fault, and needs none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, without what follows it."""
        if record.exc_info and isinstance(record.exc_info[1], Refusal):
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1].reason}", ()
            record.exc_info = record.exc_text = None
        return True


def again_query(choice: Choice, next_url: str) -> str:
    """The query that asks the spawn page for the same once more, and leads on from there."""
    return "&".join([choice.to_query(), *([urlencode({"next": next_url})] if next_url else [])])


def offer(groups: Collection[str], most_gpus: int) -> Offer:
    """What the members of these groups may choose from."""
    if POWER_USERS in groups:
        return Offer((Door.WORKBENCH, Door.DASHBOARD), most_gpus)
    return Offer((Door.DASHBOARD,))


def choose(offered: Offer, wish: Mapping[str, Any]) -> Choice:
    """What is opened for this wish, of a form, a query or a request. Raises Refusal 400 where it is not offered.

    Where there is nothing to choose the wish is not read at all.
    """
    if not offered.is_choice:
        return Choice(offered.doors[0])
    known = {door.value: door for door in offered.doors}
    name = str(_one(wish, "door", offered.doors[0].value))
    if name not in known:
        raise Refusal("There is no such door. Please choose one of those on this page.", reason="door")
    gpus = _number(_one(wish, "gpus", 0))
    if gpus is None or gpus > offered.most_gpus:
        most = offered.most_gpus
        told = f"between 0 and {most}" if most else "0: this machine has none to give"
        raise Refusal(f"The number of GPUs must be {told}.", reason="gpus")
    return Choice(known[name], gpus if known[name] is Door.WORKBENCH else 0)


def _one(wish: Mapping[str, Any], name: str, default: Any) -> Any:
    """The value, which a form or a query has in a list."""
    value = wish.get(name, default)
    if isinstance(value, list | tuple):
        value = value[0] if value else default
    return default if value is None or value == "" else value


def _number(value: Any) -> int | None:
    """A whole number of GPUs as a form or a request writes it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None
