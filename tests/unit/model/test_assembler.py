"""An episode is whole, filled, and the same for the same number."""

from __future__ import annotations

import pytest

from model.corpus.assembler import Assembler
from model.corpus.scenebank import Bank
from tng.script import TITLE_CHARACTERS, Tone, parse, render
from tng.shows import Show

NUMBERS = range(24)


def test_the_same_number_gives_the_same_episode(bank: Bank, show: Show) -> None:
    assert Assembler(bank, show, 1).episode(5) == Assembler(bank, show, 1).episode(5)


def test_another_seed_gives_another_episode(bank: Bank, show: Show) -> None:
    assert Assembler(bank, show, 1).episode(5).names != Assembler(bank, show, 2).episode(5).names


@pytest.mark.parametrize("number", NUMBERS)
def test_an_episode_has_six_acts_and_no_open_slot(assembler: Assembler, show: Show, number: int) -> None:
    episode = assembler.episode(number)
    text = render(episode.script)
    assert [act.name for act in episode.script.acts] == list(show.acts)
    assert len(episode.parts) == len(show.beats) + len(show.side_story.beats) == 21
    assert not {"{", "}"} & set(text + episode.logline)
    assert parse(text) == episode.script
    assert 0 < len(episode.script.title) <= TITLE_CHARACTERS


def test_beats_stand_in_their_order(assembler: Assembler, show: Show) -> None:
    for act in show.acts:
        parts = [part for part in assembler.episode(3).parts if part.act == act]
        assert tuple(part.source.beat for part in parts) == show.beats_of(act)


def test_a_side_story_is_one_thread(assembler: Assembler) -> None:
    for number in NUMBERS:
        numbers = {part.source.number for part in assembler.episode(number).parts if part.is_side_story}
        assert len(numbers) == 1


def test_families_take_turns_and_all_tones_occur(assembler: Assembler, show: Show) -> None:
    episodes = [assembler.episode(number) for number in range(10)]
    assert len({episode.family for episode in episodes}) == 10
    assert {show.tone_of(episode.family) for episode in episodes} == set(Tone)


def test_no_training_episode_holds_a_reserved_scene(assembler: Assembler) -> None:
    for number in NUMBERS:
        assert not [part for part in assembler.episode(number).parts if assembler.is_reserved(part.source)]


def test_held_out_episodes_hold_reserved_scenes_of_both_kinds(assembler: Assembler) -> None:
    for number in NUMBERS:
        reserved = [
            part for part in assembler.episode(number, held_out=True).parts if assembler.is_reserved(part.source)
        ]
        assert [part for part in reserved if part.is_side_story]
        assert len(reserved) < 21


def test_few_scenes_are_reserved(bank: Bank, assembler: Assembler) -> None:
    scenes = [scene for family in bank.families.values() for beat in family.scenes.values() for scene in beat]
    assert 10 <= sum(map(assembler.is_reserved, scenes)) <= 25
