"""Which release is current, and why: the language of the ledger. No database, no files, no rules of who may.

The ledger is append-only. Its last row says which release writes now, the last one before a moment which wrote then;
a rollback is a row like any other. An evaluation is a candidate held against the release that was current.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class PromotionKind(StrEnum):
    """Why the current release changed."""

    FIRST = "first"
    """The ledger was begun with the release that the house was opened with."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    CANARY = "canary"
    """The first scripts of a release were worse than its evaluation promised: the one before is current again."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A row of the ledger. ``id`` counts from 1 without gaps; ``from_id`` is nothing in the first row alone.

    ``digest`` is the sha256 of the release's manifest, so that no other folder of that name can take its place;
    ``actor`` is ``schedule:<name>``, ``canary``, ``shell:<user>`` or ``hub:<user>``.
    """

    id: int
    at: datetime
    kind: PromotionKind
    from_id: str | None
    to_id: str
    digest: str
    actor: str
    reason: str
    evaluation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One row of a gate: what was measured, what the champion has, what it must be, and whether it is.

    ``passed`` is None where the check does not apply, and the sentence says why.
    """

    name: str
    value: str
    champion_value: str
    limit: str
    passed: bool | None
    sentence: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Check:
        """From a run's JSON; values are shown as they came. What is no verdict counts as not passed."""
        passed = fields.get("passed")
        return cls(
            name=str(fields.get("name", "")),
            value=shown(fields.get("value")),
            champion_value=shown(fields.get("champion_value")),
            limit=shown(fields.get("limit")),
            passed=passed if isinstance(passed, bool) or ("passed" in fields and passed is None) else False,
            sentence=str(fields.get("sentence") or ""),
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """What the two releases wrote for one premise of the house's own, to be read side by side."""

    premise: str
    candidate: str
    champion: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A candidate held against the champion of that moment; ``promote`` is the verdict of all checks together.

    ``canary`` are the limits that the first scripts after a promotion are held against, by name.
    """

    id: int
    at: datetime
    candidate_id: str
    champion_id: str
    promote: bool
    reasons: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    samples: tuple[Sample, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    canary: Mapping[str, float | None] = field(default_factory=dict)
    retraining_id: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A customer's script that came to its end under a row of the ledger; ``measures`` are its run's, or nothing."""

    order_id: str
    is_delivered: bool
    measures: Mapping[str, Any] = field(default_factory=dict)
    copied: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, order_id: str, is_delivered: bool, provenance: Mapping[str, Any] | None) -> Written:
        """From the provenance that its run told, as far as it told it."""
        told = provenance or {}
        parts = [part if isinstance(part, Mapping) else {} for part in (told.get("measures"), told.get("copied"))]
        return cls(order_id, is_delivered, *parts)


def shown(value: object) -> str:
    """A measured value as a person reads it: numbers with four digits that count, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def before(history: Sequence[Promotion]) -> str | None:
    """Where a rollback goes: the release that was current before this one. ``history`` is the newest first.

    A release that was left by a rollback is no way back, until it is promoted again: two rollbacks in a row go two
    releases back.
    """
    way: list[str] = []
    for row in reversed(history):
        if row.kind in (PromotionKind.ROLLED_BACK, PromotionKind.CANARY) and row.to_id in way:
            while way[-1] != row.to_id:
                way.pop()
        elif row.to_id not in way[-1:]:
            way.append(row.to_id)
    return way[-2] if len(way) > 1 else None
