"""The notebooks of retrainings, kept for operators: as they were run, and as pages; and what is old, removed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tng.desk import RECORD
from tng.log import kind_of, told
from tng.ports import Clock, Store, Work
from tng.releases import MANIFEST
from tng.training.places import LISTED, READABLE, TrainingPlaces, let
from tng.training.retrainings import STEPS, Retraining

logger = logging.getLogger(__name__)


class RunArchive:
    """``runs`` holds a folder an attempt, where its notebook was saved; ``write_page`` makes a page of one."""

    def __init__(self, places: TrainingPlaces, runs: Path, write_page: Callable[[Path, Path], None]) -> None:
        self._places, self._runs, self._write_page = places, runs, write_page

    def keep(self, retraining: Retraining) -> None:
        """Keep what its attempts ran, also of those whose process did not come to it. Raises OSError."""
        for attempt in retraining.attempts:
            ran = self._runs / f"{attempt['job']}.{attempt['attempt']}" / RECORD
            kept = self._places.notebook(retraining.id, attempt)
            if ran.is_file() and not kept.with_suffix(".html").is_file():
                self._keep(ran, kept)

    def _keep(self, ran: Path, kept: Path) -> None:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        let(kept.parent, LISTED)
        _copy(ran, kept)
        page = ran.with_suffix(".html")
        try:
            self._write_page(ran, page)
        except Exception as error:  # noqa: BLE001  whatever a notebook holds: the step is done all the same
            logger.warning("a notebook has no page (%s)", kind_of(error), extra=told(notebook=kept.name))
            return
        _copy(page, kept.with_suffix(".html"))


class Attic:
    """What a retraining leaves on disk is removed ``keep_days`` after its end, and a candidate that was never promoted.

    What the ledger names, and what an open retraining has, stays.
    """

    def __init__(self, store: Store, clock: Clock, places: TrainingPlaces, runs: Path, *, keep_days: int) -> None:
        self._store, self._clock, self._places, self._runs = store, clock, places, runs
        self._keep = timedelta(days=keep_days)

    def clear(self) -> int:
        """Remove what is old: how many folders. Raises StoreBusy; what the disk refuses is tried again next time."""
        removed = 0
        for retraining in self._ended():
            with self._store.begin() as work:  # nobody promotes the candidate while it is looked at
                old = list(self._left_by(work, retraining))
                for folder in old:
                    (folder / MANIFEST).unlink(missing_ok=True)  # from now on it is no release
            for folder in old:
                shutil.rmtree(folder, ignore_errors=True)
            removed += len(old)
        return removed

    def _ended(self) -> list[Retraining]:
        before = self._clock.now() - self._keep
        with self._store.read() as work:
            latest = work.retrainings.latest(10_000)
        return [one for one in latest if not one.is_open and one.ended_at is not None and one.ended_at < before]

    def _left_by(self, work: Work, retraining: Retraining) -> Iterator[Path]:
        folders = [self._places.of(retraining.id), *self._runs_of(work, retraining)]
        if retraining.candidate_id and retraining.candidate_id not in _named(work):
            folders.append(self._places.candidate(retraining))
        yield from (folder for folder in folders if folder.is_dir() and not folder.is_symlink())

    def _runs_of(self, work: Work, retraining: Retraining) -> Iterator[Path]:
        for step in STEPS:
            for number in range(retraining.round + 1):
                job = work.jobs.get(replace(retraining, step=step, round=number).job_key)
                if job is not None:
                    yield from self._runs.glob(f"{job.id}.*")


def _named(work: Work) -> set[str]:
    """Every release that the ledger names: a rollback may lead back to it."""
    return {row.to_id for row in work.promotions.history(100_000)}


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(source, partial)
    let(partial, READABLE)
    partial.replace(target)


__all__ = ["Attic", "RunArchive"]
