"""Without an order there is the run of a sample, told and drawn as an order's would be."""

from __future__ import annotations

from typing import Any

import pytest

from model.workbench.sample import show_account, show_timings, told_of_sample
from model.writing import Writer
from tests.unit.model.workbench.shown import texts
from tng.errors import PremiseError
from tng.workbench.account import RunAccount

WISH = {"title": "The Quiet Hours", "tone": "drama", "length": "teaser", "seed": 3}


@pytest.fixture
def account(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> RunAccount:
    monkeypatch.setattr("model.workbench.sample.warm", lambda _folder: writer)
    return told_of_sample(WISH)


def test_a_sample_tells_all_that_an_order_would(account: RunAccount) -> None:
    assert len(account.scenes) == account.planned == account.events["scene"]
    assert account.provenance.release_id == "test-1"
    assert account.provenance.seed == 3
    assert "sample" in account.state


def test_it_is_said_and_drawn(account: RunAccount, shown: list[dict[str, Any]]) -> None:
    show_account(account)
    show_timings(account)
    assert texts(shown).startswith("The Quiet Hours\nState: a sample, written just now.\n")
    assert "image/png" in shown[1]


def test_a_run_without_times_is_not_drawn(shown: list[dict[str, Any]]) -> None:
    show_timings(RunAccount("x"))
    assert "no scene to draw" in texts(shown)


def test_a_wish_that_is_none_is_refused(account: RunAccount) -> None:
    with pytest.raises(PremiseError):
        told_of_sample({**WISH, "tone": "gloomy"})
