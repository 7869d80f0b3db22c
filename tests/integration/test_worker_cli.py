"""The operator's command: one sentence and a status for everything that goes wrong, and no word of a customer."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.orders import paid_order
from tng import __version__, log
from tng.app import build_store
from tng.cli import main
from tng.errors import RunFailed
from tng.releases import writing_release
from tng.settings import Settings

pytestmark = pytest.mark.usefixtures("quiet_again")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TNG_RELEASE", str(tmp_path / "tiny"))
    return tmp_path


def tng(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_it_says_its_version() -> None:
    assert tng("--version").output == f"tng, version {__version__}\n"


def test_migrating_twice_is_fine(home: Path) -> None:
    assert [tng("migrate").exit_code for _ in range(2)] == [0, 0]
    assert (home / "home" / "shop" / "orders.sqlite").is_file()


def test_orders_are_listed_by_state(home: Path) -> None:
    store = build_store(Settings.read())
    paid_order(store, "ord_1")
    paid_order(store, "ord_2")
    assert [line.split()[:2] for line in tng("orders", "list").stdout.splitlines()] == [
        ["ord_1", "paid"],
        ["ord_2", "paid"],
    ]
    assert tng("orders", "list", "--state", "delivered").stdout == ""


def test_an_order_is_shown_without_its_premise(home: Path) -> None:
    paid_order(build_store(Settings.read()), "ord_1")
    shown = tng("orders", "show", "ord_1").output
    assert "2.99 USD" in shown
    assert "1, queued" in shown
    assert "Quiet Hours" not in shown


def test_a_release_that_is_whole_is_called_so(home: Path) -> None:
    with writing_release(home / "tiny") as folder:
        (folder / "vocab.bpe").write_text("#version: 0.2\n")
    assert "tiny is whole" in tng("release", "verify").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["orders", "show", "ord_9"], "ord_9", id="no-such-order"),
        pytest.param(["release", "verify"], "manifest.json is missing", id="no-release"),
        pytest.param(["--log-level", "ERROR", "release", "verify"], "TNG_RELEASE", id="what-to-do"),
    ],
)
def test_a_refusal_is_one_sentence_and_status_1(home: Path, words: list[str], sentence: str) -> None:
    result = tng(*words)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stderr.startswith("tng: ")
    assert "Traceback" not in result.output
    assert len(result.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TNG_PRICE_CENTS", "10")
    result = tng("worker")
    assert (result.exit_code, "TNG_PRICE_CENTS is 10" in result.stderr) == (1, True)


def test_settings_are_shown_and_secrets_are_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_hidden")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_hidden")
    monkeypatch.setenv("TNG_DATABASE_URL", "postgresql://tng:hidden@db/orders")
    shown = tng("settings").output
    assert "hidden" not in shown
    assert "postgresql://********@db/orders" in shown
    assert not [
        name for name in Settings.model_fields if f"TNG_{name.upper()}" not in shown and name.upper() not in shown
    ]


def test_a_line_of_the_log_is_one_line_with_time_level_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    logging.getLogger("tng.shop").info("order %s PLACED→PAID", "ord_1")
    logging.getLogger("httpx").info("GET https://api.stripe.com/v1/…")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("INFO tng.shop: order ord_1 PLACED→PAID")


def test_the_error_of_a_job_is_shown_to_the_operator(home: Path) -> None:
    from tng.app import build_fulfilment

    store = build_store(Settings.read())
    paid_order(store, "ord_1")
    fulfilment = build_fulfilment(Settings.read(), store=store)
    job = fulfilment.claim("w1")
    assert job is not None
    fulfilment.fail(job, RunFailed("write_script: cell 4 raised ReleaseMissing", retryable=False))
    shown = tng("orders", "show", "ord_1").output
    assert "refunding" in shown
    assert "ReleaseMissing" in shown
