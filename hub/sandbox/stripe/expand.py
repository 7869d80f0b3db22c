"""How an object leaves the house: without our own fields, and with the related objects that were asked for."""

from __future__ import annotations

from hub.sandbox.stripe.store import Query, Store
from hub.sandbox.stripe.wire import Refusal, Thing

RELATIONS = {
    ("checkout.session", "payment_intent"): "payment_intent",
    ("payment_intent", "latest_charge"): "charge",
    ("charge", "payment_intent"): "payment_intent",
    ("refund", "charge"): "charge",
    ("refund", "payment_intent"): "payment_intent",
    ("dispute", "charge"): "charge",
    ("dispute", "payment_intent"): "payment_intent",
}
DEEPEST = 4


def present(store: Store, thing: Thing, paths: list[str] | None = None) -> Thing:
    """The public form of an object. Raises Refusal for a path that cannot be expanded."""
    public = {name: value for name, value in thing.items() if not name.startswith("_")}
    if thing["object"] == "event":
        public["pending_webhooks"] = store.undelivered(thing["id"])
    for head, rest in _by_head(paths or []).items():
        public[head] = _expanded(store, thing, head, rest)
    return public


def listing(url: str, things: list[Thing], *, has_more: bool = False) -> Thing:
    """Stripe's list around objects that are in their public form already."""
    return {"object": "list", "url": url, "has_more": has_more, "data": things}


def line_items(session: Thing) -> Thing:
    """What a session sells."""
    return listing(f"/v1/checkout/sessions/{session['id']}/line_items", session["_items"])


def _by_head(paths: list[str]) -> dict[str, list[str]]:
    heads: dict[str, list[str]] = {}
    for path in paths:
        if path.count(".") >= DEEPEST:
            raise Refusal(400, f"You cannot expand more than {DEEPEST} levels of a property.", param="expand")
        head, _, rest = path.partition(".")
        heads.setdefault(head, []).extend([rest] if rest else [])
    return heads


def _expanded(store: Store, thing: Thing, head: str, rest: list[str]) -> object:
    kind = thing["object"]
    if (kind, head) == ("checkout.session", "line_items") and not rest:
        return line_items(thing)
    if (kind, head) == ("charge", "refunds") and not rest:
        refunds, more = store.page(Query("refund", equals={"charge": thing["id"]}))
        return listing(f"/v1/charges/{thing['id']}/refunds", [present(store, each) for each in refunds], has_more=more)
    if (kind, head) not in RELATIONS:
        raise Refusal(400, f"This property cannot be expanded ({head}).", param="expand")
    if thing[head] is None:
        return None
    return present(store, store.get(RELATIONS[kind, head], thing[head]), rest)
