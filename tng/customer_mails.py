"""What a customer is written: that the script is ready, or that the money goes back. Nothing of what is in it.

A mail is owed in the commit that moves the order, and sent afterwards by the process of the schedules. It goes at least
once: a crash between sending and writing that down sends it again, with the same key, of which its Message-ID is made.
The address is asked for when the mail is sent, and is kept neither with the order nor in a log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from tng.errors import NoticeUndelivered, OrderNotFound
from tng.jobs import MAIL, Errand
from tng.library.shelf import Shelved
from tng.log import about, kind_of, told
from tng.notices import HELD, MOST_TRIES, again_after
from tng.orders import Order, OrderState
from tng.payments import ON_THE_STATEMENT
from tng.ports import Clock, Store, Work

logger = logging.getLogger(__name__)

LATE: Final = timedelta(days=1)
"""News as old as that is none: who comes back after the mails were off, or a backup, writes to nobody."""

SUBJECT_CHARACTERS: Final = 150


class MailKind(StrEnum):
    """What is written."""

    DELIVERED = "delivered"
    REFUNDING = "refunding"
    GIVEN_BACK = "given-back"


STILL_TRUE: Final = {
    MailKind.DELIVERED: frozenset({OrderState.DELIVERED}),
    MailKind.REFUNDING: frozenset({OrderState.REFUNDING, OrderState.REFUNDED}),
    MailKind.GIVEN_BACK: frozenset({OrderState.REFUNDING, OrderState.REFUNDED}),
}
"""In which states what a mail says is so; in any other one it is not sent."""

SUBJECTS: Final = {
    MailKind.DELIVERED: "Ready: {title}",
    MailKind.REFUNDING: "Your money is on its way back: {title}",
    MailKind.GIVEN_BACK: "Your money is on its way back: {title}",
}
_BACK: Final = f"You need not do anything. {ON_THE_STATEMENT}\n\nThe order:\n{{link}}\n"
TEXTS: Final = {
    MailKind.DELIVERED: "Your script “{title}” is ready.\n\nRead it, and take it along:\n{link}\n",
    MailKind.REFUNDING: f"Your script “{{title}}” could not be written, and your money is on its way back. {_BACK}",
    MailKind.GIVEN_BACK: f"We are giving you back what you paid for “{{title}}”, all of it. {_BACK}",
}
CLOSE: Final = "\nYou get this mail once, because you ordered a script from {product}.\n"


@dataclass(frozen=True, slots=True)
class Letter:
    """A plain mail: one line, and a text. ``at`` is when it is sent."""

    subject: str
    text: str
    at: datetime


Sender = Callable[[str, str, Letter], None]
"""Hands a letter to a mail server, by key and address: the key says whether it is the same one. NoticeUndelivered."""

AddressOf = Callable[[str], str | None]
"""The address of a customer, by the hub's name; None where there is none. Raises NoticeUndelivered: ask again."""


def owe_mail(work: Work, order: Order, kind: MailKind, now: datetime) -> None:
    """Owe it in the caller's unit of work: it is sent if that is committed, and else never; and once for an order."""
    work.outbox.add(Errand(f"mail:{order.id}:{kind}", MAIL, {"order_id": order.id, "about": kind.value}), now)


class MailPump:
    """Sends what ``owe_mail`` wrote. ``public_url`` is the house's address, without a slash at its end."""

    def __init__(
        self, store: Store, clock: Clock, *, address_of: AddressOf, send: Sender, product: str, public_url: str
    ) -> None:
        self._store, self._clock = store, clock
        self._address_of, self._send = address_of, send
        self._product, self._public_url = product, public_url

    def run(self, limit: int = 20) -> int:
        """Send what is due, at most ``limit`` times. Returns how many were sent. Raises StoreBusy.

        What could not be sent stays due, and is given up after MOST_TRIES, or once it is LATE.
        """
        with self._store.read() as work:  # nearly always none: no write lock for a look
            if not work.outbox.is_due(self._clock.now(), MAIL):
                return 0
        sent = 0
        for _ in range(limit):
            errand = self._taken()
            if errand is None:
                break
            with about(order=errand.body["order_id"]):
                sent += self._tried(errand)
        return sent

    def _taken(self) -> Errand | None:
        now = self._clock.now()
        with self._store.begin() as work:
            errand = work.outbox.take(now, now + HELD, MAIL)
            if errand is not None:
                work.commit()
        return errand

    def _tried(self, errand: Errand) -> bool:
        """Run an errand; whether the mail was sent."""
        facts = told(tries=errand.tries)
        try:
            why_not = self._sent(errand)
        except NoticeUndelivered as error:
            self._not_sent(errand, error)
            return False
        with self._store.begin() as work:
            work.outbox.finish(errand.key)
            work.commit()
        logger.info("mail not sent: %s" if why_not else "mail sent%s", why_not, extra=facts)
        return not why_not

    def _sent(self, errand: Errand) -> str:
        """Send it; or why it is not to be sent any more. Raises NoticeUndelivered."""
        kind, now = MailKind(errand.body["about"]), self._clock.now()
        if errand.owed_at is not None and now - errand.owed_at > LATE:
            return "it is too late"
        with self._store.read() as work:
            try:
                order = work.orders.get(str(errand.body["order_id"]))
            except OrderNotFound:
                return "there is no such order"
            shelved = work.shelf.get(order.id)
        if order.state not in STILL_TRUE[kind] or order.erased_at is not None or shelved.hides(order):
            return "it is not so any more"
        if errand.tries > MOST_TRIES:
            raise NoticeUndelivered("every try ended with the process that made it")
        address = self._address_of(order.customer)
        if address is None:
            return "there is no address"
        self._send(errand.key, address, self._letter(kind, order, shelved, now))
        return ""

    def _letter(self, kind: MailKind, order: Order, shelved: Shelved, now: datetime) -> Letter:
        title = " ".join(shelved.title_of(order).split())
        link = f"{self._public_url}/hub/user-redirect/?order={order.id}"
        subject = SUBJECTS[kind].format(title=title)[:SUBJECT_CHARACTERS]
        text = TEXTS[kind].format(title=title, link=link) + CLOSE.format(product=self._product)
        return Letter(subject, text, now)

    def _not_sent(self, errand: Errand, error: NoticeUndelivered) -> None:
        given_up, facts = errand.tries >= MOST_TRIES, told(tries=errand.tries, fault=kind_of(error))
        with self._store.begin() as work:
            if given_up:
                work.outbox.finish(errand.key)
            else:
                work.outbox.put_off(errand.key, self._clock.now() + again_after(errand.tries))
            work.commit()
        logger.log(logging.ERROR if given_up else logging.WARNING, "mail %s: %s", _fate(given_up), error, extra=facts)


def _fate(given_up: bool) -> str:
    return "given up" if given_up else "stays due"
