"""The short form of ``make load``: customers who order at once, in real processes; no order is lost or doubled."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.benchmarks.load import TIMES, Figures, measured, told, too_slow, webhook_seconds

CUSTOMERS = 60


@pytest.mark.timeout(240)
def test_customers_who_order_at_once_all_get_their_script_and_pay_for_one(tmp_path: Path, database_url: str) -> None:
    figures, wrong = asyncio.run(measured(tmp_path, database_url, CUSTOMERS, window_seconds=5.0))
    assert not wrong, "\n".join([*wrong, *told(figures)])
    assert len(set(figures.delivered.values())) == CUSTOMERS + 1
    assert len(figures.seconds[f"one report {TIMES} times"]) == TIMES


def test_a_promise_that_is_not_kept_is_told_with_what_was_measured() -> None:
    slow = Figures(
        {"create": [0.1] * 94 + [2.0] * 6, "order page": [0.1], f"one report {TIMES} times": [0.1]}, all_seconds=10
    )
    assert too_slow(slow) == ["create p95: 2.00 s, promised 1.0 s"]


def test_the_time_of_a_webhook_is_no_more_than_its_bucket_of_the_apis_histogram() -> None:
    row = 'tng_request_seconds_bucket{{le="{}",method="POST",route="/stripe/webhook",status="200"}} {}'
    page = "\n".join(row.format(bound, count) for bound, count in (("0.1", "1.0"), ("0.25", "3.0"), ("+Inf", "3.0")))
    assert webhook_seconds(page) == [0.1, 0.25, 0.25]
