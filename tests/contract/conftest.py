"""Both sides of each seam: what the suites here promise holds for the fake and for the real thing.

``store`` is a FakeStore, then a SqlStore over a new SQLite file, then one over a new PostgreSQL database. ``till`` is
a FakeGateway, then the StripeGateway against the local stand-in for Stripe, each with what a customer can do at the
other end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import stripe

from tests.fakes import FakeClock, FakeGateway, FakeStore
from tests.stand_ins import DECLINED, StripeStandIn, stripe_stand_in
from tng.adapters.clock import SystemClock
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.adapters.stripe_gateway import StripeGateway
from tng.ports import PaymentGateway, Store


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty orders database."""
    if request.param == "memory":
        yield FakeStore()
        return
    real = SqlStore(connect(_url(request, tmp_path), busy_seconds=5))
    yield real
    real.close()


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    url = f"sqlite:///{folder / 'orders.sqlite'}"
    migrate(url)
    return url


@dataclass
class Till:
    """A gateway, and the other end of it: what a customer does, and what Stripe would sign.

    ``slow`` makes one answer about a page later than a person waits.
    """

    gateway: PaymentGateway
    pay: Callable[[str, str], None]
    decline: Callable[[str, str], None]
    sign: Callable[[bytes, datetime], str]
    now: Callable[[], datetime]
    down: Callable[[], PaymentGateway]
    slow: Callable[[], None]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StripeStandIn]:
    """The local stand-in for Stripe, a process of its own."""
    with stripe_stand_in() as running:
        yield running


@pytest.fixture(params=["fake", "stripe"])
def till(request: pytest.FixtureRequest) -> Till:
    """A gateway with its other end."""
    return _fake_till() if request.param == "fake" else _stripe_till(request.getfixturevalue("stand_in"))


def _fake_till() -> Till:
    clock = FakeClock()
    gateway = FakeGateway(clock)

    def down() -> PaymentGateway:
        gateway.down = True
        return gateway

    def pay(session_id: str, _url: str) -> None:
        gateway.pay(session_id)

    def slow() -> None:
        gateway.slow = True

    return Till(gateway, pay, lambda _id, _url: None, gateway.sign, clock.now, down, slow)


def _stripe_till(stand_in: StripeStandIn) -> Till:
    def pay(_session_id: str, url: str) -> None:
        assert stand_in.pay(url).status_code == 303

    def decline(_session_id: str, url: str) -> None:
        assert stand_in.pay(url, DECLINED).status_code != 303

    def sign(payload: bytes, at: datetime) -> str:
        stamp = int(at.timestamp())
        return str(
            stripe.WebhookSignature.generate_signature_header(
                payload.decode(), stand_in.webhook_secret, timestamp=stamp
            )
        )

    def down() -> PaymentGateway:
        return StripeGateway(stand_in.key, stand_in.webhook_secret, product="Scripts", api_base="http://127.0.0.1:9")

    def slow() -> None:
        stand_in.fault("checkout.sessions.retrieve", "slow", seconds=5)

    gateway = StripeGateway(stand_in.key, stand_in.webhook_secret, product="Scripts", api_base=stand_in.api_base)
    return Till(gateway, pay, decline, sign, SystemClock().now, down, slow)
