"""The plan keeps what the customer asked for, whatever was asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from model.casting import MOST_SPEAKERS
from model.corpus.outlines import Outlines, read_outlines
from model.corpus.training_text import Corpus
from model.planning import COMPUTER, LENGTH_BEATS, Plan, plan
from model.story import FAMILY_TONES, SIDE_FAMILY
from tng.script import CAST, Length, Premise, Tone

PREMISE = Premise("The Quiet Hours", "", ("PICARD", "DATA"), Tone.MYSTERY, Length.EPISODE, 5)
CASTS = [("WORF", "TROI"), ("WESLEY", "GUINAN"), ("PICARD", "RIKER", "DATA"), CAST]


@pytest.fixture(scope="module")
def outlines(corpus: Corpus) -> Outlines:
    return read_outlines(corpus.folder)


def shape(planned: Plan) -> dict[str, int]:
    return {act: len(scenes) for act, scenes in planned.acts.items()}


@pytest.mark.parametrize(
    ("length", "acts"),
    [
        (Length.TEASER, {"TEASER": 3}),
        (Length.SHORT, {"TEASER": 2, "ACT ONE": 3, "ACT TWO": 4}),
        (
            Length.EPISODE,
            {"TEASER": 2, "ACT ONE": 3, "ACT TWO": 4, "ACT THREE": 3, "ACT FOUR": 4, "ACT FIVE": 5},
        ),
    ],
)
def test_a_length_has_its_acts_and_scenes(outlines: Outlines, length: Length, acts: dict[str, int]) -> None:
    planned = plan(replace(PREMISE, length=length), outlines)
    assert shape(planned) == acts
    assert list(planned.acts) == list(LENGTH_BEATS[length])


@pytest.mark.parametrize("cast", CASTS, ids=lambda cast: "+".join(cast)[:24])
@pytest.mark.parametrize("length", list(Length))
@pytest.mark.parametrize("tone", list(Tone))
def test_only_who_was_asked_for_and_guests_speak(
    outlines: Outlines, cast: tuple[str, ...], length: Length, tone: Tone
) -> None:
    for seed in range(6):
        planned = plan(replace(PREMISE, cast=cast, length=length, tone=tone, seed=seed), outlines)
        guests = {planned.names[slot] for slot in ("GUEST", "GUEST2", "CREWMAN")}
        speaking = {name for scene in planned.scenes for name in scene.cast}
        assert speaking <= {*cast, *guests, COMPUTER} == planned.speakers
        assert set(cast) <= speaking


@pytest.mark.parametrize("cast", CASTS, ids=lambda cast: "+".join(cast)[:24])
def test_everybody_is_in_scenes_enough_and_no_scene_is_lonely(outlines: Outlines, cast: tuple[str, ...]) -> None:
    planned = plan(replace(PREMISE, cast=cast), outlines)
    for name in cast:
        assert sum(name in scene.cast for scene in planned.scenes) >= 5
    for scene in planned.scenes:
        assert len(scene.cast) >= 2
        assert len(scene.cast) == len(set(scene.cast))
        assert sum(name in cast for name in scene.cast) <= max(MOST_SPEAKERS, len(cast))


def test_who_waits_gets_a_part_of_somebody_who_has_many(outlines: Outlines) -> None:
    planned = plan(replace(PREMISE, cast=CAST), outlines)
    given = [(role, player) for s in planned.scenes for role, player in s.roles.items() if role in CAST]
    assert given
    assert all(player in CAST for _, player in given)
    counts = Counter(name for scene in planned.scenes for name in scene.cast)
    assert min(counts[name] for name in CAST) >= 5


@pytest.mark.parametrize("tone", list(Tone))
def test_a_tone_has_its_families(outlines: Outlines, tone: Tone) -> None:
    families = {plan(replace(PREMISE, tone=tone, seed=seed), outlines).family for seed in range(30)}
    assert families == {name for name, its in FAMILY_TONES.items() if its is tone and name != SIDE_FAMILY}


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


def test_the_same_premise_gives_the_same_plan_and_another_seed_another(outlines: Outlines) -> None:
    assert plan(PREMISE, outlines) == plan(PREMISE, outlines)
    assert plan(PREMISE, outlines) != plan(replace(PREMISE, seed=6), outlines)
    assert plan(replace(PREMISE, seed=0), outlines) == plan(replace(PREMISE, seed=0), outlines)


def test_an_episode_has_one_side_story_in_four_acts(outlines: Outlines) -> None:
    scenes = [scene for scene in plan(PREMISE, outlines).scenes if scene.is_side_story]
    assert [scene.beat for scene in scenes] == ["SETUP", "DEVELOP", "TWIST", "PAYOFF"]
    assert [scene.act for scene in scenes] == ["ACT ONE", "ACT TWO", "ACT FOUR", "ACT FIVE"]


def test_headings_are_filled_and_in_capitals(outlines: Outlines) -> None:
    for seed in range(20):
        for scene in plan(replace(PREMISE, seed=seed), outlines).scenes:
            assert scene.heading == scene.heading.upper()
            assert scene.heading.startswith(("INT. ", "EXT. "))
            assert "{" not in scene.heading
