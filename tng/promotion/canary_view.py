"""How the first scripts after a promotion stand, in rows for a person. ``tng.promotion.canary`` judges; this shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from tng.promotion.canary import blocked_rate, judge, values
from tng.promotion.promotions import Check, Evaluation, Promotion, PromotionKind, Written, shown
from tng.promotion.view import CanaryView

Measure = Callable[[Sequence[Written]], float | None]

FORM, STOCK = "format_least_share", "stock_share_most"

NOT_JUDGED = "its evaluation set no limit"
PART_OF_FORM = "a script beyond it counts as badly formed"
NO_SCRIPT = "no script is through yet"
KEPT, NOT_KEPT = "holds so far", "broken: no later script can mend it"


def canary_of(row: Promotion, proof: Evaluation | None, written: Sequence[Written], of_scripts: int) -> CanaryView:
    """How the row's canary stands. Where nothing is watched, it says why."""
    if of_scripts <= 0:
        return CanaryView(0, 0, sentence="The canary is switched off.")
    if row.kind is not PromotionKind.PROMOTED:
        return CanaryView(0, 0, sentence="Nothing is watched: this release was current before, or the first.")
    if proof is None or not proof.promote or proof.candidate_id != row.to_id or not proof.canary:
        return CanaryView(0, 0, sentence="Nothing is watched: no evaluation set limits for its first scripts.")
    checks = tuple(_row(name, proof.canary, written, of_scripts) for name in proof.canary)
    return CanaryView(min(len(written), of_scripts), of_scripts, checks, _sentence(checks, len(written), of_scripts))


def _sentence(checks: Sequence[Check], through: int, of_scripts: int) -> str:
    if any(check.passed is False for check in checks):
        return "A limit is broken: the release before this one becomes current again."
    if through < of_scripts:
        return f"{of_scripts - through} more are watched; where one breaks a limit, the release before writes again."
    return "The first scripts kept to every limit."


def _row(name: str, limits: Mapping[str, float | None], written: Sequence[Written], of_scripts: int) -> Check:
    limit = limits[name]
    title, measure = MEASURES.get(name, (name.replace("_", " "), _unknown))
    value = measure(written)
    if limit is None:
        return Check(title, shown(value), "", "", None, NOT_JUDGED)
    words = f"at {'least' if '_least' in name else 'most'} {shown(limit)}"
    if name == STOCK:
        return Check(title, shown(value), "", words, None, PART_OF_FORM)
    if value is None:
        return Check(title, shown(value), "", words, None, NO_SCRIPT)
    judged = {name: limit} | ({STOCK: limits.get(STOCK)} if name == FORM else {})
    kept = judge(written, judged, of_scripts) is None
    return Check(title, shown(value), "", words, kept, KEPT if kept else NOT_KEPT)


def _good_form(written: Sequence[Written]) -> float | None:
    good = [one.is_delivered and one.measures.get("reads_back", True) is True for one in written]
    return sum(good) / len(good) if good else None


def _mean(value: Callable[[Written], object]) -> Measure:
    def measure(written: Sequence[Written]) -> float | None:
        told = values(written, value)
        return fmean(told) if told else None

    return measure


def _most(value: Callable[[Written], object]) -> Measure:
    return lambda written: max(values(written, value), default=None)


def _unknown(_written: Sequence[Written]) -> float | None:
    return None


MEASURES: Mapping[str, tuple[str, Measure]] = {
    FORM: ("well formed, share", _good_form),
    STOCK: ("stock lines, at worst", _most(lambda one: one.measures.get("stock_share"))),
    "distinct_3_least": ("distinct runs of three words, mean", _mean(lambda one: one.measures.get("distinct_3"))),
    "longest_repeat_most": ("longest repeat in words, mean", _mean(lambda one: one.measures.get("longest_repeat"))),
    "copied_most_words": ("longest copied run in words", _most(lambda one: one.copied.get("longest_run_words"))),
    "blocked_rate_most": ("blocked words in 10,000, mean", _mean(blocked_rate)),
}
"""What each limit of an evaluation holds the scripts to, and how that is measured over those so far."""
