"""The operator's page without a browser: what it shows of an overview, and what it says when it cannot look."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from tng.dashboard import bridge_tables
from tng.dashboard.bridge import AWAY, BUSY, NOT_FOR_YOU, SIGN_IN, Bridge
from tng.dashboard.bridge_tables import SECTIONS, span
from tng.dashboard.client import ApiClient
from tng.dashboard.page import Dashboard
from tng.faults import Fault
from tng.orders import OrderState
from tng.overview import (
    GpuUse,
    Health,
    Lease,
    Machine,
    Overview,
    PartHealth,
    PartMemory,
    Presence,
    Queue,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EVIL = "<img src=x onerror=alert(1)>"


def before(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


SEEN = Overview(
    at=NOW,
    orders={OrderState.PAID: 2, OrderState.DELIVERED: 40},
    queue=Queue(waiting=2, oldest_seconds=61, estimate_seconds=40, refunds_waiting=1),
    leases=(Lease("host:1", 7, "ord_1", 2, 1, NOW + timedelta(seconds=8), before(seconds=2), "tng-small-2"),),
    workers=(
        Presence("host:1", before(hours=2), before(seconds=3)),
        Presence("host:2", before(days=2), before(hours=1)),
    ),
    gpus=(GpuUse("GPU-a", "workbench", "1003", before(minutes=5), NOW + timedelta(seconds=90)),),
    gpus_waiting=1,
    faults=(Fault("worker", "KernelDied", 3, before(minutes=2)), Fault("api", "ValueError", 1, before(days=3))),
    machine=Machine((PartMemory("api", 2, 150), PartMemory("servers", 9, 900)), 4, 1500),
    health=(PartHealth("hub", Health.WELL, "answers 200"), PartHealth("Stripe", Health.UNWELL, "did not answer")),
)


def words(markup: str) -> str:
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def everything(seen: Overview) -> str:
    return " ".join(words(draw(seen)) for _, draw in SECTIONS)


# --- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        "Seen at 12:00:00 UTC",
        "Waiting 2 the oldest for 1 min, about 40 s to write them",
        "Being written 1 now",
        "Workers 1 of 2 that reported",
        "Refunds owed 1 money to give back",
        "Kernels 4 of pages and workbenches",
        "Memory 1.1 GB",
        "7 ord_1 host:1 2, 1 failed 2 s ago 8 s left tng-small-2",
        "hub ✓ well answers 200",
        "Stripe ✗ unwell did not answer",
        "host:1 here 3 s ago 2 h 0 min",
        "host:2 gone without a word 1 h 0 min ago 2 d",
        "KernelDied worker The kernel ended before the notebook did. 3 2 min ago",
        "ValueError api Not an error of ours",
        "delivered 40",
        "disputed 0",
        "servers 9 900 MB api 2 150 MB",
        "GPU-a workbench 1003 5 min ago 1 min left 1 wait for one.",
    ],
)
def test_the_page_says(sentence: str) -> None:
    assert sentence in everything(SEEN)


@pytest.mark.parametrize(
    "sentence",
    [
        "Waiting 0 nobody waits",
        "Being written 0 nothing now",
        "Nothing is being written.",
        "No worker has reported.",
        "Nothing, so far.",
        "No GPU is held. Nobody waits for one.",
        "The processes of this machine cannot be seen.",
    ],
)
def test_where_there_is_nothing_the_page_says_so(sentence: str) -> None:
    assert sentence in everything(Overview(at=NOW))


@pytest.mark.parametrize(
    ("changed", "alarms"),
    [
        (SEEN, ["Refunds owed", "Disk free"]),
        (replace(SEEN, queue=Queue(), machine=None), []),
        (replace(SEEN, workers=(), queue=Queue(), machine=None), ["Workers"]),
        (replace(SEEN, queue=Queue(1, 121.0), machine=None), ["Waiting"]),
    ],
)
def test_what_needs_somebody_stands_out(changed: Overview, alarms: list[str]) -> None:
    assert re.findall(r'tng-alarm"><span>([^<]*)', bridge_tables.tiles(changed)) == alarms


def test_every_text_is_set_as_text() -> None:
    evil = Overview(
        at=NOW,
        leases=(Lease(EVIL, 1, EVIL, 1, 0, NOW, NOW),),
        workers=(Presence(EVIL, NOW, NOW),),
        gpus=(GpuUse(EVIL, EVIL, EVIL, NOW, NOW),),
        faults=(Fault(EVIL, EVIL, 1, NOW),),
        machine=Machine((PartMemory(EVIL, 1, 1),)),
        health=(PartHealth(EVIL, Health.WELL, EVIL),),
    )
    drawn = "".join(draw(evil) for _, draw in SECTIONS)
    assert "<img" not in drawn
    assert drawn.count("&lt;img") == 11


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3700, "1 h 1 min"), (200000, "2 d")],
)
def test_a_length_of_time_is_short(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_a_table_can_be_read_and_scrolled_without_a_mouse() -> None:
    table = bridge_tables.leases(SEEN)
    assert '<th scope="col">Job</th>' in table
    assert 'tabindex="0" role="region" aria-label="Being written"' in table


# --- looking again --------------------------------------------------------------------------------------------------


class Api:
    """Answers with what it is told to, one answer a call, the last one for ever; ``asked`` is set by each call."""

    def __init__(self, *answers: Overview | int | None) -> None:
        self.answers = list(answers)
        self.asked = threading.Semaphore(0)
        self.paths: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.asked.release()
        if answer is None:
            raise httpx.ConnectError("refused")
        if isinstance(answer, int):
            return httpx.Response(answer, json={"error": "X", "message": "A sentence."})
        return httpx.Response(200, content=TypeAdapter(Overview).dump_json(answer))

    def bridge(self, **options: Any) -> Bridge:
        client = ApiClient("http://api.test/services/api", "token", transport=httpx.MockTransport(self.answer))
        return Bridge(client, product="Scripts", refresh_seconds=0.001, **options)


def test_the_page_fills_itself_and_looks_again_until_it_is_closed() -> None:
    api = Api(SEEN, replace(SEEN, queue=Queue(waiting=3)))
    bridge = api.bridge()
    bridge.open()
    for _ in range(4):
        assert api.asked.acquire(timeout=5)
    bridge.close()
    assert "Waiting 3" in words(bridge.house.sections["tiles"].value)
    assert set(api.paths) == {"/services/api/operator/overview"}
    assert not [thread for thread in threading.enumerate() if thread.name == "bridge"]


@pytest.mark.parametrize(("answer", "sentence"), [(None, AWAY), (503, BUSY), (500, BUSY)])
def test_an_api_that_is_away_is_said_and_what_was_seen_stays_until_it_is_back(
    answer: int | None, sentence: str
) -> None:
    bridge = Api(SEEN, answer, SEEN).bridge()
    assert bridge.refresh()
    assert bridge.connection.value == ""
    assert bridge.refresh(), "there is use in trying again"
    assert sentence in bridge.connection.value
    assert "Waiting 2" in words(bridge.house.sections["tiles"].value)
    assert bridge.refresh()
    assert bridge.connection.value == ""


def test_an_answer_that_is_no_overview_is_no_end_of_the_page() -> None:
    client = ApiClient("http://a.test", "t", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=[1])))
    bridge = Bridge(client)
    assert bridge.refresh()
    assert BUSY in bridge.connection.value


@pytest.mark.parametrize(("status", "sentence"), [(404, NOT_FOR_YOU), (401, SIGN_IN), (403, SIGN_IN)])
def test_who_may_not_look_is_told_once_and_the_page_is_empty(status: int, sentence: str) -> None:
    api = Api(status)
    bridge = api.bridge()
    bridge.open()
    bridge.close()
    assert sentence in bridge.connection.value
    assert len(api.paths) == 1
    assert {section.value for section in bridge.house.sections.values()} == {""}


def test_who_is_no_operator_any_more_sees_nothing_more() -> None:
    api = Api(SEEN, 404)
    bridge = api.bridge()
    bridge.open()
    bridge._thread.join(5)
    assert not bridge._thread.is_alive()
    assert len(api.paths) == 2
    assert NOT_FOR_YOU in bridge.connection.value
    assert {section.value for section in bridge.house.sections.values()} == {""}


def test_the_page_knows_whose_it_is_and_the_way_back() -> None:
    environ = {
        "TNG_ACCOUNT": EVIL,
        "TNG_PRODUCT": "Scripts",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/104/",
        "JUPYTERHUB_BASE_URL": "/",
    }
    header = Bridge.from_environment(environ).header
    assert (header.account, header.product) == (EVIL, "The bridge · Scripts")
    assert header.links == [{"words": "Dashboard", "url": "/user/104/"}]
    assert header.leave == "/hub/logout"
    assert header.views == []


@pytest.mark.parametrize(
    ("told", "ways"), [({"TNG_BRIDGE": "bridge"}, ["/user/104/bridge"]), ({}, [])], ids=["operator", "customer"]
)
def test_the_dashboard_leads_an_operator_to_the_bridge_and_nobody_else(told: dict[str, str], ways: list[str]) -> None:
    header = Dashboard.from_environment({"JUPYTERHUB_SERVICE_PREFIX": "/user/104/", **told}).header
    assert [way["url"] for way in header.links] == ways
