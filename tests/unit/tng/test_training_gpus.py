"""A training comes last: after paid orders, and after people at their workbenches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeClock, FakeStore
from tests.retraining_lab import STEPS, TRAINED, Lab
from tests.samples import a_job, a_paid_order, keep
from tng.errors import StoreBusy
from tng.gpus.keeper import DEVICES
from tng.gpus.ledger import LEASE
from tng.gpus.rules import Claim, ClaimKind, Floor, Wish, grant
from tng.jobs import JobKind

TWO = ("GPU-a", "GPU-b")
BUILD, TRAIN, *_ = STEPS


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A host with two GPUs, of which one is kept for orders; a retraining whose training is owed."""
    lab = Lab(FakeStore(), tmp_path / "shop", gpus=TWO)
    lab.begin()
    lab.go(BUILD)
    return lab


def order(lab: Lab, number: int = 1) -> None:
    paid = a_paid_order(number)
    keep(lab.store, paid, a_job(order=paid))


def held(lab: Lab) -> dict[str, tuple[str, ...]]:
    return {claim.kind.value: claim.gpus for claim in lab.gpu_ledger.book().claims}


def test_takes_a_gpu_of_its_own_for_as_long_as_it_trains(lab: Lab) -> None:
    job = lab.take(TRAIN)
    assert held(lab) == {"training": ("GPU-a",)}
    assert lab.training_gpus.environment[DEVICES] == "GPU-a"
    lab.accept(job, TRAINED)
    assert held(lab) == {}
    assert lab.training_gpus.environment[DEVICES] == ""


def test_leaves_free_what_is_kept_for_orders(lab: Lab) -> None:
    lab.gpu_ledger.claim("ada", ClaimKind.WORKBENCH, 1, TWO)
    assert lab.desk.claim("w") is None
    assert held(lab) == {"workbench": ("GPU-a",)}
    assert not lab.gpu_ledger.book().wishes  # it has no place in the queue


def test_takes_nothing_that_somebody_waits_for(lab: Lab) -> None:
    lab.gpu_ledger.claim("ada", ClaimKind.WORKBENCH, 2, TWO)
    assert lab.desk.claim("w") is None


def test_borrows_from_a_worker_that_has_nothing_to_write_and_holds_nothing_of_it(lab: Lab) -> None:
    lab.gpu_ledger.claim("worker", ClaimKind.ORDER, 1, TWO)
    lab.gpu_ledger.claim("ada", ClaimKind.WORKBENCH, 1, TWO)
    job = lab.take(TRAIN)
    assert held(lab) == {"order": ("GPU-a",), "workbench": ("GPU-b",)}
    assert lab.training_gpus.environment[DEVICES] == "GPU-a"
    assert not lab.desk.yields(job)
    order(lab)
    assert lab.desk.yields(job)
    lab.accept(job, TRAINED | {"is_finished": False})
    lab.desk.look_again()
    assert lab.desk.claim("w") is None
    assert held(lab) == {"order": ("GPU-a",), "workbench": ("GPU-b",)}


def test_on_its_own_gpu_it_makes_way_for_people_and_orders_have_theirs(lab: Lab) -> None:
    job = lab.take(TRAIN)
    order(lab)
    assert not lab.desk.yields(job)
    lab.gpu_ledger.claim("ada", ClaimKind.WORKBENCH, 1, TWO)
    assert lab.desk.yields(job)
    lab.accept(job, TRAINED | {"is_finished": False})
    assert isinstance(lab.gpu_ledger.claim("ada", ClaimKind.WORKBENCH, 1, TWO), Claim)


def test_a_worker_that_waits_for_more_than_is_kept_for_orders_keeps_no_training_waiting(lab: Lab) -> None:
    lab.gpu_ledger.claim("w1", ClaimKind.ORDER, 1, TWO)
    lab.gpu_ledger.claim("w2", ClaimKind.ORDER, 1, TWO)
    job = lab.take(TRAIN)
    assert held(lab)["training"] == ("GPU-b",)
    assert not lab.desk.yields(job)


def test_renews_its_claim_while_it_trains_and_ends_where_it_was_lost(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.training.gpus.RENEW_SECONDS", 0.0)
    job = lab.take(TRAIN)
    assert isinstance(lab.clock, FakeClock)
    lab.clock.advance(seconds=LEASE.total_seconds() - 1)
    assert not lab.desk.yields(job)
    lab.clock.advance(seconds=LEASE.total_seconds() - 1)
    assert held(lab) == {"training": ("GPU-a",)}
    lab.clock.advance(seconds=2)
    lab.gpu_ledger.claim("ada", ClaimKind.WORKBENCH, 1, TWO)
    assert lab.desk.yields(job)


def test_a_cancelled_training_holds_nothing_after_the_next_look(lab: Lab) -> None:
    lab.take(TRAIN)
    lab.retrainings.cancel("1", actor="shell:ola")
    assert held(lab) == {"training": ("GPU-a",)}
    assert lab.desk.claim("w") is None
    assert held(lab) == {}


def test_a_database_that_is_away_when_it_ends_lets_the_lease_run_out(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    lab.take(TRAIN)
    assert isinstance(lab.store, FakeStore)
    lab.store.busy = True
    lab.training_gpus.give_back()
    assert "not given back (StoreBusy)" in caplog.text
    with pytest.raises(StoreBusy):
        lab.training_gpus.take()


@pytest.mark.parametrize("step", [step for step in STEPS if step is not TRAIN])
def test_no_other_step_takes_a_gpu(tmp_path: Path, step: JobKind) -> None:
    lab = Lab(FakeStore(), tmp_path / "shop", gpus=TWO)
    lab.begin()
    if before := STEPS[: STEPS.index(step)]:
        lab.go(*before)
    lab.take(step)
    assert held(lab) == {}
    assert lab.training_gpus.environment[DEVICES] == ""


@pytest.mark.parametrize(
    ("order_gpus", "claims", "wishes", "granted"),
    [(0, 0, 0, 1), (1, 0, 0, 1), (2, 0, 0, 0), (0, 1, 0, 1), (0, 2, 0, 0), (0, 0, 1, 1), (0, 0, 2, 0), (1, 0, 1, 0)],
)
def test_is_granted_what_is_left_after_everybody(order_gpus: int, claims: int, wishes: int, granted: int) -> None:
    now = FakeClock().now()
    wish = Wish("t", ClaimKind.TRAINING, "here", 1, now, now)
    taken = [Claim("ada", ClaimKind.WORKBENCH, "here", TWO[:claims], now, now)] if claims else []
    waiting = [Wish("pia", ClaimKind.WORKBENCH, "here", wishes, now, now)] if wishes else []
    assert len(grant(wish, Floor(TWO, taken, waiting, order_gpus))) == granted
