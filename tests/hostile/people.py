"""People who visit a real house without a screen: what their browsers hold, and what they order."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.hostile.tab import leave, xsrf
from tests.open_house import OpenHouse, arrive, sign_in, visitor

API = "/services/api"
PATIENCE_SECONDS = 60.0
WISH: dict[str, Any] = {
    "title": "The Quiet Hours",
    "logline": "A clock stops, and nobody remembers why.",
    "cast": ["PICARD", "DATA"],
    "tone": "mystery",
    "length": "teaser",
    "seed": 7,
}


@dataclass
class Person:
    """Somebody who is signed in, at the hub, the api and their own server. ``base`` is where that server begins."""

    house: OpenHouse
    email: str
    client: httpx.Client
    name: str
    base: str
    csrf: str

    @classmethod
    def of(cls, house: OpenHouse, email: str) -> Person:
        """Let somebody in, and open their server. ``name`` is the hub's, whatever it is made of."""
        client = visitor(house)
        sign_in(client, email)
        page = arrive(client, "/hub/user-redirect/")
        leave(client, page)
        me = client.get(f"{API}/me").json()
        return cls(house, email, client, me["name"], "/".join(page.url.path.split("/")[:3]) + "/", me["csrf"])

    def hub(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask the hub, as its own pages do: with the cookie and its XSRF header."""
        headers = xsrf(self.client, "/hub/") | request.pop("headers", {})
        return self.client.request(method, f"/hub{path}", headers=headers, follow_redirects=False, **request)

    def api(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask the api, as a page of the house does: with the cookie and its CSRF header."""
        headers = {"X-CSRF-Token": self.csrf} | request.pop("headers", {})
        return self.client.request(method, f"{API}{path}", headers=headers, follow_redirects=False, **request)

    def orders(self) -> list[dict[str, Any]]:
        """This person's orders, the newest first."""
        found: list[dict[str, Any]] = self.api("GET", "/orders").json()["orders"]
        return found

    def place(self, **changes: Any) -> dict[str, Any]:
        """A new order with its payment page open."""
        key = {"Idempotency-Key": secrets.token_hex(16)}
        answer = self.api("POST", "/orders", json=WISH | changes, headers=key)
        assert answer.status_code == 201, answer.text
        order: dict[str, Any] = answer.json()
        return order

    def cancel_unpaid(self) -> None:
        """Leave no order that waits to be paid: the house lets a customer have a few."""
        for order in self.orders():
            if order["state"] == "placed":
                answer = self.api("POST", f"/orders/{order['id']}/cancel")
                assert answer.is_success, answer.text

    def pay(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order once its payment, made on the stand-in's page, has been confirmed."""
        form = {"email": "someone@example.com", "card": "4242 4242 4242 4242", "exp": "12 / 34", "cvc": "123"}
        self.client.post(order["checkout_url"], data=form | {"name": "Some One"}, follow_redirects=False)
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            seen: dict[str, Any] = self.api("GET", f"/orders/{order['id']}").json()
            if seen["state"] != "placed":
                return seen
            assert time.monotonic() < end, "the payment is not confirmed"
            time.sleep(0.1)
