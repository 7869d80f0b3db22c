"""A retraining goes on step by step, and what each step is given and must bring."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock, FakeStore
from tests.releases import a_release
from tests.retraining_lab import CHAMPION, CORPUS, PASSED, STEPS, TRAINED, Lab
from tests.samples import a_job, a_paid_order, keep, the_job
from tng.errors import JobCancelled, LeaseLost, RetrainingError, RunFailed
from tng.jobs import MOST_ATTEMPTS, MOST_FAILURES, NOTICE, JobKind, JobState
from tng.orders import OrderState
from tng.training.places import TrainingPlaces
from tng.training.retrainings import RetrainingState

BUILD, TRAIN, EVALUATE, DECIDE = STEPS
SCRIPT = "Title: The Quiet Hours\n## ACT ONE\n# INT. BRIDGE\nPicard turns from the glass.\n"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(FakeStore(), tmp_path / "shop")


def deliver(lab: Lab, *numbers: int) -> None:
    keep(lab.store, *(replace(a_paid_order(n, OrderState.DELIVERED), script_text=SCRIPT) for n in numbers))


def errands(lab: Lab) -> list[str]:
    assert isinstance(lab.store, FakeStore)
    owed = [errand for errand, due_at in lab.store.tables.errands.values() if due_at is not None]
    return [errand.body["kind"] for errand in owed if errand.kind == NOTICE]


class TestTheChain:
    def test_a_better_candidate_is_promoted_and_everybody_can_see_why(self, lab: Lab) -> None:
        begun = lab.begin()
        ended = lab.go(*STEPS)
        assert (ended.state, ended.step, ended.is_open) == (RetrainingState.PROMOTED, DECIDE, False)
        assert ended.candidate_id == f"tng-tiny-r{begun.id}"
        assert (ended.champion_id, ended.fingerprint) == (CHAMPION, "f1")
        current = lab.ledger.current().promotion
        assert (current.from_id, current.to_id, current.actor) == (CHAMPION, ended.candidate_id, "shell:ola")
        evaluation = lab.ledger.evaluation_of(current)
        assert evaluation is not None
        assert evaluation.retraining_id == begun.id
        assert sorted(errands(lab)) == ["promoted", "retraining_done"]

    def test_each_step_is_a_job_that_is_owed_by_the_one_before(self, lab: Lab) -> None:
        begun = lab.begin()
        for step in STEPS:
            assert the_job(lab.store, f"retraining:{begun.id}:{step.value}:0").state is JobState.QUEUED
            lab.go(step)
            assert the_job(lab.store, f"retraining:{begun.id}:{step.value}:0").state is JobState.DONE
        assert lab.desk.claim("w") is None

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"promote": False, "reasons": ["perplexity: worse"]}, "worse"),
            ({"checks": [PASSED | {"passed": False}], "reasons": ["format"]}, "format"),
            ({"checks": [PASSED | {"passed": "yes"}]}, "not every check"),
            ({"checks": []}, "not every check"),
            ({"checks": [PASSED | {"passed": None}]}, "not every check"),
            ({"promote": "true"}, "not every check"),
        ],
    )
    def test_whatever_is_not_proven_better_is_kept_beside(self, lab: Lab, changes: dict[str, Any], why: str) -> None:
        lab.begin()
        ended = lab.go(*STEPS[:3])
        ended = lab.go(DECIDE, **changes)
        assert ended.state is RetrainingState.KEPT
        assert why in ended.sentence
        assert lab.ledger.current().release.id == CHAMPION

    def test_one_that_was_asked_for_without_a_promotion_promotes_nothing(self, lab: Lab) -> None:
        lab.begin(promotes=False)
        assert lab.go(*STEPS).state is RetrainingState.KEPT
        assert lab.ledger.current().release.id == CHAMPION

    def test_where_the_champion_has_changed_meanwhile_the_candidate_is_kept(self, lab: Lab) -> None:
        lab.begin()
        lab.go(*STEPS[:3])
        a_release(lab.places.releases, "other")
        lab.ledger.promote("other", actor="shell:ola", reason="by hand", unproven=True)
        ended = lab.go(DECIDE)
        assert ended.state is RetrainingState.KEPT
        assert "other is current by now" in ended.sentence
        assert lab.ledger.current().release.id == "other"

    def test_a_candidate_that_was_changed_after_its_evaluation_is_not_promoted(self, lab: Lab) -> None:
        begun = lab.begin()
        lab.go(*STEPS[:3])
        (lab.places.candidate(begun) / "meta.json").write_text('{"another": "one"}', encoding="utf-8")
        ended = lab.go(DECIDE)
        assert ended.state is RetrainingState.KEPT
        assert "Not promoted" in ended.sentence

    def test_its_files_can_be_read_by_the_group_of_the_shop_and_by_no_one_else(self, lab: Lab) -> None:
        before = os.umask(0o077)
        try:
            begun = lab.begin()
            lab.go(*STEPS[:3])
        finally:
            os.umask(before)
        release = lab.places.candidate(begun)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in release.iterdir()}
        assert (stat.S_IMODE(release.stat().st_mode), modes) == (0o750, {0o640})
        assert stat.S_IMODE(lab.places.of(begun.id).stat().st_mode) == 0o710


class TestACrash:
    """A decision is two commits; whoever dies between them leaves one retraining open and decided."""

    def decided(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.begin()
        lab.go(*STEPS[:3])

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(lab.ledger, "promote", die)
            with pytest.raises(KeyboardInterrupt):
                lab.go(DECIDE)

    def test_between_decision_and_promotion_is_settled_by_another_process(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.decided(lab, monkeypatch)
        assert lab.desk.claim("w") is None
        settled = lab.retrainings.settle_decided()
        assert settled is not None
        assert settled.state is RetrainingState.PROMOTED
        assert lab.retrainings.settle_decided() is None
        assert [row.id for row in lab.ledger.history()] == [2, 1]

    def test_between_promotion_and_its_record_promotes_once(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decided(lab, monkeypatch)
        with lab.store.read() as work:
            opened = work.retrainings.open()
        assert opened is not None
        assert opened.candidate_id is not None
        lab.ledger.promote(
            opened.candidate_id, actor="schedule:weekly", reason="better", evaluation_id=opened.evaluation_id
        )
        lab.ledger.roll_back(actor="canary", reason="worse after all")
        settled = lab.retrainings.settle_decided()
        assert settled is not None
        assert settled.state is RetrainingState.PROMOTED
        assert [row.to_id for row in lab.ledger.history()] == [CHAMPION, opened.candidate_id, CHAMPION]

    def test_what_is_decided_is_not_cancelled_any_more(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decided(lab, monkeypatch)
        with pytest.raises(RetrainingError, match="decided"):
            lab.retrainings.cancel("1", actor="shell:ola")

    def test_a_process_that_died_in_a_step_leaves_it_to_another_which_finds_it_undone(self, lab: Lab) -> None:
        lab.begin()
        dead = lab.take(BUILD)
        assert lab.desk.claim("w2") is None
        assert isinstance(lab.clock, FakeClock)
        lab.clock.advance(seconds=11)
        again = lab.take(BUILD)
        assert (again.id, again.attempt) == (dead.id, 2)
        with pytest.raises(LeaseLost):
            lab.accept(dead, CORPUS)
        assert lab.accept(again, CORPUS).step is TRAIN

    def test_one_whose_processes_died_on_every_attempt_ends(self, lab: Lab) -> None:
        lab.begin()
        assert isinstance(lab.clock, FakeClock)
        for _ in range(MOST_ATTEMPTS):
            lab.take(BUILD)
            lab.clock.advance(seconds=11)
        assert lab.desk.claim("w") is None
        ended = lab.retrainings.get("1")
        assert ended.state is RetrainingState.FAILED
        assert "died on every one" in ended.sentence
        assert errands(lab) == ["retraining_failed"]


class TestFailures:
    def test_a_step_is_tried_again_with_a_pause_and_then_the_retraining_ends(self, lab: Lab) -> None:
        lab.begin()
        assert isinstance(lab.clock, FakeClock)
        for _ in range(MOST_FAILURES):
            lab.desk.fail(lab.take(BUILD), RunFailed("a cell raised ValueError", cause="ValueError"))
            assert lab.desk.claim("w") is None
            lab.clock.advance(minutes=5)
        ended = lab.retrainings.get("1")
        assert (ended.state, ended.step) == (RetrainingState.FAILED, BUILD)
        assert "ValueError" in ended.sentence

    @pytest.mark.parametrize(
        ("step", "result"),
        [
            (BUILD, {}),
            (BUILD, {"fingerprint": 3}),
            (TRAIN, {}),
            (TRAIN, TRAINED | {"steps": 0}),
            (EVALUATE, {"release_id": "another"}),
            (DECIDE, {}),
            (DECIDE, {"candidate": "another", "champion": CHAMPION, "checks": [PASSED], "promote": True}),
            (DECIDE, {"candidate": "tng-tiny-r1", "champion": "another", "checks": [PASSED], "promote": True}),
        ],
    )
    def test_a_result_that_is_not_what_was_owed_is_a_failure(
        self, lab: Lab, step: JobKind, result: dict[str, Any]
    ) -> None:
        lab.begin()
        if before := STEPS[: STEPS.index(step)]:
            lab.go(*before)
        job = lab.take(step)
        with pytest.raises(RunFailed):
            lab.accept(job, result)
        assert lab.retrainings.get("1").step is step

    def test_one_that_failed_is_taken_up_at_its_step_and_keeps_what_was_done(self, lab: Lab) -> None:
        lab.begin()
        lab.go(BUILD)
        lab.desk.fail(lab.take(TRAIN), RunFailed("no", retryable=False))
        assert lab.retrainings.get("1").state is RetrainingState.FAILED
        with pytest.raises(RetrainingError):
            lab.retrainings.cancel("1", actor="shell:ola")
        again = lab.retrainings.retry("1", actor="shell:ola")
        assert (again.step, again.round, again.fingerprint) == (TRAIN, 1, "f1")
        assert lab.go(*STEPS[1:]).state is RetrainingState.PROMOTED
        with pytest.raises(RetrainingError):
            lab.retrainings.retry("1", actor="shell:ola")

    def test_a_cancelled_step_hears_of_it_with_its_next_heartbeat_and_is_not_run_again(self, lab: Lab) -> None:
        lab.begin()
        job = lab.take(BUILD)
        lab.retrainings.cancel("1", actor="shell:ola")
        with pytest.raises(JobCancelled):
            lab.desk.heartbeat(job)
        assert the_job(lab.store, job.key).state is JobState.CANCELLED
        assert lab.desk.claim("w") is None
        assert lab.retrainings.retry("1", actor="shell:ola").is_open
        assert lab.take(BUILD).key != job.key

    def test_two_are_never_open(self, lab: Lab) -> None:
        lab.begin()
        lab.retrainings.cancel("1", actor="shell:ola")
        lab.begin()
        with pytest.raises(RetrainingError, match="under way"):
            lab.begin()
        with pytest.raises(RetrainingError, match="under way"):
            lab.retrainings.retry("1", actor="shell:ola")


class TestNothingNew:
    def test_a_corpus_that_was_trained_on_before_is_not_trained_on_again(self, lab: Lab) -> None:
        lab.begin()
        lab.go(*STEPS)
        lab.begin()
        skipped = lab.go(BUILD)
        assert skipped.state is RetrainingState.SKIPPED
        assert "retraining 1" in skipped.sentence
        assert lab.desk.claim("w") is None

    def test_it_is_where_somebody_says_so(self, lab: Lab) -> None:
        lab.begin()
        lab.go(*STEPS)
        lab.begin(even_if_nothing_new=True)
        assert lab.go(BUILD).step is TRAIN

    def test_one_episode_more_is_something_new(self, lab: Lab) -> None:
        lab.begin()
        lab.go(*STEPS)
        lab.begin()
        assert lab.accept(lab.take(BUILD), CORPUS | {"fingerprint": "f2"}).step is TRAIN

    def test_another_preset_has_not_learnt_it(self, lab: Lab) -> None:
        lab.begin()
        lab.go(*STEPS)
        lab.begin(preset="small")
        assert lab.go(BUILD).step is TRAIN

    def test_one_that_failed_has_not_learnt_it(self, lab: Lab) -> None:
        lab.begin()
        lab.go(BUILD)
        lab.desk.fail(lab.take(TRAIN), RunFailed("no", retryable=False))
        lab.begin()
        assert lab.go(BUILD).step is TRAIN

    def test_what_the_current_release_has_learnt_is_nothing_new(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tng.releases.Release.meta", {"corpus": {"fingerprint": "f1"}})
        lab.begin()
        skipped = lab.go(BUILD)
        assert skipped.state is RetrainingState.SKIPPED
        assert f"release {CHAMPION}" in skipped.sentence


class TestATraining:
    def trained(self, lab: Lab, **options: Any) -> None:
        lab.begin(**options)
        lab.go(BUILD)

    def test_goes_on_where_it_was_and_starts_afresh_where_it_cannot(self, lab: Lab) -> None:
        self.trained(lab, steps=40)
        job = lab.desk.claim("w")
        assert job is not None
        given = lab.desk.parameters(job)
        assert (given["resume"], given["resume_or_restart"], given["steps"]) == (True, True, 40)
        assert given["checkpoint_folder"] == str(lab.places.of("1", "checkpoint"))

    def test_makes_way_for_an_order_and_goes_on_after_it(self, lab: Lab) -> None:
        self.trained(lab)
        job = lab.take(TRAIN)
        assert not lab.desk.yields(job)
        order = a_paid_order()
        keep(lab.store, order, a_job(order=order))
        assert lab.desk.yields(job)
        waiting = lab.accept(job, TRAINED | {"steps": 20, "is_finished": False})
        assert (waiting.step, waiting.notes["finetune"]["steps"]) == (TRAIN, 20)
        lab.desk.look_again()
        assert lab.desk.claim("w") is None
        with lab.store.begin() as work:
            script = work.jobs.claim("writer", lab.clock.now(), lab.clock.now())
            work.commit()
        lab.desk.look_again()
        assert lab.desk.claim("w") is None  # it is being written
        with lab.store.begin() as work:
            assert script is not None
            work.jobs.update(script.token, state=JobState.DONE, lease_until=None)
            work.commit()
        again = lab.take(TRAIN)
        assert (again.id, again.attempt, again.given_back) == (job.id, 2, 1)
        assert lab.accept(again, TRAINED).step is EVALUATE

    def test_no_other_step_makes_way(self, lab: Lab) -> None:
        order = a_paid_order()
        keep(lab.store, order, a_job(order=order))
        lab.begin()
        assert not lab.desk.yields(lab.take(BUILD))

    def test_any_step_ends_early_where_the_process_is_to_end(self, lab: Lab) -> None:
        lab.begin()
        job = lab.take(BUILD)
        lab.desk.end_early()
        assert lab.desk.yields(job)
        lab.desk.give_back(job)
        assert the_job(lab.store, job.key).given_back == 1

    def test_that_used_up_its_minutes_is_done_and_those_before_an_interruption_count(self, lab: Lab) -> None:
        self.trained(lab, minutes=2)
        job = lab.desk.claim("w")
        assert job is not None
        assert lab.desk.parameters(job)["most_seconds"] == 120
        lab.desk.end_early()
        assert lab.desk.yields(job)
        lab.accept(job, TRAINED | {"seconds": 50.0, "is_finished": False})
        fresh = Lab(lab.store, lab.shop, lab.clock)
        again = fresh.desk.claim("w")
        assert again is not None
        assert fresh.desk.parameters(again)["most_seconds"] == 70
        assert fresh.accept(again, TRAINED | {"seconds": 120.5, "is_finished": False}).step is EVALUATE

    def test_that_was_interrupted_before_its_first_step_is_given_back(self, lab: Lab) -> None:
        self.trained(lab)
        job = lab.take(TRAIN)
        lab.desk.end_early()
        assert lab.desk.yields(job)
        assert lab.accept(job, {"steps": 0, "is_finished": False}).step is TRAIN


class TestScriptsOfCustomers:
    def folder(self, lab: Lab) -> Path:
        return lab.places.of("1", "delivered")

    def test_are_never_laid_out_where_the_operator_did_not_say_so(self, lab: Lab) -> None:
        deliver(lab, 1, 2)
        lab.begin()
        job = lab.desk.claim("w")
        assert job is not None
        assert lab.desk.parameters(job)["delivered_folder"] == ""
        assert not [path for path in lab.shop.rglob("*") if path.is_file() and SCRIPT in path.read_text("utf-8")]

    def test_are_laid_out_for_the_corpus_alone_and_readable_by_nobody_else(self, lab: Lab) -> None:
        deliver(lab, 1, 2)
        keep(lab.store, a_paid_order(3))
        lab.begin(delivered_scripts=True)
        job = lab.desk.claim("w")
        assert job is not None
        assert lab.desk.parameters(job)["delivered_folder"] == str(self.folder(lab))
        found = {path.name: path for path in self.folder(lab).iterdir()}
        assert sorted(found) == [f"{a_paid_order(n).id}.txt" for n in (1, 2)]
        assert {path.read_text("utf-8") for path in found.values()} == {SCRIPT}
        assert {stat.S_IMODE(path.stat().st_mode) for path in found.values()} == {0o600}
        assert stat.S_IMODE(self.folder(lab).stat().st_mode) == 0o700

    def test_are_there_whole_or_not_at_all_and_again_after_a_crash(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deliver(lab, 1, 2)
        lab.begin(delivered_scripts=True)
        job = lab.desk.claim("w")
        assert job is not None
        opened: list[object] = []

        def full(*args: Any, **given: Any) -> Any:
            if opened:
                raise OSError("no space left")
            opened.append(args)
            return os.fdopen(*args, **given)

        with monkeypatch.context() as patched:
            patched.setattr("tng.training.texts.os.fdopen", full)
            with pytest.raises(OSError, match="space"):
                lab.desk.parameters(job)
        assert not self.folder(lab).exists()
        lab.desk.parameters(job)
        assert len(list(self.folder(lab).iterdir())) == 2

    def test_are_removed_when_the_corpus_is_built(self, lab: Lab) -> None:
        deliver(lab, 1)
        lab.begin(delivered_scripts=True)
        job = lab.take(BUILD)
        assert self.folder(lab).is_dir()
        lab.accept(job, CORPUS)
        assert not self.folder(lab).exists()

    def test_are_removed_where_a_retraining_was_cancelled_and_left_to_an_open_one(self, lab: Lab) -> None:
        deliver(lab, 1)
        lab.begin(delivered_scripts=True)
        lab.take(BUILD)
        lab.places.forget_delivered("1")
        assert self.folder(lab).is_dir()
        lab.retrainings.cancel("1", actor="shell:ola")
        lab.places.forget_delivered(None)
        assert not self.folder(lab).exists()


class TestWhatIsTrainedOn:
    @pytest.mark.parametrize("files", [(), ("notes.txt",)])
    def test_is_the_demonstration_where_the_operator_has_no_episodes(self, lab: Lab, files: Sequence[str]) -> None:
        folder = lab.places.episodes / "tng"
        folder.mkdir(parents=True)
        for name in files:
            (folder / name).touch()
        assert self.given(lab)["episodes_folder"] == ""

    def test_is_the_operators_episodes_of_this_show(self, lab: Lab) -> None:
        folder = lab.places.episodes / "tng"
        folder.mkdir(parents=True)
        (folder / "103.json").touch()
        assert self.given(lab)["episodes_folder"] == str(folder)

    def given(self, lab: Lab) -> dict[str, Any]:
        lab.begin(base="/bases/124M")
        job = lab.desk.claim("w")
        assert job is not None
        given = lab.desk.parameters(job)
        assert given["base_folder"] == "/bases/124M"
        return given


class TestNotebooks:
    def test_of_every_attempt_are_kept_for_operators_those_that_failed_too(self, lab: Lab) -> None:
        lab.begin()
        failed = lab.take(BUILD)
        lab.desk.fail(failed, RunFailed("a cell raised ValueError"))
        assert isinstance(lab.clock, FakeClock)
        lab.clock.advance(minutes=1)
        lab.go(*STEPS)
        kept = {path.name for path in lab.places.notebooks("1").iterdir()}
        stems = {f"{a['step']}-{a['job']}.{a['attempt']}" for a in lab.retrainings.get("1").attempts}
        assert len(stems) == 5
        assert kept == {f"{stem}.{ending}" for stem in stems for ending in ("ipynb", "html")}
        assert {stat.S_IMODE(path.stat().st_mode) for path in lab.places.notebooks("1").iterdir()} == {0o640}

    def test_of_an_attempt_that_was_cancelled_are_kept_with_the_next_look(self, lab: Lab) -> None:
        lab.begin()
        lab.take(BUILD)
        lab.retrainings.cancel("1", actor="shell:ola")
        assert lab.desk.claim("w") is None
        assert len(list(lab.places.notebooks("1").iterdir())) == 2

    def test_a_page_that_cannot_be_made_is_a_line_in_the_log(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(ran: Path, page: Path) -> None:
            raise ValueError("no notebook")

        monkeypatch.setattr(lab.archive, "_write_page", broken)
        lab.begin()
        assert lab.go(*STEPS).state is RetrainingState.PROMOTED
        assert "has no page (ValueError)" in caplog.text
        assert {path.suffix for path in lab.places.notebooks("1").iterdir()} == {".ipynb"}

    def test_what_steps_said_is_noted_but_for_what_is_long(self, lab: Lab) -> None:
        lab.begin()
        ended = lab.go(*STEPS)
        assert ended.notes["finetune"]["steps"] == 60
        assert "large" not in ended.notes["evaluate"]


def test_parameters_are_those_that_the_notebooks_name(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from papermill.inspection import inspect_notebook

    from tng.settings import ROOT

    assert isinstance(lab.places, TrainingPlaces)
    lab.begin(delivered_scripts=True, minutes=1)
    for step in STEPS:
        job = lab.take(step)
        given = lab.desk.parameters(job)
        notebook = nbformat.read(ROOT / "notebooks" / "runs" / f"{step.value}.ipynb", as_version=4)
        assert set(given) <= set(inspect_notebook(notebook)), step
        lab.accept(job, lab.result_of(job))
