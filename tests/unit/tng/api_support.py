"""The api for tests: the real application and the real shop, over a fake hub, a fake store and a fake Stripe."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from tests.fakes import FakeClock, FakeGateway, FakeStore
from tests.operations_support import make_operations
from tests.shows import first_show
from tng.api.auth import HubAuth, HubDoor
from tng.api.hub_line import HubAnswer, HubLine, hub_away
from tng.api.service import make_api
from tng.errors import ShopClosed
from tng.fulfilment import Fulfilment
from tng.jobs import EventKind, Job
from tng.lookout import Lookout
from tng.operations import Operations
from tng.orders import Order
from tng.overview import Health, Machine, PartHealth, PartMemory
from tng.ports import Store
from tng.programme import price_of
from tng.script import Premise
from tng.settings import Settings
from tng.shop import Shop
from tng.shows import Show

PREFIX = "/services/api"
SCOPE = "access:services!service=api"
ADA, BEN = "ada@example.com", "ben@example.com"
WISH = {
    "title": "The Quiet Hours",
    "logline": "A clock stops, and nobody remembers why.",
    "cast": ["PICARD", "DATA"],
    "tone": "mystery",
    "length": "teaser",
    "seed": 7,
}
SCENES = (
    "# INT. READY ROOM\nPicard turns from the glass.\nPICARD (V.O.): (tired) Captain's log.\n"
    "Rain on the window.\nPICARD: It stopped.",
    "# INT. MAIN BRIDGE\n* ANGLE ON DATA\nDATA: The clock is correct, sir.\nPICARD: Then we are not.",
    "# EXT. SPACE\nThe ship turns.\n> FADE OUT.",
)
SCRIPT = "Title: The Quiet Hours\n## TEASER\n" + "\n".join(SCENES) + "\n"
PROVENANCE = {
    "release": "tng-test",
    "seed": 7,
    "gates": {"scenes": 3, "written_again": 1, "failed": {"loop": 1}},
    "copied": {"longest_run_words": 12, "share": 0.04, "corpus_is_ours": True},
}

DOOR = HubDoor(
    api_url="http://hub.test/hub/api",
    api_token="service-token",
    client_id="service-api",
    authorize_url="/hub/api/oauth2/authorize",
    callback_url=PREFIX + "/oauth_callback",
    prefix=PREFIX,
    access_scopes=frozenset({SCOPE}),
    cookie_secret="a secret of the test",
)

NOWHERE = Path(__file__).parent / "nowhere"
AROUND = (Machine((PartMemory("api", 2, 150),), 3, 9000), (PartHealth("hub", Health.WELL, "answers 200"),))


@dataclass
class FakeHub(HubLine):
    """JupyterHub's HTTP interface, as far as a service asks: who a token belongs to, and a token for a code."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    down: bool = False
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def admit(
        self,
        name: str,
        token: str,
        *,
        session: str | None = None,
        scopes: tuple[str, ...] = (SCOPE,),
        groups: tuple[str, ...] = (),
    ) -> str:
        """A person with a token."""
        person = {"kind": "user", "name": name, "scopes": list(scopes), "session_id": session, "groups": list(groups)}
        self.users[token] = person
        return token

    def admit_service(self, name: str, token: str, *, scopes: tuple[str, ...] = (SCOPE,)) -> str:
        """A service with its own token."""
        self.users[token] = {"kind": "service", "name": name, "scopes": list(scopes), "session_id": None}
        return token

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> HubAnswer:
        """What the hub says."""
        self.asked.append((url, form or {}))
        if self.down:
            raise hub_away("refused")
        if url.endswith("/oauth2/token"):
            token = self.codes.pop((form or {})["code"], "")
            return _said(200, {"access_token": token}) if token else _said(400, {})
        user = self.users.get(headers["Authorization"].removeprefix("token "))
        return _said(200, user) if user else _said(403, {})

    async def close(self) -> None:
        """Nothing is open."""


def _said(status: int, body: dict[str, Any]) -> HubAnswer:
    return HubAnswer(status, json.dumps(body).encode())


@dataclass
class House:
    """Everything behind the api, to be looked at and to be played with."""

    hub: FakeHub
    store: FakeStore
    gateway: FakeGateway
    clock: FakeClock
    show: Show
    shop: Shop
    fulfilment: Fulfilment
    auth: HubAuth
    app: FastAPI
    operations: Operations
    closed: bool = False

    def order(self, customer: str = ADA, **changes: Any) -> Order:
        """An order with an open checkout."""
        placed = self.shop.place_order(
            customer, Premise.checked(WISH | changes, self.show.cues), f"key-{len(self.store.tables.orders)}"
        )
        return self.shop.open_checkout(placed.id, customer)

    def pay(self, order: Order) -> Order:
        """The order, paid."""
        session_id = str(order.checkout_session_id)
        self.gateway.pay(session_id)
        paid = self.shop.confirm_payment(session_id)
        assert paid is not None
        return paid

    def claim(self) -> Job:
        """A worker takes the next job."""
        job = self.fulfilment.claim("worker-1")
        assert job is not None
        return job

    def say_scenes(self, job: Job, first: int = 0, last: int = len(SCENES)) -> None:
        """The run shows some of the scenes."""
        for number in range(first, last):
            body = {"act": "TEASER", "number": number + 1, "text": SCENES[number]}
            self.fulfilment.heartbeat(job, [(EventKind.SCENE, body)])

    def deliver(self, order: Order) -> Job:
        """Pay, write and deliver it."""
        self.pay(order)
        job = self.claim()
        self.say_scenes(job)
        self.fulfilment.deliver(
            job, script_text=SCRIPT, release_id="tng-test", run_sha256="0" * 64, provenance=PROVENANCE
        )
        return job


def make_house(
    *,
    like: House | None = None,
    show: Show | None = None,
    store: Store | None = None,
    folder: Path = NOWHERE,
    **settings: Any,
) -> House:
    """A house with two people, Ada and Ben, whose kernels hold ``ada-token`` and ``ben-token``.

    Its show is the one that comes along, unless another is named. ``like`` another house, it has that one's hub, store,
    gateway and clock: the same product, started again. ``store`` is a real one, if given. ``folder`` holds its releases
    and retrainings.
    """
    hub, clock = (like.hub, like.clock) if like else (FakeHub(), FakeClock())
    kept: Any = like.store if like else store or FakeStore()  # a real one has no ``tables`` to look into
    gateway = like.gateway if like else FakeGateway(clock)
    if like is None:
        hub.admit(ADA, "ada-token")
        hub.admit(BEN, "ben-token")
    configured = Settings(public_url="http://house.test", reconcile_seconds=3600, **settings)

    def gate() -> None:
        if house.closed:
            raise ShopClosed("closed for the test")

    show = show or (like.show if like else first_show())
    price = price_of(configured, show)
    shop = Shop(kept, gateway, clock, price=price, public_url=configured.public, gate=gate, checkout_minutes=60)
    auth = HubAuth(DOOR, line=hub)
    fulfilment = Fulfilment(kept, clock, lease_seconds=10, spread=lambda: 0.0)
    lookout = Lookout(kept, clock, lease_seconds=10, around=lambda: AROUND)
    operations = make_operations(kept, clock, folder)
    app = make_api(shop, show, auth, configured, lookout=lookout, operations=operations)
    house = House(hub, kept, gateway, clock, show, shop, fulfilment, auth, app, operations)
    return house


@asynccontextmanager
async def visiting(house: House, token: str | None = "ada-token", **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the api. Paths are taken below the service's prefix."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://house.test" + PREFIX, headers=headers, **options
    ) as client:
        yield client


def events_in(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The server-sent events of a finished stream: (id, kind, body)."""
    found = []
    for block in text.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found
