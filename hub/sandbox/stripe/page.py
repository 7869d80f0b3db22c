"""The hosted payment page: what a buyer sees. No script, no third party, nothing real; every text is escaped.

A card that is not a test card is refused before anything is kept of it, and never shown again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.sandbox.stripe import cards
from hub.sandbox.stripe.account import Account, Outcome, Verdict
from hub.sandbox.stripe.api import body_of
from hub.sandbox.stripe.objects import DEBIT, Attempt
from hub.sandbox.stripe.webhooks import Courier
from hub.sandbox.stripe.wire import Refusal, Thing

TEMPLATES = Path(__file__).resolve().parent / "templates"
HEADERS = {
    "Cache-Control": "no-store",
    # no form-action: Chromium holds it against the redirect after the form, too, which leads to the shop
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
WITHOUT_CENTS = re.compile("bif|clp|djf|gnf|jpy|kmf|krw|mga|pyg|rwf|vnd|vuv|xaf|xof|xpf")
FIELDS = ("email", "card", "exp", "cvc", "name", "auth", "method", "account", "promotion", "apply")
BANK = "bank"
UNTOUCHED = dict.fromkeys(FIELDS, "") | {"exp": "12 / 34"}
MOST_CHARACTERS = 254
NO_TEST_ACCOUNT = "Only Stripe's test accounts work here. Please never enter a real account; it was not kept."
NO_TEST_CARD = "Only Stripe's test cards work here. Please never enter a real card; it was not kept."


@dataclass(frozen=True)
class Fault:
    """What is wrong with a form: a sentence, and the field that it is about ("" for the bank's own no)."""

    message: str
    field: str = ""


class Page:
    """The routes under ``/c``."""

    def __init__(self, account: Account, courier: Courier, hold_seconds: float) -> None:
        self._account, self._courier = account, courier
        self._hold_seconds = hold_seconds
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[Route]:
        """The page, its form, and its style sheet."""
        return [
            Route("/c/pay/{session_id}", self.show, methods=["GET"]),
            Route("/c/pay/{session_id}", self.pay, methods=["POST"]),
            Route("/c/page.css", self.style, methods=["GET"]),
        ]

    async def style(self, _: Request) -> Response:
        """The style sheet."""
        return FileResponse(TEMPLATES / "page.css", headers={"Cache-Control": "max-age=300"})

    async def show(self, request: Request) -> Response:
        """The form, or why there is none: paid, over, unknown."""
        try:
            session = self._session(request)
        except Refusal as refusal:
            return self._render("closed.html", refusal.status, session=None)
        if session["status"] == "open":
            chosen = {"email": session["customer_email"] or "", "method": request.query_params.get("by", "")}
            return self._form(session, UNTOUCHED | chosen)
        return self._closed(session)

    async def pay(self, request: Request) -> Response:
        """One attempt to pay. Paid: back to the shop, after the shop was told (at most ten seconds)."""
        try:
            session = self._session(request)
            fields = read_fields(await body_of(request))
        except Refusal as refusal:
            return self._render("closed.html", refusal.status, session=None)
        if session["status"] != "open":
            return self._closed(session)
        if fields["apply"]:
            return self._apply(session, fields)
        return await self._attempt(session, fields)

    def _apply(self, session: Thing, fields: Mapping[str, str]) -> Response:
        """A promotion code: the same page with another price, or why not."""
        with self._account.store.transaction():
            fault = self._account.promotions.apply(session["id"], fields["promotion"])
        if fault:
            kept = UNTOUCHED | {name: fields[name] for name in ("promotion", "method")}
            session = self._account.store.get("checkout.session", session["id"])
            return self._form(session, kept, Fault(fault, "promotion"), status=422)
        chosen = f"?by={BANK}" if by_bank(session, fields) else ""
        return RedirectResponse(f"{session['url']}{chosen}", 303, HEADERS)

    async def _attempt(self, session: Thing, fields: Mapping[str, str]) -> Response:
        means = means_of(session, fields)
        free = session["amount_total"] == 0
        fault = (
            find_buyer_fault(fields)
            if free
            else find_debit_fault(fields)
            if isinstance(means, cards.BankAccount) or by_bank(session, fields)
            else find_fault(fields, datetime.fromtimestamp(self._account.clock(), UTC))
        )
        if fault is not None or means is None:
            return self._form(session, fields, fault or Fault(NO_TEST_CARD, "card"), status=422)
        attempt = Attempt(means, fields["email"], fields["name"])
        authenticated = {"complete": True, "fail": False}.get(fields["auth"])
        with self._account.store.transaction():
            outcome = self._account.pay(session["id"], attempt, authenticated=authenticated)
        return await self._answer(session, fields, outcome)

    async def _answer(self, session: Thing, fields: Mapping[str, str], outcome: Outcome) -> Response:
        match outcome.verdict:
            case Verdict.ASKS_3DS:
                return self._render("secure.html", session=session, fields=fields)
            case Verdict.DECLINED:
                self._courier.wake()
                return self._form(session, fields, Fault(outcome.message), status=402)
            case Verdict.PAID:
                await self._courier.first_attempt(outcome.event_id, self._hold_seconds)
        return self._closed(self._account.store.get("checkout.session", session["id"]))

    def _session(self, request: Request) -> Thing:
        """The session of the address, closed by now if its time is over. Raises Refusal when there is none."""
        with self._account.store.transaction():
            if self._account.expire_overdue():
                self._courier.wake()
        return self._account.store.get("checkout.session", str(request.path_params["session_id"]))

    def _closed(self, session: Thing) -> Response:
        if session["status"] == "complete":
            way_back = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
            return RedirectResponse(way_back, 303, HEADERS)
        return self._render("closed.html", 410, session=session)

    def _form(
        self, session: Thing, fields: Mapping[str, str], fault: Fault | None = None, *, status: int = 200
    ) -> Response:
        bank = by_bank(session, fields)
        known = cards.ACCOUNTS if bank else cards.SHOWN
        choice = len(session["payment_method_types"]) > 1
        return self._render(
            "form.html", status, session=session, fields=fields, fault=fault, bank=bank, choice=choice, cards=known
        )

    def _render(self, template: str, status: int = 200, *, session: Thing | None, **context: object) -> Response:
        amount = amount_text(session["amount_total"], session["currency"]) if session else ""
        full = amount_text(session["amount_subtotal"], session["currency"]) if session else ""
        shown = {"session": session, "amount": amount, "full": full, "cards": cards.SHOWN, "bank": False}
        html = self._templates.get_template(template).render(shown | context)
        return Response(html, status, HEADERS, media_type="text/html; charset=utf-8")


def read_fields(body: str) -> dict[str, str]:
    """The form's fields, each there and none longer than an address may be. Raises Refusal for what is no form."""
    try:
        given = dict(parse_qsl(body, max_num_fields=50))
    except ValueError:
        raise Refusal(400, "This is not the form of the page.") from None
    return {name: given.get(name, "").strip()[:MOST_CHARACTERS] for name in FIELDS}


def by_bank(session: Thing, fields: Mapping[str, str]) -> bool:
    """Whether the buyer has chosen a bank debit, where the session offers it."""
    return fields["method"] == BANK and DEBIT in session["payment_method_types"]


def means_of(session: Thing, fields: Mapping[str, str]) -> cards.Card | cards.BankAccount | None:
    """What the buyer pays with; where nothing is to be paid, a card stands for it that is never asked."""
    if session["amount_total"] == 0:
        return cards.SHOWN[0]
    return cards.find_account(fields["account"]) if by_bank(session, fields) else cards.find(fields["card"])


def find_buyer_fault(fields: Mapping[str, str]) -> Fault | None:
    """What is wrong with who the buyer is."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", fields["email"]):
        return Fault("Please enter your e-mail address.", "email")
    return None if fields["name"] else Fault("Please enter your name.", "name")


def find_debit_fault(fields: Mapping[str, str]) -> Fault | None:
    """The first thing to correct in the form for a bank debit, or None."""
    if cards.find_account(fields["account"]) is None:
        return Fault(NO_TEST_ACCOUNT, "account")
    return find_buyer_fault(fields)


def find_fault(fields: Mapping[str, str], now: datetime) -> Fault | None:
    """The first thing that a buyer should correct before the bank is asked, or None."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", fields["email"]):
        return Fault("Please enter your e-mail address.", "email")
    if not re.fullmatch(r"[\d\s-]{12,30}", fields["card"]):
        return Fault("Your card number is incomplete.", "card")
    if cards.find(fields["card"]) is None:
        return Fault(NO_TEST_CARD, "card")
    if not re.fullmatch(r"(0?[1-9]|1[0-2])\s*/?\s*(20)?\d\d", fields["exp"]):
        return Fault("Your card's expiry date is incomplete. It is written MM / YY.", "exp")
    if _last_month(fields["exp"]) < (now.year, now.month):
        return Fault("Your card's expiry date is in the past.", "exp")
    if not re.fullmatch(r"\d{3,4}", fields["cvc"]):
        return Fault("Your card's security code is incomplete.", "cvc")
    return None if fields["name"] else Fault("Please enter the name on the card.", "name")


def _last_month(exp: str) -> tuple[int, int]:
    """The year and month until which a card is good."""
    digits = re.sub(r"\D", "", exp)
    month = digits[: -4 if re.search(r"20\d\d$", exp) and len(digits) > 4 else -2]
    return 2000 + int(digits[-2:]), int(month)


def amount_text(amount_cents: int, currency: str) -> str:
    """An amount as people write it: $2.99, or 2.99 CHF."""
    number = f"{amount_cents:,}" if WITHOUT_CENTS.fullmatch(currency) else f"{amount_cents / 100:,.2f}"
    return SYMBOLS[currency] + number if currency in SYMBOLS else f"{number} {currency.upper()}"
