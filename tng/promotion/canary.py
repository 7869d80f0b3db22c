"""The first scripts after a promotion, held against what the evaluation promised. A breach brings the old release back.

It looks only at a release that was promoted with a proof: the first one of a house, one that was rolled back to and one
promoted unproven have promised nothing.

Two kinds of limits, because they break differently. A *share* holds for each script: which has its form, which copies.
It is broken as soon as no later script can mend it: of 20 scripts with their form in 95 % of them one may lack it, and
with 99 % for copying none may copy, for a long passage of somebody else's is a fault however seldom it comes. A *mean*
is the champion's own value, which half of the scripts of an equal release exceed, and a few scripts scatter about it:
one is broken where the mean of five or more lies beyond the limit by more than three standard errors, which chance, or
one customer's odd wish, does not bring about.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from tng.errors import PromotionOvertaken
from tng.jobs import Job
from tng.log import kind_of, told
from tng.ports import Store
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.promotions import Evaluation, Promotion, PromotionKind, Written

ACTOR: Final = "canary"
UNCOPIED_SHARE: Final = 0.99
FEWEST_FOR_A_MEAN: Final = 5
SURE_ERRORS: Final = 3.0
"""Standard errors by which a mean must lie beyond its limit."""
RATE_WORDS: Final = 10_000

Limits = Mapping[str, float | None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that the first scripts broke. ``str`` of it is a sentence."""

    name: str
    value: float
    limit: float
    scripts: int

    def __str__(self) -> str:
        return f"{self.name} is {self.value:.4g} after {self.scripts} scripts; the limit is {self.limit:.4g}"


class Canary:
    """Looks at the release that writes, after each script that ended. Safe to use from many workers at once."""

    def __init__(self, store: Store, ledger: ReleaseLedger, *, scripts: int = 20) -> None:
        """``scripts`` is how many are looked at after a promotion; 0 looks at none."""
        self._store, self._ledger, self._scripts = store, ledger, scripts
        self._through: set[int] = set()

    def look(self, job: Job) -> None:
        """A job came to its end: judge the row of the ledger that it was begun under, and roll back on a breach.

        It raises nothing: the script is delivered, whatever becomes of this.
        """
        row_id = job.promotion_id
        if not self._scripts or row_id is None or row_id in self._through:
            return
        try:
            self._judge(row_id)
        except PromotionOvertaken as error:
            logger.info("canary: %s", error, extra=told(promotion=row_id))
        except Exception as error:  # noqa: BLE001  whatever a database raises: the next script is looked at, too
            kind = kind_of(error)
            logger.error("canary: nothing was decided (%s)", kind, extra=told(promotion=row_id, fault=kind))

    def _judge(self, row_id: int) -> None:
        row, limits, written = self._read(row_id)
        breach = judge(written, limits, self._scripts)
        if row is not None and breach is not None:
            reason = f"{row.to_id}: {breach}"
            self._ledger.roll_back(actor=ACTOR, reason=reason, expected=row.to_id, kind=PromotionKind.CANARY)
        elif not limits or len(written) >= self._scripts:
            self._through.add(row_id)

    def _read(self, row_id: int) -> tuple[Promotion | None, Limits, Sequence[Written]]:
        """The row, while it is the last one, what it promised, and what was written under it: all of one moment."""
        with self._store.read() as work:
            row = work.promotions.current()
            if row is None or row.id != row_id or row.kind is not PromotionKind.PROMOTED or row.evaluation_id is None:
                return None, {}, ()
            proof = work.promotions.evaluation(row.evaluation_id)
            limits = _promised(row, proof)
            return row, limits, work.counts.written(row_id, self._scripts) if limits else ()


def judge(written: Sequence[Written], limits: Limits, scripts: int) -> Breach | None:
    """The first limit that these scripts, the first of ``scripts``, have broken. What was not measured counts not."""
    return next(_breaches(written, limits, scripts), None)


def _breaches(written: Sequence[Written], limits: Limits, scripts: int) -> Iterator[Breach]:
    known = {name: limit for name, limit in limits.items() if limit is not None}
    stock_most = known.get("stock_share_most", math.inf)
    copied_most = known.get("copied_most_words")
    if (least := known.get("format_least_share")) is not None:
        good = [_has_form(one, stock_most) for one in written]
        yield from _share("format", good, least, scripts)
    if copied_most is not None:
        runs = values(written, lambda one: one.copied.get("longest_run_words"))
        if _cannot_be_mended([run <= copied_most for run in runs], UNCOPIED_SHARE, scripts):
            yield Breach("copied words in a row", max(runs), copied_most, len(written))
    for name, limit_name, sign, value in _MEANS:
        if (limit := known.get(limit_name)) is not None and _is_beyond(values(written, value), limit, sign, scripts):
            yield Breach(name, fmean(values(written, value)), limit, len(written))


def _has_form(one: Written, stock_most: float) -> bool:
    """Whether it was delivered, reads back, and is the model's own. One without measures was read by the worker."""
    stock = _number(one.measures.get("stock_share"))
    return one.is_delivered and one.measures.get("reads_back", True) is True and (stock or 0.0) <= stock_most


def _share(name: str, good: Sequence[bool], least: float, scripts: int) -> Iterator[Breach]:
    if _cannot_be_mended(good, least, scripts):
        yield Breach(name, sum(good) / len(good), least, len(good))


def _cannot_be_mended(good: Sequence[bool], least: float, scripts: int) -> bool:
    """Whether so many are bad that ``scripts`` cannot have a share of ``least`` good ones, whatever comes."""
    may_be_bad = math.floor(round(scripts * (1 - least), 9))
    return len(good) - sum(good) > may_be_bad


def _is_beyond(values: Sequence[float], limit: float, sign: int, scripts: int) -> bool:
    """Whether their mean is surely above (``sign`` 1) or below (-1) the limit."""
    if len(values) < min(FEWEST_FOR_A_MEAN, scripts):
        return False
    error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return sign * (fmean(values) - limit) > SURE_ERRORS * error


def values(written: Sequence[Written], value: Callable[[Written], object]) -> list[float]:
    """What scripts told, as numbers; what was not told, or is no number, is left out."""
    numbers = (_number(value(one)) for one in written)
    return [number for number in numbers if number is not None]


def _number(value: object) -> float | None:
    """A run tells what it likes: what is no number counts as not told."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def blocked_rate(one: Written) -> float | None:
    """Blocked words in ten thousand; None where they were not counted."""
    blocked, words = (_number(one.measures.get(name)) for name in ("blocked_words", "words"))
    return None if blocked is None or not words else blocked / words * RATE_WORDS


_MEANS: tuple[tuple[str, str, int, Callable[[Written], object]], ...] = (
    ("distinct runs of three words", "distinct_3_least", -1, lambda one: one.measures.get("distinct_3")),
    ("longest repeat in words", "longest_repeat_most", 1, lambda one: one.measures.get("longest_repeat")),
    ("blocked words in 10,000", "blocked_rate_most", 1, blocked_rate),
)


def _promised(row: Promotion, proof: Evaluation | None) -> Limits:
    """The limits of the evaluation by which this release was promoted; none where it was of another, or failed."""
    if proof is None or proof.candidate_id != row.to_id or not proof.promote:
        return {}
    return {name: limit for name, limit in proof.canary.items() if limit is not None}
