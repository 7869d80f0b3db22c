"""The ledger says which release writes, wrote, and would write again; and refuses what is not proven. No process."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.fakes import START, FakeClock, FakeStore
from tests.releases import a_ledger, a_release
from tests.shows import FIRST, SECOND
from tng.errors import PromotionOvertaken, PromotionRefused, ReleaseDamaged, ReleaseError, ReleaseMissing
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.promotions import Evaluation, Promotion, PromotionKind, before
from tng.releases import META

OLA = "shell:ola"


class House:
    """A ledger that begins with ``a``, and whole releases ``b`` and ``c`` beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.clock = folder, FakeStore(), FakeClock()
        self.ledger = a_ledger(self.store, folder, "b", "c", first="a", clock=self.clock)

    def promote(self, name: str) -> Promotion:
        self.clock.advance(hours=1)
        return self.ledger.promote(name, actor=OLA, reason="on trial", unproven=True)

    def roll_back(self, to: str = "") -> Promotion:
        self.clock.advance(hours=1)
        return self.ledger.roll_back(actor=OLA, reason="worse", to=to)

    def prove(self, candidate: str, champion: str = "a", *, promote: bool = True) -> Evaluation:
        with self.store.begin() as work:
            told = Evaluation(0, START, candidate, champion, promote=promote, reasons=("it is what it is",))
            kept = work.promotions.keep(told)
            work.commit()
        return kept

    @property
    def current(self) -> str:
        return self.ledger.current().release.id


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


# --- the current one --------------------------------------------------------------------------------------------------


def test_a_house_begins_with_the_release_of_its_settings_once(house: House) -> None:
    assert [house.ledger.current().promotion.kind for _ in range(2)] == [PromotionKind.FIRST] * 2
    assert len(house.ledger.history()) == 1


def test_without_a_release_to_begin_with_nothing_is_begun(tmp_path: Path) -> None:
    ledger = a_ledger(FakeStore(), tmp_path)
    shutil.rmtree(tmp_path / "tiny")
    with pytest.raises(ReleaseMissing, match="TNG_RELEASE"):
        ledger.current()
    assert list(ledger.history()) == []


def test_a_later_house_goes_on_with_what_the_ledger_says(house: House) -> None:
    house.ledger.current()
    house.promote("b")
    assert a_ledger(house.store, house.folder, first="c").current().release.id == "b"


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_current_release_that_is_not_what_was_promoted_is_refused(house: House, harm: str) -> None:
    row = house.promote("b")
    if harm == "gone":
        shutil.rmtree(house.folder / "b")
    else:
        (house.folder / "b" / "manifest.json").write_text('{"files": {}}', encoding="utf-8")
    for look in (house.ledger.current, lambda: house.ledger.release_of(row.id)):
        with pytest.raises(ReleaseError, match="b"):
            look()


def test_a_row_that_is_not_in_the_ledger_names_no_release(house: House) -> None:
    with pytest.raises(ReleaseMissing):
        house.ledger.release_of(7)


# --- promotion --------------------------------------------------------------------------------------------------------


def test_a_proven_release_is_promoted_with_its_proof(house: House) -> None:
    house.ledger.current()
    proof = house.prove("b")
    row = house.ledger.promote("b", actor="schedule:weekly", reason="better", evaluation_id=proof.id)
    assert (row.kind, row.from_id, row.to_id, row.evaluation_id) == (PromotionKind.PROMOTED, "a", "b", proof.id)
    assert house.ledger.evaluation_of(row) == proof
    assert house.current == "b"


@pytest.mark.parametrize(
    ("proof", "sentence"),
    [
        pytest.param(None, "never evaluated", id="none"),
        pytest.param(("c", "a", True), "never evaluated", id="of-another-candidate"),
        pytest.param(("b", "a", False), "did not pass", id="not-passed"),
        pytest.param(("b", "c", True), "found better than c", id="against-another-champion"),
    ],
)
def test_without_a_proof_nothing_is_promoted_unless_somebody_says_so(
    house: House, proof: tuple[str, str, bool] | None, sentence: str
) -> None:
    house.ledger.current()
    if proof is not None:
        house.prove(*proof[:2], promote=proof[2])
    with pytest.raises(PromotionRefused, match=sentence):
        house.ledger.promote("b", actor=OLA, reason="I like it")
    assert house.current == "a"
    assert house.promote("b").to_id == "b"


def test_the_last_evaluation_counts(house: House) -> None:
    house.ledger.current()
    house.prove("b")
    house.prove("b", promote=False)
    with pytest.raises(PromotionRefused, match="did not pass"):
        house.ledger.promote("b", actor=OLA, reason="it passed once")


@pytest.mark.parametrize("act", ["promote", "roll back"])
def test_who_decided_upon_another_release_than_the_current_one_is_told(house: House, act: str) -> None:
    house.promote("b")
    house.promote("c")
    said = {"actor": OLA, "reason": "back", "expected": "b"}
    change = partial(house.ledger.promote, "a", unproven=True) if act == "promote" else house.ledger.roll_back
    with pytest.raises(PromotionOvertaken, match="c is current by now, and not b"):
        change(**said)
    assert house.current == "c"


def test_the_current_one_is_not_promoted_again(house: House) -> None:
    with pytest.raises(PromotionRefused, match="current already"):
        house.promote("a")


@pytest.mark.parametrize("change", [lambda file: file.write_text("{}"), lambda file: file.unlink()])
def test_a_release_that_is_not_whole_is_not_promoted(house: House, change: object) -> None:
    change(house.folder / "b" / META)  # type: ignore[operator]
    with pytest.raises(ReleaseDamaged):
        house.promote("b")
    assert house.current == "a"


def test_a_release_that_workers_would_not_find_is_not_promoted(house: House, tmp_path: Path) -> None:
    elsewhere = a_release(tmp_path / "elsewhere", "mine")
    with pytest.raises(PromotionRefused, match="copy its folder"):
        house.promote(str(elsewhere.folder))


def test_a_release_of_another_show_becomes_current_neither_way(tmp_path: Path) -> None:
    store = FakeStore()
    for name, show in (("tng-1", FIRST), ("tng-2", FIRST), ("lantern-1", SECOND)):
        a_release(tmp_path, name, show=show)
    ours = a_ledger(store, tmp_path, first="tng-1", show_id=FIRST.name)
    with pytest.raises(PromotionRefused, match="lantern-1 writes lantern, and this house sells tng"):
        ours.promote("lantern-1", actor=OLA, reason="x", unproven=True)
    assert ours.promote("tng-2", actor=OLA, reason="x", unproven=True).to_id == "tng-2"
    theirs = a_ledger(store, tmp_path, first="tng-1", show_id=SECOND.name)
    with pytest.raises(PromotionRefused, match="this house sells lantern"):
        theirs.roll_back(actor=OLA, reason="x")
    a_release(tmp_path, "of-no-show")
    assert ours.promote("of-no-show", actor=OLA, reason="as old ones are", unproven=True).to_id == "of-no-show"


def test_a_change_needs_a_reason(house: House) -> None:
    for change in (house.ledger.promote, house.ledger.roll_back):
        with pytest.raises(PromotionRefused, match="reason"):
            change(*(["b"] if change == house.ledger.promote else []), actor=OLA, reason="  ")  # type: ignore[operator]


# --- rollback ---------------------------------------------------------------------------------------------------------


def test_two_rollbacks_in_a_row_go_two_releases_back(house: House) -> None:
    house.promote("b")
    house.promote("c")
    assert [house.roll_back().to_id for _ in range(2)] == ["b", "a"]
    with pytest.raises(PromotionRefused, match="no way back"):
        house.roll_back()
    assert [row.to_id for row in house.ledger.history()] == ["a", "b", "c", "b", "a"]


def test_a_rollback_may_name_a_release_that_was_current_once_and_no_other(house: House) -> None:
    house.promote("b")
    with pytest.raises(PromotionRefused, match="never been current"):
        house.roll_back("c")
    assert house.roll_back("a").to_id == "a"


def test_an_empty_ledger_has_no_way_back(house: House) -> None:
    with pytest.raises(PromotionRefused, match="empty"):
        house.roll_back()


def test_a_rollback_to_a_release_that_was_changed_since_is_refused(house: House) -> None:
    house.ledger.current()
    house.promote("b")
    (house.folder / "a" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReleaseDamaged, match="not the one that was promoted"):
        house.roll_back()
    assert house.current == "b"


def a_history(*steps: str) -> list[Promotion]:
    """Rows from steps: ``b`` promotes b, ``<a`` rolls back to a. The newest first."""
    rows: list[Promotion] = []
    for step in steps:
        kind = PromotionKind.ROLLED_BACK if step[0] == "<" else PromotionKind.PROMOTED
        last = rows[-1].to_id if rows else None
        rows.append(Promotion(len(rows) + 1, START, kind, last, step.lstrip("<"), "d", OLA, "x"))
    return rows[::-1]


@pytest.mark.parametrize(
    ("steps", "back"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("a", None, id="only-one"),
        pytest.param("a b", "a", id="two"),
        pytest.param("a b c <b", "a", id="rolled-back-once"),
        pytest.param("a b c <b <a", None, id="at-the-beginning"),
        pytest.param("a b <a b c", "b", id="promoted-again"),
        pytest.param("a b c <a", None, id="rolled-back-over-one"),
        pytest.param("a b <a c", "a", id="another-instead"),
        pytest.param("a b a", "b", id="promoted-instead-of-rolled-back"),
        pytest.param("a b a b <a", "b", id="to-and-fro"),
    ],
)
def test_where_a_rollback_goes(steps: str, back: str | None) -> None:
    assert before(a_history(*steps.split())) == back


def test_a_canary_counts_as_a_rollback() -> None:
    newest, *others = a_history("a", "b", "c", "<b")
    assert before([replace(newest, kind=PromotionKind.CANARY), *others]) == "a"


# --- at a moment ------------------------------------------------------------------------------------------------------


def test_every_moment_has_the_release_that_wrote_then(house: House) -> None:
    assert house.ledger.at(START) is None
    house.ledger.current()
    rows = [house.promote("b"), house.roll_back()]
    second = timedelta(seconds=1)
    moments = {START - second: None, START: "a", rows[0].at - second: "a", rows[0].at: "b", rows[1].at: "a"}
    assert {moment: (row := house.ledger.at(moment)) and row.to_id for moment in moments} == moments


def test_a_clock_that_went_back_hides_no_row(house: House) -> None:
    house.promote("b")
    at = house.clock.advance(hours=-5)
    row = house.ledger.promote("c", actor=OLA, reason="later, whatever the clock says", unproven=True)
    assert row.at == START + timedelta(hours=1) > at
    assert (found := house.ledger.at(row.at)) is not None
    assert found.to_id == house.current == "c"


def test_each_change_is_told(house: House) -> None:
    house.promote("b")
    house.roll_back()
    with house.store.read() as work:
        assert work.counts.errands() == 2


def test_a_ledger_reads_a_row_once(house: House) -> None:
    """Between claim and run a database that is away would cost the attempt."""
    row = house.promote("b")
    ledger: ReleaseLedger = house.ledger
    assert ledger.release_of(row.id).id == "b"
    house.store.read = None  # type: ignore[method-assign, assignment]
    assert ledger.release_of(row.id).id == "b"
