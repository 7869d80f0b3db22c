"""A training of one's own never writes over another, and shows how far it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from model.training.progress import Progress
from model.workbench.training import TrainingBar, _unheard, own_releases, own_training, show_learnt
from tests.unit.model.workbench.shown import texts
from tng.releases import Release


def _heard(steps: int, of: int) -> list[Progress]:
    return [Progress(step, of, float(step), 7.0 - step, 7.0 - step / 2) for step in range(1, steps + 1)]


def test_each_training_gets_places_of_its_own(tmp_path: Path) -> None:
    first = own_training("mine", home=tmp_path)
    assert first.release == tmp_path / "releases" / "mine-1"
    assert first.corpus.parent == first.checkpoint.parent == tmp_path / "trainings" / "mine-1"
    assert not list(tmp_path.iterdir()), "nothing is made before it is needed"
    first.corpus.mkdir(parents=True)
    assert own_training("mine", home=tmp_path).release.name == "mine-2", "an interrupted training keeps its places"
    (tmp_path / "releases" / "mine-2").mkdir(parents=True)
    assert own_training("mine", home=tmp_path).release.name == "mine-3"
    assert own_training("other", home=tmp_path).release.name == "other-1"


@pytest.mark.parametrize("name", ["", "../mine", "a/b", ".hidden", "x" * 42, "mine\n"])
def test_a_name_that_would_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a name may have"):
        own_training(name, home=tmp_path)


def test_it_stands_in_the_own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_training().release.is_relative_to(tmp_path)
    assert own_training("mine", "~/releases/mine-1").base == tmp_path / "releases" / "mine-1"
    assert own_training().base == ""
    assert own_releases() == []


def test_only_whole_releases_are_found(tmp_path: Path) -> None:
    for name, is_whole in (("mine-2", True), ("mine-1", True), ("mine-3", False)):
        folder = tmp_path / "releases" / name
        folder.mkdir(parents=True)
        if is_whole:
            (folder / "manifest.json").touch()
    assert [path.name for path in own_releases(tmp_path)] == ["mine-1", "mine-2"]


class Bar:
    """What tqdm is to a report."""

    def __init__(self, **about: Any) -> None:
        self.about, self.n, self.said, self.closed = about, 0, "", 0

    def set_postfix_str(self, said: str, refresh: bool) -> None:
        self.said = said

    def update(self, more: int) -> None:
        self.n += more

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Bar]:
    made: list[Bar] = []

    def make(**about: Any) -> Bar:
        made.append(Bar(**about))
        return made[-1]

    monkeypatch.setattr("model.workbench.training.tqdm", make)
    return made


def test_the_bar_follows_every_step_to_the_end(bars: list[Bar]) -> None:
    report = TrainingBar()
    assert not bars, "before the first step nobody knows how many there are"
    for progress in _heard(4, 4):
        assert report(progress) is None, "a bar never stops a training"
    (bar,) = bars
    assert (bar.n, bar.about["total"], bar.closed) == (4, 4, 1)
    assert bar.said == "loss 5.000"


def test_the_bar_of_an_interrupted_training_can_be_closed(bars: list[Bar]) -> None:
    report = TrainingBar()
    report.close()
    for progress in _heard(2, 9):
        report(progress)
    report.close()
    assert (bars[0].n, bars[0].closed) == (2, 1)


def test_the_way_to_the_release_is_said(shown: list[dict[str, Any]], tmp_path: Path) -> None:
    show_learnt(_heard(3, 3), Release("mine-1", tmp_path / "mine-1"))
    assert texts(shown).splitlines()[0] == "3 steps in 3 seconds: the loss fell from 6.00 to 5.50."
    assert "~/releases/mine-1" in texts(shown)


def test_what_a_library_says_while_it_loads_is_not_heard_and_later_is(capfd: pytest.CaptureFixture[str]) -> None:
    with _unheard():
        os.write(2, b"found no driver")
    os.write(2, b"a real trouble")
    assert capfd.readouterr().err == "a real trouble"


def test_the_error_output_comes_back_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), _unheard():
        raise ImportError
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
