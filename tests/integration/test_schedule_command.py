"""``tng schedule``: everything that an operator asks for on the shell, and every refusal a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.releases import a_release
from tng.app import build_store
from tng.cli import main
from tng.jobs import JobKind
from tng.settings import Settings
from tng.training.house import build_house_retrainings, places_of
from tng.training.retrainings import Retraining, RetrainingOptions

pytestmark = pytest.mark.usefixtures("quiet_again")


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A house of its own for each test."""
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TNG_RELEASE", str(a_release(tmp_path / "releases", "tiny").folder))
    return Settings.read()


def tng(*words: str) -> Result:
    return CliRunner().invoke(main, ["--log-level", "ERROR", "schedule", *words])


def said(*words: str) -> str:
    result = tng(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def latest(settings: Settings) -> Retraining:
    with build_store(settings).read() as work:
        return work.retrainings.latest(1)[0]


def test_a_schedule_is_added_as_its_line_says_and_the_zone_is_said() -> None:
    assert "retrain: 0 3 * * SUN (UTC), next Sun" in said("add", "0 3 * * SUN", "retrain", "--preset", "small")
    added = said("add", "30 4 1 * *", "retrain", "--name", "monthly", "--zone", "Europe/Berlin")
    assert "monthly: 30 4 1 * * (Europe/Berlin)" in added
    listed = said("list").splitlines()
    assert [line.split()[0] for line in listed] == ["monthly", "retrain"]
    assert "04:30 CE" in listed[0]
    assert "03:00 UTC" in listed[1]


def test_every_option_reaches_the_retraining(house: Settings, tmp_path: Path) -> None:
    words = "--preset tiny --steps 7 --minutes 2.5 --samples 6 --seed 3 --with-delivered-scripts --even-if-nothing-new"
    said("add", "0 3 * * *", "retrain", *words.split(), "--no-promotion", "--base", str(tmp_path))
    said("run", "retrain")
    assert latest(house).options == RetrainingOptions(
        preset="tiny",
        steps=7,
        minutes=2.5,
        samples=6,
        seed=3,
        base=str(tmp_path),
        delivered_scripts=True,
        even_if_nothing_new=True,
        promotes=False,
    )


def test_customers_scripts_are_not_trained_on_unless_it_is_said(house: Settings) -> None:
    said("add", "0 3 * * *", "retrain")
    said("run", "retrain")
    assert latest(house).options.delivered_scripts is False
    assert latest(house).actor.startswith("shell:")


def test_the_next_slots_are_shown_in_both_times() -> None:
    said("add", "0 12 * * *", "retrain", "--zone", "America/New_York")
    lines = said("next", "retrain", "--count", "3").splitlines()
    assert len(lines) == 3
    assert all("12:00 E" in line and line.endswith("UTC") for line in lines)


def test_a_paused_one_says_so_and_goes_on_when_it_is_resumed() -> None:
    said("add", "0 3 * * *", "retrain")
    said("pause", "retrain")
    assert "paused" in said("list")
    assert "resume retrain" in tng("next", "retrain").output
    assert "next" in said("resume", "retrain")
    said("remove", "retrain")
    assert said("list") == ""


def test_a_run_is_shown_with_its_steps_its_attempts_and_its_notebooks(house: Settings) -> None:
    said("add", "0 3 * * *", "retrain", "--preset", "tiny")
    said("run", "retrain")
    retraining = latest(house)
    assert f"{retraining.id}  " in said("runs")
    retrainings = build_house_retrainings(house, store=build_store(house))
    job = retrainings.claim("w")
    assert job is not None
    page = places_of(house).notebook(retraining.id, retrainings.of(job).attempts[0]).with_suffix(".html")
    page.parent.mkdir(parents=True)
    page.touch()
    retrainings.done(job, {"fingerprint": "f1", "episodes": 12}, fingerprint="f1")
    shown = said("show", retraining.id)
    for part in ("running", "finetune", "preset tiny", "f1", "episodes 12", str(page)):
        assert part in shown


def test_a_run_is_cancelled_and_taken_up_again(house: Settings) -> None:
    said("add", "0 3 * * *", "retrain")
    said("run", "retrain")
    run = latest(house).id
    assert "retry" in said("cancel", run)
    assert latest(house).state.value == "cancelled"
    assert JobKind.BUILD_CORPUS.value in said("retry", run)
    assert latest(house).is_open


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "0 3 * *", "retrain"), "no cron line"),
        (("add", "0 0 30 2 *", "retrain"), "no cron line"),
        (("add", "0 3 * * *", "retrain", "--zone", "Nowhere"), "no time zone 'Nowhere'"),
        (("add", "0 3 * * *", "retrain", "--name", "A B"), "no name of a schedule"),
        (("pause", "nothing"), "no schedule 'nothing'"),
        (("resume", "nothing"), "no schedule 'nothing'"),
        (("remove", "nothing"), "no schedule 'nothing'"),
        (("next", "nothing"), "no schedule 'nothing'"),
        (("run", "nothing"), "no schedule 'nothing'"),
        (("show", "nothing"), "no retraining 'nothing'"),
        (("cancel", "nothing"), "no retraining 'nothing'"),
        (("retry", "nothing"), "no retraining 'nothing'"),
    ],
)
def test_a_refusal_is_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    result = tng(*words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_what_cannot_be_done_now_is_refused_with_what_is_in_its_way(house: Settings) -> None:
    said("add", "0 3 * * *", "retrain")
    said("run", "retrain")
    run = latest(house).id
    for words, sentence in ((("run", "retrain"), "under way"), (("retry", run), "nothing to take up")):
        result = tng(*words)
        assert (result.exit_code, sentence in result.output) == (1, True)
    said("cancel", run)
    assert "has ended" in tng("cancel", run).output
    assert "already" in tng("add", "0 3 * * *", "retrain", "--name", "retrain").output
