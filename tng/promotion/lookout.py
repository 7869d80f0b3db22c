"""Looks at ledger, shelf and evaluations for an operator. It decides nothing, verifies no file and begins no ledger."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tng.errors import ReleaseError
from tng.ports import Clock, Store, Work
from tng.promotion.canary_view import canary_of
from tng.promotion.promotions import Evaluation, Promotion, PromotionKind, before
from tng.promotion.shelf import ReleaseShelf
from tng.promotion.view import CanaryView, ReleasesView, ShelfCard

SHOWN = 50
"""How many rows of the ledger, and evaluations, are shown."""

MOST_COUNTED = 10_000


class ReleaseLookout:
    """What there is to see of releases. ``canary_scripts`` is how many scripts are watched after a promotion."""

    def __init__(self, store: Store, clock: Clock, shelf: ReleaseShelf, *, canary_scripts: int) -> None:
        self._store, self._clock, self._shelf = store, clock, shelf
        self._canary_scripts = canary_scripts

    def look(self) -> ReleasesView:
        """Everything of one moment. Raises StoreBusy."""
        names = [release.id for release in self._shelf]
        with self._store.read() as work:
            history = work.promotions.history()
            evaluations = [plain(one) for one in work.promotions.evaluations(SHOWN)]
            canary = self._canary(work, history[0]) if history else None
        current = history[0] if history else None
        was_current = {row.to_id for row in history}
        return ReleasesView(
            at=self._clock.now(),
            current=current,
            trouble=self._trouble(current),
            way_back=before(history),
            releases=tuple(_card(name, current, was_current, evaluations) for name in names),
            history=tuple(history[:SHOWN]),
            evaluations=tuple(replace(one, samples=()) for one in evaluations),
            canary=canary,
        )

    def evaluation(self, evaluation_id: int) -> Evaluation | None:
        """One evaluation with its samples. Raises StoreBusy."""
        with self._store.read() as work:
            found = work.promotions.evaluation(evaluation_id)
        return plain(found) if found else None

    def is_there(self, name: str) -> bool:
        """Whether a release of this id stands on the shelf: nobody names a folder from outside."""
        return any(release.id == name for release in self._shelf)

    def current_id(self) -> str | None:
        """The release that writes now, or nothing before the ledger is begun. Raises StoreBusy."""
        with self._store.read() as work:
            row = work.promotions.current()
        return row.to_id if row else None

    def changes(self) -> Mapping[PromotionKind, int]:
        """How often the current release changed, by why. Raises StoreBusy."""
        with self._store.read() as work:
            return Counter(row.kind for row in work.promotions.history(MOST_COUNTED))

    def _canary(self, work: Work, row: Promotion) -> CanaryView:
        proof = work.promotions.evaluation(row.evaluation_id) if row.evaluation_id is not None else None
        written = work.counts.written(row.id, self._canary_scripts) if proof and self._canary_scripts else ()
        return canary_of(row, plain(proof) if proof else None, written, self._canary_scripts)

    def _trouble(self, current: Promotion | None) -> str:
        if current is None:
            return ""
        try:
            self._shelf.take(current.to_id, current.digest)
        except (ReleaseError, OSError) as error:
            return str(error) if isinstance(error, ReleaseError) else f"release {current.to_id} cannot be read here"
        return ""


def plain(evaluation: Evaluation) -> Evaluation:
    """Without numbers that are none: JSON has no word for them, and nobody can draw them."""
    limits = {name: value for name, value in evaluation.canary.items() if value is None or math.isfinite(value)}
    return replace(evaluation, metrics=_finite(evaluation.metrics.items()), canary=limits)


def _finite(items: Iterable[tuple[str, float]]) -> dict[str, float]:
    return {name: value for name, value in items if math.isfinite(value)}


def _card(
    name: str, current: Promotion | None, was_current: Iterable[str], evaluations: Sequence[Evaluation]
) -> ShelfCard:
    last = next((one for one in evaluations if one.candidate_id == name), None)
    return ShelfCard(
        id=name,
        is_current=current is not None and current.to_id == name,
        was_current=name in was_current,
        evaluation_id=last.id if last else None,
        verdict=last.promote if last else None,
        is_proven=bool(last and current and last.promote and last.champion_id == current.to_id),
        metrics=last.metrics if last else {},
    )
