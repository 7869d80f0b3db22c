"""Each check, each side of its limit; what was not measured has failed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.promotion.checks import Trial, judge, metrics_of, repetition_limits
from model.promotion.held_out import Reading
from model.promotion.measured import Measured
from model.promotion.pages import checks_html, checks_text, decision_text, samples_html
from model.promotion.probing import Probes
from model.promotion.samples import Excerpt, Sample, Samples
from model.promotion.verdict import canary_of, verdict_on

NAMES = (
    "files", "perplexity", "format", "repetition", "copying", "blocked words", "speed and memory", "loads and repeats",
)  # fmt: skip
SAMPLE = Sample(True, 0.0, 0.98, 3, 0, 500, 12)
PROBES = Probes("", False, (1000.0, 1010.0, 990.0), (80_000_000,) * 3, ("ab",) * 3, (1.0,) * 3)


def reading(mean: float = 2.0, records: int = 40, tokens: int = 50) -> tuple[Reading, ...]:
    """Two episodes whose records vary."""
    rng = np.random.default_rng(1)
    return tuple(
        Reading(tuple((tokens * (mean + rng.normal(0, 0.01, records))).tolist()), (tokens,) * records) for _ in range(2)
    )


def side(name: str, mean: float = 2.0, **changes: Any) -> Measured:
    samples = Samples((SAMPLE,) * 20, (Excerpt("<b>A premise</b>", "# INT. <BRIDGE>\nDATA: Yes."),), "", 10.0)
    return replace(Measured(name, "", PROBES, reading(mean), "", samples), **changes)


def trial(candidate: Measured | None = None, champion: Measured | None = None, *, is_ours: bool = False) -> Trial:
    return Trial(candidate or side("new", 1.9), champion or side("old"), is_ours, 20)


def with_samples(name: str, mean: float, each: Mapping[int, Sample]) -> Measured:
    """Twenty samples, some of them others."""
    samples = tuple(each.get(number, SAMPLE) for number in range(20))
    return side(name, mean, samples=replace(side(name).samples, each=samples))


def passed(of: Trial) -> dict[str, bool | None]:
    checks = judge(of)
    assert tuple(check.name for check in checks) == NAMES
    assert all(check.sentence for check in checks)
    return {check.name: check.passed for check in checks}


def test_a_better_one_passes_all() -> None:
    assert set(passed(trial()).values()) == {True}
    assert verdict_on(trial()).promote


@pytest.mark.parametrize(
    ("mean", "passes"),
    [
        pytest.param(1.9, True, id="better"),
        pytest.param(2.0, False, id="equal"),
        pytest.param(1.998, False, id="surely better, by less than half a percent"),
        pytest.param(2.1, False, id="worse"),
        pytest.param(math.nan, False, id="no number"),
        pytest.param(math.inf, False, id="infinite"),
    ],
)
def test_perplexity_is_surely_better_by_half_a_percent(mean: float, passes: bool) -> None:
    assert passed(trial(side("new", mean)))["perplexity"] is passes


def test_a_better_mean_that_is_not_sure_does_not_pass() -> None:
    rng = np.random.default_rng(2)
    noisy = tuple(Reading(tuple((50 * (1.98 + rng.normal(0, 0.5, 40))).tolist()), (50,) * 40) for _ in range(2))
    verdict = verdict_on(trial(side("new", reading=noisy)))
    assert "Not surely better" in verdict.reasons[0]


def test_a_few_records_are_no_evidence() -> None:
    few = {"reading": reading(1.5, records=14)}
    verdict = verdict_on(trial(side("new", **few), side("old", reading=reading(records=14))))
    assert "28 held-out records are too few" in verdict.reasons[0]


def test_other_vocabularies_compare_by_the_same_text() -> None:
    """A candidate with half as many tokens, each of which costs it twice as much, is as good: a token's mean is not."""
    coarse = tuple(Reading(one.nats, tuple(count // 2 for count in one.tokens)) for one in reading())
    check = judge(trial(side("new", reading=coarse)))[1]
    assert check.value == check.champion_value
    assert check.passed is False


@pytest.mark.parametrize(
    ("bad", "count", "name"),
    [
        pytest.param(replace(SAMPLE, reads_back=False), 2, "format", id="does not read back"),
        pytest.param(replace(SAMPLE, stock_share=0.25), 2, "format", id="lines of the code's own"),
        pytest.param(replace(SAMPLE, distinct_3=0.5), 1, "repetition", id="runs of three words"),
        pytest.param(replace(SAMPLE, longest_repeat=15), 1, "repetition", id="a long run twice"),
        pytest.param(replace(SAMPLE, copied_words=51), 1, "copying", id="a long copied run"),
        pytest.param(replace(SAMPLE, blocked_words=1), 1, "blocked words", id="one word"),
    ],
)
def test_bad_samples_fail_the_check_that_they_are_bad_at(bad: Sample, count: int, name: str) -> None:
    of = trial(with_samples("new", 1.9, dict.fromkeys(range(count), bad)))
    assert [check for check, passes in passed(of).items() if not passes] == [name]
    if name != "copying":
        same = trial(with_samples("new", 1.9, {}), with_samples("old", 2.0, dict.fromkeys(range(count), bad)))
        assert passed(same)[name], "the control: only the candidate's count"


def test_one_sample_in_twenty_may_fail_by_form() -> None:
    of = trial(with_samples("new", 1.9, {3: replace(SAMPLE, reads_back=False)}))
    assert passed(of)["format"]


def test_copying_is_measured_and_not_judged_where_the_text_is_our_own() -> None:
    of = trial(with_samples("new", 1.9, {0: replace(SAMPLE, copied_words=200)}), is_ours=True)
    check = judge(of)[4]
    assert (check.passed, check.value) == (None, 0.95)
    assert "Not judged" in check.sentence
    assert verdict_on(of).promote
    assert canary_of(of)["copied_most_words"] is None


@pytest.mark.parametrize(("is_ours", "verdict"), [(True, None), (False, False)])
def test_a_release_that_does_not_know_its_corpus_fails_where_it_is_somebody_elses(
    is_ours: bool, verdict: bool | None
) -> None:
    unknown = dict.fromkeys(range(20), replace(SAMPLE, copied_words=None))
    assert passed(trial(with_samples("new", 1.9, unknown), is_ours=is_ours))["copying"] is verdict


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"tokens_a_second": (899.0,) * 3}, "speed and memory", id="slow"),
        pytest.param({"peak_bytes": (89_000_000,) * 3}, "speed and memory", id="large"),
        pytest.param({"text_sha256": ("ab", "cd", "ab")}, "loads and repeats", id="another text"),
        pytest.param({"text_sha256": ("ab",)}, "loads and repeats", id="one process"),
    ],
)
def test_probes_that_tell_of_worse_fail(changes: Mapping[str, Any], name: str) -> None:
    of = trial(side("new", 1.9, probes=replace(PROBES, **changes)))
    assert [check for check, passes in passed(of).items() if not passes] == [name]


def test_the_best_of_three_counts() -> None:
    disturbed = replace(PROBES, tokens_a_second=(300.0, 950.0, 200.0), peak_bytes=(120_000_000, 80_000_000, 81_000_000))
    assert passed(trial(side("new", 1.9, probes=disturbed)))["speed and memory"]


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        pytest.param({"flaw": "damaged"}, NAMES, id="files"),
        pytest.param({"probes": Probes("its process ended with signal 11")}, NAMES[2:], id="crash"),
        pytest.param({"probes": Probes()}, NAMES[6:], id="never probed"),
        pytest.param({"reading": (), "reading_flaw": "ValueError while it read"}, NAMES[1:2], id="unread"),
        pytest.param({"samples": Samples((SAMPLE,) * 7, (), "a script took long")}, NAMES[2:6], id="seven samples"),
        pytest.param({"samples": Samples()}, NAMES[2:6], id="no sample"),
    ],
)
def test_what_was_not_measured_has_failed(changes: Mapping[str, Any], failing: tuple[str, ...]) -> None:
    of = trial(side("new", 1.9, **changes))
    assert tuple(check for check, passes in passed(of).items() if passes is not True) == failing
    assert not verdict_on(of).promote
    assert all("not measured" in said for said in verdict_on(of).reasons if not said.startswith("files"))


def test_a_champion_that_was_not_measured_lets_nobody_pass() -> None:
    of = trial(None, Measured("old", "damaged"))
    assert passed(of)["perplexity"] is False
    assert canary_of(of) == {}
    assert not verdict_on(of).promote


def test_repetition_may_be_worse_by_what_chance_gives_and_no_more() -> None:
    varied = {n: replace(SAMPLE, distinct_3=0.98 + 0.01 * (-1) ** n, longest_repeat=3 + n % 2) for n in range(20)}
    sure, unsure = side("old"), with_samples("old", 2.0, varied)
    assert repetition_limits(sure, 20) == pytest.approx((0.98 * 0.98, 3.5))
    least, most = repetition_limits(unsure, 20)
    assert 0.95 < least < 0.98 * 0.98
    assert most > 3.5 * 1.02
    assert repetition_limits(unsure, 5)[0] < least, "fewer scripts, more chance"
    assert repetition_limits(unsure) == pytest.approx((0.98 * 0.98, 4.0)), "for whoever allows for chance himself"


def test_the_canarys_limits_are_the_gates() -> None:
    least, most = repetition_limits(side("old"))
    assert canary_of(trial()) == {
        "format_least_share": 0.95,
        "stock_share_most": 0.2,
        "distinct_3_least": pytest.approx(least, abs=1e-4),
        "longest_repeat_most": pytest.approx(most, abs=1e-4),
        "copied_most_words": 50,
        "blocked_rate_most": 0.0,
    }


def test_the_metrics_are_numbers_and_what_is_none_is_left_out() -> None:
    found = metrics_of(trial(Measured("new", "damaged")))
    assert all(math.isfinite(value) for value in found.values())
    assert "candidate_distinct_3" not in found
    assert found["champion_distinct_3"] == 0.98


def test_a_side_is_the_same_when_it_is_read_back() -> None:
    one = side("new", probes=replace(PROBES, is_slow=True))
    assert Measured.read(one.to_fields()) == one
    lost = side("new", math.nan)
    assert lost.to_fields()["reading"][0]["nats"][0] is None
    assert not Measured.read(lost.to_fields()).is_sound
    assert side("new").is_sound


def test_the_tables_are_escaped() -> None:
    strange = side("<script>", 1.9)
    verdict = verdict_on(trial(strange))
    for page in (checks_html(verdict), samples_html(verdict)):
        assert "<script>" not in page
        assert "<b>" not in page
        assert "<BRIDGE>" not in page
    assert checks_html(verdict).count("<tr>") == 9
    assert checks_text(verdict).count("passed") == 8
    assert decision_text(verdict).startswith("The candidate may be promoted")
    assert decision_text(verdict_on(trial(side("new")))).startswith("The champion stays")
