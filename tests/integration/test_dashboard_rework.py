"""The page reworks a delivered script against a running api: lines, takes, names, and the versions before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.live_api import LiveApi, live_api
from tests.unit.tng.api_support import ADA, SCRIPT
from tng.dashboard.client import ApiClient
from tng.dashboard.order_view import OrderView
from tng.dashboard.rework import KEEP_OLD, PUT_BACK, TAKEN_OUT, UNDO
from tng.dashboard.rework_desk import BEING_WRITTEN, BY_HAND, CHANGED_BY_HAND
from tng.errors import EditionOvertaken, RunFailed
from tng.library.editions import EMPTY_SPEECH
from tng.orders import Order, OrderState

PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.05
TAKE = "# INT. MAIN BRIDGE\nThe hands of the clock run backwards.\nDATA: It is tomorrow, sir."
GUEST = SCRIPT.replace("PICARD: It stopped.", "LENA: It stopped. Lena saw it.")


class Page:
    """An order view, what it said to its browser, and its toasts."""

    def __init__(self, api: LiveApi, order_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[dict[str, Any]] = []
        self.toasts: list[tuple[str, str, Any]] = []
        client = ApiClient(api.url, "ada-token")
        self.view = OrderView(client, toast=lambda text, action="", act=None: self.toasts.append((text, action, act)))
        self.view.rework._look_seconds = LOOK_SECONDS
        for part in (self.view.reader, self.view.rework.panel):
            monkeypatch.setattr(part, "send", lambda content, *_: self.told.append(content))
        self.view.show(client.order(order_id))

    @property
    def place(self) -> str:
        return self.view.reader._place

    @property
    def shown(self) -> Any:
        return self.view.rework.panel.shown

    def text(self, scene: int, block: int) -> str:
        """A line as the reader has it."""
        section = self.view.reader.sections[scene - 1]
        heading = next(index for index, one in enumerate(section) if one["kind"] == "heading")
        return section[heading + 1 + block]["text"]

    def say(self, **message: Any) -> None:
        """The browser says this of the reader."""
        self.view.reader._asked(self.view.reader, message, [])

    def save(self, scene: int, block: int, text: str) -> None:
        """A line is saved."""
        self.say(kind="line", scene=scene, block=block, text=text, place=self.place)

    def panel(self, **message: Any) -> None:
        """The browser says this of the panel."""
        self.view.rework.panel._asked(self.view.rework.panel, message, [])

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until it is so."""
        end, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
        while not condition():
            assert time.monotonic() < end, "it did not become so"
            pause.wait(0.01)


@pytest.fixture
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


@pytest.fixture
def order(api: LiveApi) -> Order:
    """A delivered order with somebody in it who is nobody of the show."""
    order = api.house.order()
    api.house.pay(order)
    api.house.fulfilment.deliver(api.house.claim(), script_text=GUEST, release_id="tng-test", run_sha256="0" * 64)
    return order


@pytest.fixture
def page(api: LiveApi, order: Order, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    ours = Page(api, order.id, monkeypatch)
    yield ours
    ours.view.close()


def test_a_delivered_script_can_be_reworked_and_nothing_else(api: LiveApi, page: Page, monkeypatch: Any) -> None:
    assert page.view.reader.editable
    assert page.shown == {"edition": 0, "versions": [], "guests": ["Lena"]}
    waits = api.house.order()
    page.view.show(ApiClient(api.url, "ada-token").order(waits.id))
    assert not page.view.reader.editable
    assert page.shown == {}


def test_a_line_is_changed_and_the_links_follow(page: Page) -> None:
    page.save(2, 1, "The clock is wrong, sir.")
    assert page.text(2, 1) == "The clock is wrong, sir."
    assert page.told[-2:] == [
        {**page.told[-2], "kind": "changed", "index": 1, "place": page.place},
        {"kind": "saved", "scene": 2, "block": 1},
    ], "the new line first: then what was typed is let go of"
    assert page.place.endswith("/1")
    assert "script.pdf?edition=1" in page.view.downloads.value
    assert [one["words"] for one in page.shown["versions"]] == ["a line changed"]


def test_a_line_is_refused_with_the_apis_sentence(page: Page) -> None:
    page.save(2, 1, "")
    assert page.told[-1] == {"kind": "refused", "scene": 2, "block": 1, "sentence": EMPTY_SPEECH}
    assert page.text(2, 1) == "The clock is correct, sir."


def test_a_line_that_is_taken_out_can_be_put_back(page: Page) -> None:
    page.save(1, 0, "")
    assert page.text(1, 0) == "Captain's log."
    words, action, put_back = page.toasts[-1]
    assert (words, action) == (TAKEN_OUT, PUT_BACK)
    put_back()
    assert page.text(1, 0) == "Picard turns from the glass."
    assert page.shown["edition"] == 2


def test_another_tab_that_was_quicker_is_said_and_shown_and_the_next_try_is_taken(
    api: LiveApi, page: Page, order: Order
) -> None:
    api.house.shop.rework.edit_line(order.id, ADA, 3, 0, "The ship turns, slowly.", 0)
    page.save(2, 1, "Half a thought")
    assert page.told[-1] == {
        "kind": "refused",
        "scene": 2,
        "block": 1,
        "sentence": EditionOvertaken.user_message,
    }
    assert page.text(3, 0) == "The ship turns, slowly."
    page.save(2, 1, "Half a thought")
    assert page.told[-1]["kind"] == "saved"
    assert (page.text(2, 1), page.text(3, 0)) == ("Half a thought", "The ship turns, slowly.")


def test_what_another_tab_changed_is_shown_once_this_one_is_looked_at(api: LiveApi, page: Page, order: Order) -> None:
    api.house.shop.rework.edit_line(order.id, ADA, 3, 0, "The ship turns, slowly.", 0)
    assert page.text(3, 0) == "The ship turns."
    page.panel(kind="look")
    assert page.text(3, 0) == "The ship turns, slowly."
    assert page.shown["edition"] == 1


def test_a_guest_is_renamed_everywhere_and_it_can_be_undone(page: Page) -> None:
    page.panel(kind="rename", old="Lena", new="Picard")
    assert page.told[-1]["kind"] == "refused"
    page.panel(kind="rename", old="Lena", new="Mara")
    assert {"kind": "renamed"} in page.told
    assert page.text(1, 3) == "It stopped. Mara saw it."
    assert page.shown["guests"] == ["Mara"]
    words, action, undo = page.toasts[-1]
    assert ("is called Mara now" in words, action) == (True, UNDO)
    undo()
    assert page.text(1, 3) == "It stopped. Lena saw it."


def test_every_version_can_be_had_back_and_none_is_lost(page: Page) -> None:
    page.save(2, 1, "One.")
    page.save(2, 1, "Two.")
    page.panel(kind="back", number=0)
    assert page.text(2, 1) == "The clock is correct, sir."
    assert page.toasts[-1][0] == "You see the original again."
    page.panel(kind="back", number=2)
    assert page.text(2, 1) == "Two."
    assert [one["number"] for one in page.shown["versions"]] == [1, 2, 3, 4]
    page.panel(kind="back", number=99)
    assert page.text(2, 1) == "Two."


def test_a_scene_is_written_again_shown_at_once_and_the_old_one_can_be_kept(api: LiveApi, page: Page) -> None:
    page.say(kind="scene", number=2, act="again")
    assert page.view.reader.busy_scene == 2
    assert page.view.reader.scene_notes == {2: BEING_WRITTEN}
    job = api.house.claim()
    api.house.fulfilment.deliver_take(job, text=TAKE, release_id="tng-test")
    page.until(lambda: page.toasts)
    assert page.text(2, 0) == "The hands of the clock run backwards."
    assert (page.view.reader.busy_scene, page.view.reader.scene_notes) == (0, {})
    assert page.view.reader.scene_takes == {2: {"takes": [0, 1], "chosen": 1, "left": 2}}
    assert {"kind": "fresh", "scene": 2} in page.told
    words, action, keep = page.toasts[-1]
    assert (words, action) == ("Scene 2 was written again.", KEEP_OLD)
    keep()
    assert page.text(2, 1) == "The clock is correct, sir."
    assert page.view.reader.scene_takes[2]["chosen"] == 0
    page.say(kind="take", scene=2, take=1)
    assert page.text(2, 0) == "The hands of the clock run backwards."
    page.save(2, 0, "The hands of the clock stand.")
    assert page.view.reader.scene_takes[2]["chosen"] == BY_HAND
    assert page.view.reader.scene_notes == {2: CHANGED_BY_HAND}


def test_what_was_changed_by_hand_is_what_keep_the_old_one_keeps(api: LiveApi, page: Page) -> None:
    for text in (TAKE, TAKE.replace("tomorrow", "today")):
        page.toasts.clear()
        page.say(kind="scene", number=2, act="again")
        api.house.fulfilment.deliver_take(api.house.claim(), text=text, release_id="tng-test")
        page.until(lambda: page.toasts)
        page.save(2, 0, "Nothing moves.")
    page.toasts.clear()
    page.say(kind="scene", number=2, act="again")
    api.house.fulfilment.deliver_take(api.house.claim(), text=TAKE, release_id="tng-test")
    page.until(lambda: page.toasts)
    page.toasts[-1][2]()
    assert (page.text(2, 0), page.text(2, 1)) == ("Nothing moves.", "It is today, sir.")


def test_a_take_keeps_standing_where_a_guest_is_renamed(api: LiveApi, page: Page) -> None:
    page.say(kind="scene", number=2, act="again")
    take = TAKE + "\nLENA: Lena knows."
    api.house.fulfilment.deliver_take(api.house.claim(), text=take, release_id="tng-test")
    page.until(lambda: page.toasts)
    page.panel(kind="rename", old="Lena", new="Mara")
    assert page.text(2, 2) == "Mara knows."
    assert page.view.reader.scene_takes[2]["chosen"] == 1


def test_a_take_that_fails_is_given_back_and_said(api: LiveApi, page: Page, order: Order) -> None:
    page.say(kind="scene", number=2, act="again")
    for _ in range(20):
        job = api.house.fulfilment.claim("worker-1")
        if job is None:
            if page.toasts:
                break
            api.house.clock.advance(minutes=10)
            continue
        api.house.fulfilment.fail(job, RunFailed("no"))
    page.until(lambda: page.toasts)
    assert "could not be written again" in page.toasts[-1][0]
    assert page.view.reader.busy_scene == 0
    assert api.house.store.tables.orders[order.id].state is OrderState.DELIVERED


def test_a_page_that_is_opened_while_a_take_is_written_waits_for_it(
    api: LiveApi, page: Page, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.say(kind="scene", number=3, act="again")
    second = Page(api, order.id, monkeypatch)
    assert second.view.reader.busy_scene == 3
    api.house.fulfilment.deliver_take(api.house.claim(), text=TAKE, release_id="tng-test")
    second.until(lambda: second.toasts)
    assert second.text(3, 0) == "The hands of the clock run backwards."
    second.view.close()


def test_another_order_is_not_drawn_over_by_the_one_before(api: LiveApi, page: Page) -> None:
    page.say(kind="scene", number=2, act="again")
    client, other = ApiClient(api.url, "ada-token"), api.house.order(title="Another")
    page.view.show(client.order(other.id))
    api.house.fulfilment.deliver_take(api.house.claim(), text=TAKE, release_id="tng-test")
    page.view.rework._look_again()
    assert page.view.order_id == other.id
    assert page.view.reader.sections == []
    assert page.view.reader.busy_scene == 0


def test_an_order_that_was_refunded_meanwhile_is_reworked_no_more(api: LiveApi, page: Page, order: Order) -> None:
    api.house.gateway.change(str(api.house.store.tables.orders[order.id].checkout_session_id), refunded=True)
    api.house.shop.confirm_payment(str(order.checkout_session_id))
    page.save(2, 1, "Too late.")
    assert page.told[-1]["kind"] == "refused"
    assert not page.view.reader.editable
    assert page.view.story is not None
    assert page.view.story.order.state is OrderState.REFUNDED


def test_an_api_that_is_away_refuses_a_line_and_loses_nothing(api: LiveApi, page: Page) -> None:
    api.kill()
    page.save(2, 1, "Kept in the field.")
    assert page.told[-1]["kind"] == "refused"
    assert page.text(2, 1) == "The clock is correct, sir."
    api.start()
    page.save(2, 1, "Kept in the field.")
    assert page.text(2, 1) == "Kept in the field."
