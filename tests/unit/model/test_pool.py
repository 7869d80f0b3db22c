"""Nothing is given out twice, and what stands in for a missing scene is the nearest."""

from __future__ import annotations

from model.corpus.outlines import Outline, Outlines
from model.pool import Found, OutlinePool
from tests.shows import second_show

SHOW = second_show()


def scene(place: str) -> Outline:
    return Outline(f"INT. {place}", ("MAREN", "PIP"))


def pool(**families: dict[str, list[str]]) -> OutlinePool:
    """A pool of the family ``goat``; scenes are named by their places."""
    outlines = {
        name.replace("none", ""): {beat.replace("_", " "): tuple(map(scene, places)) for beat, places in beats.items()}
        for name, beats in families.items()
    }
    return OutlinePool(Outlines(outlines, (), {}), SHOW, "goat")


def places(tiers: list[list[Found]]) -> list[list[str]]:
    return [[one.outline.heading.removeprefix("INT. ") for one in tier] for tier in tiers]


def test_the_familys_own_scenes_come_first() -> None:
    stock = pool(goat={"WATCH": ["A", "B"], "SIGNAL": ["C"]}, storm={"WATCH": ["D"]})
    assert places([*stock.tiers("WATCH", "PART ONE")]) == [["A", "B"], ["C"], ["D"]]


def test_what_is_given_out_is_gone() -> None:
    stock = pool(goat={"WATCH": ["A", "B"], "SIGNAL": ["C"]})
    stock.take(scene("A"))
    assert places([*stock.tiers("WATCH", "PART ONE")])[0] == ["B"]
    stock.take(scene("B"))
    assert places([*stock.tiers("WATCH", "PART ONE")])[0] == ["C"]
    stock.take(scene("C"))
    assert not [*stock.tiers("WATCH", "PART ONE")]


def test_where_nothing_is_left_the_least_used_comes_again() -> None:
    stock = pool(goat={"WATCH": ["A", "B"]})
    for place in ("A", "B", "A"):
        stock.take(scene(place))
    assert places([stock.again("WATCH", "PART ONE")]) == [["B"]]


def test_other_families_come_before_the_ends_of_the_story() -> None:
    stock = pool(goat={"DAWN": ["END"]}, storm={"WATCH": ["X"], "SIGNAL": ["Y"]})
    assert places([*stock.tiers("WATCH", "PART ONE")]) == [["X"], ["Y"], ["END"]]


def test_what_stands_in_says_what_it_is() -> None:
    (tier,) = pool(storm={"DAWN": ["A"]}).tiers("ROW", "PART FOUR")
    assert tier == [Found(scene("A"), "storm", "DAWN", "PART TWO")]


def test_a_beat_of_the_side_story_is_answered_by_its_neighbours() -> None:
    stock = pool(goat={"WATCH": ["BEFORE"], "SIGNAL": ["AFTER"], "DAWN": ["FAR"]})
    assert places([*stock.tiers("POT", "PART ONE")]) == [["BEFORE"], ["AFTER"], ["FAR"]]


def test_a_corpus_without_families_is_asked_by_beat_then_by_act() -> None:
    stock = pool(none={"WATCH": ["BEAT"], "PART_THREE": ["ACT"], "DAWN": ["FAR"]})
    assert places([*stock.tiers("WATCH", "PART THREE")])[0] == ["BEAT"]
    found = [one for tier in stock.tiers("ROW", "PART TWO") for one in tier]
    assert [(one.family, one.beat, one.act) for one in found] == [("", "DAWN", "PART TWO"), ("", "WATCH", "PART ONE")]


def test_acts_stand_in_for_beats_where_the_corpus_knows_none() -> None:
    stock = pool(none={"PART_ONE": ["A"], "PART_TWO": ["B"]})
    assert [*stock.tiers("ROW", "PART TWO")] == [
        [Found(scene("B"), "", "", "PART TWO")],
        [Found(scene("A"), "", "", "PART ONE")],
    ]
    assert places([*stock.tiers("ROW", "PART ONE")])[0] == ["A"]


def test_an_empty_corpus_gives_nothing() -> None:
    assert not [*pool().tiers("WATCH", "PART ONE")]
    assert not pool().again("WATCH", "PART ONE")
