"""The product's own worker: it writes with what was promoted, from the next script on, and is not started again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orders import job_in, order_in, paid_order
from tng.adapters.database.store import SqlStore
from tng.app import build_release_ledger, build_store, build_worker
from tng.promotion.ledger import ReleaseLedger
from tng.script import Length, Premise
from tng.settings import ROOT, Settings
from tng.worker import Worker

PREMISE = Premise("The Quiet Hours", "A clock stops.", ("PICARD", "DATA"), length=Length.TEASER, seed=7)
RELEASE = ROOT / "model" / "releases" / "tng-small-2"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A house that begins with the release ``one``; ``two`` was made here. Both are the product's, by other names."""
    ours = Settings.draft(home=tmp_path / "home", release=tmp_path / "one")
    ours.make_home()
    for folder in (ours.release, ours.releases_folder / "two"):
        shutil.copytree(RELEASE, folder, copy_function=os.link)
    return ours


@pytest.fixture
def store(settings: Settings) -> Iterator[SqlStore]:
    store = build_store(settings)
    yield store
    store.close()


@pytest.fixture
def worker(settings: Settings, store: SqlStore) -> Iterator[Worker]:
    worker = build_worker(settings, store=store)
    yield worker
    worker.stop()
    worker.run_forever()  # it ends at once, with its kernels


@pytest.fixture
def ledger(settings: Settings, store: SqlStore) -> ReleaseLedger:
    return build_release_ledger(settings, store=store)


def written_by(worker: Worker, store: SqlStore, order_id: str) -> tuple[str | None, str | None, str | None]:
    """The release of the order, of its job, and of what the run itself told."""
    paid_order(store, order_id, **PREMISE.to_fields())
    assert worker.run_one()
    order, job = order_in(store, order_id), job_in(store, order_id)
    return order.release_id, job.release_id, (order.provenance or {}).get("release")


def test_it_follows_a_promotion_and_a_rollback(worker: Worker, store: SqlStore, ledger: ReleaseLedger) -> None:
    assert written_by(worker, store, "first") == ("one",) * 3
    ledger.promote("two", actor="shell:ola", reason="on trial", unproven=True)
    assert written_by(worker, store, "second") == ("two",) * 3
    ledger.roll_back(actor="shell:ola", reason="worse")
    assert written_by(worker, store, "third") == ("one",) * 3
    scripts = [order_in(store, name).script_text for name in ("first", "second", "third")]
    assert scripts[0] == scripts[1] == scripts[2], "the same weights and seed write the same"
