"""A scene that a customer has written again is another scene of the same story, and the script around it stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.corpus.outlines import words_of
from model.gate import REPEATABLE_WORDS
from model.planning import plan, plan_again
from model.writing import Writer, write, write_again
from tests.unit.model.networks import NoiseNetwork
from tng.script import ElementKind, Length, Premise, Scene, Script, Tone, parse_scene, render_scene

PREMISE = Premise(
    "The Quiet Hours", "Ambassador Sorel comes aboard.", ("PICARD", "DATA"), Tone.MYSTERY, Length.SHORT, 3
)


@pytest.fixture
def script(writer: Writer) -> Script:
    return write(PREMISE, writer).script


def again(writer: Writer, script: Script, *numbers: int) -> Scene:
    """The last of these scenes, after the others."""
    return write_again(PREMISE, replace(writer, network=writer.network.fresh()), script, numbers)  # type: ignore[attr-defined]


def lines(scene: Scene) -> set[str]:
    """What the scene says, but for the few words that may come twice."""
    texts = (e.text for e in scene.elements if len(e.text.split()) > REPEATABLE_WORDS)
    return {" ".join(words_of(text)) for text in texts}


@pytest.mark.parametrize("number", [1, 4, 12])
def test_each_take_is_another_scene_and_says_nothing_that_the_script_says(
    writer: Writer, script: Script, number: int
) -> None:
    takes = [again(writer, script, *[number] * take) for take in (1, 2, 3)]
    said = {line for scene in script.scenes for line in lines(scene)}
    for take in takes:
        assert not lines(take) & said
        assert parse_scene(render_scene(take)) == take
        assert sum(element.kind is ElementKind.SPEECH for element in take.elements) >= 3
        assert set(take.speakers) <= set(plan(PREMISE, writer.outlines, writer.show).speakers)
    assert len({render_scene(take) for take in takes}) == 3


def test_the_same_take_is_the_same_again(writer: Writer, script: Script) -> None:
    assert again(writer, script, 4, 4) == again(writer, script, 4, 4) != again(writer, script, 4)


def test_no_two_takes_are_made_of_the_same_outline(writer: Writer) -> None:
    whole = plan(PREMISE, writer.outlines, writer.show)
    numbers = [2, 3, 2, 3, 2, 3]
    planned = [plan_again(PREMISE, writer.outlines, writer.show, numbers[:n])[1] for n in range(1, 7)]
    made_of = [(scene.told_heading, scene.opening) for scene in (*whole.scenes, *planned)]
    assert len(set(made_of)) == len(made_of)


@pytest.mark.parametrize("number", [1, 5, 12])
def test_nobody_vanishes_from_an_act(writer: Writer, number: int) -> None:
    whole, scene = plan_again(PREMISE, writer.outlines, writer.show, [number])
    old = whole.scenes[number - 1]
    there = {name for other in whole.acts[old.act] if other is not old for name in other.cast}
    assert set(PREMISE.cast) <= there | set(scene.cast)
    assert scene.act == old.act


def test_the_plan_of_the_script_is_what_it_was(writer: Writer) -> None:
    whole, _ = plan_again(PREMISE, writer.outlines, writer.show, [4, 4, 1])
    assert whole == plan(PREMISE, writer.outlines, writer.show)


def test_it_is_written_whatever_the_network_says(writer: Writer, script: Script) -> None:
    scene = write_again(PREMISE, replace(writer, network=NoiseNetwork(writer.tokenizer.size)), script, [4])
    assert sum(element.kind is ElementKind.SPEECH for element in scene.elements) >= 3


def test_of_a_stopped_script_and_by_a_release_with_fewer_scenes_it_is_written_too(
    writer: Writer, script: Script
) -> None:
    part = replace(script, acts=script.acts[:1])
    assert again(writer, part, 1).elements
    teaser = replace(PREMISE, length=Length.TEASER)
    longer = len(script.scenes)
    assert longer > len(plan(teaser, writer.outlines, writer.show).scenes)
    assert write_again(teaser, writer, script, [longer]).elements


@pytest.mark.parametrize("numbers", [[], [0], [99], [99, 1]], ids=str)
def test_there_is_no_take_of_no_scene(writer: Writer, script: Script, numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="no such scene"):
        write_again(PREMISE, writer, script, numbers)
