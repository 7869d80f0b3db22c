"""Which view of the page is seen, and what the address says of it: links, the back button, an old bookmark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.live_api import LiveApi, live_api
from tests.unit.tng.api_support import BEN, SCRIPT
from tng.dashboard.client import ApiClient
from tng.dashboard.page import COPIED, Dashboard
from tng.dashboard.under_way import UnderWay
from tng.dashboard.views import LIBRARY, NEW, ORDER

STRANGE = "?order=ord_of_nobody"


class Told(list[dict[str, Any]]):
    """What one widget said to the browser; instead of a browser."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        widget.send = lambda content, *_: self.append(content)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Those of a kind."""
        return [content for content in self if content["kind"] == kind]


@pytest.fixture
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


@pytest.fixture
def dashboard(api: LiveApi) -> Iterator[Dashboard]:
    ours = Dashboard(ApiClient(api.url, "ada-token"), first_wait_seconds=0.05)
    yield ours
    ours.close()


def press(dashboard: Dashboard, query: str, *, there: bool = False) -> None:
    """As a browser says that a link was pressed, or that the back button led there."""
    dashboard.navigator._handle_custom_msg({"kind": "asked", "query": query, "there": there}, [])


def test_a_first_visit_is_to_the_form_whatever_was_ordered(api: LiveApi, dashboard: Dashboard) -> None:
    api.house.order()
    dashboard.open("")
    assert (dashboard.views.here, dashboard.header.here, dashboard.header.ready) == (NEW, NEW, True)


def test_an_address_opens_its_view(api: LiveApi, dashboard: Dashboard) -> None:
    order = api.house.order()
    dashboard.open("view=library")
    assert dashboard.views.here == LIBRARY
    dashboard.open(f"order={order.id}")
    assert (dashboard.views.here, dashboard.order_view.order_id) == (ORDER, order.id)


def test_links_lead_from_view_to_view_and_the_address_follows(api: LiveApi, dashboard: Dashboard) -> None:
    order = api.house.order()
    told = Told(dashboard.navigator)
    dashboard.open("")
    for query, view in (("?view=library", LIBRARY), (f"?order={order.id}", ORDER), ("?view=new", NEW)):
        press(dashboard, query)
        assert (dashboard.views.here, dashboard.header.here) == (view, view)
        assert told.of("at")[-1] == {"kind": "at", "query": query, "replaces": False, "turns": True}


def test_the_back_button_leads_back_without_another_step(api: LiveApi, dashboard: Dashboard) -> None:
    order = api.house.order()
    dashboard.open(f"order={order.id}")
    told = Told(dashboard.navigator)
    press(dashboard, "?view=library", there=True)
    assert dashboard.views.here == LIBRARY
    press(dashboard, "", there=True)
    assert dashboard.views.here == NEW
    press(dashboard, f"?order={order.id}", there=True)
    assert dashboard.views.here == ORDER
    assert all(place["replaces"] and not place["turns"] for place in told.of("at"))


def test_an_order_is_asked_for_anew_whenever_it_is_opened(api: LiveApi, dashboard: Dashboard) -> None:
    order, other = api.house.order(), api.house.order()
    dashboard.open(f"order={order.id}")
    dashboard.order_view.close()  # nothing is followed
    api.house.deliver(order)
    api.house.pay(other)
    press(dashboard, "?view=library")
    assert dashboard.header.count == 1, "so is the list: another tab may have paid"
    press(dashboard, f"?order={order.id}")
    assert "script.txt" in str(dashboard.order_view.story.order.downloads)


def test_the_badge_counts_what_waits_for_the_writer_or_is_written(api: LiveApi, dashboard: Dashboard) -> None:
    orders = [api.house.order(title=f"Number {n}") for n in range(4)]
    api.house.deliver(orders[0])
    for order in orders[1:3]:
        api.house.pay(order)
    api.house.pay(api.house.order(BEN))
    dashboard.open("")
    assert (dashboard.header.counted, dashboard.header.count) == (LIBRARY, 2)


@pytest.mark.parametrize("stranger", [False, True], ids=["nobody's", "somebody else's"])
def test_an_order_that_is_not_ones_own_is_a_sentence_and_a_way_on(
    api: LiveApi, dashboard: Dashboard, stranger: bool
) -> None:
    query = f"?order={api.house.order(BEN).id}" if stranger else STRANGE
    dashboard.open(query)
    assert dashboard.views.here == ORDER
    assert "no such order" in dashboard.nowhere.value
    assert 'href="?view=library"' in dashboard.nowhere.value
    assert dashboard.order_view.order_id == ""
    assert dashboard.order_view.layout.display == "none"
    press(dashboard, "?view=library")
    assert dashboard.views.here == LIBRARY


def test_an_order_that_is_there_takes_the_place_of_one_that_is_not(api: LiveApi, dashboard: Dashboard) -> None:
    order = api.house.order()
    dashboard.open(STRANGE)
    dashboard.show_order(order.id)
    assert (dashboard.nowhere.value, dashboard.order_view.layout.display) == ("", "")
    dashboard.show_order("ord_of_nobody")
    told = Told(dashboard.navigator)
    dashboard._say_again()
    assert not told.of("at"), "the address of what is not there is not written over by that of the last order"


def test_a_browser_that_comes_late_is_told_where_the_page_is(api: LiveApi, dashboard: Dashboard) -> None:
    order = api.house.order()
    dashboard.open(f"order={order.id}&cancelled=1")
    told = Told(dashboard.navigator)
    dashboard.navigator._handle_custom_msg({"kind": "here"}, [])
    assert told == [{"kind": "at", "query": f"?order={order.id}", "replaces": True, "turns": False}]


@pytest.mark.parametrize("by_id", [False, True], ids=["from the list", "from the order"])
def test_a_premise_is_asked_for_again_in_the_form_and_is_another_order(
    api: LiveApi, dashboard: Dashboard, by_id: bool
) -> None:
    dashboard.open("")
    dashboard.form.title.value = "The Paper Sun"
    dashboard.form.guests[0].value = "Tarn"
    dashboard.place()
    (first,) = api.house.store.tables.orders.values()
    told = Told(dashboard.toasts)
    if by_id:
        dashboard.order_again(first.id)
    else:
        dashboard.duplicate(dashboard.library.orders[0])
    assert dashboard.views.here == NEW
    assert told == [{"kind": "say", "number": 1, "text": COPIED, "action": ""}]
    dashboard.place()
    orders = list(api.house.store.tables.orders.values())
    assert len(orders) == 2
    assert orders[0].premise == orders[1].premise


def test_an_order_that_is_placed_is_seen_before_the_page_is_left(api: LiveApi, dashboard: Dashboard) -> None:
    dashboard.open("")
    told, forgot = Told(dashboard.navigator), Told(dashboard.draft)
    dashboard.form.title.value = "The Paper Sun"
    dashboard.place()
    (order,) = api.house.store.tables.orders.values()
    assert [content["kind"] for content in told] == ["at", "go"]
    assert told[0]["query"] == f"?order={order.id}"
    assert not told[0]["replaces"], "the back button leads to the form again"
    assert dashboard.views.here == ORDER
    assert "Taking you to the payment page" in dashboard.message.value
    assert forgot.of("forget")


def test_a_refusal_of_the_api_leaves_the_form_and_what_was_begun(api: LiveApi, dashboard: Dashboard) -> None:
    dashboard.open("")
    forgot = Told(dashboard.draft)
    dashboard.place()  # without a title
    assert (dashboard.views.here, forgot.of("forget")) == (NEW, [])
    assert "title is empty" in dashboard.message.value


def test_a_script_that_gets_ready_while_another_view_is_seen_is_told_in_passing(
    api: LiveApi, dashboard: Dashboard
) -> None:
    order = api.house.order(title="The Paper Sun")
    dashboard.open(f"order={order.id}")
    press(dashboard, "?view=library")
    told = Told(dashboard.toasts)
    api.house.deliver(order)
    assert dashboard.order_view._follower.join(15)
    assert [(toast["text"], toast["action"]) for toast in told] == [("“The Paper Sun” is ready.", "Read it")]
    dashboard.toasts._handle_custom_msg({"kind": "action", "number": told[0]["number"]}, [])
    assert dashboard.views.here == ORDER


def test_orders_that_nobody_looks_at_are_looked_at_until_none_is_under_way(api: LiveApi, dashboard: Dashboard) -> None:
    order, other = (api.house.order(title=title) for title in ("Open", "Elsewhere"))
    api.house.pay(order)
    dashboard.open("")
    told = Told(dashboard.toasts)
    under_way = UnderWay(
        ApiClient(api.url, "ada-token"),
        dashboard.library,
        counted=dashboard._count,
        ready=dashboard._tell_of,
        every_seconds=0.02,
    )
    api.house.pay(other)
    under_way.load()
    assert dashboard.header.count == 2
    thread = under_way._thread
    for _ in range(2):
        job = api.house.claim()
        api.house.fulfilment.deliver(job, script_text=SCRIPT, release_id="r", run_sha256="0")
    thread.join(15)
    assert (thread.is_alive(), dashboard.header.count) == (False, 0)
    assert sorted(toast["text"] for toast in told) == ["“Elsewhere” is ready.", "“Open” is ready."]


def test_an_api_that_is_away_is_asked_again_and_one_that_refuses_is_not(api: LiveApi, dashboard: Dashboard) -> None:
    api.house.pay(api.house.order())
    dashboard.open("")
    api.kill()
    assert dashboard.under_way._look()
    api.start()
    api.house.hub.users.clear()
    assert not dashboard.under_way._look()
    assert dashboard.header.count == 1, "what is seen stays"
