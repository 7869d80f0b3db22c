"""Releases, schedules and retrainings of one unit of work, in SQL. What may follow what is not decided here.

A unit that writes has each of these tables to itself: SQLite has one writer anyway, PostgreSQL takes an advisory lock.
Should that fail one day, the keys of the tables still let nobody follow a row twice, or open two retrainings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tng.adapters.database.engine import is_postgres
from tng.adapters.database.records import Record
from tng.adapters.database.retraining_records import (
    LANE,
    EvaluationRecord,
    PromotionRecord,
    RetrainingRecord,
    ScheduleRecord,
)
from tng.errors import RetrainingError, ScheduleError, StoreBusy
from tng.promotion.promotions import Evaluation, Promotion
from tng.training.retrainings import Retraining
from tng.training.schedules import Schedule


class _Alone:
    """A session that has its table to itself from the first look on, where it writes."""

    POSTGRES_LOCK = 0

    def __init__(self, session: Session, *, writes: bool) -> None:
        self._session = session
        self._must_lock = writes and is_postgres(session)

    def _lock(self) -> None:
        if self._must_lock:
            self._session.execute(text(f"SELECT pg_advisory_xact_lock({self.POSTGRES_LOCK})"))
            self._must_lock = False

    def _insert(self, record: Record, what: str) -> None:
        self._lock()
        self._session.add(record)
        try:
            self._session.flush()
        except IntegrityError as error:
            raise StoreBusy(f"somebody else was quicker: {what}; look again") from error


class SqlPromotions(_Alone):
    """See :class:`tng.house_ports.Promotions`."""

    POSTGRES_LOCK = 7713

    def current(self) -> Promotion | None:
        """The last row."""
        return self._first(select(PromotionRecord))

    def at(self, moment: datetime) -> Promotion | None:
        """The last row that is not later than ``moment``."""
        return self._first(select(PromotionRecord).where(PromotionRecord.at <= moment))

    def history(self, limit: int = 1000) -> Sequence[Promotion]:
        """The rows, the newest first."""
        self._lock()
        query = select(PromotionRecord).order_by(PromotionRecord.id.desc()).limit(limit)
        return [record.to_promotion() for record in self._session.scalars(query)]

    def add(self, promotion: Promotion) -> Promotion:
        """Append; the id that it has now is one more than the last."""
        self._insert(PromotionRecord.of(promotion), f"there is a row {promotion.id} of the ledger already")
        return promotion

    def keep(self, evaluation: Evaluation) -> Evaluation:
        """Store a new evaluation; its id is given here."""
        record = EvaluationRecord.of(evaluation)
        self._session.add(record)
        self._session.flush()
        return record.to_evaluation()

    def evaluation(self, evaluation_id: int) -> Evaluation | None:
        """The evaluation of this id."""
        record = self._session.get(EvaluationRecord, evaluation_id)
        return record.to_evaluation() if record else None

    def evaluations(self, limit: int = 100) -> Sequence[Evaluation]:
        """The evaluations, the newest first."""
        query = select(EvaluationRecord).order_by(EvaluationRecord.id.desc()).limit(limit)
        return [record.to_evaluation() for record in self._session.scalars(query)]

    def _first(self, query: Select[PromotionRecord]) -> Promotion | None:
        self._lock()
        record = self._session.scalars(query.order_by(PromotionRecord.id.desc()).limit(1)).one_or_none()
        return record.to_promotion() if record else None


class SqlSchedules(_Alone):
    """See :class:`tng.house_ports.Schedules`."""

    POSTGRES_LOCK = 7714

    def all(self) -> Sequence[Schedule]:
        """Every schedule, by name."""
        self._lock()
        query = select(ScheduleRecord).order_by(ScheduleRecord.name)
        return [record.to_schedule() for record in self._session.scalars(query)]

    def get(self, name: str) -> Schedule:
        """The schedule of this name. Raises ScheduleError."""
        self._lock()
        record = self._session.get(ScheduleRecord, name)
        if record is None:
            raise ScheduleError(f"there is no schedule {name!r}; `tng schedule list` shows those that there are")
        return record.to_schedule()

    def put(self, schedule: Schedule) -> None:
        """Store a new one, or what changed."""
        self._lock()
        record = self._session.get(ScheduleRecord, schedule.name) or ScheduleRecord()
        self._session.add(record.take(schedule))
        self._session.flush()

    def remove(self, name: str) -> None:
        """Forget it. Raises ScheduleError where there is none."""
        self.get(name)
        self._session.execute(delete(ScheduleRecord).where(ScheduleRecord.name == name))


class SqlRetrainings(_Alone):
    """See :class:`tng.house_ports.Retrainings`."""

    POSTGRES_LOCK = 7715

    def add(self, retraining: Retraining) -> None:
        """Store a new one. Raises StoreBusy where another is open, or has this slot of its schedule."""
        self._insert(RetrainingRecord().take(retraining), "a retraining is open, or has this slot")

    def get(self, retraining_id: str) -> Retraining:
        """The one of this id. Raises RetrainingError."""
        return self._record(retraining_id).to_retraining()

    def save(self, retraining: Retraining) -> None:
        """Store what changed. Raises RetrainingError where there is none of its id, StoreBusy where two were open."""
        record = self._record(retraining.id)
        self._insert(record.take(retraining), "a retraining is open")

    def open(self) -> Retraining | None:
        """The one that is not at its end."""
        self._lock()
        record = self._session.scalars(select(RetrainingRecord).where(RetrainingRecord.lane == LANE)).one_or_none()
        return record.to_retraining() if record else None

    def latest(self, limit: int = 50) -> Sequence[Retraining]:
        """The last ones, the newest first."""
        self._lock()
        newest = select(RetrainingRecord).order_by(RetrainingRecord.begun_at.desc(), RetrainingRecord.id.desc())
        return [record.to_retraining() for record in self._session.scalars(newest.limit(limit))]

    def _record(self, retraining_id: str) -> RetrainingRecord:
        self._lock()
        record = self._session.get(RetrainingRecord, retraining_id)
        if record is None:
            raise RetrainingError(f"there is no retraining {retraining_id!r}; see `tng schedule runs`")
        return record
