"""What a page may ask the api: plain calls, typed answers, and the stream of an order's events.

Every failure is an ApiError, with the api's own sentence for the person where there is one.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource, SSEError

from tng.errors import ApiError
from tng.orders import OrderState
from tng.provenance import Provenance
from tng.script import COOLEST, HOTTEST, Length

CALL_SECONDS = 30.0
"""Placing an order calls Stripe, with its retries."""

SILENCE_SECONDS = 40.0
"""A stream that says nothing for this long is broken: the api pings every 15 s."""

AWAY = "The shop does not answer at the moment. Nothing is lost; please try again in a few seconds."

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class LengthChoice:
    """How long a script can be; ``pages``, and the ``seconds`` that it takes to write, are about."""

    name: Length
    scenes: int
    pages: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody who can be asked for: how an order calls them, how people do, and whether they are chosen at first."""

    cue: str
    name: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """A named way to write; ``temperature`` None is the release's own."""

    name: str
    temperature: float | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A premise of the show's own, to begin with."""

    title: str
    logline: str
    cast: tuple[str, ...]
    tone: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be ordered, from whom, and for how much; ``closed`` says why nothing can be, or is empty.

    ``mails``: whoever ordered is written to when the script is ready.
    """

    product: str
    series: str
    price: str
    cast: tuple[Player, ...]
    tones: tuple[str, ...]
    lengths: tuple[LengthChoice, ...]
    title_characters: int
    logline_characters: int
    fewest_cast: int
    seed_below: int
    closed: str = ""
    presets: tuple[Preset, ...] = ()
    ideas: tuple[Suggestion, ...] = ()
    coolest: float = COOLEST
    hottest: float = HOTTEST
    mails: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Offer:
        """From the api's JSON."""
        limits = body["limits"]
        return cls(
            product=str(body["show"]["product"]),
            series=str(body["show"]["title"]),
            price=str(body["price"]["text"]),
            cast=tuple(Player(str(who["cue"]), str(who["name"]), bool(who["lead"])) for who in body["cast"]),
            tones=tuple(str(tone) for tone in body["tones"]),
            lengths=tuple(_length(choice) for choice in body["lengths"]),
            title_characters=int(limits["title_characters"]),
            logline_characters=int(limits["logline_characters"]),
            fewest_cast=int(limits["fewest_cast"]),
            seed_below=int(limits["seed_below"]),
            closed=str(body.get("closed") or ""),
            presets=tuple(_preset(preset) for preset in body["presets"]),
            ideas=tuple(_suggestion(idea) for idea in body["ideas"]),
            coolest=float(limits["coolest"]),
            hottest=float(limits["hottest"]),
            mails=bool(body.get("mails")),
        )


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a paid order stands among those that wait: 1 is next; None where nobody knows how long it will be."""

    place: int
    estimate_seconds: float | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any] | None) -> QueuePlace | None:
        """From the api's JSON; None where it does not wait."""
        if not body:
            return None
        seconds = body.get("estimate_seconds")
        return cls(int(body["place"]), None if seconds is None else float(seconds))


@dataclass(frozen=True, slots=True)
class OrderCard:
    """An order as its owner sees it."""

    id: str
    state: OrderState
    title: str
    price: str
    placed_at: datetime
    checkout_url: str | None = None
    downloads: Mapping[str, str] = field(default_factory=dict)
    script_text: str | None = None
    provenance: Provenance = field(default_factory=Provenance)
    is_part: bool = False
    cancelled: bool = False
    queue: QueuePlace | None = None
    premise: Mapping[str, Any] = field(default_factory=dict)
    receipt: str = ""
    shared: bool = False
    binned_at: datetime | None = None
    edition: int = 0
    delivered: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> OrderCard:
        """From the api's JSON."""
        return cls(
            id=str(body["id"]),
            state=OrderState(body["state"]),
            title=str(body.get("title") or body["premise"]["title"]),
            price=str(body["price"]["text"]),
            placed_at=datetime.fromisoformat(body["placed_at"]),
            checkout_url=body.get("checkout_url"),
            downloads=dict(body.get("downloads") or {}),
            script_text=body.get("script_text"),
            provenance=Provenance.read(body.get("provenance")),
            is_part=bool(body.get("is_part")),
            cancelled=bool(body.get("cancelled")),
            queue=QueuePlace.read(body.get("queue")),
            premise=dict(body["premise"]),
            receipt=str(body.get("receipt") or ""),
            shared=bool(body.get("shared_at")),
            binned_at=datetime.fromisoformat(body["binned_at"]) if body.get("binned_at") else None,
            edition=int(body.get("edition") or 0),
            delivered=bool(body.get("delivered_at")),
        )


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event; ``id`` is empty where the stream cannot be resumed after it."""

    kind: str
    body: Mapping[str, Any]
    id: str = ""


class EventStream:
    """An open stream. ``close`` may be called from another thread, and ends the iteration there."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[StreamEvent]:
        """The events as they come. Raises ApiError where the stream breaks."""
        try:
            for event in EventSource(self._response).iter_sse():
                yield StreamEvent(event.event, json.loads(event.data or "{}"), event.id)
        except (httpx.HTTPError, httpx.StreamError, SSEError, ValueError) as error:
            raise ApiError(f"the stream broke ({type(error).__name__})", user_message=AWAY) from error

    def close(self) -> None:
        """Wake the thread that reads: closing alone would not."""
        connection = self._response.extensions["network_stream"].get_extra_info("socket")
        if isinstance(connection, socket.socket):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already


class ApiClient:
    """The api, for the owner of a token. Use it from any thread."""

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(CALL_SECONDS, connect=5.0),
            trust_env=False,
            transport=transport,
        )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ApiClient:
        """The api that the hub names to this kernel."""
        url = environ.get("TNG_API_URL", "http://127.0.0.1:8003/services/api")
        return cls(url, environ.get("JUPYTERHUB_API_TOKEN", ""))

    def offer(self) -> Offer:
        """What can be ordered. Raises ApiError, as every call does."""
        return self._call("GET", "offer", Offer.read)

    def me(self) -> str:
        """The name of the account."""
        return self._call("GET", "me", lambda body: str(body["name"]))

    def orders(self) -> tuple[OrderCard, ...]:
        """The account's orders, the newest first."""
        return self._call("GET", "orders", lambda body: tuple(OrderCard.read(order) for order in body["orders"]))

    def order(self, order_id: str) -> OrderCard:
        """One order, with its script once that is delivered."""
        return self._call("GET", f"orders/{order_id}", OrderCard.read)

    def place(self, wish: Mapping[str, Any], request_key: str) -> OrderCard:
        """Order a script; the same key again gives the same order."""
        return self._call("POST", "orders", OrderCard.read, json=dict(wish), headers={"Idempotency-Key": request_key})

    def checkout(self, order_id: str) -> OrderCard:
        """The order with an address at which it can be paid, if it still can."""
        return self._call("POST", f"orders/{order_id}/checkout", OrderCard.read)

    def cancel(self, order_id: str) -> OrderCard:
        """Take an order back, or stop its writing: the order as it is then."""
        return self._call("POST", f"orders/{order_id}/cancel", OrderCard.read)

    def binned(self) -> tuple[OrderCard, ...]:
        """The account's orders that lie in the bin, the newest first."""
        return self._call("GET", "orders?binned=true", lambda b: tuple(OrderCard.read(order) for order in b["orders"]))

    def rename(self, order_id: str, title: str) -> OrderCard:
        """Call an order something else."""
        return self._call("POST", f"orders/{order_id}/title", OrderCard.read, json={"title": title})

    def throw_away(self, order_id: str) -> OrderCard:
        """Put an order into the bin."""
        return self._call("POST", f"orders/{order_id}/bin", OrderCard.read)

    def have_back(self, order_id: str) -> OrderCard:
        """Have an order back out of the bin."""
        return self._call("DELETE", f"orders/{order_id}/bin", OrderCard.read)

    def share(self, order_id: str) -> str:
        """A new link by which anybody can read the script; the one before ends."""
        return self._call("POST", f"orders/{order_id}/share", lambda body: str(body["url"]))

    def unshare(self, order_id: str) -> OrderCard:
        """End the link."""
        return self._call("DELETE", f"orders/{order_id}/share", OrderCard.read)

    def ask(self, path: str, read: Callable[[Any], Answer]) -> Answer:
        """Anything else that can be read, made of its JSON by ``read``; a ValueError of it is an ApiError."""
        return self._call("GET", path, read)

    def change(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Answer]) -> Answer:
        """Anything else that can be asked for to be done, and what comes of it."""
        return self._call("POST", path, read, json=dict(body))

    def tell(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Anything else that can be asked for to be done; what comes back is not looked at."""
        self._call("POST", path, lambda _body: None, json=dict(body or {}))

    @contextmanager
    def events(self, order_id: str, last_event_id: str = "") -> Iterator[EventStream]:
        """Open the stream of an order's events, after ``last_event_id`` where one is named. Raises ApiError."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        timeout = httpx.Timeout(5.0, read=SILENCE_SECONDS)
        try:
            with self._client.stream("GET", f"orders/{order_id}/events", headers=headers, timeout=timeout) as response:
                if response.is_error:
                    response.read()
                    raise _refused("GET events", response)
                yield EventStream(response)
        except httpx.HTTPError as error:
            raise ApiError(f"GET events: no answer ({type(error).__name__})", user_message=AWAY) from error

    def _call(self, method: str, path: str, read: Callable[[Any], Answer], **request: Any) -> Answer:
        what = f"{method} {path.split('/')[0]}"
        try:
            response = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ApiError(f"{what}: no answer ({type(error).__name__})", user_message=AWAY) from error
        if response.is_error:
            raise _refused(what, response)
        try:
            return read(response.json())
        except (ValueError, KeyError, TypeError) as error:
            raise ApiError(f"{what}: an answer that cannot be read ({type(error).__name__})", status=500) from error


def _length(body: Mapping[str, Any]) -> LengthChoice:
    return LengthChoice(Length(body["name"]), int(body["scenes"]), int(body["pages"]), int(body["seconds"]))


def _preset(body: Mapping[str, Any]) -> Preset:
    own = body["temperature"]
    return Preset(str(body["name"]), None if own is None else float(own), str(body["words"]))


def _suggestion(body: Mapping[str, Any]) -> Suggestion:
    cast = tuple(str(cue) for cue in body["cast"])
    return Suggestion(str(body["title"]), str(body["logline"]), cast, str(body["tone"]))


def _refused(what: str, response: httpx.Response) -> ApiError:
    try:
        sentence = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        sentence = AWAY
    return ApiError(f"{what}: answered {response.status_code}", status=response.status_code, user_message=sentence)
