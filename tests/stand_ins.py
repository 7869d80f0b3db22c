"""The stand-ins as processes of their own, for tests that need the real thing and not a fake.

    with stripe_stand_in(webhook_url="http://127.0.0.1:9000/stripe") as shop:
        session = shop.client().v1.checkout.sessions.create(...)
        shop.pay(session.url, DECLINED)
        shop.pay(session.url)

Each has its own port, keys and, unless told otherwise, a database in memory. None outlives its ``with``.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import stripe

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "/services/stripe"
START_SECONDS = 30

PAYS = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
NO_FUNDS = "4000 0000 0000 9995"
ASKS_3DS = "4000 0025 0000 3155"
DISPUTED = "4000 0000 0000 0259"
NOT_RECEIVED = "4000 0000 0000 2685"  # disputed: the product was not received
INQUIRY = "4000 0000 0000 1976"  # the bank asks, and takes no money
REFUND_FAILS = "4000 0000 0000 5126"  # a refund looks good and fails later
REFUND_PENDS = "4000 0000 0000 7726"  # a refund is pending and succeeds later

DEBIT_PAYS = "000123456789"
DEBIT_FAILS = "000222222227"


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class StripeStandIn:
    """A running stand-in for Stripe: where it is, its secrets, and what a buyer and an operator can do there."""

    port: int
    webhook_url: str | None = None
    webhook_events: tuple[str, ...] = ("*",)
    db: Path | None = None
    public_url: str | None = None
    retries: tuple[float, ...] = (0.2, 0.5, 1.0)
    clear_seconds: float = 3600.0  # the bank decides when it is told to; a test that waits sets less
    key: str = field(default_factory=lambda: "sk_test_" + secrets.token_hex(16), repr=False)
    webhook_secret: str = field(default_factory=lambda: "whsec_" + secrets.token_hex(16), repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def api_base(self) -> str:
        """The address for the SDK's ``base_addresses={"api": …}`` and for ``STRIPE_API_BASE``."""
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def client(self, **options: Any) -> stripe.StripeClient:
        """The real SDK, pointed here; without its own retries unless told."""
        options = {"max_network_retries": 0, **options}
        return stripe.StripeClient(self.key, base_addresses={"api": self.api_base}, **options)

    def start(self) -> None:
        """Start the process and return when it answers. Raises RuntimeError when it does not."""
        environment = os.environ | {
            "STRIPE_STAND_IN_KEY": self.key,
            "STRIPE_STAND_IN_WEBHOOK_SECRET": self.webhook_secret,
        }
        self.process = subprocess.Popen(self._command(), cwd=ROOT, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the stand-in for Stripe did not start on port {self.port}")
            time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """End the process: politely, or as a crash would."""
        if self.process is None:
            return
        self.process.kill() if kill else self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process = None

    def restart(self, *, kill: bool = False) -> None:
        """Stop and start on the same port with the same keys; only a database on disk is remembered."""
        self.stop(kill=kill)
        self.start()

    def pay(self, url: str, card: str = PAYS, *, authenticate: bool = True, **fields: str) -> httpx.Response:
        """What a buyer does on the hosted page. Paid: 303 to ``success_url``; else the page that says why not.

        ``authenticate`` is the answer to 3-D Secure, should the bank ask. The return address is not visited.
        """
        form = {"email": "jlp@example.org", "card": card, "exp": "12 / 34", "cvc": "123", "name": "J L P", **fields}
        answer = httpx.post(url, data=form, timeout=30, trust_env=False)
        if 'name="auth"' in answer.text:
            form["auth"] = "complete" if authenticate else "fail"
            answer = httpx.post(url, data=form, timeout=30, trust_env=False)
        return answer

    def pay_by_debit(self, url: str, account: str = DEBIT_PAYS, **fields: str) -> httpx.Response:
        """A buyer pays from a bank account: 303 to ``success_url``, and the money comes later, or not (``clear``)."""
        form = {"method": "bank", "email": "jlp@example.org", "account": account, "name": "J L P", **fields}
        return httpx.post(url, data=form, timeout=30, trust_env=False)

    def enter_code(self, url: str, code: str) -> httpx.Response:
        """A buyer enters a promotion code on the page (ENGAGE 20 %, WELCOME 100 %): 303, or 422 and why not."""
        return httpx.post(url, data={"apply": "1", "promotion": code}, timeout=30, trust_env=False)

    def pay_nothing(self, url: str) -> httpx.Response:
        """A buyer completes an order that costs nothing."""
        return httpx.post(url, data={"email": "jlp@example.org", "name": "J L P"}, timeout=30, trust_env=False)

    def clear(self, thing_id: str) -> str:
        """The bank decides now about a session's debit (its id) or a refund (its id); returns its status."""
        return str(self.control("POST", f"clear/{thing_id}")["status"])

    def dispute_outcome(self, payment_intent_id: str, evidence: str = "winning_evidence") -> str:
        """Answer the latest dispute: ``winning_evidence``, ``losing_evidence``, ``escalate_inquiry_evidence``.

        Returns the dispute's status after that.
        """
        disputes = self.client().v1.disputes
        dispute = disputes.list({"payment_intent": payment_intent_id, "limit": 1}).data[0]
        return str(disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}}).status)

    def fault(self, calls: str, kind: str, *, seconds: float = 0.0, status: int = 500, times: int = 1) -> None:
        """Let calls fail: ``calls`` as "refunds.create" or "*"; ``kind`` one of

        slow · error (before the deed, not kept for the key) · error_after (done, the error is kept for the key)
        · answer_lost (done, then cut off) · down (cut off, not done).
        """
        wish = {"calls": calls, "kind": kind, "seconds": seconds, "status": status, "times": times}
        self.control("POST", "faults", wish)

    def mend(self) -> None:
        """End every fault."""
        self.control("DELETE", "faults")

    def ledger(self) -> dict[str, dict[str, Any]]:
        """The account's own books, by payment intent.

        Each has session, order_id, currency, and in cents captured, refunded, disputed.
        """
        return {each["payment_intent"]: each for each in self.control("GET", "ledger")["payments"]}

    def hold(self) -> None:
        """Hold every event back until it is released."""
        self.control("POST", "hold")

    def release(self, *events: str) -> list[str]:
        """Send held events, one after the other in this order (types or ids); returns their ids once each was tried.

        Without any: send everything, and hold no more.
        """
        return list(self.control("POST", "release", {"events": list(events)})["released"])

    def double(self, times: int = 2) -> None:
        """Send every event so many times at once; 1 is as usual."""
        self.control("POST", "double", {"times": times})

    def pause(self) -> None:
        """Hold every webhook back: the receiver cannot be reached."""
        self.control("POST", "pause")

    def resume(self) -> None:
        """Send webhooks again, those held back first."""
        self.control("POST", "resume")

    def resend(self, event_id: str) -> None:
        """Send an event again, delivered or not; returns after the first attempt."""
        self.control("POST", f"resend/{event_id}")

    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery, newest first: event, type, url, state, attempts, answer."""
        return list(self.control("GET", "deliveries")["deliveries"])

    def control(self, method: str, verb: str, wish: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the control surface; raises httpx.HTTPStatusError when it refuses."""
        answer = httpx.request(
            method,
            f"{self.api_base}/_sandbox/{verb}",
            headers={"Authorization": f"Bearer {self.key}"},
            json=wish or {},
            timeout=30,
            trust_env=False,
        )
        return dict(answer.raise_for_status().json())

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "hub.sandbox.stripe", "--port", str(self.port), "--prefix", PREFIX]
        command += ["--public-url", self.public_url or self.api_base, "--retries", *map(str, self.retries)]
        command += ["--clear-seconds", str(self.clear_seconds)]
        if self.webhook_url:
            command += ["--webhook-url", self.webhook_url, "--webhook-events", *self.webhook_events]
        return [*command, "--db", str(self.db)] if self.db else command

    def _answers(self) -> bool:
        try:
            return httpx.get(self.api_base + "/", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def stripe_stand_in(webhook_url: str | None = None, **options: Any) -> Iterator[StripeStandIn]:
    """Run a stand-in for Stripe for as long as the ``with``; options are the fields of StripeStandIn."""
    stand_in = StripeStandIn(port=options.pop("port", None) or free_port(), webhook_url=webhook_url, **options)
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()
