"""What a retraining leaves on disk is removed when it is old, and never what somebody may still need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeClock, FakeStore
from tests.releases import a_release
from tests.retraining_lab import CHAMPION, PASSED, STEPS, Lab
from tng.training.places import TrainingPlaces
from tng.training.run_archive import Attic


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(FakeStore(), tmp_path / "shop")


def later(lab: Lab, days: float) -> Attic:
    assert isinstance(lab.clock, FakeClock)
    lab.clock.advance(days=days)
    return Attic(lab.store, lab.clock, lab.places, lab.runs, keep_days=30)


def keep_one(lab: Lab, *, promote: bool) -> Path:
    """Bring a retraining to its end: the folder of its candidate."""
    begun = lab.begin(even_if_nothing_new=True)
    lab.go(*STEPS[:3])
    lab.go(STEPS[3], promote=promote, checks=[PASSED | {"passed": promote}])
    return lab.places.candidate(begun)


def test_a_month_after_its_end_nothing_of_it_is_left_but_its_rows(lab: Lab) -> None:
    candidate = keep_one(lab, promote=False)
    assert later(lab, 29).clear() == 0
    assert candidate.is_dir()
    assert later(lab, 2).clear() == 6  # the candidate, its folder, and four runs
    assert not candidate.exists()
    assert not lab.places.of("1").exists()
    assert not list(lab.runs.iterdir())
    assert lab.retrainings.get("1").evaluation_id is not None
    assert later(lab, 1).clear() == 0


def test_what_the_ledger_names_stays_though_it_is_current_no_more(lab: Lab) -> None:
    candidate = keep_one(lab, promote=True)
    lab.ledger.roll_back(actor="shell:ola", reason="worse after all")
    later(lab, 400).clear()
    assert (candidate / "manifest.json").is_file()
    assert not lab.places.of("1").exists()
    assert lab.ledger.roll_back(actor="shell:ola", reason="better after all", to=candidate.name).to_id == candidate.name


def test_an_open_retraining_keeps_everything_however_long_it_takes(lab: Lab) -> None:
    lab.begin()
    lab.go(*STEPS[:3])
    assert later(lab, 400).clear() == 0
    assert lab.places.of("1").is_dir()
    assert lab.places.candidate(lab.retrainings.get("1")).is_dir()


def test_of_two_the_younger_one_stays(lab: Lab) -> None:
    old = keep_one(lab, promote=False)
    later(lab, 20)
    young = keep_one(lab, promote=False)
    later(lab, 15).clear()
    assert (old.exists(), young.exists()) == (False, True)
    assert lab.places.of("2").is_dir()


def test_releases_that_no_retraining_made_are_nobodys_to_remove(lab: Lab) -> None:
    keep_one(lab, promote=False)
    other = a_release(lab.places.releases, "the-operators-own")
    later(lab, 400).clear()
    assert other.folder.is_dir()
    assert (lab.places.releases / CHAMPION).is_dir()


def test_a_link_leads_to_no_removal(lab: Lab, tmp_path: Path) -> None:
    candidate = keep_one(lab, promote=False)
    precious = tmp_path / "precious"
    candidate.rename(precious)
    candidate.symlink_to(precious)
    later(lab, 400).clear()
    assert (precious / "manifest.json").is_file()


def test_the_places_of_two_retrainings_have_nothing_in_common(lab: Lab) -> None:
    places: TrainingPlaces = lab.places
    first, second = lab.begin(), None
    lab.retrainings.cancel(first.id, actor="shell:ola")
    second = lab.begin()
    for part in ("corpus", "checkpoint", "report", "delivered", "notebooks"):
        assert places.of(first.id, part) != places.of(second.id, part)
    assert places.candidate(first) != places.candidate(second)
