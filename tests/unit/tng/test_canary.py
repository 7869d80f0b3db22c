"""The first scripts of a promoted release bring the old one back where they break its promise; an equal one stays."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import START, FakeClock, FakeStore
from tests.releases import a_ledger
from tests.samples import a_job, a_paid_order, keep, the_job
from tng.jobs import NOTICE, Job, JobState
from tng.orders import OrderState
from tng.promotion.canary import Canary, judge
from tng.promotion.promotions import Evaluation, PromotionKind, Written

LIMITS: Mapping[str, float | None] = {
    "format_least_share": 0.95,
    "stock_share_most": 0.3,
    "distinct_3_least": 0.9,
    "longest_repeat_most": 8.0,
    "copied_most_words": 50,
    "blocked_rate_most": 2.0,
}
GOOD: Mapping[str, Any] = {
    "reads_back": True,
    "stock_share": 0.1,
    "distinct_3": 0.95,
    "longest_repeat": 6,
    "blocked_words": 0,
    "words": 5000,
}
OURS: Mapping[str, float | None] = LIMITS | {"copied_most_words": None}


def one(*, delivered: bool = True, copied: object = 9, **measures: object) -> Written:
    return Written("o", delivered, {**GOOD, **measures}, {"longest_run_words": copied})


def many(count: int, **measures: object) -> list[Written]:
    return [one(**measures) for _ in range(count)]  # type: ignore[arg-type]


UNREADABLE, STOCK, DEAD = one(reads_back=False), one(stock_share=0.5), one(delivered=False)
UNTOLD = Written("o", True)


@pytest.mark.parametrize(
    ("written", "broken"),
    [
        pytest.param([], None, id="none-yet"),
        pytest.param(many(20), None, id="all-well"),
        pytest.param([UNTOLD] * 20, None, id="nothing-told"),
        pytest.param([*many(3), UNREADABLE], None, id="one-in-twenty-may-lack-its-form"),
        pytest.param([UNREADABLE, UNREADABLE], "format", id="two-cannot-be-mended"),
        pytest.param([*many(18), STOCK, UNREADABLE], "format", id="the-last-two"),
        pytest.param([DEAD, DEAD], "format", id="failed-altogether"),
        pytest.param([DEAD, STOCK], "format", id="the-codes-own-lines"),
        pytest.param([one(copied=50)], None, id="as-much-as-may-be-copied"),
        pytest.param([one(copied=51)], "copied words in a row", id="one-copies"),
        pytest.param(many(4, distinct_3=0.5), None, id="four-are-no-mean"),
        pytest.param(many(5, distinct_3=0.5), "distinct runs of three words", id="monotonous"),
        pytest.param(many(5, distinct_3=0.9), None, id="exactly-at-the-limit"),
        pytest.param([*many(19), one(distinct_3=0.1)], None, id="one-monotonous-script-is-chance"),
        pytest.param(many(5, longest_repeat=30), "longest repeat in words", id="repeats-itself"),
        pytest.param([*many(19), one(longest_repeat=400)], None, id="one-repeat-is-chance"),
        pytest.param(many(5, blocked_words=2), "blocked words in 10,000", id="blocked-words-throughout"),
        pytest.param([*many(15), *many(5, blocked_words=4)], None, id="what-one-customer-asked-for-five-times"),
        pytest.param(many(20, blocked_words=1), None, id="as-many-as-the-champion"),
        pytest.param(many(20, distinct_3=float("nan"), words="many", copied="all"), None, id="no-numbers"),
    ],
)
def test_which_scripts_break_the_promise(written: Sequence[Written], broken: str | None) -> None:
    breach = judge(written, LIMITS, 20)
    assert (breach and breach.name) == broken


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_that_is_off_is_never_broken(name: str) -> None:
    """The control: the same scripts break it where it is on."""
    worst = {
        "format_least_share": many(20, reads_back=False),
        "stock_share_most": many(20, stock_share=1.0),
        "distinct_3_least": many(20, distinct_3=0.1),
        "longest_repeat_most": many(20, longest_repeat=99),
        "copied_most_words": many(20, copied=999),
        "blocked_rate_most": many(20, blocked_words=999),
    }[name]
    assert judge(worst, LIMITS, 20) is not None
    assert judge(worst, LIMITS | {name: None}, 20) is None
    assert judge(worst, {}, 20) is None


def test_a_house_that_looks_at_few_scripts_has_no_room_for_a_bad_one() -> None:
    assert judge([UNREADABLE], LIMITS, 5) is not None
    assert judge(many(2, distinct_3=0.1), LIMITS, 2) is not None


def test_an_equal_release_is_let_be_however_its_scripts_scatter() -> None:
    """Half of its scripts are beyond the champion's own mean: a look at the mean alone would send most of them home."""
    chance = random.Random(7)
    limits = OURS | {"longest_repeat_most": 6.5, "distinct_3_least": 0.93}
    sent_home = 0
    for _ in range(300):
        written = [
            one(longest_repeat=max(1, chance.gauss(6, 3)), distinct_3=chance.gauss(0.95, 0.02)) for _ in range(20)
        ]
        sent_home += any(judge(written[:n], limits, 20) is not None for n in range(1, 21))
    assert sent_home <= 300 * 0.05


def test_a_worse_release_is_found_however_its_scripts_scatter() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(100):
        written = [one(longest_repeat=max(1, chance.gauss(12, 3))) for _ in range(20)]
        found += any(judge(written[:n], OURS | {"longest_repeat_most": 6.5}, 20) is not None for n in range(1, 21))
    assert found == 100


# --- over a ledger ----------------------------------------------------------------------------------------------------


class House:
    """A house in which ``b`` was promoted over ``a``, with a proof that holds ``limits``."""

    def __init__(self, folder: Path, limits: Mapping[str, float | None] = LIMITS, scripts: int = 20) -> None:
        self.store = FakeStore()
        self.ledger = a_ledger(self.store, folder, "b", first="a", clock=FakeClock())
        self.ledger.current()
        with self.store.begin() as work:
            work.promotions.keep(Evaluation(0, START, "b", "a", promote=True, canary=limits))
            work.commit()
        self.row = self.ledger.promote("b", actor="schedule:weekly", reason="better")
        self.canary = Canary(self.store, self.ledger, scripts=scripts)
        self._orders = 0

    def ended(self, script: Written, promotion_id: int | None = None) -> Job:
        """A script that came to its end under a row of the ledger."""
        self._orders += 1
        told = {"measures": script.measures, "copied": script.copied}
        state = OrderState.DELIVERED if script.is_delivered else OrderState.REFUNDING
        order = replace(a_paid_order(self._orders, state), provenance=told)
        job = a_job(order=order)
        end = JobState.DONE if script.is_delivered else JobState.DEAD
        keep(self.store, order, replace(job, state=end, release_id="b", promotion_id=promotion_id or self.row.id))
        return the_job(self.store, job.key)

    def deliver(self, *scripts: Written) -> None:
        for script in scripts:
            self.canary.look(self.ended(script))

    @property
    def current(self) -> str:
        return self.ledger.last().to_id


def test_a_breach_brings_the_old_release_back_and_says_why(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.deliver(UNREADABLE)
    assert house.current == "b"
    house.deliver(UNREADABLE)
    last = house.ledger.last()
    assert (last.kind, last.to_id, last.from_id, last.actor) == (PromotionKind.CANARY, "a", "b", "canary")
    assert last.reason == "b: format is 0 after 2 scripts; the limit is 0.95"
    with house.store.read() as work:
        assert work.counts.errands(NOTICE) == 2, "one for the promotion, one for the breach"


def test_scripts_that_are_well_change_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.deliver(*many(25))
    assert len(house.ledger.history()) == 2


def test_after_the_first_scripts_nobody_looks_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, scripts=3)
    house.deliver(*many(3))
    later = [house.ended(DEAD) for _ in range(3)]
    with monkeypatch.context() as without_a_store:
        without_a_store.setattr(house.store, "read", None)
        for job in later:
            house.canary.look(job)
    assert house.current == "b"


@pytest.mark.parametrize(
    ("limits", "scripts"),
    [pytest.param({}, 20, id="no-limits"), pytest.param(LIMITS, 0, id="switched-off")],
)
def test_where_nothing_was_promised_or_nobody_looks_the_release_stays(
    tmp_path: Path, limits: Mapping[str, float | None], scripts: int
) -> None:
    house = House(tmp_path, limits, scripts)
    house.deliver(*[DEAD] * 20)
    assert house.current == "b"


def test_a_release_that_was_rolled_back_to_is_not_judged(tmp_path: Path) -> None:
    house = House(tmp_path)
    row = house.ledger.roll_back(actor="shell:ola", reason="x")
    for _ in range(5):
        house.canary.look(house.ended(DEAD, row.id))
    assert (house.current, len(house.ledger.history())) == ("a", 3)


def test_late_scripts_of_a_release_that_is_not_current_any_more_change_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.ledger.roll_back(actor="shell:ola", reason="x")
    house.ledger.promote("b", actor="shell:ola", reason="once more", unproven=True)
    house.deliver(DEAD, DEAD, DEAD)
    assert house.current == "b"


def test_a_job_that_no_ledger_stands_behind_is_let_be(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.canary.look(replace(a_job(), promotion_id=None))
    assert house.current == "b"


def test_what_goes_wrong_while_it_looks_reaches_no_delivery(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = House(tmp_path)
    jobs = [house.ended(DEAD), house.ended(DEAD)]
    house.store.busy = True
    house.canary.look(jobs[1])
    assert "canary: nothing was decided (StoreBusy)" in caplog.text
    house.store.busy = False
    house.canary.look(jobs[1])
    assert house.current == "a", "it is looked at again"
