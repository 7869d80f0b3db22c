"""The worker's side of an order: claim, keep, deliver, fail, give back. It runs no notebook and calls no Stripe.

A job owes a script, or a scene of a delivered script once more (a take), which moves no order and owes no money.
Each method is one unit of work, so that an order and its job never disagree; every write of a run names its
fencing token, so that a worker that lost its lease changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tng import job_endings
from tng.customer_mails import MailKind, owe_mail
from tng.errors import JobCancelled, LeaseLost, RunFailed, TngError
from tng.jobs import EventKind, Job, JobKind, JobState, backoff
from tng.library.reworking import keep_take
from tng.library.takes import is_wanted, may_be_reworked, take_by
from tng.log import kind_of, told
from tng.money.refunds import owe_refund
from tng.orders import Order, OrderState
from tng.ports import Clock, Event, Store, Work

logger = logging.getLogger(__name__)

MAY_BE_CANCELLED = (JobState.RUNNING, JobState.CANCELLED)

TOLD_SCENES = 10
"""One scene in so many is worth a line in the log."""


class Fulfilment:
    """What a worker may do with the jobs of paid orders.

    ``lease_seconds`` is how long a claim holds without a heartbeat; ``spread`` gives a number in [-1, 1] that
    keeps retries of several jobs from falling together. ``mails``: customers are written to at the end.
    """

    def __init__(
        self, store: Store, clock: Clock, *, lease_seconds: float, spread: Callable[[], float], mails: bool = False
    ) -> None:
        self._store, self._mails = store, mails
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._spread = spread

    def claim(self, worker: str) -> Job | None:
        """Take the next job that is due, or None. A script that is owed is being written from now on.

        The attempt writes with the release that the ledger names in the same unit of work, and with no other, whatever
        is promoted meanwhile; a take at first with the one that wrote its script. Jobs whose workers died on every
        attempt are buried first; a job whose order is in no state to be written is cancelled, and the next one tried.
        Raises StoreBusy.
        """
        self._bury_overdrawn()
        while True:
            now = self._clock.now()
            with self._store.begin() as work:
                job = work.jobs.claim(worker, now, now + self._lease)
                if job is None:
                    return None
                order = _order_of(work, job)
                if order is not None and not _may_begin(job, order):
                    self._cancel(work, job)
                    work.commit()
                    logger.info("RUNNING→CANCELLED: its order is %s", order.state.name, extra=_this(job))
                    continue
                if order is not None and order.state is OrderState.PAID:
                    why = f"attempt {job.attempt} begins"
                    work.orders.save(order.moved(OrderState.WRITING, by=f"worker {worker}", why=why, at=now))
                job = _with_release(work, job, order)
                work.jobs.say(job.token, [(EventKind.STARTED, {})], now)
                work.commit()
            logger.info("job claimed", extra=_this(job, worker=worker))
            if order is not None and order.state is OrderState.PAID:
                logger.info("PAID→WRITING", extra=_this(job))
            return job

    def heartbeat(self, job: Job, events: Sequence[Event] = ()) -> None:
        """Renew the lease and store what the run said, together.

        Raises LeaseLost where another worker owns the job, JobCancelled where its order is not being written any
        more (the job is CANCELLED then, and the events are dropped), StoreBusy.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            self._writing(work, job)
            work.jobs.update(job.token, lease_until=now + self._lease)
            if events:
                work.jobs.say(job.token, events, now)
            work.commit()
        for number in _told_scenes(events):
            logger.info("scene %d is written", number, extra=_this(job))

    def check(self, job: Job) -> None:
        """Whether the run may go on, asked without a lock: it costs a look. Raises as ``heartbeat`` does."""
        if job.order_id is None:
            return
        with self._store.read() as work:
            wanted = is_wanted(job, work.orders.get(job.order_id))
        if not wanted:
            self.heartbeat(job)

    def deliver(
        self,
        job: Job,
        *,
        script_text: str,
        release_id: str,
        run_sha256: str,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        """The script is there: the job is DONE and its order DELIVERED, with how the script came about, in one commit.

        Raises RunFailed where another release wrote it than this attempt was given; LeaseLost, JobCancelled, StoreBusy.
        """
        _refuse_another_release(job, release_id)
        now = self._clock.now()
        with self._store.begin() as work:
            order = self._writing(work, job)
            work.jobs.say(job.token, [(EventKind.DONE, {})], now)
            work.jobs.update(job.token, state=JobState.DONE, lease_until=None, error=None)
            if order is not None:
                delivered = order.moved(
                    OrderState.DELIVERED,
                    by=f"worker {job.worker}",
                    why=f"attempt {job.attempt} wrote it",
                    at=now,
                    delivered_at=now,
                    script_text=script_text,
                    release_id=release_id,
                    run_sha256=run_sha256,
                    provenance=provenance,
                )
                work.orders.save(delivered)
                self._owe_mail(work, order, MailKind.DELIVERED)
            work.commit()
        logger.info("job done", extra=_this(job))
        if order is not None:
            logger.info("WRITING→DELIVERED", extra=_this(job))

    def script_of(self, job: Job) -> str:
        """The original script of which a take was asked for. Raises JobCancelled where it is wanted no more."""
        with self._store.read() as work:
            order = _order_of(work, job)
        if order is None or not may_be_reworked(order):
            raise JobCancelled(f"job {job.key}: there is no script to write a scene of")
        return str(order.script_text)

    def deliver_take(self, job: Job, *, text: str, release_id: str) -> None:
        """The scene is written again: the job is DONE, and the take kept and chosen, in one commit.

        Raises as ``deliver`` does.
        """
        _refuse_another_release(job, release_id)
        now = self._clock.now()
        with self._store.begin() as work:
            order = self._writing(work, job)
            work.jobs.say(job.token, [(EventKind.DONE, {})], now)
            work.jobs.update(job.token, state=JobState.DONE, lease_until=None, error=None)
            if order is not None:
                keep_take(work, order, take_by(job, order, text, release_id, now), now)
            work.commit()
        logger.info("job done: a scene is written again", extra=_this(job))

    def fail(self, job: Job, error: TngError) -> JobState:
        """The run raised: try again later, or bury the job and owe the money back; for a take none was paid.

        Returns the state the job is in now. Raises LeaseLost, JobCancelled, StoreBusy.
        """
        failures = job.failures + 1
        again = job_endings.has_another_try(job, error)
        with self._store.begin() as work:
            order = self._writing(work, job)
            if again:
                job_endings.try_again(work, job, error, self._clock.now(), backoff(failures, self._spread()))
            else:
                self._bury(work, job, order, error, failures)
            work.commit()
        state = JobState.QUEUED if again else JobState.DEAD
        facts = _this(job, failures=failures, fault=kind_of(error))
        logger.warning("job failed: RUNNING→%s, %s", state.name, job_endings.sentence_of(error), extra=facts)
        if _owes_money(job, order) and not again:
            logger.info("refund owed: WRITING→REFUNDING", extra=_this(job))
        return state

    def give_back(self, job: Job) -> None:
        """The worker is on its way out: the job is due at once, and the attempt is not held against it.

        Raises LeaseLost, StoreBusy.
        """
        with self._store.begin() as work:
            job_endings.give_back(work, job, self._clock.now())
            work.commit()
        logger.info("job given back: RUNNING→QUEUED", extra=_this(job))

    # --- parts of a unit of work --------------------------------------------------------------------------------

    def _writing(self, work: Work, job: Job) -> Order | None:
        """The job's order, which is being written, or reworked; None for a job without one.

        Where the order left that state the job is cancelled and committed, and JobCancelled raised. The state of
        the job itself is not looked at: ``update`` and ``say`` do that.
        """
        order = _order_of(work, job)
        if order is None or is_wanted(job, order):
            return order
        self._cancel(work, job)
        work.commit()
        logger.info("RUNNING→CANCELLED: its order is %s", order.state.name, extra=_this(job))
        raise JobCancelled(f"job {job.key}: its order is {order.state.name}: the run is to stop")

    def _cancel(self, work: Work, job: Job) -> None:
        """CANCELLED, if whoever moved the order did not see to it. Raises LeaseLost where it is done, or owed again."""
        current = work.jobs.get(job.key)
        is_ours = current is not None and current.attempt == job.attempt and current.state in MAY_BE_CANCELLED
        if not is_ours:
            raise LeaseLost(f"job {job.key}: attempt {job.attempt} does not own it any more")
        work.jobs.cancel(job.key, self._clock.now())

    def _bury(self, work: Work, job: Job, order: Order | None, error: TngError, failures: int) -> None:
        """DEAD, REFUNDING and the errand belong to one commit: nobody can forget the refund."""
        now = self._clock.now()
        job_endings.bury(work, job, error, now, failures=failures)
        if order is not None and _owes_money(job, order):
            why = f"it could not be written: {kind_of(error)}"
            owe_refund(work, order, by=f"worker {job.worker}", why=why, now=now)
            self._owe_mail(work, order, MailKind.REFUNDING)

    def _owe_mail(self, work: Work, order: Order, kind: MailKind) -> None:
        if self._mails:
            owe_mail(work, order, kind, self._clock.now())

    def _bury_overdrawn(self) -> None:
        """Give up jobs whose worker died on every attempt."""
        with self._store.read() as work:  # nearly always none: no write lock for a look
            overdrawn = work.jobs.overdrawn(self._clock.now())
        if overdrawn:
            while self._bury_next():
                pass

    def _bury_next(self) -> bool:
        """Bury one, looked up again under the lock: its worker may have come back to life since."""
        with self._store.begin() as work:
            job = next(iter(work.jobs.overdrawn(self._clock.now())), None)
            if job is None:
                return False
            order = _order_of(work, job)
            wanted = order is None or is_wanted(job, order)
            error = RunFailed(f"the worker died on every one of {job.attempt} attempts")
            if wanted:
                self._bury(work, job, order, error, job.failures)
            else:
                self._cancel(work, job)
            work.commit()
        state, facts = "DEAD" if wanted else "CANCELLED", _this(job, fault="WorkerDied")
        logger.warning("job failed: RUNNING→%s, %s", state, error, extra=facts)
        if _owes_money(job, order) and wanted:
            logger.info("refund owed: WRITING→REFUNDING", extra=_this(job))
        return True


def _this(job: Job, **more: object) -> dict[str, Any]:
    """What a line about a job says beside its words."""
    return told(order=job.order_id, job=job.id, attempt=job.attempt, release=job.release_id, **more)


def _may_begin(job: Job, order: Order) -> bool:
    is_next = order.state is OrderState.PAID and job.kind is JobKind.WRITE_SCRIPT
    return is_next or is_wanted(job, order)


def _owes_money(job: Job, order: Order | None) -> bool:
    """Whether there is an order that was paid for what the job owes."""
    return order is not None and job.kind is JobKind.WRITE_SCRIPT


def _with_release(work: Work, job: Job, order: Order | None) -> Job:
    """The job, whose attempt is bound to the last row of the ledger; there is none where no house was ever opened.

    A take is bound to the release that wrote its script; where it failed with that one, which may be gone, to the last.
    """
    row = work.promotions.current()
    if job.kind is JobKind.WRITE_SCENE and order is not None and not job.failures:
        row = next((one for one in work.promotions.history() if one.to_id == order.release_id), row)
    release_id, promotion_id = (row.to_id, row.id) if row is not None else (None, None)
    work.jobs.update(job.token, release_id=release_id, promotion_id=promotion_id)
    return replace(job, release_id=release_id, promotion_id=promotion_id)


def _refuse_another_release(job: Job, release_id: str) -> None:
    if job.release_id is not None and release_id != job.release_id:
        raise RunFailed(
            f"job {job.key}: written by {release_id!r}, and attempt {job.attempt} was given {job.release_id!r}",
            cause="WrongRelease",
        )


def _told_scenes(events: Sequence[Event]) -> list[int]:
    """The numbers of the scenes that are worth a line: the first, and every tenth."""
    numbers = [body.get("number") for kind, body in events if kind is EventKind.SCENE]
    return [n for n in numbers if isinstance(n, int) and (n == 1 or n % TOLD_SCENES == 0)]


def _order_of(work: Work, job: Job) -> Order | None:
    return work.orders.get(job.order_id) if job.order_id is not None else None
