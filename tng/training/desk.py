"""The desk of those who run the steps of retrainings: what each step is given, and what counts as done.

It measures nothing and trains nothing: notebooks do. It is the ledger's and the orders' side of a retraining.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tng.desk import as_run_error
from tng.errors import ReleaseError, RunFailed, TngError
from tng.jobs import RETRAINING, Job, JobKind
from tng.log import kind_of
from tng.ports import Clock, Event, Store
from tng.promotion.ledger import Current, ReleaseLedger
from tng.training.decisions import read_evaluation
from tng.training.gpus import TrainingGpus
from tng.training.places import TrainingPlaces, parameters, show_to_group
from tng.training.retraining import Retrainings
from tng.training.retrainings import Retraining, RetrainingState, retraining_of
from tng.training.texts import write_delivered

ASK_SECONDS = 2.0
"""How often a training that waits for orders, or for a GPU, looks again."""

LONGEST_NOTE = 300

DECIDED = (RetrainingState.KEPT, RetrainingState.PROMOTED)

logger = logging.getLogger(__name__)


class TrainingDesk:
    """The steps of retrainings, for one worker.

    ``keep_notebooks`` is told of a retraining after each attempt, and puts what was run where operators find it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        retrainings: Retrainings,
        ledger: ReleaseLedger,
        places: TrainingPlaces,
        gpus: TrainingGpus,
        *,
        keep_notebooks: Callable[[Retraining], None] = lambda _: None,
    ) -> None:
        self._store, self._clock, self._retrainings, self._ledger = store, clock, retrainings, ledger
        self._places, self._gpus, self._keep_notebooks = places, gpus, keep_notebooks
        self._looks_again_at = 0.0
        self._ends, self._asked = False, False
        self._last: Retraining | None = None

    def end_early(self) -> None:
        """The process is to end: the step in hand keeps what it has. From any thread."""
        self._ends = True

    def look_again(self) -> None:
        """Ask at once whether a training may begin, and not in a moment."""
        self._looks_again_at = 0.0

    def claim(self, worker: str) -> Job | None:
        """The step that is owed. A training is taken only while it disturbs nobody. Raises StoreBusy."""
        self._settle_last()
        retraining = self._due()
        if retraining is None or (retraining.step is JobKind.FINETUNE and not self._may_train(retraining)):
            return None
        self._last, self._asked = retraining, False
        others = RETRAINING - {JobKind.FINETUNE}
        return self._retrainings.claim(worker, tuple(others | {retraining.step}))

    def explain(self, job: Job) -> Mapping[str, object]:
        """Its retraining, and the step."""
        return {
            "retraining": retraining_of(job.key),
            "step": job.kind.value,
            "job": job.id,
            "attempt": job.attempt,
        }

    def parameters(self, job: Job) -> dict[str, Any]:
        """Folders and options. Raises RunFailed where the current release cannot be held against. StoreBusy."""
        retraining, champion = self._retrainings.of(job), None
        self._places.make(retraining.id)
        if job.kind is JobKind.BUILD_CORPUS and retraining.options.delivered_scripts:
            write_delivered(self._store, self._places.of(retraining.id, "delivered"))
        if job.kind is JobKind.EVALUATE:
            current = self._current().release
            champion = current.folder
            candidate_id = self._places.candidate_id(retraining)
            retraining = self._retrainings.note(job, champion_id=current.id, candidate_id=candidate_id)
        return parameters(self._places, retraining, champion=champion)

    def heartbeat(self, job: Job, events: Sequence[Event] = ()) -> None:
        """Renew the lease and store what the run said."""
        self._retrainings.heartbeat(job, events)

    def yields(self, job: Job) -> bool:
        """A training makes way for orders and for people; any step does where the process is to end."""
        if self._ends or (job.kind is JobKind.FINETUNE and self._gpus.must_go()):
            self._asked = True
        return self._asked

    def accept(self, job: Job, result: Mapping[str, Any], run_folder: Path) -> None:
        """Record what the step came to. Raises RunFailed where that is not what was owed, StoreBusy."""
        with as_run_error():
            retraining = self._retrainings.of(job)
            accept = {
                JobKind.BUILD_CORPUS: self._accept_corpus,
                JobKind.FINETUNE: self._accept_training,
                JobKind.EVALUATE: self._accept_evaluation,
                JobKind.DECIDE: self._accept_decision,
            }[job.kind]
        accept(job, retraining, result)
        self._settle_last()

    def fail(self, job: Job, error: TngError) -> None:
        """Try it again later, or end the retraining. Raises StoreBusy."""
        self._retrainings.fail(job, error)
        self._settle_last()

    def give_back(self, job: Job) -> None:
        """It is due at once, but for a training: that waits until it disturbs nobody. Raises StoreBusy."""
        self._retrainings.give_back(job)
        self._settle_last()

    # --- what each step came to ---------------------------------------------------------------------------------

    def _accept_corpus(self, job: Job, retraining: Retraining, result: Mapping[str, Any]) -> None:
        fingerprint = result.get("fingerprint")
        if not isinstance(fingerprint, str) or not fingerprint:
            raise RunFailed("the corpus has no fingerprint", cause="NoCorpus", retryable=False)
        known = "" if retraining.options.even_if_nothing_new else self._known_from(fingerprint, retraining)
        if known:
            self._retrainings.skip(job, _brief(result), _nothing_new(known), fingerprint=fingerprint)
        else:
            self._retrainings.done(job, _brief(result), fingerprint=fingerprint)
        self._places.forget_delivered(None)  # the corpus is built: they are needed no more

    def _accept_training(self, job: Job, retraining: Retraining, result: Mapping[str, Any]) -> None:
        """What was interrupted goes on later; what has used up its minutes is done."""
        if not isinstance(result.get("steps"), int) or not result["steps"]:
            if not self._asked:
                raise RunFailed("the training took no step", cause="NoTraining")
            self._retrainings.give_back(job)
        elif result.get("is_finished") is True or _time_is_up(retraining, result, asked=self._asked):
            self._retrainings.done(job, _brief(result))
        else:
            self._retrainings.give_back(job, _brief(result))

    def _accept_evaluation(self, job: Job, retraining: Retraining, result: Mapping[str, Any]) -> None:
        if result.get("release_id") != retraining.candidate_id:
            raise RunFailed("another release was evaluated than was made", cause="WrongRelease", retryable=False)
        with as_run_error():
            show_to_group(self._places.candidate(retraining))
        self._retrainings.done(job, _brief(result))

    def _accept_decision(self, job: Job, retraining: Retraining, result: Mapping[str, Any]) -> None:
        evaluation = read_evaluation(result, self._clock.now())
        if (evaluation.candidate_id, evaluation.champion_id) != (retraining.candidate_id, retraining.champion_id):
            raise RunFailed("other releases were decided on than evaluated", cause="WrongRelease", retryable=False)
        self._retrainings.decide(job, _brief(result), evaluation)

    # --- parts --------------------------------------------------------------------------------------------------

    def _due(self) -> Retraining | None:
        """The retraining whose step may be taken now: this is asked twice a second, and locks nothing."""
        now = self._clock.now()
        with self._store.read() as work:
            retraining = work.retrainings.open()
            job = work.jobs.get(retraining.job_key) if retraining is not None else None
        return retraining if job is not None and job.is_due(now) else None

    def _may_train(self, retraining: Retraining) -> bool:
        if time.monotonic() < self._looks_again_at:
            return False
        if self._gpus.take():
            return True
        self._looks_again_at = time.monotonic() + ASK_SECONDS
        logger.debug("retraining %s waits: orders and people come first", retraining.id)
        return False

    def _current(self) -> Current:
        try:
            return self._ledger.current()
        except ReleaseError as error:
            raise RunFailed(str(error), cause=type(error).__name__) from None

    def _known_from(self, fingerprint: str, retraining: Retraining) -> str:
        """Who has learnt from this very corpus already: a retraining of this preset, or the current release."""
        with self._store.read() as work:
            earlier = work.retrainings.latest(1000)
        preset = retraining.options.preset
        same = [one for one in earlier if one.state in DECIDED and one.fingerprint == fingerprint]
        if found := next((one for one in same if one.options.preset == preset), None):
            return f"retraining {found.id}"
        champion = self._current().release
        made = next((one for one in earlier if one.candidate_id == champion.id), None)
        corpus = champion.meta.get("corpus")
        is_same = isinstance(corpus, dict) and corpus.get("fingerprint") == fingerprint
        return f"release {champion.id}" if is_same and (made is None or made.options.preset == preset) else ""

    def _settle_last(self) -> None:
        """The last attempt is over, however it ended: what it held is free, and what it ran is kept for operators."""
        self._gpus.give_back()
        last, self._last = self._last, None
        if last is None:
            return
        try:
            self._keep_notebooks(self._retrainings.get(last.id))
        except Exception as error:  # noqa: BLE001  whatever a disk or a notebook has: the step itself is recorded
            logger.warning("a notebook is not kept for operators (%s)", kind_of(error))


def _time_is_up(retraining: Retraining, result: Mapping[str, Any], *, asked: bool) -> bool:
    """Whether the training ended because its minutes are over. Only that ends one that nobody asked to."""
    minutes, seconds = retraining.options.minutes, result.get("seconds")
    if not minutes:
        return False
    return not asked or (isinstance(seconds, int | float) and seconds >= minutes * 60)


def _brief(result: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers and names of a result: all else stands in its notebook, and in the evaluation."""
    plain = {name: value for name, value in result.items() if isinstance(value, bool | int | float | str)}
    return {name: value for name, value in plain.items() if not isinstance(value, str) or len(value) <= LONGEST_NOTE}


def _nothing_new(known: str) -> str:
    return (
        f"There was nothing new: {known} has learnt from this very corpus. --even-if-nothing-new trains all the same."
    )
