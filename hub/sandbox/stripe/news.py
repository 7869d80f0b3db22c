"""Who is told what: an event for whatever happened, owed to every endpoint that wants it, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.sandbox.stripe import objects, rules
from hub.sandbox.stripe.store import Store
from hub.sandbox.stripe.wire import Thing

OPERATORS_ENDPOINT = "we_operator"

Webhook = tuple[str, str, Sequence[str]]
"""An endpoint that is named at the start: its url, its secret, and the types of events it wants; ``*`` is all."""


class News:
    """The events of the account. ``webhook`` is the operator's endpoint, of which nothing is written down."""

    def __init__(self, store: Store, clock: Callable[[], float], webhook: Webhook | None = None) -> None:
        self._store, self._clock, self._webhook = store, clock, webhook

    def announce(self, kind: str, thing: Thing) -> Thing:
        """Make an event of something that happened to an object, and owe it; returns the event."""
        public = {name: value for name, value in thing.items() if not name.startswith("_")}
        event = self._store.put(objects.event(kind, public, self._clock()))
        self._owe(event)
        return event

    def add_endpoint(self, params: Thing) -> Thing:
        """Register an address that wants events; this once, the answer tells its secret."""
        rules.webhook_endpoint(params)
        endpoint = self._store.put(objects.webhook_endpoint(params, self._clock()))
        return endpoint | {"secret": endpoint["_secret"]}

    def endpoints(self) -> list[Thing]:
        """Everybody who wants events: the operator's endpoint, and those registered by the api."""
        operators = []
        if self._webhook is not None:
            url, secret, events = self._webhook
            operators = [{"id": OPERATORS_ENDPOINT, "url": url, "_secret": secret, "enabled_events": list(events)}]
        return operators + self._store.all("webhook_endpoint")

    def resend(self, event_id: str) -> Thing:
        """Owe an event again to everybody who wants it. Raises Refusal when there is no such event."""
        event = self._store.get("event", event_id)
        self._owe(event)
        return event

    def _owe(self, event: Thing) -> None:
        for endpoint in self.endpoints():
            if {"*", event["type"]} & set(endpoint["enabled_events"]):
                self._store.owe(event["id"], endpoint["id"], self._clock())
