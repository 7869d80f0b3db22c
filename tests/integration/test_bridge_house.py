"""The bridge in a real house: an operator sees it, nobody else does; Prometheus reads; the log tells of an order."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import PATIENCE_MS, PHONE, Visitor
from tests.open_house import OpenHouse, arrive, opened, server_path, sign_in, visitor

ADA, OLA = "ada@example.com", "ola@example.com"
PATIENCE_SECONDS = 60.0

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    with opened(tmp_path_factory.mktemp("bridge") / "home") as running:
        yield running


def reader(house: OpenHouse) -> httpx.Client:
    """Prometheus, with the token that the house keeps for it."""
    token = (house.home / "keys" / "prometheus").read_text(encoding="ascii").strip()
    return httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_an_operator_sees_an_order_on_its_way_and_the_log_tells_its_story(house: OpenHouse, launched: Browser) -> None:
    ada, ola = Visitor(launched, house), Visitor(launched, house)
    ola.sign_in(OLA)
    ola.open_account()
    ola.page.get_by_role("link", name="The bridge").click()
    ola.page.wait_for_selector(".tng-tiles")
    ada.sign_in(ADA)
    ada.compose("The Quiet Hours")
    ada.order()
    ada.pay()
    order_id = ada.come_back()
    delivered = ola.page.locator("tr", has_text="delivered").locator("td").nth(1)
    expect(delivered).to_have_text("1", timeout=PATIENCE_SECONDS * 1000)
    for part in ("hub", "proxy", "api", "Stripe", "worker"):
        row = ola.page.locator(".tng-panel", has_text="Parts of the house").locator("tr", has_text=part).first
        expect(row).to_contain_text("✓ well", timeout=PATIENCE_SECONDS * 1000)
    ola.photograph("bridge")
    assert "The Quiet Hours" not in ola.page.content()
    assert ADA not in ola.page.content()
    ola.page.set_viewport_size(PHONE)
    assert ola.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ola.photograph("bridge-phone")
    assert {host for host in ola.hosts if host != f"127.0.0.1:{house.port}"} <= {"(the page itself)"}
    ada.close()
    ola.close()
    story = [line for line in house.log.splitlines() if re.search(rf"\border={order_id}\b", line)]
    told = [line.split(": ", 1)[1].split(" order=")[0] for line in story if " tng." in line]
    assert told[:3] == ["PLACED", "checkout asked for", "checkout opened"]
    assert told[-2:] == ["job done", "WRITING→DELIVERED"]
    assert {"payment confirmed: PLACED→PAID", "job claimed", "PAID→WRITING", "scene 1 is written"} <= set(told)
    assert "The Quiet Hours" not in house.log
    assert ADA not in house.log


def test_an_api_that_ends_is_said_on_the_page_and_found_again(house: OpenHouse, launched: Browser) -> None:
    ola = Visitor(launched, house)
    ola.sign_in(OLA)
    ola.page.goto(house.url + server_path(OLA) + "bridge")
    ola.page.wait_for_selector(".tng-tiles")
    api = house.service("tng.api")
    keeper = api.parent()
    keeper.suspend()  # it would be back before the page asks again
    try:
        api.kill()
        expect(ola.page.locator(".tng-connection")).to_contain_text("The api does not answer", timeout=PATIENCE_MS)
        expect(ola.page.locator(".tng-tiles")).to_be_visible()
    finally:
        keeper.resume()
    expect(ola.page.locator(".tng-connection")).to_have_count(0, timeout=PATIENCE_MS)
    ola.close()


def test_the_bridge_is_on_an_operators_way_and_on_nobody_elses(house: OpenHouse) -> None:
    with visitor(house) as ola, visitor(house) as ada:
        sign_in(ola, OLA)
        arrive(ola, server_path(OLA))
        sign_in(ada, ADA)
        arrive(ada, server_path(ADA))
        assert 'id="bridge"' in ola.get("/hub/home").text
        assert 'id="bridge"' not in ada.get("/hub/home").text
        assert _text(ola, server_path(OLA) + "bridge")  # places of pages that were left are free in a moment
        assert ada.get(server_path(ADA) + "bridge").status_code == 404
        assert ada.get(server_path(OLA) + "bridge").status_code in (403, 404)
        for client, status in ((ola, 200), (ada, 404)):
            client.get("/services/api/me")  # the api signs the browser in
            assert client.get("/services/api/operator/overview").status_code == status
            assert client.get("/services/api/metrics").status_code == status


def test_prometheus_reads_the_api_and_the_hub_with_one_token_and_nobody_without(house: OpenHouse) -> None:
    with reader(house) as prometheus, httpx.Client(base_url=house.url, timeout=30) as anyone:
        _until(prometheus, "tng_workers 1.0")
        assert "jupyterhub_total_users" in _text(prometheus, "/hub/metrics")
        assert prometheus.get("/services/api/operator/overview").status_code == 404
        assert prometheus.get("/services/api/orders").status_code in (401, 403)
        assert anyone.get("/services/api/metrics").status_code == 404
        assert anyone.get("/hub/metrics").status_code in (302, 403)


def test_what_goes_wrong_in_the_api_is_counted_in_the_database(house: OpenHouse) -> None:
    with reader(house) as prometheus:
        signed = {"Stripe-Signature": "t=1,v1=0"}
        forged = prometheus.post("/services/api/stripe/webhook", content=b"{}", headers=signed)
        assert forged.status_code == 400
        _until(prometheus, 'tng_faults{kind="SignatureInvalid",part="api"} 1.0')
        house.service("tng.api").kill()  # what was counted is not lost with the process that counted
        _until(prometheus, 'tng_faults{kind="SignatureInvalid",part="api"} 1.0')


def _until(prometheus: httpx.Client, line: str) -> None:
    """Read the metrics until they say this."""
    until = time.monotonic() + PATIENCE_SECONDS
    while line not in (text := _text(prometheus, "/services/api/metrics")):
        assert time.monotonic() < until, text
        time.sleep(0.5)


def _text(client: httpx.Client, path: str) -> str:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = client.get(path)
        if answer.status_code == 200 or time.monotonic() > until:
            assert answer.status_code == 200, answer.text
            return answer.text
        time.sleep(0.5)
