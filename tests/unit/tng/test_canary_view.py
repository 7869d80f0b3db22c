"""What an operator is told of the canary: the same verdicts as the canary's own, with the values that led there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes import START
from tests.operations_support import NEW, OLD, a_refused_evaluation, an_evaluation
from tng.promotion.canary import judge
from tng.promotion.canary_view import canary_of
from tng.promotion.promotions import Promotion, PromotionKind, Written

LIMITS = {
    "format_least_share": 0.95,
    "stock_share_most": 0.2,
    "distinct_3_least": 0.9,
    "longest_repeat_most": 12.0,
    "copied_most_words": 50.0,
    "blocked_rate_most": 1.0,
}
ROW = Promotion(2, START, PromotionKind.PROMOTED, OLD, NEW, "d", "shell:ola", "proven", 1)
PROOF = an_evaluation(canary=LIMITS)
MEASURES = {
    "reads_back": True, "stock_share": 0.1, "distinct_3": 0.95, "longest_repeat": 6, "blocked_words": 0, "words": 900,
}  # fmt: skip
GOOD = Written("ord_1", True, MEASURES, {"longest_run_words": 12})


def rows(*written: Written) -> dict[str, tuple[str, bool | None]]:
    seen = canary_of(ROW, PROOF, written, 20)
    return {check.name: (check.value, check.passed) for check in seen.checks}


def test_good_scripts_hold_every_limit_that_can_be_judged() -> None:
    assert rows(GOOD, GOOD) == {
        "well formed, share": ("1", True),
        "stock lines, at worst": ("0.1", None),
        "distinct runs of three words, mean": ("0.95", True),
        "longest repeat in words, mean": ("6", True),
        "longest copied run in words": ("12", True),
        "blocked words in 10,000, mean": ("0", True),
    }


@pytest.mark.parametrize(
    ("bad", "times", "name"),
    [
        (replace(GOOD, is_delivered=False), 2, "well formed, share"),
        (replace(GOOD, measures=MEASURES | {"stock_share": 0.5}), 2, "well formed, share"),
        (replace(GOOD, copied={"longest_run_words": 80}), 1, "longest copied run in words"),
        (replace(GOOD, measures=MEASURES | {"distinct_3": 0.5}), 5, "distinct runs of three words, mean"),
        (replace(GOOD, measures=MEASURES | {"longest_repeat": 40}), 5, "longest repeat in words, mean"),
        (replace(GOOD, measures=MEASURES | {"blocked_words": 9}), 5, "blocked words in 10,000, mean"),
    ],
)
def test_a_broken_limit_is_the_canarys_own(bad: Written, times: int, name: str) -> None:
    before, after = [bad] * (times - 1), [bad] * times
    assert judge(before, LIMITS, 20) is None
    assert not [row for row in rows(*before).values() if row[1] is False]
    assert judge(after, LIMITS, 20) is not None
    assert [row for row, (_, passed) in rows(*after).items() if passed is False] == [name]
    assert "A limit is broken" in canary_of(ROW, PROOF, after, 20).sentence


def test_before_the_first_script_nothing_is_judged() -> None:
    seen = canary_of(ROW, PROOF, (), 20)
    assert {check.passed for check in seen.checks} == {None}
    assert (seen.scripts, seen.of_scripts, seen.is_over) == (0, 20, False)


def test_a_limit_that_was_not_set_is_shown_and_not_judged() -> None:
    proof = an_evaluation(canary={"copied_most_words": None, "later_most": 3.0})
    copied, later = canary_of(ROW, proof, [GOOD], 20).checks
    assert (copied.value, copied.passed) == ("12", None)
    assert (later.name, later.value, later.passed) == ("later most", "–", None)


def test_what_a_run_told_as_no_number_is_not_counted() -> None:
    odd = replace(GOOD, measures=MEASURES | {"distinct_3": float("nan"), "words": "many", "longest_repeat": True})
    shown = rows(odd)
    for name in (
        "distinct runs of three words, mean",
        "longest repeat in words, mean",
        "blocked words in 10,000, mean",
    ):
        assert shown[name] == ("–", None)


def test_the_first_scripts_are_over_when_they_are_through() -> None:
    seen = canary_of(ROW, PROOF, [GOOD] * 20, 20)
    assert seen.is_over
    assert seen.sentence == "The first scripts kept to every limit."


@pytest.mark.parametrize(
    ("row", "proof", "scripts", "words"),
    [
        (ROW, PROOF, 0, "switched off"),
        (replace(ROW, kind=PromotionKind.FIRST), PROOF, 20, "was current before, or the first"),
        (replace(ROW, kind=PromotionKind.CANARY), PROOF, 20, "was current before, or the first"),
        (ROW, None, 20, "no evaluation set limits"),
        (ROW, an_evaluation(canary={}), 20, "no evaluation set limits"),
        (ROW, a_refused_evaluation(NEW), 20, "no evaluation set limits"),
    ],
)
def test_where_nothing_is_watched_it_says_why(row: Promotion, proof: object, scripts: int, words: str) -> None:
    seen = canary_of(row, proof, (), scripts)  # type: ignore[arg-type]
    assert (seen.of_scripts, seen.checks) == (0, ())
    assert words in seen.sentence
