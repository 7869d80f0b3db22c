"""Whoever writes badly is noticed, each by the measures that are there for it."""

from __future__ import annotations

import pytest

from model.quality.bands import BANDS
from model.quality.comparison import Comparison
from model.quality.controls import LOOP_LINES, MarkovChain, loop
from model.quality.report import Column
from tests.unit.model.quality.scripts import EMPTY, SMALL
from tng.errors import CorpusError
from tng.script import parse, render


@pytest.fixture(scope="module")
def controls(comparison: Comparison) -> dict[str, Column]:
    return {column.name: column for column in comparison.controls(3)}


def test_a_chain_is_noticed_by_those_who_speak_once_and_by_what_it_copied(controls: dict[str, Column]) -> None:
    assert {"one_line_speakers", "longest_run", "copied_share"} <= set(controls["markov"].outside)


def test_a_chain_repeats_nothing(controls: dict[str, Column]) -> None:
    assert not {"repeated_lines", "repeated_6grams", "distinct_2", "distinct_4"} & set(controls["markov"].outside)


def test_a_loop_is_noticed_by_repetition(controls: dict[str, Column]) -> None:
    expected = {"repeated_lines", "repeated_6grams", "distinct_2", "distinct_4", "compression", "self_bleu"}
    assert expected <= set(controls["loop"].outside)
    assert "one_line_speakers" not in controls["loop"].outside


def test_a_copy_is_noticed_by_copying_alone(controls: dict[str, Column]) -> None:
    assert set(controls["copy"].outside) == {"longest_run", "copied_share"}


def test_held_out_episodes_are_what_is_usual(comparison: Comparison) -> None:
    # two episodes of the demonstration corpus share the scenes that are reserved, so that they are much alike
    assert set(comparison.held_out.outside) <= {"self_bleu"}


def test_copying_is_measured_where_the_text_is_ours_and_not_judged(comparison: Comparison) -> None:
    assert comparison.corpus_is_ours
    copying = [band for band in BANDS if band.is_of_copying]
    assert all(comparison.held_out.passes(band) is None for band in copying)
    assert max(comparison.held_out.values["longest_run"]) > 20, "the control: judged, it would be outside"


def test_a_chain_writes_about_as_much_as_asked_and_reads_back() -> None:
    chain = MarkovChain([SMALL])
    script = chain.write(200, seed=1)
    assert parse(render(script)) == script
    assert 150 <= len(render(script).split()) <= 210


def test_a_chain_of_one_text_goes_on_as_it_does() -> None:
    lines = render(MarkovChain([SMALL]).write(60, seed=1)).splitlines()[1:]
    assert set(lines[:-1]) <= set(render(SMALL).splitlines())


def test_the_same_seed_writes_the_same(comparison: Comparison) -> None:
    chain = MarkovChain([SMALL, parse(render(SMALL).replace("window", "door"))])
    assert chain.write(300, seed=4) == chain.write(300, seed=4)
    assert len({chain.write(300, seed=seed) for seed in range(8)}) > 1


def test_a_chain_needs_something_to_learn_from() -> None:
    with pytest.raises(CorpusError, match="too short"):
        MarkovChain([EMPTY])


def test_a_loop_keeps_the_acts_and_says_six_lines() -> None:
    looped = loop(SMALL, 300)
    assert [act.name for act in looped.acts] == ["TEASER", "ACT ONE"]
    assert len(set(looped.scenes)) == 1
    assert len(looped.scenes[0].elements) <= LOOP_LINES
    assert 200 <= len(render(looped).split()) <= 320


def test_a_loop_of_nothing_is_a_script() -> None:
    assert loop(EMPTY, 100) == parse("Title: A Loop")
