"""The courier: carries events to the endpoints that want them, signed, again and again until one answers 2xx.

What is owed are rows of the store, so a stand-in that was stopped or killed takes up where it was. The courier
decides when and how; whether something is owed was decided with the deed itself, in ``account``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3

import httpx
import stripe

from hub.sandbox.stripe.account import Account
from hub.sandbox.stripe.wire import Thing

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
KEPT_SECONDS = 3 * 24 * 3600  # Stripe tries for three days; a stand-in that starts takes up what is younger
NO_ANSWER = "no answer"
GONE = "endpoint is gone"
AT_ONCE = 8
FAULT_SECONDS = 1.0


class Courier:
    """One task that looks for what is due, and one short task for each attempt."""

    def __init__(self, account: Account, http: httpx.AsyncClient, retries: tuple[float, ...]) -> None:
        self._account, self._store = account, account.store
        self._http = http
        self._retries = retries
        self._news = asyncio.Event()
        self._attempted = asyncio.Condition()
        self._under_way: set[tuple[str, str]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.paused = False
        self.copies = 1  # how many times each event is sent at once; the real one promises no less than once

    def take_up(self) -> None:
        """Owe anew what an earlier process could not deliver; called once, before the rest."""
        now = self._account.clock()
        with self._store.transaction():
            self._store.owe_again(now, now - KEPT_SECONDS)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._news.clear()
                wait_seconds = None if self.paused else self._start_due(attempts)
                try:
                    await asyncio.wait_for(self._news.wait(), wait_seconds)
                except TimeoutError:
                    continue  # the next delivery has come due

    def wake(self) -> None:
        """Look again: something new is owed, or the pause is over."""
        self._news.set()

    async def pause(self, paused: bool) -> None:
        """Hold everything back, or go on; attempts that are under way end as they will."""
        self.paused = paused
        self.wake()
        async with self._attempted:
            self._attempted.notify_all()  # whoever waits for a first attempt need not

    async def release(self, wanted: list[str]) -> list[str]:
        """Send what is owed and named here by id or type, one after the other in this order; the rest stays held.

        Returns the ids of the events that were sent. With an empty list everything goes, and holding is over.
        """
        if not wanted:
            await self.pause(False)
        rows = self._store.pending()
        types = {row["event_id"]: self._store.get("event", row["event_id"])["type"] for row in rows}
        ordered = [row for name in wanted for row in rows if name in (row["event_id"], types[row["event_id"]])]
        for row in dict.fromkeys(ordered):
            self._under_way.add((row["event_id"], row["endpoint_id"]))
            await self._attempt(row)
        return [row["event_id"] for row in dict.fromkeys(ordered)]

    async def first_attempt(self, event_id: str, timeout_seconds: float) -> None:
        """Wait until every endpoint has had the event offered once; at most so long, and not at all in a pause."""
        self.wake()
        try:
            async with asyncio.timeout(timeout_seconds), self._attempted:
                await self._attempted.wait_for(lambda: self.paused or not self._store.unattempted(event_id))
        except TimeoutError:
            logger.info("event %s: no endpoint answered within %s s", event_id, timeout_seconds)

    def _start_due(self, attempts: asyncio.TaskGroup) -> float | None:
        """Start what is due; returns the seconds until the next is, or None."""
        now = self._account.clock()
        for row in self._store.pending():
            name = (row["event_id"], row["endpoint_id"])
            if name in self._under_way:
                continue
            if row["due_at"] > now:
                return float(row["due_at"] - now)
            self._under_way.add(name)
            attempts.create_task(self._attempt(row))
        return None

    async def _attempt(self, row: sqlite3.Row) -> None:
        event_id, endpoint_id = row["event_id"], row["endpoint_id"]
        try:
            async with self._slots:
                answer = await self._offer(event_id, endpoint_id)
            self._record(row, answer)
        except sqlite3.Error:  # a full disk must not end the courier; the delivery is still owed
            logger.exception("event %s: the attempt could not be written down", event_id)
            await asyncio.sleep(FAULT_SECONDS)
        finally:
            self._under_way.discard((event_id, endpoint_id))
        async with self._attempted:
            self._attempted.notify_all()
        self.wake()

    async def _offer(self, event_id: str, endpoint_id: str) -> str:
        """Send one event once, signed with a fresh timestamp; returns the status code, or why there is none."""
        endpoint = next((each for each in self._account.news.endpoints() if each["id"] == endpoint_id), None)
        if endpoint is None:
            return GONE
        event = self._store.get("event", event_id) | {"pending_webhooks": self._store.undelivered(event_id)}
        body = json.dumps(event, indent=2)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": sign(body, endpoint)}
        answers = await asyncio.gather(*(self._post(endpoint["url"], body, headers) for _ in range(self.copies)))
        return max(answers)  # delivered when every copy was; "no answer" is above all numbers

    async def _post(self, url: str, body: str, headers: dict[str, str]) -> str:
        try:
            answer = await self._http.post(url, content=body, headers=headers, timeout=ANSWER_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL):
            return NO_ANSWER
        return str(answer.status_code)

    def _record(self, row: sqlite3.Row, answer: str) -> None:
        state, due_at = "pending", self._account.clock()
        if answer.startswith("2"):
            state = "delivered"
        elif answer == GONE or row["attempts"] >= len(self._retries):
            state = "given up"
        else:
            due_at += self._retries[row["attempts"]]
        with self._store.transaction():
            self._store.record_attempt(row["event_id"], row["endpoint_id"], state=state, due_at=due_at, answer=answer)
        logger.info("event %s to %s: %s (%s)", row["event_id"], row["endpoint_id"], state, answer)


def sign(body: str, endpoint: Thing) -> str:
    """The ``Stripe-Signature`` header for a body, as of now (by the machine's clock: the receiver compares)."""
    return str(stripe.WebhookSignature.generate_signature_header(body, endpoint["_secret"]))
