"""The tables of releases, schedules and retrainings, and the way between a row and an object of the language."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tng.adapters.database.records import GROWING_ID, Record
from tng.jobs import JobKind
from tng.promotion.promotions import Check, Evaluation, Promotion, PromotionKind, Sample
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState
from tng.training.schedules import Schedule

LANE = "retraining"
"""What the one open retraining holds; the others hold nothing, and any number of rows may."""


class PromotionRecord(Record):
    """A row of ``promotions``; see :class:`tng.promotion.promotions.Promotion`. Its key: no two follow the same row."""

    __tablename__ = "promotions"
    __table_args__ = (Index("promotions_at", "at", "id"),)

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    from_id: Mapped[str | None] = mapped_column(String(255))
    to_id: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    evaluation_id: Mapped[int | None]

    @classmethod
    def of(cls, row: Promotion) -> PromotionRecord:
        """A new row."""
        return cls(**asdict(row) | {"kind": row.kind.value})

    def to_promotion(self) -> Promotion:
        """The row as a promotion."""
        return Promotion(
            self.id,
            self.at,
            PromotionKind(self.kind),
            self.from_id,
            self.to_id,
            self.digest,
            self.actor,
            self.reason,
            self.evaluation_id,
        )


class EvaluationRecord(Record):
    """A row of ``evaluations``; see :class:`tng.promotion.promotions.Evaluation`. ``body`` is read whole."""

    __tablename__ = "evaluations"
    __table_args__ = (Index("evaluations_of_candidate", "candidate_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    candidate_id: Mapped[str] = mapped_column(String(255))
    champion_id: Mapped[str] = mapped_column(String(255))
    promote: Mapped[bool]
    retraining_id: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]

    @classmethod
    def of(cls, evaluation: Evaluation) -> EvaluationRecord:
        """A new row; its id is given by the database."""
        told = asdict(evaluation)
        body = {name: told[name] for name in ("reasons", "checks", "samples", "metrics", "canary")}
        own = {name: told[name] for name in ("at", "candidate_id", "champion_id", "promote", "retraining_id")}
        return cls(**own, body=body)

    def to_evaluation(self) -> Evaluation:
        """The row as an evaluation."""
        return Evaluation(
            self.id,
            self.at,
            self.candidate_id,
            self.champion_id,
            self.promote,
            tuple(self.body["reasons"]),
            tuple(Check(**check) for check in self.body["checks"]),
            tuple(Sample(**sample) for sample in self.body["samples"]),
            self.body["metrics"],
            self.body["canary"],
            self.retraining_id,
        )


class ScheduleRecord(Record):
    """A row of ``schedules``; see :class:`tng.training.schedules.Schedule`."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    cron: Mapped[str] = mapped_column(String(255))
    zone: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    settled_until_at: Mapped[datetime]
    is_paused: Mapped[bool]

    def take(self, schedule: Schedule) -> ScheduleRecord:
        """Make the row say what the schedule says."""
        self.name, self.cron, self.zone = schedule.name, schedule.cron, schedule.zone
        self.options, self.is_paused = dict(schedule.options), schedule.is_paused
        self.created_at, self.settled_until_at = schedule.created_at, schedule.settled_until_at
        return self

    def to_schedule(self) -> Schedule:
        """The row as a schedule."""
        return Schedule(
            self.name, self.cron, self.zone, self.options, self.created_at, self.settled_until_at, self.is_paused
        )


class RetrainingRecord(Record):
    """A row of ``retrainings``; see :class:`tng.training.retrainings.Retraining`. ``lane``: one is open at a time."""

    __tablename__ = "retrainings"
    __table_args__ = (
        UniqueConstraint("lane", name="retrainings_one_open"),
        UniqueConstraint("schedule", "slot_at", name="retrainings_one_a_slot"),
        Index("retrainings_begun", "begun_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    lane: Mapped[str | None] = mapped_column(String(16))
    options: Mapped[dict[str, Any]]
    actor: Mapped[str] = mapped_column(String(255))
    begun_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    step: Mapped[str] = mapped_column(String(32))
    round: Mapped[int]
    schedule: Mapped[str | None] = mapped_column(String(40))
    slot_at: Mapped[datetime | None]
    coalesced: Mapped[int]
    ended_at: Mapped[datetime | None]
    fingerprint: Mapped[str | None] = mapped_column(String(255))
    champion_id: Mapped[str | None] = mapped_column(String(255))
    candidate_id: Mapped[str | None] = mapped_column(String(255))
    evaluation_id: Mapped[int | None]
    sentence: Mapped[str] = mapped_column(Text)
    notes: Mapped[dict[str, Any]]

    def take(self, retraining: Retraining) -> RetrainingRecord:
        """Make the row say what the retraining says."""
        own = {name: getattr(retraining, name) for name in _PLAIN}
        typed = {"options": retraining.options.to_fields(), "notes": dict(retraining.notes)}
        names = {"state": retraining.state.value, "step": retraining.step.value}
        for name, value in (own | typed | names | {"lane": LANE if retraining.is_open else None}).items():
            setattr(self, name, value)
        return self

    def to_retraining(self) -> Retraining:
        """The row as a retraining."""
        own = {name: getattr(self, name) for name in _PLAIN}
        return Retraining(
            **own,
            options=RetrainingOptions.from_fields(self.options),
            state=RetrainingState(self.state),
            step=JobKind(self.step),
            notes=self.notes,
        )


_PLAIN = (
    "id",
    "actor",
    "begun_at",
    "round",
    "schedule",
    "slot_at",
    "coalesced",
    "ended_at",
    "fingerprint",
    "champion_id",
    "candidate_id",
    "evaluation_id",
    "sentence",
)
"""The columns that hold what the object holds."""
