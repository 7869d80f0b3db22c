"""A run tells how long its scenes took and how it went, and no word of what it wrote."""

from __future__ import annotations

from typing import Any

import pytest

from tng.provenance import Provenance
from tng.workbench.account import RunAccount, SceneTime

SECRET = "A line that nobody but its reader should see."


def _run(account: RunAccount, times: tuple[float, ...] = (1.5, 2.0, 4.25)) -> None:
    account.hear("plan", {"title": "x", "acts": [{"name": "TEASER", "scenes": ["INT. A", "INT. B", "INT. C"]}]})
    for done, seconds in enumerate(times, start=1):
        account.hear("scene", {"act": "TEASER", "number": done, "text": SECRET})
        account.hear("progress", {"act": "TEASER", "done": done, "total": 3, "percent": 33 * done, "seconds": seconds})


@pytest.fixture
def account() -> RunAccount:
    return RunAccount("The Quiet Hours", "writing")


def test_each_scene_took_the_time_since_the_one_before(account: RunAccount) -> None:
    _run(account)
    assert account.scenes == [SceneTime("TEASER, 1", 1.5), SceneTime("TEASER, 2", 0.5), SceneTime("TEASER, 3", 2.25)]
    assert account.seconds == {"TEASER, 1": 1.5, "TEASER, 2": 0.5, "TEASER, 3": 2.25}
    assert account.planned == 3


def test_another_attempt_begins_anew(account: RunAccount) -> None:
    _run(account, (9.0,))
    account.hear("restart", {"attempt": 2})
    _run(account)
    assert len(account.scenes) == 3
    assert account.scenes[0].seconds == 1.5
    assert "It took 2 attempts." in account.sentences


def test_no_word_of_the_script_is_kept(account: RunAccount) -> None:
    _run(account)
    assert SECRET not in repr(account)


def test_a_run_that_tells_no_seconds_says_so(account: RunAccount) -> None:
    account.hear("progress", {"act": "TEASER", "done": 1, "percent": 33})
    assert not account.scenes
    assert "did not say" in " ".join(account.sentences)


@pytest.mark.parametrize("seconds", [None, "1", True, [], {}])
def test_what_it_does_not_understand_changes_nothing(account: RunAccount, seconds: Any) -> None:
    account.hear("progress", {"act": 7, "done": "x", "seconds": seconds})
    account.hear("unheard", {"of": 1})
    account.hear("restart", {"attempt": "many"})
    account.hear("plan", {})
    assert (account.scenes, account.attempts, account.planned) == ([], 1, 0)


def test_time_never_runs_backwards(account: RunAccount) -> None:
    _run(account, (2.0, 1.0))
    assert [scene.seconds for scene in account.scenes] == [2.0, 0.0]


def test_it_is_told_in_sentences(account: RunAccount) -> None:
    account.provenance = Provenance(release_id="tng-small-2", seed=7)
    _run(account)
    account.hear("state", {"state": "delivered"})
    assert account.sentences == (
        "State: delivered.",
        "Written by release tng-small-2, from seed 7.",
        "3 scenes were written in 4.2 seconds.",
        "Events: 1 × plan, 3 × progress, 3 × scene, 1 × state.",
    )
