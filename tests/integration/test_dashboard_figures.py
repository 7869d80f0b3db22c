"""The short form of ``make dashboard-figures``: what a page's kernel takes, when the next is made, what is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from hub.kernels import CALM_SECONDS
from tests.benchmarks.dashboard import PROMISED, Figures, delays, megabytes, missed, said_at, told
from tests.customer_server import PersonsServer, browsing, kernel_id_of, leave, open_page, served, until
from tests.integration.live_api import LiveApi, live_api
from tests.samples import a_job, an_order
from tng.app import build_store
from tng.jobs import EventKind
from tng.orders import OrderState
from tng.settings import Settings

MOST_MB = PROMISED["a dashboard's kernel, PSS"].most
SERVER_MB = 90.0
"""A Voilà server is heavier than this: what the control is measured by."""
TRIES = 3
"""A busy machine takes its time; a rule that waits does so every time."""


@pytest.fixture(scope="module")
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


@pytest.fixture(scope="module")
def ada(api: LiveApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PersonsServer]:
    with served("ada", home=tmp_path_factory.mktemp("ada"), TNG_API_URL=api.url) as (server,):
        yield server


def kernel(server: PersonsServer, kernel_id: str) -> psutil.Process:
    return next(one for one in server.kernels() if kernel_id_of(one) == kernel_id)


def has_another(server: PersonsServer, kernel_id: str) -> bool:
    """Whether a kernel but this one runs."""
    return bool({kernel_id_of(one) for one in server.kernels()} - {kernel_id})


@pytest.mark.slow
def test_the_kernel_of_a_page_takes_less_than_eighty_megabytes(ada: PersonsServer) -> None:
    with browsing(ada) as browser:
        assert megabytes(kernel(ada, open_page(browser))) < MOST_MB


@pytest.mark.slow
def test_control_a_process_that_has_imported_voila_takes_more(ada: PersonsServer) -> None:
    assert megabytes(psutil.Process(ada.process.pid)) > SERVER_MB > MOST_MB


@pytest.mark.slow
def test_the_next_warm_kernel_is_started_when_the_page_has_had_its_time(ada: PersonsServer) -> None:
    with browsing(ada) as browser:
        until(lambda: len(ada.kernels()) == 1)
        began = time.monotonic()
        open_page(browser)
        until(lambda: len(ada.kernels()) == 2)
        assert time.monotonic() - began >= CALM_SECONDS


@pytest.mark.slow
def test_who_leaves_a_page_at_once_finds_the_next_one_warm_sooner(ada: PersonsServer) -> None:
    took = []
    with browsing(ada) as browser:
        for _ in range(TRIES):
            until(lambda: len(ada.kernels()) == 1)
            began = time.monotonic()
            left = open_page(browser)
            leave(browser, left)
            until(partial(has_another, ada, left))
            took.append(time.monotonic() - began)
            if took[-1] < CALM_SECONDS:
                break
    assert min(took) < CALM_SECONDS, took


def test_the_time_of_a_scene_is_the_one_that_the_worker_wrote_on_its_event(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.make_home()
    store, order = build_store(settings), an_order(state=OrderState.WRITING)
    now = store.clock.now()
    with store.begin() as work:
        work.orders.add(order)
        work.jobs.add(a_job(order=order))
        job = work.jobs.claim("w", now, now)
        work.commit()
    assert job is not None
    with store.begin() as work:
        events = [(EventKind.PROGRESS, {"percent": 3}), (EventKind.SCENE, {"number": 1})]
        work.jobs.say(job.token, events, now)
        work.commit()
    store.close()
    assert said_at(tmp_path, order.id) == [now.timestamp()]


def test_a_scene_counts_that_was_said_while_the_page_was_open() -> None:
    assert delays([10.0, 20.0, 30.0], [12_000.0, 20_250.0], after=15.0) == [0.25]


def test_a_promise_that_is_not_kept_or_not_measured_is_told() -> None:
    figures = Figures({name: [promise.most / 2] * 20 for name, promise in PROMISED.items()})
    assert missed(figures) == []
    figures.values["warm dashboard, usable"] = [1.0, 1.6, 1.7]
    del figures.values["twenty at once, widgets there"]
    assert missed(figures) == ["warm dashboard, usable", "twenty at once, widgets there"]
    assert any("median    1.600 s  (3 times), promised 1.5 s, share 1.07" in line for line in told(figures))
