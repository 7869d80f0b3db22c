"""Codes that make a session cheaper, or free. Source: docs.stripe.com/payments/checkout/discounts."""

from __future__ import annotations

from collections.abc import Callable

from hub.sandbox.stripe import objects, rules
from hub.sandbox.stripe.contract import required
from hub.sandbox.stripe.objects import new_id
from hub.sandbox.stripe.store import Query, Store
from hub.sandbox.stripe.wire import Refusal, Thing, invalid

DEMO = {"ENGAGE": "20", "WELCOME": "100"}
"""Codes that every stand-in knows, and how many percent each takes off."""

NOT_VALID = "This code is invalid."
TOO_LITTLE = "This code cannot be used here: so small a rest cannot be charged."


class Promotions:
    """The coupons and codes of the account."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock

    def seed(self) -> None:
        """Make the demo's codes, where they are not there yet."""
        for code, percent in DEMO.items():
            if self._find(code) is None:
                coupon = self.create_coupon({"percent_off": percent, "duration": "once", "name": f"{percent} % off"})
                self.create_code({"code": code, "promotion": {"type": "coupon", "coupon": coupon["id"]}})

    def create_coupon(self, params: Thing) -> Thing:
        """A discount: so many percent, or so many cents of one currency. Raises Refusal."""
        rules.only(params, rules.COUPON_PARAMETERS)
        percent, amount_cents = params.get("percent_off"), params.get("amount_off")
        if (percent is None) == (amount_cents is None):
            raise invalid("percent_off", "You must pass either percent_off or amount_off, and not both.")
        if percent is not None and not 0 < float(percent) <= 100:
            raise invalid("percent_off", "percent_off must be more than 0 and at most 100.")
        if amount_cents is not None and "currency" not in params:
            raise required("currency")
        return self._store.put(objects.coupon(params, self._clock()))

    def create_code(self, params: Thing) -> Thing:
        """A word for a coupon. Raises Refusal, also where the word is taken."""
        rules.only(params, rules.PROMOTION_PARAMETERS)
        promotion = params["promotion"]
        if "coupon" not in promotion:
            raise required("promotion[coupon]")
        self._store.get("coupon", promotion["coupon"], "promotion[coupon]")
        code = params.get("code") or new_id("")[1:9].upper()
        if self._find(code) is not None:
            raise Refusal(400, f"An active promotion code with `code: {code}` already exists.", param="code")
        return self._store.put(objects.promotion_code(params | {"code": code}, self._clock()))

    def apply(self, session_id: str, code: str) -> str:
        """Put a buyer's code on an open session, in place of an earlier one; "" takes it away.

        Returns a sentence for the buyer when it cannot be used, else "".
        """
        session = self._store.get("checkout.session", session_id)
        if session["status"] != "open" or not session["allow_promotion_codes"]:
            return NOT_VALID
        session |= {"discounts": [], **_totals(session["amount_subtotal"], 0)}
        if not code:
            self._store.put(session)
            return ""
        promotion = self._find(code)
        if promotion is None or not self._is_good(promotion):
            return NOT_VALID
        coupon = self._store.get("coupon", promotion["promotion"]["coupon"])
        if coupon["currency"] not in (None, session["currency"]):
            return NOT_VALID
        off_cents = _off(coupon, session["amount_subtotal"])
        left_cents = session["amount_subtotal"] - off_cents
        if 0 < left_cents < rules.MINIMUM.get(session["currency"], 1):
            return TOO_LITTLE
        discount = {"coupon": coupon["id"], "promotion_code": promotion["id"]}
        self._store.put(session | {"discounts": [discount], **_totals(session["amount_subtotal"], off_cents)})
        return ""

    def redeemed(self, session: Thing) -> None:
        """Count the codes of a session that was paid."""
        for discount in session["discounts"] or []:
            for kind, name in (("coupon", "coupon"), ("promotion_code", "promotion_code")):
                thing = self._store.get(kind, discount[name])
                self._store.put(thing | {"times_redeemed": thing["times_redeemed"] + 1})

    def _find(self, code: str) -> Thing | None:
        found, _ = self._store.page(Query("promotion_code", equals={"_folded": code.casefold()}))
        return found[0] if found else None

    def _is_good(self, promotion: Thing) -> bool:
        expires_at, most = promotion["expires_at"], promotion["max_redemptions"]
        in_time = expires_at is None or expires_at > self._clock()
        return bool(promotion["active"]) and in_time and (most is None or promotion["times_redeemed"] < most)


def _off(coupon: Thing, subtotal_cents: int) -> int:
    if coupon["percent_off"] is not None:
        return round(subtotal_cents * float(coupon["percent_off"]) / 100)
    return min(int(coupon["amount_off"]), subtotal_cents)


def _totals(subtotal_cents: int, off_cents: int) -> Thing:
    details = {"amount_discount": off_cents, "amount_shipping": 0, "amount_tax": 0}
    return {"amount_total": subtotal_cents - off_cents, "total_details": details}
