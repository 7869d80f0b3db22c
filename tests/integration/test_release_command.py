"""``tng release``: an operator promotes, goes back, and asks what wrote when, each in one command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.releases import a_release
from tests.shows import FIRST, SECOND
from tng.app import build_release_ledger, build_store
from tng.cli import main
from tng.promotion.promotions import Evaluation
from tng.settings import Settings

pytestmark = pytest.mark.usefixtures("quiet_again")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A house that begins with ``tiny``; ``made`` was made here, ``brought`` by the operator."""
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TNG_RELEASE", str(a_release(tmp_path, "tiny", show=FIRST).folder))
    monkeypatch.setenv("LOGNAME", "ola")
    monkeypatch.setenv("TZ", "UTC")
    settings = Settings.read()
    settings.make_home()
    a_release(settings.releases_folder, "made", show=FIRST)
    a_release(settings.home / "releases", "brought")
    return settings


def release(*words: str) -> Result:
    return CliRunner().invoke(main, ["--log-level", "ERROR", "release", *words])


def starred() -> list[str]:
    return [line.split()[1] for line in release("list").stdout.splitlines() if line.startswith("*")]


def test_releases_of_every_place_are_listed_and_the_first_one_writes(house: Settings) -> None:
    listed = {line[2:].split()[0] for line in release("list").stdout.splitlines()}
    assert {"tiny", "made", "brought", "tng-small-2"} <= listed
    assert starred() == ["tiny"]
    assert not (house.shop_folder / "orders.sqlite").exists(), "a look creates nothing"


def test_a_name_as_long_as_a_candidates_stands_apart_from_what_is_said_of_it(house: Settings) -> None:
    name = "tng-small-r20261126-234447-afe2-of-a-long-name"
    a_release(house.releases_folder, name)
    assert name in {line[2:].split()[0] for line in release("list").stdout.splitlines()}


def test_promoted_and_rolled_back_in_one_command_each(house: Settings) -> None:
    done = release("promote", "made", "--reason", "it reads better", "--unproven")
    assert (done.exit_code, done.stdout) == (0, "Release made writes from now on; before it was tiny.\n")
    assert starred() == ["made"]
    assert "made is whole" in release("verify").stdout
    back = release("rollback", "--reason", "it does not")
    assert (back.exit_code, back.stdout) == (0, "Release tiny writes from now on; before it was made.\n")
    assert starred() == ["tiny"]


def test_the_history_says_who_and_why(house: Settings) -> None:
    release("promote", "made", "--reason", "it reads better", "--unproven")
    release("rollback", "--reason", "it does not")
    lines = release("history").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert lines[0].endswith("rolled back  made → tiny  shell:ola: it does not")
    assert lines[1].endswith("promoted     tiny → made  shell:ola: it reads better")
    assert lines[2].endswith("first        – → tiny  house: the house was opened with it")
    assert len(release("history", "--limit", "1").stdout.splitlines()) == 1


def test_a_proven_release_needs_no_word_and_another_does(house: Settings) -> None:
    ledger = build_release_ledger(house)
    ledger.current()
    refused = release("promote", "made", "--reason", "better")
    assert (refused.exit_code, "never evaluated" in refused.stderr) == (1, True)
    with build_store(house).begin() as work:
        work.promotions.keep(Evaluation(0, datetime.now(UTC), "made", "tiny", promote=True))
        work.commit()
    assert release("promote", "made", "--reason", "better").exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["promote", "made", "--unproven", "--expect", "other"], "tiny is current by now", id="overtaken"),
        pytest.param(["promote", "nothing", "--unproven"], "there is no release 'nothing'", id="none-such"),
        pytest.param(["promote", "tiny", "--unproven"], "current already", id="current"),
        pytest.param(["rollback"], "empty", id="nothing-to-go-back-to"),
        pytest.param(["rollback", "--to", "made"], "empty", id="never-current"),
    ],
)
def test_a_refusal_is_a_sentence_and_status_1(house: Settings, words: list[str], sentence: str) -> None:
    refused = release(*words, "--reason", "x")
    assert (refused.exit_code, sentence in refused.stderr) == (1, True)
    assert len(refused.stderr.splitlines()) == 1
    assert starred() == ["tiny"]


def test_a_release_of_another_show_is_refused(house: Settings) -> None:
    a_release(house.releases_folder, "lantern-1", show=SECOND)
    refused = release("promote", "lantern-1", "--unproven", "--reason", "x")
    assert (refused.exit_code, "this house sells tng" in refused.stderr) == (1, True)


def test_which_release_wrote_at_a_moment(house: Settings) -> None:
    release("promote", "made", "--reason", "it reads better", "--unproven")
    promoted = build_release_ledger(house).last()
    shown = release("at", (promoted.at + timedelta(seconds=1)).replace(tzinfo=None).isoformat(), "--zone", "UTC").stdout
    assert [line.split(maxsplit=1)[1] for line in shown.splitlines()] == [
        "made",
        f"{promoted.at:%Y-%m-%d %H:%M:%S} UTC",
        "shell:ola",
        "promoted",
        "it reads better",
    ]


def test_a_moment_is_meant_in_the_zone_that_is_named(house: Settings) -> None:
    """An hour before, as the clocks of Berlin show it, nothing wrote yet; the same digits in UTC are after it."""
    began = build_release_ledger(house).last().at
    digits = (began + timedelta(minutes=30)).replace(tzinfo=None).isoformat()
    assert "tiny" in release("at", digits, "--zone", "UTC").stdout
    before = release("at", digits, "--zone", "Europe/Berlin")
    assert (before.exit_code, "is before the ledger of releases, which begins at" in before.stderr) == (1, True)
    assert "tiny" in release("at", f"{digits}+00:00", "--zone", "Europe/Berlin").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["yesterday"], "is no moment", id="no-moment"),
        pytest.param(["2026-11-20T12:00", "--zone", "Mars/Olympus"], "there is no time zone", id="no-zone"),
        pytest.param(["1999-01-01"], "is before the ledger of releases", id="before-everything"),
    ],
)
def test_what_is_no_moment_is_said(house: Settings, words: list[str], sentence: str) -> None:
    refused = release("at", *words)
    assert (refused.exit_code, sentence in refused.stderr) == (1, True)


def test_a_current_release_that_is_gone_is_said(house: Settings) -> None:
    release("promote", "made", "--reason", "x", "--unproven")
    (house.releases_folder / "made").rename(house.releases_folder / "elsewhere")
    assert starred() == []
    assert "there is no release 'made'" in release("verify").stderr
    assert release("rollback", "--reason", "it is gone").exit_code == 0
