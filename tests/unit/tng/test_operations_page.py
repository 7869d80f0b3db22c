"""The operator's handbook names what there is: every metric, and faults that can be counted."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import ROOT
from tests.fakes import START, FakeClock, FakeStore
from tests.operations_support import make_operations
from tng import errors
from tng.api.metrics import Metrics
from tng.faults import OTHER_KINDS, Fault
from tng.lookout import Lookout
from tng.settings import Settings

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """The names of all metrics, each with something to say."""
    store, clock = FakeStore(), FakeClock()
    operations = make_operations(store, clock, ROOT / "nowhere")
    measured = Metrics(Lookout(store, clock, lease_seconds=10), operations, lambda: 0)
    measured.webhook("charge.refunded", "handled")
    measured.answered("GET", "/orders", 200, 0.1)
    names = set(re.findall(r"^# TYPE (\S+)", measured.page().decode(), re.MULTILINE))
    return {name for name in names if not name.endswith("_created")}


def test_every_metric_is_explained(metrics: set[str]) -> None:
    assert len(metrics) >= 12
    assert not [name for name in metrics if f"`{name}" not in PAGE]


def test_no_alert_waits_for_a_metric_that_is_not_there(metrics: set[str]) -> None:
    named = {name.removesuffix("_bucket") for name in re.findall(r"\btng_\w+", PAGE)}
    assert named <= metrics


def test_every_remedy_is_for_a_fault_that_can_be_counted() -> None:
    table = PAGE.split("## The usual faults")[1].split("\n## ")[0]
    kinds = set(re.findall(r"^\|[^|]*", table, re.MULTILINE))
    named = {kind for cell in kinds for kind in re.findall(r"`([A-Z]\w+)`", cell)}
    assert len(named) >= 12
    assert not [kind for kind in named if not hasattr(errors, kind) and kind not in OTHER_KINDS]


def test_every_setting_that_is_named_exists() -> None:
    settings = {f"TNG_{name.upper()}" for name in Settings.model_fields} | {"STRIPE_WEBHOOK_SECRET"}
    assert set(re.findall(r"`(TNG_[A-Z_]+)", PAGE)) <= settings


def test_the_index_leads_somewhere() -> None:
    titles = [line[3:].lower() for line in re.findall(r"^## .*", PAGE, re.MULTILINE)]
    headings = {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) == headings


def test_kinds_without_a_class_have_sentences_of_their_own() -> None:
    sentences = {Fault("worker", kind, 1, START).sentence for kind in OTHER_KINDS}
    assert sentences == set(OTHER_KINDS.values())
