"""The operator's routes and the metrics: there for those they are for, and not there at all for everybody else."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter

from tests.unit.tng.api_support import ADA, PREFIX, WISH, House, make_house, visiting
from tng.errors import StoreBusy
from tng.orders import OrderState
from tng.overview import Overview, Presence

OVERVIEW, METRICS = "/operator/overview", "/metrics"


@pytest.fixture
def house() -> House:
    house = make_house()
    house.hub.admit("104", "ola-token", groups=("operators",))
    house.hub.admit("103", "pia-token", groups=("power-users",))
    house.hub.admit("104", "elsewhere-token", groups=("operators",), scopes=("access:servers!server",))
    house.hub.admit_service("prometheus", "prometheus-token")
    house.hub.admit_service("idle-culler", "culler-token")
    house.hub.admit_service("prometheus", "narrow-token", scopes=("read:metrics",))
    return house


async def overview_of(house: House) -> Overview:
    async with visiting(house, "ola-token") as ola:
        answer = await ola.get(OVERVIEW)
    assert answer.status_code == 200
    return TypeAdapter(Overview).validate_json(answer.content)


async def metrics_of(house: House, token: str = "prometheus-token") -> dict[str, float]:
    async with visiting(house, token) as reader:
        answer = await reader.get(METRICS)
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


# --- who may ---------------------------------------------------------------------------------------------------------

NOBODY = [None, "forged-token", "ada-token", "pia-token", "elsewhere-token", "culler-token", "narrow-token"]


@pytest.mark.parametrize("token", [*NOBODY, "prometheus-token"])
async def test_to_everybody_but_an_operator_there_is_no_overview(house: House, token: str | None) -> None:
    async with visiting(house, token) as caller:
        answer, missing = await caller.get(OVERVIEW), await caller.get("/nothing")
    assert (answer.status_code, answer.content) == (404, missing.content)


@pytest.mark.parametrize("token", NOBODY)
async def test_to_everybody_but_their_reader_and_an_operator_there_are_no_metrics(
    house: House, token: str | None
) -> None:
    async with visiting(house, token) as caller:
        answer, missing = await caller.get(METRICS), await caller.get("/nothing")
    assert (answer.status_code, answer.content) == (404, missing.content)


async def test_the_controls_they_are_there_for_an_operator_and_the_reader(house: House) -> None:
    assert (await overview_of(house)).orders == {}
    assert await metrics_of(house, "ola-token")
    assert await metrics_of(house)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [OVERVIEW, "/operator/", "/operator/else"])
async def test_no_method_gives_an_operators_route_away(house: House, method: str, path: str) -> None:
    async with visiting(house) as ada:
        answer, missing = await ada.request(method, path), await ada.request(method, "/nothing")
    assert (answer.status_code, answer.content) == (404, missing.content)


async def test_a_browser_without_a_session_is_not_sent_to_sign_in_for_what_is_not_there(house: House) -> None:
    async with visiting(house, None) as browser:
        answers = [await browser.get(path, headers={"Accept": "text/html"}) for path in (OVERVIEW, METRICS)]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_the_documentation_does_not_speak_of_them(house: House) -> None:
    async with visiting(house, None) as anyone:
        text = (await anyone.get("/openapi.json")).text
    assert "operator" not in text
    assert "metrics" not in text


async def test_an_operator_hears_that_the_hub_is_away(house: House) -> None:
    house.hub.down = True
    async with visiting(house, "ola-token") as ola:
        assert [(await ola.get(path)).status_code for path in (OVERVIEW, METRICS)] == [503, 503]


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_the_overview_tells_of_everything_and_of_nobodys_words(house: House) -> None:
    first, second = house.order(), house.order()
    house.pay(first)
    house.claim()
    house.pay(second)
    house.clock.advance(seconds=5)
    async with visiting(house, "ola-token") as ola:
        text = (await ola.get(OVERVIEW)).text
    seen = TypeAdapter(Overview).validate_json(text)
    assert seen.orders == {OrderState.WRITING: 1, OrderState.PAID: 1}
    assert (seen.queue.waiting, seen.queue.oldest_seconds, seen.leases[0].order_id) == (1, 5.0, first.id)
    assert seen.machine is not None
    assert seen.machine.kernels == 3
    assert [part.part for part in seen.health] == ["api", "hub", "worker", "Google"]
    for word in (ADA, str(WISH["title"]), str(WISH["logline"]), str(first.checkout_session_id), "ada-token"):
        assert word not in text


async def test_an_overview_of_a_busy_store_is_a_sentence(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> None:
        raise StoreBusy("locked")

    monkeypatch.setattr(house.store, "read", busy)
    async with visiting(house, "ola-token") as ola:
        answer = await ola.get(OVERVIEW)
    assert (answer.status_code, answer.json()["error"]) == (503, "StoreBusy")
    assert (await metrics_of(house))["tng_store_up"] == 0


async def test_metrics_say_what_the_store_says_now(house: House) -> None:
    paid = house.order()
    house.pay(paid)
    house.order()
    with house.store.begin() as work:
        work.watch.report(Presence("host:1", house.clock.now(), house.clock.now()))
        work.commit()
    house.clock.advance(seconds=7)
    numbers = await metrics_of(house)
    expected = {
        'tng_orders{state="paid"}': 1,
        'tng_orders{state="placed"}': 1,
        'tng_orders{state="delivered"}': 0,
        "tng_jobs_waiting": 1,
        "tng_jobs_oldest_wait_seconds": 7,
        "tng_leases": 0,
        "tng_refunds_waiting": 0,
        "tng_reports_waiting": 0,
        "tng_workers": 1,
        "tng_event_streams": 0,
        "tng_store_up": 1,
        'tng_gpus_held{kind="order"}': 0,
    }
    assert {name: numbers[name] for name in expected} == expected
    house.clock.advance(seconds=60)
    assert (await metrics_of(house))["tng_workers"] == 0


async def test_requests_are_measured_by_the_template_of_their_route(house: House) -> None:
    order = house.order()
    async with visiting(house) as ada:
        await ada.get(f"/orders/{order.id}")
        await ada.get("/orders/ord_none")
        await ada.get("/nothing/at/all")
        await ada.request("BREW", "/orders")
    numbers = await metrics_of(house)
    counts = {name: value for name, value in numbers.items() if name.startswith("tng_request_seconds_count")}
    assert counts['tng_request_seconds_count{method="GET",route="/orders/{order_id}",status="200"}'] == 1
    assert counts['tng_request_seconds_count{method="GET",route="/orders/{order_id}",status="404"}'] == 1
    assert counts['tng_request_seconds_count{method="GET",route="none",status="404"}'] == 1
    assert any('method="other"' in name for name in counts)
    assert not [name for name in numbers if "ord_" in name or "nothing" in name or PREFIX in name]


async def test_webhooks_are_counted_by_type_and_outcome(house: House) -> None:
    order = house.order()
    session_id = str(order.checkout_session_id)
    house.gateway.pay(session_id)
    known = house.gateway.webhook("checkout.session.completed", session_id)
    strange = house.gateway.webhook("invented.by.nobody", session_id)
    async with visiting(house, None) as stripe:
        for payload, signature in (known, strange, (known[0], "t=1,v1=forged")):
            await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
        house.store.busy = True
        payload, signature = house.gateway.webhook("checkout.session.expired", session_id, event_id="evt_2")
        await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
    house.store.busy = False
    numbers = await metrics_of(house)
    counted = {
        name.removeprefix("tng_webhook_events_total"): value
        for name, value in numbers.items()
        if name.startswith("tng_webhook_events_total")
    }
    assert counted == {
        '{outcome="kept",type="checkout.session.completed"}': 1,
        '{outcome="kept",type="other"}': 1,
        '{outcome="refused",type="other"}': 1,
        '{outcome="asked for again",type="other"}': 1,
    }


async def test_no_label_holds_an_id_or_a_name(house: House) -> None:
    order = house.order()
    house.deliver(order)
    text = json.dumps(await metrics_of(house))
    for word in (order.id, ADA, str(order.checkout_session_id), "worker-1"):
        assert word not in text
