"""``tng orders``, ``customers``, ``sweep``, ``backup`` and ``restore`` over real databases: what an operator types."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.fakes import START
from tests.orders import job_in, order_in, paid_order
from tests.samples import an_order, keep
from tng.adapters.database.store import SqlStore
from tng.app import build_fulfilment, build_store
from tng.cli import main
from tng.jobs import EventKind
from tng.orders import OrderState
from tng.settings import Settings

pytestmark = pytest.mark.usefixtures("quiet_again")

SCRIPT = "Title: The Marked Hours\n## ACT ONE\n# INT. READY ROOM\nZEBRAWORD waits.\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """The house's own database, as the commands open it."""
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    if request.param == "postgresql":
        monkeypatch.setenv("TNG_DATABASE_URL", request.getfixturevalue("postgres_url"))
    made = build_store(Settings.read())
    yield made
    made.close()


def tng(*words: str, **more: str) -> Result:
    return CliRunner().invoke(main, ["--log-level", "ERROR", *words], **more)  # type: ignore[arg-type]


def runs() -> Path:
    return Settings.read().runs_folder


def delivered(store: SqlStore, order_id: str = "ord_1") -> None:
    """Driven there as a worker does it, with a notebook on the disk."""
    paid_order(store, order_id, title="ZEBRAWORD")
    fulfilment = build_fulfilment(Settings.read(), store=store)
    job = fulfilment.claim("host:1")
    assert job is not None
    fulfilment.heartbeat(job, [(EventKind.SCENE, {"text": "ZEBRAWORD"})])
    folder = runs() / f"{job.id}.{job.attempt}"
    folder.mkdir(parents=True)
    (folder / "notebook.ipynb").write_text('{"cells": ["ZEBRAWORD"]}')
    provenance = {"release": "tiny", "seed": 7, "gates": {"scenes": 1}, "copied": None}
    fulfilment.deliver(job, script_text=SCRIPT, release_id="tiny", run_sha256="0" * 64, provenance=provenance)


class TestOrders:
    def test_lists_by_state_by_customer_and_by_trouble(self, store: SqlStore) -> None:
        keep(store, an_order(1), an_order(2, customer="ben", state=OrderState.REFUNDING, trouble="The bank said no."))
        assert tng("orders", "list", "--state", "placed").stdout.split()[0] == an_order(1).id
        assert tng("orders", "list", "--customer", "ben").stdout.split()[0] == an_order(2).id
        assert "The bank said no." in tng("orders", "list", "--trouble").stdout
        assert len(tng("orders", "list", "--trouble").stdout.splitlines()) == 1

    def test_shows_money_job_audit_and_errands_and_no_word_of_the_customers(self, store: SqlStore) -> None:
        delivered(store)
        assert tng("orders", "refund", "ord_1", "--reason", "the customer wrote").exit_code == 0
        shown = tng("orders", "show", "ord_1").stdout
        facts = ("refunding", "pi_ord_1", "1, done", "the customer wrote", "by operator ", "order-ord_1-refund, owed")
        assert not [fact for fact in facts if fact not in shown]
        assert "ZEBRAWORD" not in shown
        assert "Quiet Hours" not in shown

    def test_shows_the_words_where_they_are_asked_for(self, store: SqlStore) -> None:
        delivered(store)
        assert "ZEBRAWORD waits." in tng("orders", "show", "ord_1", "--text").stdout

    def test_a_refund_owes_the_money_and_ends_the_job(self, store: SqlStore) -> None:
        paid_order(store)
        assert tng("orders", "refund", "ord_1", "--reason", "asked").exit_code == 0
        assert (order_in(store).state, job_in(store).state.value) == (OrderState.REFUNDING, "cancelled")
        with store.read() as work:
            assert [errand.key for errand in work.outbox.of("ord_1")] == ["order-ord_1-refund"]

    def test_what_was_given_back_another_way_is_owed_no_more(self, store: SqlStore) -> None:
        paid_order(store)
        tng("orders", "refund", "ord_1", "--reason", "asked")
        assert tng("orders", "settle", "ord_1", "--reason", "by bank transfer").exit_code == 0
        assert order_in(store).state is OrderState.REFUNDED
        assert "order-ord_1-refund, done" in tng("orders", "show", "ord_1").stdout

    def test_an_order_in_a_hurry_is_written_before_the_others(self, store: SqlStore) -> None:
        paid_order(store, "ord_1")
        paid_order(store, "ord_2")
        assert tng("orders", "hurry", "ord_2").stdout == "ord_2 is next.\n"
        job = build_fulfilment(Settings.read(), store=store).claim("w")
        assert job is not None
        assert job.order_id == "ord_2"

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["refund", "ord_9", "--reason", "x"], "ord_9"),
            (["refund", "ord_1", "--reason", "x"], "placed → refunding"),
            (["settle", "ord_1", "--reason", "x"], "no money is owed back"),
            (["hurry", "ord_1"], "does not wait"),
        ],
    )
    def test_what_cannot_be_is_refused_with_a_sentence(self, store: SqlStore, words: list[str], sentence: str) -> None:
        keep(store, an_order(1, id="ord_1"))
        result = tng("orders", *words)
        assert (result.exit_code, sentence in result.stderr) == (1, True)

    def test_a_refund_needs_a_reason(self, store: SqlStore) -> None:
        assert tng("orders", "refund", "ord_1").exit_code == 2


class TestCustomers:
    def test_everything_that_is_kept_is_handed_over_in_a_file_for_its_owner_alone(
        self, store: SqlStore, tmp_path: Path
    ) -> None:
        delivered(store)
        keep(store, an_order(2, customer="ben"))
        target = tmp_path / "ada.zip"
        assert tng("customers", "export", "ord_1", "--to", str(target)).exit_code == 0
        assert target.stat().st_mode & 0o777 == 0o600
        with zipfile.ZipFile(target) as zipped:
            names = set(zipped.namelist())
            order = json.loads(zipped.read("orders/ord_1/order.json"))
            job = json.loads(zipped.read("orders/ord_1/job.json"))
            assert b"ZEBRAWORD" in zipped.read("orders/ord_1/script.fountain")
            assert b"ZEBRAWORD" in zipped.read(f"orders/ord_1/runs/{job['id']}.1.ipynb")
        assert {"README.txt", "orders/ord_1/script.txt", "orders/ord_1/history.json"} <= names
        assert not [name for name in names if an_order(2).id in name]
        assert (order["premise"]["title"], order["payment_intent_id"]) == ("The Quiet Hours", "pi_ord_1")
        assert any(event["body"].get("text") == "ZEBRAWORD" for event in job["events"])

    def test_an_export_replaces_no_file(self, store: SqlStore, tmp_path: Path) -> None:
        delivered(store)
        (tmp_path / "there").write_text("mine")
        assert tng("customers", "export", "ada", "--to", str(tmp_path / "there")).exit_code == 1
        assert (tmp_path / "there").read_text() == "mine"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "there"]

    def test_nobody_is_exported_who_never_ordered(self, store: SqlStore, tmp_path: Path) -> None:
        assert tng("customers", "export", "nobody", "--to", str(tmp_path / "x")).exit_code == 1

    def test_erasing_leaves_no_word_and_keeps_what_accounting_needs(self, store: SqlStore, tmp_path: Path) -> None:
        delivered(store)
        before = order_in(store)
        assert tng("customers", "erase", "ada", "--yes").exit_code == 0
        after = order_in(store)
        assert after.customer.startswith("erased-")
        kept = ("id", "amount_cents", "currency", "paid_at", "delivered_at", "payment_intent_id", "state", "run_sha256")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
        assert not list(runs().iterdir())
        assert tng("backup", str(tmp_path / "all.zip")).exit_code == 0
        with zipfile.ZipFile(tmp_path / "all.zip") as zipped:
            everything = b"".join(zipped.read(name) for name in zipped.namelist())
        for word in (b"ZEBRAWORD", b"Quiet Hours", b'"ada"'):
            assert word not in everything

    @pytest.mark.parametrize("state", sorted({"placed", "paid", "writing", "refunding", "disputed"}))
    def test_nobody_is_erased_while_something_is_owed(self, store: SqlStore, state: str) -> None:
        keep(store, an_order(1, state=OrderState(state)), an_order(2, state=OrderState.REFUNDED))
        result = tng("customers", "erase", "ada", "--yes")
        assert (result.exit_code, f"{an_order(1).id} is {state}" in result.stderr) == (1, True)
        assert order_in(store, an_order(2).id).customer == "ada"

    def test_without_a_yes_nothing_is_erased(self, store: SqlStore) -> None:
        delivered(store)
        assert tng("customers", "erase", "ada", input="n\n").exit_code == 1
        assert order_in(store).customer == "ada"


class TestSweep:
    def test_words_go_when_the_house_says_so_and_unpaid_ones_sooner(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long_ago = START - timedelta(days=400)
        ends = [OrderState.EXPIRED, OrderState.DELIVERED, OrderState.REFUNDED]
        old = [an_order(n, state=state, ended_at=long_ago, script_text="x") for n, state in enumerate(ends)]
        keep(store, *old)
        assert tng("sweep").stdout.startswith("1 orders")
        erased = [order_in(store, order.id).erased_at is not None for order in old]
        assert erased == [True, False, False]
        monkeypatch.setenv("TNG_RETENTION_DAYS", "365")
        assert tng("sweep").stdout.startswith("2 orders")
        assert [order_in(store, order.id).script_text for order in old] == [None] * 3
        assert order_in(store, old[1].id).customer == "ada"
        assert tng("sweep").stdout.startswith("0 orders")

    def test_runs_that_are_old_go_and_those_of_a_job_under_way_stay(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivered(store, "ord_1")
        job = paid_order(store, "ord_2")
        build_fulfilment(Settings.read(), store=store).claim("w")
        strangers = [runs() / name for name in (f"{job.id}.1", "999.1", "notes")]
        for folder in (*strangers, *runs().iterdir()):
            folder.mkdir(exist_ok=True)
        for folder in runs().iterdir():
            os.utime(folder, (0, 0))
        assert tng("sweep").stdout.strip().endswith("1 runs")
        assert sorted(folder.name for folder in runs().iterdir()) == sorted(path.name for path in strangers)


class TestBackup:
    def test_what_was_backed_up_is_restored_into_an_empty_house(
        self, store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivered(store, "ord_1")
        paid_order(store, "ord_2")
        file = tmp_path / "backup.zip"
        assert tng("backup", str(file), "--with-runs").exit_code == 0
        assert file.stat().st_mode & 0o777 == 0o600
        assert "2 orders" in tng("backup", "--check", str(file)).stdout
        before = [order_in(store, "ord_1"), job_in(store, "ord_2")]
        monkeypatch.setenv("TNG_HOME", str(tmp_path / "other"))
        monkeypatch.delenv("TNG_DATABASE_URL", raising=False)
        result = tng("restore", str(file))
        assert result.exit_code == 0, result.output
        other = build_store(Settings.read())
        assert [order_in(other, "ord_1"), job_in(other, "ord_2")] == before
        assert (runs() / f"{job_in(other, 'ord_1').id}.1" / "notebook.ipynb").is_file()
        assert paid_order(other, "ord_3").id > job_in(other, "ord_2").id + 1000  # no number is given out twice

    def test_orders_that_are_there_are_not_overwritten_without_a_word(self, store: SqlStore, tmp_path: Path) -> None:
        paid_order(store, "ord_1")
        file = str(tmp_path / "backup.zip")
        tng("backup", file)
        paid_order(store, "ord_2")
        assert "not empty" in tng("restore", file).stderr
        assert tng("restore", file, "--replace", input="yes\n").exit_code == 1
        assert order_in(store, "ord_2").state is OrderState.PAID
        assert tng("restore", file, "--replace", "--word", "replace").exit_code == 0
        assert "ord_2" not in tng("orders", "list").stdout
        assert "ord_1" in tng("orders", "list").stdout

    def test_a_backup_replaces_no_file(self, store: SqlStore, tmp_path: Path) -> None:
        (tmp_path / "there").write_text("mine")
        assert tng("backup", str(tmp_path / "there")).exit_code == 1
        assert (tmp_path / "there").read_text() == "mine"


def test_no_command_logs_or_prints_a_word_of_a_customers(
    store: SqlStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    delivered(store)
    lines = [
        ["orders", "list"],
        ["orders", "show", "ord_1"],
        ["orders", "hurry", "ord_1"],
        ["customers", "export", "ada", "--to", str(tmp_path / "ada.zip")],
        ["backup", str(tmp_path / "b.zip"), "--with-runs"],
        ["backup", "--check", str(tmp_path / "b.zip")],
        ["restore", str(tmp_path / "b.zip"), "--replace", "--word", "replace"],
        ["customers", "erase", "ada", "--yes"],
        ["sweep"],
    ]
    said = caplog.text + "".join(tng(*words).output for words in lines) + caplog.text
    assert "ord_1" in said
    for word in ("ZEBRAWORD", "Quiet Hours", "READY ROOM"):
        assert word not in said
