"""What operators are told without asking: owed with what it tells of, in one commit, and delivered afterwards.

``tell`` writes into the outbox; the pump, in the process of the schedules, delivers. A notice always stands in the log,
and goes by every other channel that is set where the pump runs. It arrives at least once: a crash between sending and
writing that down sends it again, with the same key. It is no place for anything of a customer's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from tng.errors import NoticeUndelivered
from tng.jobs import NOTICE, Errand
from tng.log import about, kind_of, told
from tng.ports import Clock, Store, Work

logger = logging.getLogger(__name__)

HELD = timedelta(minutes=5)
"""An errand in hand comes back after this long if its process dies: longer than a messenger takes."""

MOST_TRIES = 20
"""After so many, about fourteen hours, a notice is given up."""

MOST_MINUTES = 60
TITLE_CHARACTERS, TEXT_CHARACTERS, FACT_CHARACTERS = 150, 4000, 200

_ADDRESS = re.compile(r"\S+@\S+")
_NO_ADDRESS = "(an address)"

Fact = str | int | float | bool | None


class NoticeKind(StrEnum):
    """What happened."""

    RETRAINING_DONE = "retraining_done"
    """The candidate was promoted or not, or there was nothing new to learn from."""
    RETRAINING_FAILED = "retraining_failed"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    CANARY_BREACH = "canary_breach"
    SCHEDULE_LATE = "schedule_late"
    REFUND_FAILED = "refund_failed"
    """Stripe or a bank did not give the money back: an operator must."""
    DISPUTED = "disputed"
    """A bank asks for money back, or asks what it was for."""
    DISPUTE_CLOSED = "dispute_closed"
    ODD_PAYMENT = "odd_payment"
    """Money that does not fit its order, or a report of Stripe's that nobody could act on."""
    TEST = "test"
    """Nothing: somebody tries whether notices arrive."""


BAD_NEWS = frozenset(
    {
        NoticeKind.RETRAINING_FAILED,
        NoticeKind.CANARY_BREACH,
        NoticeKind.SCHEDULE_LATE,
        NoticeKind.REFUND_FAILED,
        NoticeKind.DISPUTED,
        NoticeKind.ODD_PAYMENT,
    }
)
"""These stand in the log as warnings."""


class Channel(StrEnum):
    """How a notice reaches an operator."""

    LOG = "log"
    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told: ids, numbers and an operator's own reason. Whatever looks like an address is taken out.

    ``at`` is when it happened, not when it is told: the same notice twice is told once. The title is one line;
    a number that is none is a word, and what is too long is cut.
    """

    kind: NoticeKind
    title: str
    text: str
    at: datetime
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bring it into a form that no channel can stumble over."""
        object.__setattr__(self, "title", _one_line(self.title, TITLE_CHARACTERS))
        object.__setattr__(self, "text", _clean(self.text, TEXT_CHARACTERS).strip())
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        object.__setattr__(self, "facts", {_one_line(name, 40): _plain(fact) for name, fact in self.facts.items()})

    def to_fields(self) -> dict[str, Any]:
        """It as plain JSON: what a webhook is sent."""
        return {
            "kind": self.kind.value,
            "title": self.title,
            "text": self.text,
            "at": self.at.isoformat(),
            "facts": dict(self.facts),
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Notice:
        """It again, from ``to_fields``. Raises KeyError, ValueError."""
        at = datetime.fromisoformat(fields["at"])
        return cls(NoticeKind(fields["kind"]), fields["title"], fields["text"], at, fields["facts"])

    @property
    def id(self) -> str:
        """32 hex digits that are the same for the same notice."""
        written = json.dumps(self.to_fields(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(written.encode()).hexdigest()[:32]


Messenger = Callable[[str, Notice], None]
"""Sends the notice, once or again: the key says whether it is the same one. Raises NoticeUndelivered."""


def tell(work: Work, notice: Notice, channels: Iterable[Channel], now: datetime) -> None:
    """Owe it, an errand a channel, in the caller's unit of work: it is told if that is committed, and else never.

    The log is always among the channels. A caller that knows none, the operator's command say, names none: the pump
    adds those that are set where it runs.
    """
    for channel in (Channel.LOG, *channels):
        work.outbox.add(_errand(notice, channel), now)


def again_after(tries: int) -> timedelta:
    """How long to wait after the n-th try: 1, 2, 4 … minutes, at most 60."""
    return timedelta(minutes=min(MOST_MINUTES, 2 ** max(tries - 1, 0)))


class NoticePump:
    """Delivers what ``tell`` wrote. ``messengers`` are the channels that are set; the log needs none."""

    def __init__(self, store: Store, clock: Clock, messengers: Mapping[Channel, Messenger]) -> None:
        self._store = store
        self._clock = clock
        self._messengers = {Channel.LOG: _write, **messengers}

    def run(self, limit: int = 20) -> int:
        """Deliver what is due, at most ``limit`` times. Returns how much was delivered. Raises StoreBusy.

        What could not be delivered stays due, and is given up after MOST_TRIES.
        """
        delivered = 0
        for _ in range(limit):
            errand = self._taken()
            if errand is None:
                break
            with about(notice=errand.key):
                delivered += self._tried(errand)
        return delivered

    def _taken(self) -> Errand | None:
        now = self._clock.now()
        with self._store.begin() as work:
            errand = work.outbox.take(now, now + HELD, NOTICE)
            if errand is not None:
                work.commit()
        return errand

    def _tried(self, errand: Errand) -> bool:
        """Run an errand; whether it is done."""
        notice, channel = Notice.from_fields(errand.body), Channel(errand.body["channel"])
        try:
            self._deliver(errand, notice, channel)
        except NoticeUndelivered as error:
            self._not_told(errand, error)
            return False
        self._finish(errand, notice, self._messengers if channel is Channel.LOG else ())
        return True

    def _deliver(self, errand: Errand, notice: Notice, channel: Channel) -> None:
        if errand.tries > MOST_TRIES:
            raise NoticeUndelivered(f"{channel}: every try ended with the process that made it")
        if channel not in self._messengers:
            raise NoticeUndelivered(f"{channel}: the settings of this channel are gone")
        self._messengers[channel](errand.key, notice)

    def _finish(self, errand: Errand, notice: Notice | None = None, channels: Iterable[Channel] = ()) -> None:
        """It is done; the notice is owed to these channels from now on, unless it was before."""
        with self._store.begin() as work:
            if notice is not None:
                tell(work, notice, channels, self._clock.now())
            work.outbox.finish(errand.key)
            work.commit()

    def _not_told(self, errand: Errand, error: NoticeUndelivered) -> None:
        facts = told(tries=errand.tries, fault=kind_of(error))
        if errand.tries >= MOST_TRIES:
            self._finish(errand)
            logger.error("notice given up: %s", error, extra=facts)
            return
        with self._store.begin() as work:
            work.outbox.put_off(errand.key, self._clock.now() + again_after(errand.tries))
            work.commit()
        logger.warning("notice stays due: %s", error, extra=facts)


def _errand(notice: Notice, channel: Channel) -> Errand:
    return Errand(f"notice:{notice.id}:{channel}", NOTICE, {**notice.to_fields(), "channel": channel.value})


def _write(_key: str, notice: Notice) -> None:
    level = logging.WARNING if notice.kind in BAD_NEWS else logging.INFO
    logger.log(level, "%s: %s", notice.title, notice.text, extra=told(**{**notice.facts, "kind": notice.kind.value}))


def _clean(text: str, most: int) -> str:
    """The text as it may be shown. Cleaning it again changes nothing: a notice is the same one after its way."""
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace("\r\n", "\n")[: 2 * most])
    return _ADDRESS.sub(_NO_ADDRESS, printable)[:most]


def _one_line(text: str, most: int) -> str:
    return " ".join(_clean(text, most).split())


def _plain(fact: object) -> Fact:
    """A fact that JSON can hold: what is none, and numbers that are none, become words."""
    if fact is None or isinstance(fact, int) or (isinstance(fact, float) and math.isfinite(fact)):
        return fact
    return _one_line(str(fact), FACT_CHARACTERS)
