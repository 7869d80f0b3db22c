"""The customer's page: it puts the parts together and lets them talk. Everything it knows comes from the api."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping

import ipywidgets as widgets

from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.follow import FIRST_WAIT_SECONDS, Link
from tng.dashboard.form import ComposeForm
from tng.dashboard.library import Library
from tng.dashboard.markup import Html, link, tag
from tng.dashboard.navigator import Navigator
from tng.dashboard.order_view import OrderView
from tng.dashboard.request import Visit
from tng.errors import ApiError

logger = logging.getLogger(__name__)

DEMOS = {
    ("Google", "Stripe"): "Demonstration: the sign-in and the payment are local stand-ins. "
    "No real account is used, and no money moves.",
    ("Google",): "Demonstration: the sign-in is a local stand-in, and no real account is used. The payment is real.",
    ("Stripe",): "Demonstration: the payment is a local stand-in, and no money moves. The sign-in is real.",
}
RECONNECTING = "The connection is interrupted: reconnecting… Nothing is lost."
SIGN_IN = "You have been signed out. Please sign in again."
LOAD_AGAIN_SECONDS = 2.0


class Dashboard:
    """Composes the page. ``page`` is what a notebook displays; ``open`` fills it for a visit.

    ``product`` is the name at the top until the api has said what it offers; ``account`` is what its owner is called,
    and ``bridge_path`` leads an operator to the bridge.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        product: str = "",
        hub_path: str = "/hub/",
        stand_ins: tuple[str, ...] = (),
        account: str = "",
        bridge_path: str = "",
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        self._client = client
        self._product = product
        self._hub_path = hub_path
        self._account, self._bridge_path = account, bridge_path
        self._stopped = threading.Event()
        self.header = widgets.HTML(self._header(account))
        demo = DEMOS.get(stand_ins)
        self.demo = widgets.HTML(tag("p", demo, class_="tng-demo", role="note") if demo else "")
        self.connection = widgets.HTML()
        self.message = widgets.HTML()
        self.message.add_class("tng-notice")
        self.navigator = Navigator()
        self.navigator.on_here(self._say_again)
        self.form = ComposeForm(self.place)
        self.library = Library(self.show_order, client=client, attempt=self._try, duplicate=self.duplicate)
        self.order_view = OrderView(
            client,
            changed=self.library.update,
            linked=self._show_link,
            pay=self.pay,
            take_back=self.take_back,
            first_wait_seconds=first_wait_seconds,
        )
        side = widgets.VBox([self.form, self.library])
        side.add_class("tng-side")
        columns = widgets.Box([side, self.order_view])
        columns.add_class("tng-columns")
        self.page = widgets.VBox([self.header, self.demo, self.connection, self.message, columns, self.navigator])
        self.page.add_class("tng-dashboard")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Dashboard:
        """The page for the account of this kernel. Nothing is asked of the api yet."""
        return cls(
            ApiClient.from_environment(environ),
            product=environ.get("TNG_PRODUCT", ""),
            hub_path=environ.get("JUPYTERHUB_BASE_URL", "/") + "hub/",
            stand_ins=tuple(name for name in environ.get("TNG_STAND_INS", "").split(",") if name),
            account=environ.get("TNG_ACCOUNT", ""),
            bridge_path=bridge_path(environ),
        )

    def open(self, query: str) -> None:
        """Fill the page for a visit. Where the api does not answer, the page says so and fills itself later."""
        visit = Visit.read(query)
        if not self._try(lambda: self._load(visit)):
            threading.Thread(target=self._load_later, args=(visit,), name="load", daemon=True).start()

    def close(self) -> None:
        """Stop everything that runs for the page."""
        self._stopped.set()
        self.order_view.close()

    # --- what the customer does --------------------------------------------------------------------------------

    def place(self) -> None:
        """Order what the form says, and go to the payment page."""
        self.form.busy(True)
        try:
            self._try(self._place)
        finally:
            self.form.busy(False)

    def pay(self, order_id: str) -> None:
        """Go to the payment page of an order."""
        self._try(lambda: self._go_and_pay(self._client.checkout(order_id)))

    def take_back(self, order_id: str) -> None:
        """Cancel an order, or stop its writing."""
        self._try(lambda: self._take_back(order_id))

    def show_order(self, order_id: str, *, cancelled: bool = False) -> None:
        """Open an order on the page."""
        self._try(lambda: self._show_order(order_id, cancelled=cancelled))

    def duplicate(self, order: OrderCard) -> None:
        """Fill the form with the premise of an order: pressed again, it is another order."""
        self.form.draft = dict(order.premise)

    def _place(self) -> None:
        order = self._client.place(self.form.wish, self.form.request_key)
        self.library.update(order)
        self._go_and_pay(order)

    def _go_and_pay(self, order: OrderCard) -> None:
        """Show the order, and leave for Stripe if there is something to pay."""
        self.library.update(order)
        self.order_view.show(self._client.order(order.id))
        self.navigator.keep(order.id)
        if order.checkout_url:
            self.say("Taking you to the payment page. ", link("Go there now", order.checkout_url), role="status")
            self.navigator.go(order.checkout_url)

    def _take_back(self, order_id: str) -> None:
        self.library.update(self._client.cancel(order_id))
        self.order_view.show(self._client.order(order_id))

    def _show_order(self, order_id: str, *, cancelled: bool) -> None:
        self.order_view.show(self._client.order(order_id), cancelled=cancelled)
        self.navigator.keep(order_id)

    def _say_again(self) -> None:
        """Tell a browser once more what threads may have changed between its picture of the page and its ears.

        The page asks for the state of all widgets, draws them, and hears of changes only then: one that falls between
        would never be seen, and the end of an order is not followed by another.
        """
        self.order_view.say_again(self.header, self.connection, self.message, self.library, *self.form.offered)

    # --- filling the page --------------------------------------------------------------------------------------

    def _load(self, visit: Visit) -> None:
        offer = self._client.offer()
        self._product = offer.product
        self.form.show_offer(offer)
        self.header.value = self._header(self._account or self._client.me())
        self.library.show(self._client.orders())
        self._show_link(Link.LIVE)
        if visit.order_id:
            self.show_order(visit.order_id, cancelled=visit.cancelled)

    def _load_later(self, visit: Visit) -> None:
        while not self._stopped.wait(LOAD_AGAIN_SECONDS):
            if self._try(lambda: self._load(visit)):
                return

    # --- what the page says ------------------------------------------------------------------------------------

    def say(self, *sentence: str, role: str = "alert") -> None:
        """Show a message, an alert or a mere status, or take it away by saying nothing."""
        self.message.value = tag("p", *sentence, class_=f"tng-message tng-{role}", role=role) if sentence else ""

    def _try(self, action: Callable[[], None]) -> bool:
        """Do it; if the api refuses, say its sentence. Whether it is done, or there is no use in trying again."""
        self.say()
        try:
            action()
        except ApiError as error:
            logger.info("the api: %s", error)
            if error.status in (401, 403):
                self._show_link(Link.REFUSED)
            elif error.status == 0:
                self._show_link(Link.RECONNECTING)
                self.say(error.user_message)
            else:
                self.say(error.user_message)
            return not error.retryable
        return True

    def _show_link(self, state: Link) -> None:
        match state:
            case Link.LIVE:
                self.connection.value = ""
            case Link.RECONNECTING:
                self.connection.value = tag("p", RECONNECTING, class_="tng-connection", role="status")
            case Link.REFUSED:
                again = link("Sign in", self._hub_path + "user-redirect/")
                self.connection.value = tag("p", SIGN_IN, " ", again, class_="tng-connection", role="alert")

    def _header(self, account: str) -> Html:
        name = tag("span", account, class_="tng-account")
        leave = link("Sign out", self._hub_path + "logout", class_="tng-leave")
        bridge = link("The bridge", self._bridge_path) if self._bridge_path else Html("")
        nav = tag("nav", name, bridge, leave, aria_label="Account")
        return tag("header", tag("h1", self._product), nav, class_="tng-header")


def bridge_path(environ: Mapping[str, str]) -> str:
    """Where the bridge is on an operator's own server; "" for everybody else."""
    page = environ.get("TNG_BRIDGE", "")
    return environ.get("JUPYTERHUB_SERVICE_PREFIX", "/") + page if page else ""
