"""The plan keeps what the customer asked for, whatever was asked, and reads as a story. Of two shows."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.casting import MOST_SPEAKERS
from model.corpus.assembler import Assembler
from model.corpus.outlines import Outline, Outlines, read_outlines, write_outlines
from model.corpus.scenebank import read_bank
from model.corpus.training_text import Corpus
from model.planning import Plan
from model.planning import plan as plan_for
from tests.shows import first_show, second_show
from tng.errors import ReleaseDamaged
from tng.script import LOGLINE_CHARACTERS, TITLE_CHARACTERS, Length, Premise, Tone
from tng.shows import Show

SHOW = first_show()
PREMISE = Premise("The Quiet Hours", "", ("PICARD", "DATA"), Tone.MYSTERY, Length.EPISODE, 5)
CASTS = [("WORF", "TROI"), ("TROI", "BEVERLY"), ("WESLEY", "GUINAN"), ("PICARD", "RIKER", "DATA"), SHOW.cues]


@pytest.fixture(scope="module")
def outlines(corpus: Corpus) -> Outlines:
    return read_outlines(corpus.folder)


@pytest.fixture(scope="module")
def known(outlines: Outlines, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Show, Outlines]]:
    """Both shows, each with the outlines of its own bank."""
    show, folder = second_show(), tmp_path_factory.mktemp("lantern")
    bank = read_bank(show)
    write_outlines(bank, Assembler(bank, show, seed=1), folder)
    return {SHOW.id: (SHOW, outlines), show.id: (show, read_outlines(folder))}


def plan(premise: Premise, outlines: Outlines) -> Plan:
    return plan_for(premise, outlines, SHOW)


def shape(planned: Plan) -> dict[str, int]:
    return {act: len(scenes) for act, scenes in planned.acts.items()}


@pytest.mark.parametrize(
    ("length", "acts"),
    [
        (Length.TEASER, {"TEASER": 4}),
        (Length.SHORT, {"TEASER": 2, "ACT ONE": 5, "ACT TWO": 5}),
        (
            Length.EPISODE,
            {"TEASER": 4, "ACT ONE": 9, "ACT TWO": 9, "ACT THREE": 9, "ACT FOUR": 9, "ACT FIVE": 10},
        ),
    ],
)
def test_a_length_has_its_acts_and_scenes(outlines: Outlines, length: Length, acts: dict[str, int]) -> None:
    planned = plan(replace(PREMISE, length=length), outlines)
    assert shape(planned) == acts
    assert list(planned.acts) == list(SHOW.lengths[length])


def test_a_full_episode_begins_with_a_log_and_ends_with_a_tag(outlines: Outlines) -> None:
    for seed in range(5):
        acts = {
            act: [s.beat for s in scenes] for act, scenes in plan(replace(PREMISE, seed=seed), outlines).acts.items()
        }
        assert (acts["TEASER"][0], acts["TEASER"][-1]) == ("LOG", "HOOK")
        assert acts["ACT FIVE"][-2:] == ["RESOLUTION", "TAG"]
        assert "CLIMAX" in acts["ACT FIVE"]
        assert not [act for act, beats in acts.items() if act != "ACT FIVE" and {"CLIMAX", "TAG"} & set(beats)]


@st.composite
def premises(draw: st.DrawFn, show: Show) -> Premise:
    cast = draw(st.lists(st.sampled_from(show.cues), min_size=2, unique=True))
    return Premise(
        draw(st.text(min_size=1, max_size=TITLE_CHARACTERS)),
        draw(st.text(max_size=LOGLINE_CHARACTERS)),
        tuple(cue for cue in show.cues if cue in cast),
        draw(st.sampled_from(Tone)),
        draw(st.sampled_from(Length)),
        draw(st.integers(0, 2**31 - 1)),
    )


def assert_promises(planned: Plan, premise: Premise, show: Show) -> None:
    guests = {planned.names[slot] for slot in ("GUEST", "GUEST2", "CREWMAN")}
    speaking = {name for scene in planned.scenes for name in scene.cast}
    assert speaking <= {*premise.cast, *guests, *show.always_aboard} == planned.speakers
    assert {act: len(scenes) for act, scenes in planned.acts.items()} == {
        act: len(beats) for act, beats in show.lengths[premise.length].items()
    }
    for scenes in planned.acts.values():
        assert set(premise.cast) <= {name for scene in scenes for name in scene.cast}, "nobody vanishes for an act"
    for scene in planned.scenes:
        assert len(scene.cast) == len(set(scene.cast)) >= 2
        assert len(scene.told) == len(set(scene.told))
        assert show.act_of(scene.beat) == scene.story_act != ""
        assert scene.heading == scene.heading.upper()
        assert not {"{", "}"} & set(scene.heading + scene.told_heading)
    for story in {scene.story for scene in planned.scenes if scene.story}:
        beats = [scene.beat for scene in planned.scenes if scene.story == story]
        assert beats == list(show.side_story.beats[: len(beats)])


@pytest.mark.parametrize("show_id", ["tng", "lantern"])
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_premise_of_either_show_is_planned_as_promised(
    known: dict[str, tuple[Show, Outlines]], show_id: str, data: st.DataObject
) -> None:
    show, outlines = known[show_id]
    premise = data.draw(premises(show))
    planned = plan_for(premise, outlines, show)
    assert_promises(planned, premise, show)
    assert planned == plan_for(premise, outlines, show)


def numbered(outlines: Outlines) -> Outlines:
    """The same, each with a heading of its own, so that a plan says which it took."""
    number = itertools.count(1)

    def own(scenes: tuple[Outline, ...]) -> tuple[Outline, ...]:
        return tuple(replace(scene, heading=f"INT. PLACE {next(number)}") for scene in scenes)

    families = {
        name: {beat: own(scenes) for beat, scenes in beats.items()} for name, beats in outlines.families.items()
    }
    return Outlines(families, tuple(map(own, outlines.threads)), outlines.loglines)


@pytest.mark.parametrize("show_id", ["tng", "lantern"])
@pytest.mark.parametrize("tone", list(Tone))
def test_no_outline_is_used_twice(known: dict[str, tuple[Show, Outlines]], show_id: str, tone: Tone) -> None:
    show, outlines = known[show_id]
    for seed in range(5):
        planned = plan_for(Premise("X", "", show.leads, tone, Length.EPISODE, seed), numbered(outlines), show)
        assert max(Counter(scene.heading for scene in planned.scenes).values()) == 1


@pytest.mark.parametrize("show_id", ["tng", "lantern"])
@pytest.mark.parametrize("tone", list(Tone))
def test_the_place_changes_with_every_scene(known: dict[str, tuple[Show, Outlines]], show_id: str, tone: Tone) -> None:
    show, outlines = known[show_id]
    for seed in range(5):
        planned = plan_for(Premise("X", "", show.cues, tone, Length.EPISODE, seed), outlines, show)
        assert not [a.heading for a, b in itertools.pairwise(planned.scenes) if a.heading == b.heading]


@pytest.mark.parametrize("cast", CASTS, ids=lambda cast: "+".join(cast)[:24])
def test_everybody_is_in_scenes_enough_and_no_scene_is_crowded(outlines: Outlines, cast: tuple[str, ...]) -> None:
    planned = plan(replace(PREMISE, cast=cast), outlines)
    for name in cast:
        assert sum(name in scene.cast for scene in planned.scenes) >= 10
    assert max(len(scene.cast) for scene in planned.scenes) <= MOST_SPEAKERS + 1


def test_who_waits_gets_a_part_of_somebody_of_the_same_sex_who_has_many(outlines: Outlines) -> None:
    planned = plan(replace(PREMISE, cast=SHOW.cues), outlines)
    given = [(role, player) for s in planned.scenes for role, player in s.roles.items() if role in SHOW.cues]
    assert given
    for role, player in given:
        one, other = SHOW.member(role), SHOW.member(player)
        assert one is not None
        assert other is not None
        assert one.is_woman is other.is_woman
        assert role != "PICARD", "who is called by a rank keeps the part"


@pytest.mark.parametrize("tone", list(Tone))
def test_a_tone_has_its_families(outlines: Outlines, tone: Tone) -> None:
    families = {plan(replace(PREMISE, tone=tone, seed=seed), outlines).family for seed in range(30)}
    assert families == {family.name for family in SHOW.main_families if family.tone is tone}


@pytest.mark.parametrize(
    ("tone", "logline", "family"),
    [
        (Tone.DRAMA, "A plague without a cure.", "disease"),
        (Tone.DRAMA, "The treaty fails, and with it the peace.", "diplomacy"),
        (Tone.MYSTERY, "Everybody repeats the same loop of time.", "displacement"),
        (Tone.ADVENTURE, "A stowaway takes the bridge.", "intruder"),
    ],
)
def test_the_words_of_a_logline_choose_the_family(outlines: Outlines, tone: Tone, logline: str, family: str) -> None:
    for seed in range(10):
        assert plan(replace(PREMISE, tone=tone, logline=logline, seed=seed), outlines).family == family


def test_names_of_the_logline_are_names_of_the_story(outlines: Outlines) -> None:
    logline = "Ambassador Sorel brings the Dawnstrider home to Kadris Two."
    planned = plan(replace(PREMISE, logline=logline), outlines)
    assert planned.told_story == "XRANK XGUEST brings the XSHIP home to XPLANET."
    assert {slot: planned.names[slot] for slot in ("guest_title", "guest", "GUEST", "ship", "planet")} == {
        "guest_title": "Ambassador",
        "guest": "Sorel",
        "GUEST": "SOREL",
        "ship": "Dawnstrider",
        "planet": "Kadris Two",
    }
    assert [scene for scene in planned.scenes if "SOREL" in scene.cast]


def test_without_a_logline_the_story_has_one_of_its_family(outlines: Outlines) -> None:
    story = plan(PREMISE, outlines).told_story
    assert story
    assert not {"{", "}"} & set(story)


def test_the_network_is_told_marks_and_the_page_has_names(outlines: Outlines) -> None:
    planned = plan(replace(PREMISE, title="The Fall of Sorel", logline="We meet Sorel."), outlines)
    assert (planned.title, planned.told_title) == ("The Fall of Sorel", "The Fall of XGUEST")
    for scene in planned.scenes:
        assert "SOREL" not in scene.told
        assert not [name for name in scene.cast if name.startswith("X")]
        assert ("XGUEST" in scene.told_heading) is ("SOREL" in scene.heading)


def test_another_seed_gives_another_plan(outlines: Outlines) -> None:
    assert plan(PREMISE, outlines) != plan(replace(PREMISE, seed=6), outlines)


def test_side_stories_are_woven_in_one_after_the_other(outlines: Outlines) -> None:
    scenes = [scene for scene in plan(PREMISE, outlines).scenes if scene.is_side_story]
    assert {story: [s.beat for s in scenes if s.story == story] for story in (1, 2)} == {
        1: ["SETUP", "DEVELOP", "TWIST", "PAYOFF"],
        2: ["SETUP", "DEVELOP", "TWIST", "PAYOFF"],
    }
    assert all(scene.family == "bstory" and scene.tone == "comedy" for scene in scenes)
    assert not [a for a, b in itertools.pairwise(plan(PREMISE, outlines).scenes) if a.is_side_story and b.is_side_story]


def test_what_stands_in_for_a_beat_is_told_as_what_it_is(outlines: Outlines) -> None:
    family = plan(PREMISE, outlines).family
    poor = {**outlines.families, family: {beat: s for beat, s in outlines.families[family].items() if beat != "LOG"}}
    first = plan(PREMISE, replace(outlines, families=poor)).scenes[0]
    assert (first.act, first.story_act, first.beat, first.family) == ("TEASER", "TEASER", "HOOK", family)


IMPORTED = {act: tuple(Outline(f"INT. {act} {n}", ("PICARD", "WORF")) for n in range(12)) for act in SHOW.acts}


def test_a_corpus_without_families_and_beats_is_planned_by_its_acts() -> None:
    planned = plan(PREMISE, Outlines({"": IMPORTED}, (), {}))
    assert shape(planned) == {act: len(beats) for act, beats in SHOW.lengths[Length.EPISODE].items()}
    assert {(scene.act, scene.story_act, scene.beat, scene.family, scene.tone) for scene in planned.scenes} == {
        (act, act, "", "", "") for act in SHOW.acts
    }
    assert planned.told_story == ""
    assert max(Counter(scene.heading for scene in planned.scenes).values()) == 1


def test_a_corpus_with_few_scenes_is_planned_with_the_least_repetition() -> None:
    few = {"ACT ONE": tuple(Outline(f"INT. PLACE {n}", ("PICARD", "WORF")) for n in range(10))}
    counts = Counter(scene.heading for scene in plan(PREMISE, Outlines({"": few}, (), {})).scenes)
    assert set(counts.values()) == {5}


def test_the_same_outlines_under_every_family_are_each_used_once() -> None:
    beats = {beat: tuple(Outline(f"INT. {beat} {n}", ("DATA", "WORF")) for n in range(4)) for beat in SHOW.beats}
    families = {family.name: beats for family in SHOW.main_families}
    planned = plan(PREMISE, Outlines(families, (), {}))
    assert max(Counter(scene.heading for scene in planned.scenes).values()) == 1


def test_outlines_without_a_scene_are_a_damaged_release() -> None:
    with pytest.raises(ReleaseDamaged, match="hold no scene"):
        plan(PREMISE, Outlines({}, (), {}))
