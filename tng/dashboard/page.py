"""The customer's page: it puts the parts together and lets them talk. Everything it knows comes from the api."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import ipywidgets as widgets

from tng.dashboard.again import draft_of
from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.draft import DraftKeeper, draft_key
from tng.dashboard.follow import FIRST_WAIT_SECONDS, Link
from tng.dashboard.form import ComposeForm
from tng.dashboard.library import Library
from tng.dashboard.markup import link, tag
from tng.dashboard.masthead import Masthead
from tng.dashboard.navigator import Navigator
from tng.dashboard.order_view import OrderView
from tng.dashboard.request import Visit
from tng.dashboard.title import TabTitle
from tng.dashboard.toasts import Toasts
from tng.dashboard.under_way import UnderWay
from tng.dashboard.views import LIBRARY, NEW, ORDER, Views
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
COPIED = "The premise was copied. Change what you like."
LOAD_AGAIN_SECONDS = 2.0
NAMES: Final = {NEW: "New script", LIBRARY: "My scripts"}
NOT_FOUND: Final = 404
BUSY: Final = "busy"
"""The mark of an order of which more is to come."""


class Dashboard:
    """Composes the page. ``page`` is what a notebook displays; ``open`` fills it for a visit.

    ``product`` is the name at the top until the api has said what it offers; ``account`` is what its owner is called,
    and ``bridge_path`` leads an operator to the bridge. One view is seen at a time: new, library or order.
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
        self._hub_path = hub_path
        self._account = account
        self._stopped = threading.Event()
        self.header = Masthead(product=product, account=account, leave=hub_path + "logout", counted=LIBRARY)
        self.header.views = [{"view": view, "words": words} for view, words in NAMES.items()]
        self.header.link("The bridge", bridge_path)
        demo = DEMOS.get(stand_ins)
        self.demo = widgets.HTML(tag("p", demo, class_="tng-demo", role="note") if demo else "")
        self._make_parts(first_wait_seconds)
        shown = [self.header, self.demo, self.connection, self.message, self.views, self.toasts]
        self.page = widgets.VBox([*shown, self.tab, self.draft, self.navigator])
        self.page.add_class("tng-dashboard")
        self._turn_to(NEW)

    def _make_parts(self, first_wait_seconds: float) -> None:
        self.connection, self.message, self.nowhere = (widgets.HTML() for _ in range(3))
        self.message.add_class("tng-notice")
        self.toasts, self.tab = Toasts(), TabTitle()
        self._tab_of_order = ("", "")
        self.navigator = Navigator()
        self.navigator.on_here(self._say_again)
        self.navigator.on_asked(self._asked)
        self.form = ComposeForm(self.place)
        self.draft = DraftKeeper(self.form, draft_key(self._account))
        self.library = Library(
            self.show_order,
            client=self._client,
            attempt=self._try,
            duplicate=self.duplicate,
            new=partial(self.show_view, NEW),
            toast=self.toasts.say,
        )
        self.under_way = UnderWay(self._client, self.library, counted=self._count, ready=self._tell_of)
        self.order_view = OrderView(
            self._client,
            changed=self.under_way.changed,
            linked=self._show_link,
            pay=self.pay,
            take_back=self.take_back,
            order_again=self.order_again,
            titled=self._titled,
            toast=self.toasts.say,
            first_wait_seconds=first_wait_seconds,
        )
        back = widgets.HTML(tag("a", "My scripts", href="?view=library", class_="tng-back"))
        self.views = Views({NEW: [self.form], LIBRARY: [self.library], ORDER: [back, self.nowhere, self.order_view]})

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
        self._turn_to(ORDER if visit.order_id else visit.view or NEW)
        if not self._try(lambda: self._load(visit)):
            threading.Thread(target=self._load_later, args=(visit,), name="load", daemon=True).start()

    def close(self) -> None:
        """Stop everything that runs for the page."""
        self._stopped.set()
        self.under_way.close()
        self.order_view.close()

    # --- what the customer does --------------------------------------------------------------------------------

    def show_view(self, name: str, *, there: bool = False) -> None:
        """Turn to a view; ``there`` where the address says so already, as after the back button."""
        self.say()
        self._turn_to(name)
        self.navigator.at(self._query, replaces=there, turns=not there)
        if name == LIBRARY:
            self._try(self.under_way.load)

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

    def show_order(self, order_id: str, *, there: bool = False) -> None:
        """Turn to an order; ``there`` where the address names it already."""
        self._try(lambda: self._show_order(Visit(order_id), there=there))

    def duplicate(self, order: OrderCard) -> None:
        """Fill the form with the premise of an order: pressed again, it is another order."""
        self.form.draft = draft_of(order.premise)
        self.form.request_key = secrets.token_hex(16)  # even where the form held the very same already
        self.show_view(NEW)
        self.toasts.say(COPIED)

    def order_again(self, order_id: str) -> None:
        """The same, for the order with this id."""
        self._try(lambda: self.duplicate(self._client.order(order_id)))

    def _place(self) -> None:
        order = self._client.place(self.form.wish, self.form.request_key)
        self.draft.forget()
        self._go_and_pay(order)

    def _go_and_pay(self, order: OrderCard) -> None:
        """Show the order, and leave for Stripe if there is something to pay."""
        self.under_way.changed(order)
        self._show_card(self._client.order(order.id))
        if order.checkout_url:
            self.say("Taking you to the payment page. ", link("Go there now", order.checkout_url), role="status")
            self.navigator.go(order.checkout_url)

    def _take_back(self, order_id: str) -> None:
        self.under_way.changed(self._client.cancel(order_id))
        self.order_view.show(self._client.order(order_id))

    def _show_order(self, visit: Visit, *, there: bool) -> None:
        try:
            order = self._client.order(visit.order_id)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            self._show_nowhere(error.user_message)
            return
        self._show_card(order, visit, there=there)

    def _show_card(self, order: OrderCard, visit: Visit | None = None, *, there: bool = False) -> None:
        self.nowhere.value = ""
        self.order_view.layout.display = ""
        visit = visit or Visit(order.id)
        self.order_view.show(order, cancelled=visit.cancelled, returned=visit.returned)
        self._turn_to(ORDER)
        self.navigator.at(self._query, replaces=there, turns=not there)

    def _show_nowhere(self, sentence: str) -> None:
        """Where an address names no order of this person: say so, and which ways lead on."""
        self.order_view.close()
        self.order_view.layout.display = "none"
        ways = tag("p", *(tag("a", words, href=f"?view={view}") for view, words in NAMES.items()), class_="tng-ways")
        said = tag("p", sentence, role="alert")
        self.nowhere.value = tag("section", tag("h2", "Nothing is here"), said, ways, class_="tng-nowhere")
        self._turn_to(ORDER)

    def _asked(self, query: str, there: bool) -> None:
        """A link to a view was pressed, or the back button. Whatever is no place of the page is its first."""
        visit = Visit.read(query)
        if visit.order_id:
            self.show_order(visit.order_id, there=there)
        else:
            self.show_view(visit.view or NEW, there=there)

    # --- what is seen ------------------------------------------------------------------------------------------

    @property
    def _query(self) -> str:
        """What is seen, as the address has it."""
        return f"?order={self.order_view.order_id}" if self.views.here == ORDER else f"?view={self.views.here}"

    def _turn_to(self, name: str) -> None:
        self.views.show(name)
        self.header.here = name
        self._name_tab()

    def _titled(self, words: str, mark: str) -> None:
        """What the tab is to say of the order that is shown, or is followed while another view is seen."""
        self._tab_of_order = words, mark
        self._name_tab()

    def _name_tab(self) -> None:
        words, mark = self._tab_of_order
        if (self.views.here == ORDER and not self.nowhere.value) or mark == BUSY:
            self.tab.say(words, mark)
        else:
            self.tab.say(NAMES[LIBRARY] if self.views.here == LIBRARY else "")

    def _tell_of(self, order: OrderCard) -> None:
        """A script is ready: said in passing, where its order is not what is seen."""
        if self.views.here != ORDER or self.order_view.order_id != order.id:
            self.toasts.say(f"“{order.title}” is ready.", "Read it", partial(self.show_order, order.id))

    def _count(self, orders: int) -> None:
        self.header.count = orders

    def _say_again(self) -> None:
        """Tell a browser once more what threads may have changed between its picture of the page and its ears.

        The page asks for the state of all widgets, draws them, and hears of changes only then: one that falls between
        would never be seen, and the end of an order is not followed by another.
        """
        said = (self.connection, self.message, self.nowhere, self.tab)
        boxes = (self.header, self.library, self.order_view.layout, *self.views.boxes.values())
        self.order_view.say_again(*said, *boxes, *self.form.offered)
        if self.views.here != ORDER or (self.order_view.order_id and not self.nowhere.value):
            self.navigator.at(self._query, replaces=True, turns=False)

    # --- filling the page --------------------------------------------------------------------------------------

    def _load(self, visit: Visit) -> None:
        offer = self._client.offer()
        self.header.product = offer.product
        self.form.show_offer(offer)
        self.order_view.mails = offer.mails
        self.header.account = self._account or self._client.me()
        self.draft.key = draft_key(self.header.account)
        self.under_way.load()
        self._show_link(Link.LIVE)
        if visit.order_id:
            self._try(lambda: self._show_order(visit, there=True))
        self.header.ready = True

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


def bridge_path(environ: Mapping[str, str]) -> str:
    """Where the bridge is on an operator's own server; "" for everybody else."""
    page = environ.get("TNG_BRIDGE", "")
    return environ.get("JUPYTERHUB_SERVICE_PREFIX", "/") + page if page else ""
