"""Nobody who was asked for vanishes for an act, and parts go only where they fit."""

from __future__ import annotations

from model.plans import PlannedScene
from model.spreading import spread
from tests.shows import first_show

SHOW = first_show()


def scene(act: str, *told: str, **roles: str) -> PlannedScene:
    return PlannedScene(act, act, "HOOK", "rescue", "adventure", "INT. X", "INT. X", told, roles)


def test_who_is_in_every_act_stays_as_planned() -> None:
    scenes = [scene("TEASER", "RIKER", "WORF"), scene("ACT ONE", "WORF", "RIKER")]
    assert spread(scenes, ("RIKER", "WORF"), SHOW) == tuple(scenes)


def test_who_is_missing_joins_the_scene_with_the_fewest() -> None:
    scenes = [scene("TEASER", "RIKER", "PICARD", "XGUEST"), scene("TEASER", "RIKER", "PICARD")]
    first, second = spread(scenes, ("RIKER", "PICARD", "TROI"), SHOW)
    assert first.cast == ("RIKER", "PICARD", "XGUEST")
    assert second.told == ("RIKER", "PICARD", "TROI")


def test_a_part_goes_to_who_is_missing_from_who_has_many() -> None:
    scenes = [scene("TEASER", "RIKER", "XGUEST", "TROI") for _ in range(8)]
    planned = spread(scenes, ("RIKER", "TROI", "WORF"), SHOW)
    given = [one.roles for one in planned if one.roles]
    assert given == [{"RIKER": "WORF"}] * 2
    assert all(len(one.told) == 3 for one in planned)


def test_a_part_of_the_other_sex_is_not_given() -> None:
    scenes = [scene("TEASER", "RIKER", "XGUEST") for _ in range(8)]
    planned = spread(scenes, ("RIKER", "TROI"), SHOW)
    assert not any(one.roles for one in planned)
    assert sum("TROI" in one.cast for one in planned) == 2


def test_who_is_called_by_a_rank_keeps_every_part() -> None:
    scenes = [scene("TEASER", "PICARD", "XGUEST") for _ in range(8)]
    assert not any(one.roles for one in spread(scenes, ("PICARD", "WORF"), SHOW))


def test_a_part_that_is_played_is_not_given_on() -> None:
    scenes = [scene("TEASER", "RIKER", "DATA", RIKER="GEORDI") for _ in range(8)]
    planned = spread(scenes, ("GEORDI", "DATA", "WORF"), SHOW)
    assert all(one.roles["RIKER"] == "GEORDI" for one in planned)
    assert sum("WORF" in one.cast for one in planned) == 2


def test_nobody_vanishes_from_an_act_by_giving_a_part() -> None:
    scenes = [scene("ACT ONE", "RIKER", "XGUEST"), *(scene("ACT TWO", "RIKER", "XGUEST") for _ in range(7))]
    planned = spread(scenes, ("RIKER", "WORF"), SHOW)
    for act in ("ACT ONE", "ACT TWO"):
        speaking = {name for one in planned if one.act == act for name in one.cast}
        assert {"RIKER", "WORF"} <= speaking
