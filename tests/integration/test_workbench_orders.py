"""A power user's notebook is told of their own orders by a running api, of nobody else's, and never waits for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.integration.live_api import LiveApi, live_api
from tests.unit.tng.api_support import ADA, BEN, PROVENANCE, SCENES, SCRIPT
from tng.dashboard.client import AWAY
from tng.jobs import EventKind, Job
from tng.orders import OrderState
from tng.workbench.orders import told_of_order

PATIENCE_SECONDS = 0.5


@pytest.fixture
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


def _environ(api: LiveApi, token: str = "ada-token") -> Mapping[str, str]:
    return {"TNG_API_URL": api.url, "JUPYTERHUB_API_TOKEN": token}


def _write(api: LiveApi, job: Job) -> None:
    """The events of a run, as a writer tells them."""
    api.house.say_scenes(job, 0, len(SCENES))
    for done in range(1, len(SCENES) + 1):
        body = {"act": "TEASER", "done": done, "total": 3, "percent": 33 * done, "seconds": 1.5 * done}
        api.house.fulfilment.heartbeat(job, [(EventKind.PROGRESS, body)])


def _delivered(api: LiveApi, owner: str = ADA) -> str:
    order = api.house.order(owner)
    api.house.pay(order)
    job = api.house.claim()
    _write(api, job)
    api.house.fulfilment.deliver(job, script_text=SCRIPT, release_id="r", run_sha256="0", provenance=PROVENANCE)
    return order.id


def test_whoever_has_no_order_is_told_so(api: LiveApi) -> None:
    assert told_of_order(environ=_environ(api)) == (None, "You have no order yet.")


def test_a_delivered_order_tells_how_it_was_written(api: LiveApi) -> None:
    order_id = _delivered(api)
    account, sentence = told_of_order(environ=_environ(api))
    assert account is not None
    assert order_id in sentence
    assert account.state == OrderState.DELIVERED
    assert [scene.seconds for scene in account.scenes] == [1.5, 1.5, 1.5]
    assert account.provenance.release_id == PROVENANCE["release"]
    assert account.events["scene"] == len(SCENES)
    assert SCENES[0] not in repr(account)


def test_an_order_can_be_named(api: LiveApi) -> None:
    first = _delivered(api)
    second = _delivered(api)
    for order_id in (first, second):
        account, sentence = told_of_order(order_id, environ=_environ(api))
        assert account is not None
        assert order_id in sentence


def test_a_strangers_order_is_none_of_yours(api: LiveApi) -> None:
    theirs = _delivered(api, BEN)
    assert told_of_order(theirs, environ=_environ(api)) == (None, "You have no such order.")


def test_an_order_that_waits_is_not_waited_for(api: LiveApi) -> None:
    order = api.house.order()
    api.house.pay(order)
    api.house.say_scenes(api.house.claim(), 0, 1)
    account, _ = told_of_order(environ=_environ(api), patience_seconds=PATIENCE_SECONDS)
    assert account is not None
    assert account.events["scene"] == 1


def test_a_shop_that_is_away_costs_a_sentence(api: LiveApi) -> None:
    environ = _environ(api)
    api.kill()
    assert told_of_order(environ=environ) == (None, AWAY)


def test_a_token_that_is_nobodys_is_told_so(api: LiveApi) -> None:
    account, sentence = told_of_order(environ=_environ(api, "nobody's"))
    assert account is None
    assert sentence
