"""Retrainings: begun by schedules and people, gone on with step by step, decided. It runs no notebook.

Each method is one unit of work, so that a retraining and the job of its step never disagree. Whoever runs the steps
names the fencing token of the job, as for orders; a step that is done owes the next one in the same commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tng import job_endings
from tng.errors import (
    JobCancelled,
    PromotionRefused,
    ReleaseError,
    RetrainingError,
    RunFailed,
    TngError,
)
from tng.jobs import RETRAINING, EventKind, Job, JobKind, JobState, backoff
from tng.log import kind_of, told
from tng.notices import Notice, NoticeKind, tell
from tng.ports import Clock, Event, Store, Work
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.promotions import Evaluation, Promotion
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState, next_step, retraining_of

logger = logging.getLogger(__name__)

ENDINGS = {
    RetrainingState.PROMOTED: NoticeKind.RETRAINING_DONE,
    RetrainingState.KEPT: NoticeKind.RETRAINING_DONE,
    RetrainingState.SKIPPED: NoticeKind.RETRAINING_DONE,
    RetrainingState.FAILED: NoticeKind.RETRAINING_FAILED,
}


class Retrainings:
    """The retrainings of a house. ``new_id`` gives a fresh id; ``spread`` keeps retries apart, as for orders."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ledger: ReleaseLedger,
        *,
        lease_seconds: float,
        new_id: Callable[[datetime], str],
        spread: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._store, self._clock, self._ledger = store, clock, ledger
        self._lease = timedelta(seconds=lease_seconds)
        self.new_id, self._spread = new_id, spread

    # --- the life of one ----------------------------------------------------------------------------------------

    def begin(self, options: RetrainingOptions, *, actor: str, schedule: str | None = None) -> Retraining:
        """Begin one now. Raises RetrainingError where one is open already, StoreBusy."""
        now = self._clock.now()
        retraining = Retraining(self.new_id(now), options, actor, now, schedule=schedule)
        with self._store.begin() as work:
            if (other := work.retrainings.open()) is not None:
                raise RetrainingError(f"retraining {other.id} is under way; two at once would take turns for nothing")
            self.add_to(work, retraining)
            work.commit()
        logger.info("retraining begun by %s", actor, extra=_this(retraining))
        return retraining

    def cancel(self, retraining_id: str, *, actor: str) -> Retraining:
        """End it; a step that runs hears of it with its next heartbeat. Raises RetrainingError."""
        with self._store.begin() as work:
            retraining = work.retrainings.get(retraining_id)
            if not retraining.is_open:
                raise RetrainingError(f"retraining {retraining.id} has ended: {retraining.state.value}")
            if retraining.is_decided:
                raise RetrainingError(f"retraining {retraining.id} is decided: what is left is to write that down")
            ended = self._end(work, retraining, RetrainingState.CANCELLED, f"Cancelled by {actor}.")
            work.commit()
        return ended

    def retry(self, retraining_id: str, *, actor: str) -> Retraining:
        """Take up one that failed, or was cancelled, at the step that it ended with. Raises RetrainingError."""
        with self._store.begin() as work:
            retraining = work.retrainings.get(retraining_id)
            if retraining.state not in (RetrainingState.FAILED, RetrainingState.CANCELLED):
                raise RetrainingError(f"retraining {retraining.id} is {retraining.state.value}: nothing to take up")
            if (other := work.retrainings.open()) is not None:
                raise RetrainingError(f"retraining {other.id} is under way; take this one up afterwards")
            again = replace(
                retraining, state=RetrainingState.RUNNING, round=retraining.round + 1, ended_at=None, sentence=""
            )
            work.retrainings.save(again)
            work.jobs.add(again.owed_job(self._clock.now()))
            work.commit()
        logger.info("retraining taken up again by %s", actor, extra=_this(again))
        return again

    def get(self, retraining_id: str) -> Retraining:
        """One of them. Raises RetrainingError, StoreBusy."""
        with self._store.read() as work:
            return work.retrainings.get(retraining_id)

    def of(self, job: Job) -> Retraining:
        """The retraining of a job. Raises RetrainingError, StoreBusy."""
        return self.get(retraining_of(job.key))

    # --- the side of whoever runs the steps ---------------------------------------------------------------------

    def claim(self, worker: str, kinds: Sequence[JobKind] = tuple(RETRAINING)) -> Job | None:
        """Take the step that is owed, or None. Raises StoreBusy."""
        self._bury_overdrawn()
        now = self._clock.now()
        with self._store.begin() as work:
            job = work.jobs.claim(worker, now, now + self._lease, kinds)
            if job is None:
                return None
            retraining = work.retrainings.get(retraining_of(job.key))
            if not retraining.is_open or retraining.job_key != job.key:
                work.jobs.update(job.token, state=JobState.CANCELLED, lease_until=None)
                work.commit()
                return None
            work.jobs.say(job.token, [(EventKind.STARTED, {})], now)
            work.retrainings.save(retraining.attempted(job, now))
            work.commit()
        logger.info("step claimed", extra=_about(job, worker=worker))
        return job

    def heartbeat(self, job: Job, events: Sequence[Event] = ()) -> None:
        """Renew the lease and store what the step said. Raises LeaseLost, JobCancelled, StoreBusy."""
        now = self._clock.now()
        with self._store.begin() as work:
            self._open(work, job)
            work.jobs.update(job.token, lease_until=now + self._lease)
            if events:
                work.jobs.say(job.token, events, now)
            work.commit()

    def note(self, job: Job, **changes: Any) -> Retraining:
        """Change fields of the retraining while its step runs. Raises LeaseLost, JobCancelled, StoreBusy."""
        with self._store.begin() as work:
            changed = replace(self._open(work, job), **changes)
            work.jobs.update(job.token, error=job.error)  # whoever lost the lease changes nothing
            work.retrainings.save(changed)
            work.commit()
        return changed

    def done(self, job: Job, notes: Mapping[str, Any], **changes: Any) -> Retraining:
        """The step is done, and the next one owed. ``changes`` are of the retraining.

        Raises LeaseLost, JobCancelled, StoreBusy.
        """
        with self._store.begin() as work:
            retraining = self._finish(work, job, notes, **changes)
            step = next_step(retraining.step)
            if step is None:
                raise RetrainingError(f"retraining {retraining.id}: after {retraining.step.value} comes a decision")
            following = replace(retraining, step=step)
            work.retrainings.save(following)
            work.jobs.add(following.owed_job(self._clock.now()))
            work.commit()
        logger.info("step done, %s is next", following.step.value, extra=_about(job))
        return following

    def skip(self, job: Job, notes: Mapping[str, Any], sentence: str, **changes: Any) -> Retraining:
        """The step found nothing new: the retraining is over. Raises LeaseLost, JobCancelled, StoreBusy."""
        with self._store.begin() as work:
            retraining = self._finish(work, job, notes, **changes)
            ended = self._end(work, retraining, RetrainingState.SKIPPED, sentence)
            work.commit()
        return ended

    def decide(self, job: Job, notes: Mapping[str, Any], evaluation: Evaluation) -> Retraining:
        """The last step is done: the evaluation is kept, and the candidate promoted where it is better.

        Where the champion has changed since it was held against, the candidate is kept as the challenger. Raises
        LeaseLost, JobCancelled, StoreBusy; whatever keeps a promotion from happening is the retraining's sentence.
        """
        with self._store.begin() as work:
            retraining = self._finish(work, job, notes)
            kept = work.promotions.keep(replace(evaluation, at=self._clock.now(), retraining_id=retraining.id))
            retraining = replace(retraining, evaluation_id=kept.id, candidate_id=kept.candidate_id)
            work.retrainings.save(retraining)
            promotes = kept.promote and retraining.options.promotes
            if not promotes:
                ended = self._end(work, retraining, RetrainingState.KEPT, _why_kept(kept, retraining))
            else:
                ended = retraining
            work.commit()
        return self._promoted(ended, kept) if promotes else ended

    def fail(self, job: Job, error: TngError) -> JobState:
        """The step raised: try it again later, or end the retraining. The state the job is in now.

        Raises LeaseLost, JobCancelled, StoreBusy.
        """
        failures, again = job.failures + 1, job_endings.has_another_try(job, error)
        sentence = job_endings.sentence_of(error)
        with self._store.begin() as work:
            retraining, now = self._open(work, job), self._clock.now()
            if again:
                job_endings.try_again(work, job, error, now, backoff(failures, self._spread()))
            else:
                job_endings.bury(work, job, error, now, failures=failures)
                self._end(work, retraining, RetrainingState.FAILED, f"{job.kind.value} failed: {sentence}")
            work.commit()
        state = JobState.QUEUED if again else JobState.DEAD
        logger.warning("step failed: RUNNING→%s, %s", state.name, sentence, extra=_about(job, fault=kind_of(error)))
        return state

    def give_back(self, job: Job, notes: Mapping[str, Any] | None = None) -> None:
        """The step is due at once, and the attempt not held against it: it yielded, or its process is to end.

        ``notes`` say how far it has come. Raises LeaseLost, JobCancelled, StoreBusy.
        """
        with self._store.begin() as work:
            retraining = self._open(work, job)
            if notes is not None:
                work.retrainings.save(retraining.noted(job.kind, notes))
            job_endings.give_back(work, job, self._clock.now())
            work.commit()
        logger.info("step given back: RUNNING→QUEUED", extra=_about(job))

    # --- parts of a unit of work --------------------------------------------------------------------------------

    def add_to(self, work: Work, retraining: Retraining) -> Retraining:
        """Begin it in somebody's unit of work, with the job of its first step. Raises StoreBusy."""
        work.retrainings.add(retraining)
        work.jobs.add(retraining.owed_job(self._clock.now()))
        return retraining

    def _open(self, work: Work, job: Job) -> Retraining:
        """The retraining of a running step. Where it has ended the job is cancelled, and JobCancelled raised."""
        retraining = work.retrainings.get(retraining_of(job.key))
        if retraining.is_open and retraining.job_key == job.key:
            return retraining
        work.jobs.update(job.token, state=JobState.CANCELLED, lease_until=None)
        work.commit()
        raise JobCancelled(f"job {job.key}: its retraining is {retraining.state.value}; the step is to stop")

    def _finish(self, work: Work, job: Job, notes: Mapping[str, Any], **changes: Any) -> Retraining:
        retraining = self._open(work, job)
        work.jobs.say(job.token, [(EventKind.DONE, {})], self._clock.now())
        work.jobs.update(job.token, state=JobState.DONE, lease_until=None, error=None)
        return replace(retraining.noted(job.kind, notes), **changes)

    def _end(self, work: Work, retraining: Retraining, state: RetrainingState, sentence: str) -> Retraining:
        now = self._clock.now()
        ended = replace(retraining, state=state, ended_at=now, sentence=sentence)
        work.retrainings.save(ended)
        if kind := ENDINGS.get(state):
            facts = {"retraining": ended.id, "state": state.value, "candidate": ended.candidate_id}
            tell(work, Notice(kind, f"Retraining {ended.id}: {state.value}", sentence, now, facts), (), now)
        logger.info("retraining: RUNNING→%s", state.name, extra=_this(ended))
        return ended

    def settle_decided(self) -> Retraining | None:
        """Bring to its end what was decided by a process that then died. Raises StoreBusy."""
        with self._store.read() as work:
            retraining = work.retrainings.open()
            if retraining is None or not retraining.is_decided:
                return None
            evaluation = work.promotions.evaluation(retraining.evaluation_id or 0)
        return self._promoted(retraining, evaluation) if evaluation is not None else None

    def _promoted(self, retraining: Retraining, evaluation: Evaluation) -> Retraining:
        """Promote, and write down how that went: what the ledger says of this evaluation, whoever was quicker.

        A crash between the two is taken up by ``settle_decided``.
        """
        refusal = "" if self._row_of(evaluation) else self._promote(retraining, evaluation)
        with self._store.begin() as work:
            retraining, row = work.retrainings.get(retraining.id), _row_of(work, evaluation)
            if not retraining.is_open:
                return retraining
            if row is not None:
                state, sentence = RetrainingState.PROMOTED, f"{row.from_id} → {row.to_id}: all checks passed."
            else:
                state, sentence = RetrainingState.KEPT, f"Not promoted: {refusal}"
            ended = self._end(work, retraining, state, sentence)
            work.commit()
        return ended

    def _promote(self, retraining: Retraining, evaluation: Evaluation) -> str:
        """Promote: nothing, or why that is refused. Raises StoreBusy."""
        try:
            self._ledger.promote(
                evaluation.candidate_id,
                actor=retraining.actor,
                reason=f"retraining {retraining.id}: {'; '.join(evaluation.reasons) or 'all checks passed'}",
                expected=evaluation.champion_id,
                evaluation_id=evaluation.id,
            )
        except (PromotionRefused, ReleaseError) as error:
            return str(error)
        return ""

    def _row_of(self, evaluation: Evaluation) -> Promotion | None:
        with self._store.read() as work:
            return _row_of(work, evaluation)

    def _bury_overdrawn(self) -> None:
        with self._store.read() as work:
            overdrawn = work.jobs.overdrawn(self._clock.now(), RETRAINING)
        if not overdrawn:
            return
        with self._store.begin() as work:
            for job in work.jobs.overdrawn(self._clock.now(), RETRAINING):
                error = RunFailed(f"its process died on every one of {job.attempt} attempts")
                job_endings.bury(work, job, error, self._clock.now(), failures=job.failures)
                retraining = work.retrainings.get(retraining_of(job.key))
                if retraining.is_open:
                    self._end(work, retraining, RetrainingState.FAILED, f"{job.kind.value} failed: {error}")
            work.commit()


def _row_of(work: Work, evaluation: Evaluation) -> Promotion | None:
    """The promotion that was decided upon this evaluation."""
    return next((row for row in work.promotions.history() if row.evaluation_id == evaluation.id), None)


def _why_kept(evaluation: Evaluation, retraining: Retraining) -> str:
    if evaluation.promote and not retraining.options.promotes:
        return f"{evaluation.candidate_id} passed; it was asked for without a promotion."
    return f"{evaluation.champion_id} stays: {'; '.join(evaluation.reasons) or 'not every check passed'}"


def _this(retraining: Retraining, **more: object) -> dict[str, Any]:
    return told(retraining=retraining.id, **more)


def _about(job: Job, **more: object) -> dict[str, Any]:
    return told(retraining=retraining_of(job.key), step=job.kind.value, job=job.id, attempt=job.attempt, **more)
