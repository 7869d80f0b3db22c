"""What an operator sees of the releases: which one writes, which could, and how they compare. No I/O, and no rule.

The same objects are filled by ``tng.promotion.lookout``, sent by the api and drawn by the bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tng.promotion.promotions import Check, Evaluation, Promotion


@dataclass(frozen=True, slots=True)
class ShelfCard:
    """A release on the shelf; ``verdict`` and ``metrics`` are those of its last evaluation, where there was one.

    ``is_proven`` says that it may be promoted as things are: it passed, against the release that is current.
    """

    id: str
    is_current: bool = False
    was_current: bool = False
    evaluation_id: int | None = None
    verdict: bool | None = None
    is_proven: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CanaryView:
    """The first ``of_scripts`` scripts under the current row: how many are through, and how they stand."""

    scripts: int
    of_scripts: int
    checks: tuple[Check, ...] = ()
    sentence: str = ""

    @property
    def is_over(self) -> bool:
        """Whether all of them are through."""
        return self.scripts >= self.of_scripts


@dataclass(frozen=True, slots=True)
class ReleasesView:
    """The releases at one moment. Evaluations come without their samples, the newest first, as does the history.

    ``current`` is nothing until the ledger is begun; ``way_back`` is where a rollback would go; ``trouble`` says what
    is wrong with the current release on this machine.
    """

    at: datetime
    current: Promotion | None = None
    trouble: str = ""
    way_back: str | None = None
    releases: tuple[ShelfCard, ...] = ()
    history: tuple[Promotion, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    canary: CanaryView | None = None
