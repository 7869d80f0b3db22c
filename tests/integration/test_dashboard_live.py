"""The page against a running api: what is ordered, paid, written, broken off and taken up again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import httpx
import ipywidgets as widgets
import pytest

from tests.integration.live_api import LiveApi, live_api
from tests.shows import second_show
from tests.unit.tng.api_support import BEN, PREFIX, SCENES, SCRIPT
from tng.dashboard.client import ApiClient, StreamEvent
from tng.dashboard.follow import Follower, Link
from tng.dashboard.page import RECONNECTING, Dashboard
from tng.dashboard.steps import steps_of
from tng.export.layout import BlockKind
from tng.jobs import EventKind
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus

PATIENCE_SECONDS = 15.0


@pytest.fixture
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


class Page:
    """A dashboard, what it sent to the browser, and how to wait for it."""

    def __init__(self, api: LiveApi, token: str = "ada-token") -> None:
        self.dashboard = Dashboard(ApiClient(api.url, token), first_wait_seconds=0.05)
        self.went: list[str] = []
        self.dashboard.navigator.send = self._sent
        self.drawn: list[int] = []
        self.dashboard.order_view.reader.send = lambda content, *_: self.drawn.append(content["kind"])

    def _sent(self, content: dict[str, str], *_: Any) -> None:
        if content["kind"] == "go":
            self.went.append(content["url"])

    @property
    def view(self) -> Any:
        return self.dashboard.order_view

    @property
    def scenes(self) -> list[str]:
        """The numbers of the scenes that the reader has."""
        kinds = [b for s in self.view.reader.sections for b in s if b["kind"] == BlockKind.HEADING]
        return [block["number"] for block in kinds]

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until it is so."""
        end, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
        while not condition():
            assert time.monotonic() < end, f"it did not become so: {what} {self.view.sentence.value}"
            pause.wait(0.01)


@pytest.fixture
def page(api: LiveApi) -> Iterator[Page]:
    ours = Page(api)
    yield ours
    ours.dashboard.close()


def state(api: LiveApi, order_id: str) -> OrderState:
    return api.house.store.tables.orders[order_id].state


def test_from_the_form_to_the_script(api: LiveApi, page: Page) -> None:
    page.dashboard.open("")
    form = page.dashboard.form
    form.title.value = "The Paper Sun"
    form.button.click()
    assert len(page.went) == 1
    assert page.went[0].startswith("https://pay.example/")
    order_id = page.view.order_id
    page.until(lambda: steps_of(page.view.story)[1].state.value == "now")
    order = api.house.store.tables.orders[order_id]
    api.house.pay(order)
    job = api.house.claim()
    for number in range(len(SCENES)):
        api.house.say_scenes(job, number, number + 1)
        page.until(lambda number=number: len(page.scenes) == number + 1, "scene")
    assert "being written" in page.view.reader.waiting
    api.house.fulfilment.deliver(job, script_text=SCRIPT, release_id="r", run_sha256="0")
    page.until(lambda: "script.txt" in page.view.downloads.value)
    page.until(lambda: page.view.reader.sections[-1][0]["text"] == "THE END")
    assert page.scenes == ["1", "2", "3"]
    page.until(lambda: page.dashboard.library.orders[0].state is OrderState.DELIVERED)
    assert set(page.drawn) == {"more"}


def test_another_show_is_what_the_page_offers_and_sells() -> None:
    show = second_show()
    with live_api(show) as api:
        page = Page(api)
        page.dashboard.open("")
        form = page.dashboard.form
        assert [option["name"] for option in form.cast.options] == [who.names[0] for who in show.cast]
        assert form.wish["cast"] == list(show.leads)
        assert page.dashboard.header.product == show.product
        assert escape(show.title) in form.heading.value
        assert f"{show.price_cents / 100:.2f} {show.currency.upper()}" in form.price.value
        assert httpx.get(f"{api.url}/offer").json()["show"]["disclaimer"] == show.disclaimer
        form.title.value = "The Paper Sun"
        form.button.click()
        (order,) = api.house.store.tables.orders.values()
        page.dashboard.close()
    assert (order.amount_cents, order.currency) == (show.price_cents, show.currency)
    assert order.premise.cast == show.leads


def test_a_double_click_places_one_order(api: LiveApi, page: Page) -> None:
    page.dashboard.open("")
    page.dashboard.form.title.value = "Twice"
    page.dashboard.form.button.click()
    page.dashboard.form.button.click()
    assert len(api.house.store.tables.orders) == 1
    assert len(set(page.went)) == 1
    page.dashboard.form.title.value = "Twice more"
    page.dashboard.form.button.click()
    assert len(api.house.store.tables.orders) == 2


def test_bad_input_is_one_sentence_beside_the_field_and_from_the_api(api: LiveApi, page: Page) -> None:
    page.dashboard.open("")
    for title, sentence in (("", "The title is empty."), ("x" * 10_000, "10,000 characters")):
        page.dashboard.form.title.value = title
        page.dashboard.form.button.click()
        assert sentence in page.dashboard.form.title.fault
        page.dashboard.place()  # as somebody who goes round the form's button
        assert sentence in page.dashboard.message.value
    assert not api.house.store.tables.orders
    assert not page.dashboard.form.button.disabled


def test_a_price_set_from_outside_changes_nothing(api: LiveApi, page: Page) -> None:
    page.dashboard.open("")
    form = page.dashboard.form
    form.title.value = "Cheap"
    form.price.value = "0.01 USD"
    form.button.click()
    (order,) = api.house.store.tables.orders.values()
    assert order.amount_cents == 299


def test_an_api_that_is_killed_while_it_tells_loses_nothing_and_doubles_nothing(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    api.house.pay(order)
    job = api.house.claim()
    page.dashboard.open(f"order={order.id}")
    api.house.say_scenes(job, 0, 1)
    page.until(lambda: page.scenes == ["1"])
    api.kill()
    page.until(lambda: RECONNECTING in page.dashboard.connection.value, "banner")
    assert page.scenes == ["1"]
    api.house.say_scenes(job, 1, 3)
    api.start()
    page.until(lambda: page.scenes == ["1", "2", "3"])
    assert page.dashboard.connection.value == ""
    assert page.drawn == ["more"] * 3


def test_a_reload_in_the_middle_shows_all_that_was_written(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    api.house.pay(order)
    job = api.house.claim()
    api.house.say_scenes(job, 0, 2)
    page.dashboard.open(f"order={order.id}")
    page.until(lambda: page.scenes == ["1", "2"])
    page.dashboard.close()
    again = Page(api)
    again.dashboard.open(f"order={order.id}")
    api.house.say_scenes(job, 2, 3)
    again.until(lambda: again.scenes == ["1", "2", "3"])
    again.dashboard.close()


def test_another_attempt_clears_the_page_and_tells_it_whole(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    api.house.pay(order)
    job = api.house.claim()
    page.dashboard.open(f"order={order.id}")
    api.house.say_scenes(job, 0, 2)
    page.until(lambda: page.scenes == ["1", "2"])
    api.house.clock.advance(minutes=1)
    second = api.house.claim()
    page.until(lambda: page.scenes == [])
    api.house.say_scenes(second, 0, 3)
    page.until(lambda: page.scenes == ["1", "2", "3"])
    assert page.view.story.attempt == 2


def test_a_script_that_is_ready_opens_at_once_without_a_stream(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    api.house.deliver(order)
    page.dashboard.open(f"order={order.id}")
    assert page.scenes == ["1", "2", "3"]
    assert "ready" in page.view.sentence.value
    assert page.view._follower is None


def test_a_strangers_order_is_not_there(api: LiveApi, page: Page) -> None:
    order = api.house.order(BEN)
    page.dashboard.open(f"order={order.id}")
    assert "There is no such order." in page.dashboard.nowhere.value
    assert page.view.order_id == ""
    page.dashboard.show_order(order.id)
    page.dashboard.pay(order.id)
    assert page.view.order_id == ""
    assert page.went == []


def test_who_turned_back_is_told_that_nothing_was_charged_and_can_pay(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    page.dashboard.open(f"order={order.id}&cancelled=1")
    assert "Nothing was charged" in page.view.sentence.value
    assert page.view.pay_button.layout.display == ""
    page.view.pay_button.click()
    assert page.went == [order.checkout_url]


def test_a_cancelled_mark_does_not_hide_a_payment(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    page.dashboard.open(f"order={order.id}&cancelled=1")
    api.house.pay(order)
    page.until(lambda: "Paid. Thank you." in page.view.sentence.value)
    assert page.view.pay_button.layout.display == "none"


def test_a_payment_is_confirmed_on_an_open_page(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    page.dashboard.open(f"order={order.id}")
    assert "we are confirming it with Stripe" in page.view.sentence.value
    api.house.pay(order)
    page.until(lambda: "Paid. Thank you." in page.view.sentence.value)
    page.until(lambda: page.dashboard.library.orders[0].state is OrderState.PAID)


def test_who_comes_back_from_paying_sooner_than_the_news_of_it_cannot_pay_twice(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    page.dashboard.open(f"order={order.id}&returned=1")
    assert "Confirming your payment…" in page.view.sentence.value
    assert page.view.pay_button.layout.display == "none"
    assert page.dashboard.tab.words == f"Confirming your payment · {order.premise.title}"
    api.house.deliver(order)
    page.until(lambda: page.dashboard.tab.mark == "done")
    assert page.dashboard.tab.words == f"Ready · {order.premise.title}"
    assert page.view.pay_button.layout.display == "none"


@pytest.mark.parametrize("mails", [True, False], ids=["on", "off"])
def test_a_mail_is_promised_where_the_shop_sends_mails(mails: bool) -> None:
    with live_api(mail_customers=mails) as api:
        page = Page(api)
        order = api.house.order()
        page.dashboard.open(f"order={order.id}")
        api.house.pay(order)
        page.until(lambda: "Paid. Thank you." in page.view.sentence.value)
        assert ("We write to you when it is ready." in page.view.sentence.value) is mails
        page.dashboard.close()


def test_a_script_that_is_given_back_says_that_the_money_is_back(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    page.dashboard.open(f"order={order.id}")
    api.house.deliver(order)
    page.until(lambda: page.view.story.order.state is OrderState.DELIVERED)
    api.house.gateway.change(str(order.checkout_session_id), refunded=True)
    api.house.shop.confirm_payment(str(order.checkout_session_id))
    page.dashboard.show_order(order.id)
    assert "was given back to you, and the script is closed" in page.view.sentence.value
    assert page.view.downloads.value == ""
    assert steps_of(page.view.story)[-1].name == "Refunded"


def test_a_script_that_is_stopped_is_refunded_and_what_is_written_stays_on_the_page(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    api.house.pay(order)
    job = api.house.claim()
    page.dashboard.open(f"order={order.id}")
    api.house.fulfilment.heartbeat(job, [(EventKind.PLAN, {"acts": [{"scenes": [{}] * 3}]})])
    api.house.say_scenes(job, 0, 1)
    page.until(lambda: page.scenes == ["1"])
    panel = page.view.taking_back
    panel.button.click()
    assert "1 of 3 scenes is written: you get your money back and keep it." in panel.question.value
    panel.yes.click()
    assert page.view.story.order.state is OrderState.REFUNDING
    assert "on its way back" in page.view.sentence.value
    api.house.shop.run_errands()
    page.until(lambda: page.view.story.order.state is OrderState.REFUNDED)
    page.until(lambda: page.view.downloads.value != "")
    assert "yours to keep" in page.view.sentence.value
    assert page.scenes == ["1"]
    page.until(lambda: page.dashboard.library.rows[0]["words"] == "a part, refunded")


def test_a_paid_order_shows_its_place_and_is_cancelled_with_a_click(api: LiveApi, page: Page) -> None:
    api.house.pay(api.house.order(BEN))
    order = api.house.order()
    api.house.pay(order)
    page.dashboard.open(f"order={order.id}")
    assert "One order before yours." in page.view.sentence.value
    page.view.taking_back.button.click()
    api.house.shop.run_errands()
    page.until(lambda: "You cancelled this order, and your money was refunded" in page.view.sentence.value)
    assert page.view.taking_back.button.layout.display == "none"


def test_what_cannot_be_cancelled_any_more_is_said_on_the_page(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    page.dashboard.open(f"order={order.id}")
    api.house.gateway.change(str(order.checkout_session_id), status=CheckoutStatus.COMPLETE)
    page.view.taking_back.button.click()
    assert "bank is still moving the money" in page.dashboard.message.value
    assert state(api, order.id) is OrderState.PLACED


def test_a_page_that_opens_while_the_api_is_away_fills_itself_later(api: LiveApi, page: Page) -> None:
    order = api.house.order()
    api.kill()
    page.dashboard.open(f"order={order.id}")
    assert RECONNECTING in page.dashboard.connection.value
    api.start()
    page.until(lambda: page.view.order_id == order.id)
    assert page.dashboard.connection.value == ""
    assert page.dashboard.message.value == ""
    assert "299" not in page.dashboard.form.price.value
    assert "2.99 USD" in page.dashboard.form.price.value


def test_all_that_threads_change_is_said_again_to_a_browser_that_says_that_it_is_here(
    api: LiveApi, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have drawn the page before any of it. What is new since then reaches a browser by itself."""
    drawn = set(widgets_below(page.dashboard.page))
    said: list[tuple[widgets.Widget, str | None]] = []
    monkeypatch.setattr(widgets.Widget, "send_state", lambda widget, key=None: said.append((widget, key)))
    order = api.house.order()
    api.kill()
    page.dashboard.open(f"order={order.id}")
    api.start()
    page.until(lambda: page.view.order_id == order.id)
    api.house.deliver(order)
    page.until(lambda: "script.txt" in page.view.downloads.value)
    assert page.view._follower.join(PATIENCE_SECONDS)
    changed = (drawn & {widget for widget, _ in said}) - {page.dashboard.draft}  # whose browser side asks by itself
    assert {page.view.sentence, page.view.pay_button.layout, page.dashboard.form.price} < changed
    said.clear()
    for nonsense in (None, "here", {}, {"kind": "hello"}, {"kind": "here", "more": 1}, ["here"]):
        page.dashboard.navigator._handle_custom_msg(nonsense, [])
    assert not said
    page.dashboard.navigator._handle_custom_msg({"kind": "here"}, [])
    assert changed <= {widget for widget, key in said if key is None}
    assert not {page.dashboard.form.title, page.dashboard.form.logline} & {widget for widget, _ in said}


def widgets_below(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget, its layout, and all the widgets in it."""
    yield from (widget, widget.layout)
    for child in getattr(widget, "children", ()):
        yield from widgets_below(child)


def test_who_was_signed_out_is_asked_to_sign_in_again(api: LiveApi) -> None:
    page = Page(api, "nobody")
    page.dashboard.open("")
    assert "/hub/user-redirect/" in page.dashboard.connection.value
    page.dashboard.close()


def test_the_order_that_is_followed_is_the_one_that_is_shown(api: LiveApi, page: Page) -> None:
    first, second = api.house.order(), api.house.order()
    page.dashboard.open(f"order={first.id}")
    page.dashboard.show_order(second.id)
    api.house.pay(first)
    api.house.pay(second)
    page.until(lambda: page.view.story.order.state is OrderState.PAID)
    assert page.view.order_id == second.id
    assert [t.name for t in threading.enumerate() if t.name.startswith("follow")][-1] == f"follow {second.id}"


def test_a_stopped_follower_ends_at_once_and_hears_nothing(api: LiveApi) -> None:
    order: Order = api.house.order()
    heard: list[StreamEvent] = []
    live = threading.Event()
    follower = Follower(
        ApiClient(api.url, "ada-token"), order.id, hear=heard.append, link=lambda s: s is Link.LIVE and live.set()
    )
    follower.start()
    assert live.wait(5)
    follower.stop()
    assert follower.join(3)
    count = len(heard)
    api.house.pay(order)
    assert len(heard) == count


def test_a_follower_of_a_strangers_order_gives_up(api: LiveApi) -> None:
    links: list[Link] = []
    order = api.house.order(BEN)
    follower = Follower(ApiClient(api.url, "ada-token"), order.id, hear=lambda _event: None, link=links.append)
    follower.start()
    assert follower.join(5)
    assert links == [Link.REFUSED]


def test_a_stream_reaches_a_client_while_it_lasts(api: LiveApi) -> None:
    """Without buffering: the first bytes come long before the stream's end."""
    order = api.house.order()
    headers = {"Authorization": "Bearer ada-token"}
    with httpx.stream("GET", f"{api.url}/orders/{order.id}/events", headers=headers, timeout=5) as answer:
        first = next(answer.iter_text())
    assert "event: state" in first
    assert api.url.endswith(PREFIX)
