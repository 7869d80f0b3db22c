"""The api's door: who may come in, what was asked, and the answer, once for each idempotency key.

It turns HTTP into verbs of the account and back; the rules are elsewhere. One request is one transaction without
an ``await`` in it, which is what makes two simultaneous requests with one key safe.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stripe import params as shapes
from stripe.params import checkout as checkout_shapes

from hub.sandbox.stripe import contract, expand, objects
from hub.sandbox.stripe.account import Account
from hub.sandbox.stripe.faults import Fault, Faults, Kind
from hub.sandbox.stripe.store import Query
from hub.sandbox.stripe.webhooks import Courier
from hub.sandbox.stripe.wire import Refusal, Thing, invalid, parse_form

MOST_BYTES = 256 * 1024
KEPT_SECONDS = 24 * 3600
SESSIONS, ENDPOINTS = "/v1/checkout/sessions", "/v1/webhook_endpoints"

Deed = Callable[[Thing, str], Thing]
"""From parameters and the id in the address (or "") to the answer. Raises Refusal."""


@dataclass(frozen=True)
class Resource:
    """A kind of object that can be retrieved and listed, and the fields that a list can be narrowed by."""

    path: str
    kind: str
    list_shape: type
    equals: frozenset[str] = field(default_factory=frozenset)


RESOURCES = (
    Resource(SESSIONS, "checkout.session", checkout_shapes.SessionListParams, frozenset({"status", "payment_intent"})),
    Resource("/v1/payment_intents", "payment_intent", shapes.PaymentIntentListParams),
    Resource("/v1/charges", "charge", shapes.ChargeListParams, frozenset({"payment_intent"})),
    Resource("/v1/refunds", "refund", shapes.RefundListParams, frozenset({"payment_intent", "charge"})),
    Resource("/v1/disputes", "dispute", shapes.DisputeListParams, frozenset({"payment_intent", "charge"})),
    Resource("/v1/events", "event", shapes.EventListParams, frozenset({"type"})),
    Resource("/v1/coupons", "coupon", shapes.CouponListParams),
    Resource("/v1/promotion_codes", "promotion_code", shapes.PromotionCodeListParams, frozenset({"code"})),
    Resource(ENDPOINTS, "webhook_endpoint", shapes.WebhookEndpointListParams),
)
PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})
EVENTS_ALONE = frozenset({"types", "delivery_success"})


class Api:
    """The routes under ``/v1``."""

    def __init__(self, account: Account, courier: Courier, faults: Faults, key: str) -> None:
        self._account, self._store, self._courier = account, account.store, courier
        self._faults, self._key = faults, key
        self.calls: set[str] = set()  # every call by the SDK's name: "refunds.create"

    def routes(self) -> list[Route]:
        """Every route, the most particular first."""
        account, retrieve = self._account, shapes.EventRetrieveParams  # its one parameter is expand
        routes = [
            self._route("POST", SESSIONS, checkout_shapes.SessionCreateParams, lambda p, _: account.open_session(p)),
            self._route("POST", SESSIONS + "/{id}/expire", retrieve, lambda _, sid: account.expire_session(sid)),
            self._route("GET", SESSIONS + "/{id}/line_items", retrieve, self._line_items),
            self._route("POST", "/v1/disputes/{id}/close", retrieve, lambda _, did: account.disputes.close(did)),
            self._route("POST", "/v1/disputes/{id}", shapes.DisputeUpdateParams, account.disputes.update),
        ]
        makers: tuple[tuple[str, type, Callable[[Thing], Thing]], ...] = (
            ("/v1/refunds", shapes.RefundCreateParams, account.refunds.create),
            ("/v1/payment_intents", shapes.PaymentIntentCreateParams, account.pay_directly),
            ("/v1/coupons", shapes.CouponCreateParams, account.promotions.create_coupon),
            ("/v1/promotion_codes", shapes.PromotionCodeCreateParams, account.promotions.create_code),
            (ENDPOINTS, shapes.WebhookEndpointCreateParams, account.news.add_endpoint),
        )
        for path, shape, make in makers:
            routes.append(self._route("POST", path, shape, _making(make)))
        for resource in RESOURCES:
            routes.append(self._route("GET", resource.path, resource.list_shape, self._lister(resource)))
            routes.append(self._route("GET", resource.path + "/{id}", retrieve, self._finder(resource)))
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*routes, Route("/v1/{rest:path}", self.unknown, methods=methods)]

    async def unknown(self, request: Request) -> Response:
        """Whatever the stand-in does not do."""
        try:
            authorise(request, self._key)
        except Refusal as refusal:
            return refused(request, refusal)
        path = "/v1/" + str(request.path_params["rest"])
        return refused(request, Refusal(404, f"Unrecognized request URL ({request.method}: {path})."))

    def _route(self, method: str, path: str, shape: type, deed: Deed) -> Route:
        call = call_name(method, path)
        self.calls.add(call)

        async def answer(request: Request) -> Response:
            try:
                authorise(request, self._key)
                form = parse_form(await body_of(request) if method == "POST" else request.url.query)
                wanted = str(request.path_params.get("id", ""))
                fault = self._faults.take(call)
                await self._faults.before(fault, request)
                response = self._acted(request, form, lambda: self._act(shape, deed, form, wanted), fault)
                self._faults.after(fault, request)
                return response
            except Refusal as refusal:
                return refused(request, refusal)
            finally:
                self._courier.wake()

        return Route(path, answer, methods=[method])

    def _acted(self, request: Request, form: Thing, act: Callable[[], str], fault: Fault | None) -> Response:
        """Act in one transaction; with an idempotency key once, however often it is asked."""
        failure = fault.refusal if fault is not None and fault.kind == Kind.ERROR_AFTER else None
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is not None:
            return self._once(request, key, form, act, failure)
        with self._store.transaction():
            body = act()
        return replied(request, 200, body) if failure is None else refused(request, failure)

    def _act(self, shape: type, deed: Deed, form: Thing, wanted: str) -> str:
        """Read the parameters, do the deed, write the answer; within a transaction."""
        params = contract.read(shape, form)
        thing = deed(params, wanted)
        if thing["object"] != "list":
            thing = expand.present(self._store, thing, params.get("expand"))
        return json.dumps(thing, indent=2)

    def _once(
        self, request: Request, key: str, form: Thing, act: Callable[[], str], failure: Refusal | None
    ) -> Response:
        """Act, or repeat the answer that the request's idempotency key got before. ``failure``: said after the deed."""
        if not 0 < len(key) <= 255:
            raise invalid("Idempotency-Key", "An idempotency key has from 1 to 255 characters.")
        now, fingerprint = self._account.clock(), _fingerprint(request, form)
        kept = self._store.answer(key, now - KEPT_SECONDS)
        if kept is not None:
            return _repeat(request, kept, fingerprint)
        try:
            with self._store.transaction():  # the deed and its answer, both or neither
                body = act()
                status, body = (200, body) if failure is None else (failure.status, failure.body)
                self._store.keep_answer(key, fingerprint, status, body, now)
        except Refusal as refusal:
            if refusal.remembered:
                with self._store.transaction():
                    self._store.keep_answer(key, fingerprint, refusal.status, refusal.body, now)
            raise
        return replied(request, status, body)

    def _line_items(self, _: Thing, session_id: str) -> Thing:
        return expand.line_items(self._store.get("checkout.session", session_id))

    def _finder(self, resource: Resource) -> Deed:
        return lambda _, wanted: self._store.get(resource.kind, wanted)

    def _lister(self, resource: Resource) -> Deed:
        def find(params: Thing, _: str) -> Thing:
            things, more = self._store.page(query(resource, params))
            paths = [path.removeprefix("data.") for path in params.get("expand", [])]
            data = [expand.present(self._store, thing, paths) for thing in things]
            return expand.listing(resource.path, data, has_more=more)

        return find


def _making(make: Callable[[Thing], Thing]) -> Deed:
    return lambda params, _: make(params)


def call_name(method: str, path: str) -> str:
    """A call by the SDK's name: ``checkout.sessions.expire`` for ``POST /v1/checkout/sessions/{id}/expire``."""
    parts = path.removeprefix("/v1/").split("/")
    if parts[-1] == "{id}":
        verb = "retrieve" if method == "GET" else "update"
    elif "{id}" in parts:
        verb = parts[-1]
    else:
        verb = "list" if method == "GET" else "create"
    nouns = parts[: parts.index("{id}")] if "{id}" in parts else parts
    return ".".join([*nouns, verb])


def query(resource: Resource, params: Thing) -> Query:
    """What a list's parameters ask for. Raises Refusal for a filter that Stripe has and we have not."""
    known = PAGING | resource.equals | (EVENTS_ALONE if resource.kind == "event" else frozenset())
    for name in params.keys() - known:
        raise Refusal(400, f"The stand-in does not filter by {name}, though Stripe does.", code="parameter_unknown")
    limit, created = params.get("limit", 10), params.get("created", {})
    if not 1 <= limit <= 100:
        raise Refusal(400, "Invalid limit: it must be from 1 to 100.", code="parameter_invalid_integer", param="limit")
    return Query(
        kind=resource.kind,
        equals={name: params[name] for name in resource.equals & params.keys()},
        one_of={"type": params["types"]} if "types" in params else {},
        created=created if isinstance(created, dict) else {"gte": created, "lte": created},
        delivered=params.get("delivery_success"),
        limit=limit,
        starting_after=params.get("starting_after"),
        ending_before=params.get("ending_before"),
    )


def authorise(request: Request, key: str) -> None:
    """Let in whoever has the secret key, as a bearer or as the name of basic access. Raises Refusal (401)."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode("utf-8", "replace").partition(":")[0]
        except binascii.Error:
            given = ""
    if not hmac.compare_digest(given.strip().encode(), key.encode()):
        raise Refusal(401, "Invalid API Key provided.")


async def body_of(request: Request) -> str:
    """A request's body as text. Raises Refusal (413) when it is more than any honest one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refusal(413, f"A request may have {MOST_BYTES} bytes at most.")
    return body.decode("utf-8", "replace")


def replied(request: Request, status: int, body: str, headers: dict[str, str] | None = None) -> Response:
    """An answer with the headers that Stripe's have."""
    version = request.headers.get("Stripe-Version", objects.API_VERSION)
    own = {"Request-Id": objects.new_id("req"), "Stripe-Version": version, "Cache-Control": "no-store"}
    return Response(body, status, own | (headers or {}), media_type="application/json")


def refused(request: Request, refusal: Refusal) -> Response:
    """A refusal in Stripe's shape."""
    return replied(request, refusal.status, refusal.body)


def _repeat(request: Request, kept: tuple[str, int, str], fingerprint: str) -> Response:
    first_request, status, body = kept
    if first_request != fingerprint:
        raise Refusal(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            kind="idempotency_error",
        )
    return replied(request, status, body, {"Idempotent-Replayed": "true"})


def _fingerprint(request: Request, form: Thing) -> str:
    """The same for the same method, address and parameters, in whatever order they stand."""
    asked = json.dumps([request.method, request.url.path, form], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
