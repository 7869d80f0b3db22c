"""What a training tells, writes down and shows."""

from __future__ import annotations

import json
import logging
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.events import EVENT_MIME, RESULT_MIME
from model.presets import preset
from model.training import plot, telling
from model.training.belonging import Belonging, retraining_of
from model.training.machine import has_bfloat16
from model.training.plot import LossPlot, loss_picture
from model.training.progress import Progress, RunningMean, log_step, stop_after, together, write_losses
from model.training.schedule import learning_rate_at
from model.training.telling import ProgressEvents, outcome_of, show_outcome


def heard(count: int, steps: int = 100) -> list[Progress]:
    return [Progress(n, steps, n / 2, 5 - n / 100, 5.0, 4.5 if n % 10 == 0 else None) for n in range(1, count + 1)]


class Shown:
    """Stands in for IPython's display."""

    def __init__(self) -> None:
        self.bundles: list[dict[str, Any]] = []
        self.updates: list[bool] = []

    def __call__(self, bundle: dict[str, Any], *, raw: bool, update: bool = False, **_: Any) -> None:
        assert raw
        self.bundles.append(bundle)
        self.updates.append(update)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown = Shown()
    for module in (plot, telling):
        monkeypatch.setattr(module, "display", shown)
    monkeypatch.setattr("model.events.display", shown)
    return shown


def test_the_learning_rate_rises_and_falls() -> None:
    config = replace(preset("tiny"), steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate_at(step, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0.05)
    assert learning_rate_at(10_000, config) == pytest.approx(0.05)


def test_the_running_mean_is_taken_up_again() -> None:
    losses = [5.0, 4.0, 3.5, 3.0]
    whole = RunningMean()
    means = [whole.after(loss) for loss in losses]
    assert means[0] == 5.0
    assert means[1] == pytest.approx((5 * 0.99 + 4) / 1.99)
    assert RunningMean(losses[:3]).after(losses[3]) == pytest.approx(means[3])


def test_time_is_a_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 100.0, 130.0, 161.0])
    monkeypatch.setattr("model.training.progress.time.monotonic", lambda: next(clock))
    report = stop_after(60)
    resumed_late = Progress(5, 9, 10_000.0, 3.0, 3.0)
    assert [report(resumed_late) for _ in range(3)] == [True, True, False]


def test_the_log_says_now_and_then_how_it_goes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert [log_step(progress) for progress in heard(21)] == [None] * 21
    assert caplog.messages == [
        "step 10/100 held out: 4.500", "step 20/100 held out: 4.500", "step 20/100 loss=4.80 mean=5.000 10 s",
    ]  # fmt: skip


def test_no_time_is_no_reason_to_stop() -> None:
    assert stop_after(0)(heard(1)[0]) is True


@pytest.mark.parametrize(
    ("answers", "goes_on"), [((None, None), True), ((True, None), True), ((None, False), False), ((), True)]
)
def test_one_report_that_says_stop_is_enough_and_all_are_told(answers: tuple[bool | None, ...], goes_on: bool) -> None:
    told: list[bool | None] = []

    def report(answer: bool | None) -> Any:
        return lambda _: (told.append(answer), answer)[1]

    assert together(*map(report, answers))(heard(1)[0]) is goes_on
    assert told == list(answers)


def test_the_losses_are_written_down(tmp_path: Path) -> None:
    write_losses(tmp_path, heard(10))
    rows = json.loads((tmp_path / "losses.json").read_text(encoding="ascii"))
    assert rows[0] == [1, 0.5, 4.99]
    assert len(rows) == 10
    assert json.loads((tmp_path / "held_out_losses.json").read_text(encoding="ascii")) == [[10, 4.5]]


@pytest.mark.parametrize("retraining", ["2026-11-27-1", ""])
def test_the_weights_remember_their_retraining(tmp_path: Path, retraining: str) -> None:
    belonging = Belonging(tmp_path, retraining)
    for progress in heard(2):
        belonging(progress)
    assert retraining_of(tmp_path) == retraining
    assert len(list(tmp_path.iterdir())) == bool(retraining)


def test_nothing_is_written_of_what_was_not_measured(tmp_path: Path) -> None:
    write_losses(tmp_path, heard(3))
    assert [path.name for path in tmp_path.iterdir()] == ["losses.json"]


@pytest.mark.parametrize("count", [0, 1, 25])
def test_the_picture_is_a_picture(count: int) -> None:
    picture = loss_picture(heard(count))
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (630, 288)
    assert len(picture) < 60_000


def test_the_plot_is_shown_once_and_then_updated(shown: Shown) -> None:
    plotted = LossPlot(seconds=0)
    for progress in heard(4):
        plotted(progress)
    assert shown.updates == [False, True, True, True]
    assert set(shown.bundles[0]) == {"image/png", "text/plain"}


def test_the_plot_waits_between_two_pictures_but_not_for_the_last(shown: Shown) -> None:
    plotted = LossPlot(seconds=1000)
    for progress in heard(30, steps=30):
        plotted(progress)
    assert [bundle["text/plain"][:12] for bundle in shown.bundles] == ["step 1 of 30", "step 30 of 3"]


def test_events_tell_every_percent_and_every_measurement(shown: Shown) -> None:
    events = ProgressEvents()
    for progress in heard(1000, steps=1000):
        events(progress)
    bodies = [bundle[EVENT_MIME] for bundle in shown.bundles]
    assert sorted({body["percent"] for body in bodies}) == list(range(101))
    assert all(body["kind"] == "progress" for body in bodies)
    assert sum("held_out_loss" in body for body in bodies) == 100
    assert len(bodies) <= 201


@pytest.mark.parametrize("is_over", [True, False])
def test_the_outcome_is_the_result_of_the_notebook(shown: Shown, tmp_path: Path, is_over: bool) -> None:
    *before, last = heard(20)
    show_outcome([*before, replace(last, ends_training=is_over)], tmp_path / "checkpoint", 100)
    (bundle,) = shown.bundles
    assert bundle[RESULT_MIME] == {
        "checkpoint": "checkpoint", "steps": 20, "of_steps": 100, "seconds": 10.0, "first_loss": 4.99, "mean_loss": 5.0,
        "best_held_out_loss": 4.5, "is_finished": is_over,
    }  # fmt: skip


def test_a_training_without_a_step_has_an_outcome_too(tmp_path: Path) -> None:
    outcome = outcome_of([], tmp_path, 100)
    assert (outcome["first_loss"], outcome["steps"], outcome["is_finished"]) == (None, 0, False)


@pytest.mark.parametrize(
    ("facts", "has"),
    [("flags: sse avx512_bf16 fma", True), ("flags: amx_bf16", True), ("flags: avx2", False), (None, False)],
)
def test_bfloat16_is_used_where_the_processor_has_it(tmp_path: Path, facts: str | None, has: bool) -> None:
    path = tmp_path / "cpuinfo"
    if facts is not None:
        path.write_text(facts, encoding="ascii")
    assert has_bfloat16(path) is has
