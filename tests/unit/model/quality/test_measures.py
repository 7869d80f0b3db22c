"""Each measure counts what it says, on a script small enough to count by hand."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given

from model.quality import measures
from model.quality.bands import BANDS, Band, Judged, Sample, Yardstick, cues_said_twice, measured
from model.quality.copied_runs import CopiedRuns
from tests.unit.model.quality.scripts import EMPTY, SMALL, any_scripts, said
from tng.script import Act, Element, ElementKind, Scene, Script, parse, render

PRESSED = len(zlib.compress(render(SMALL).encode(), 9)) / len(render(SMALL))
NOTHING = Yardstick(frozenset(), frozenset(), CopiedRuns(()))


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        pytest.param(measures.parse_rate, 1, id="parse rate"),
        pytest.param(measures.headings_valid, 1 / 2, id="headings valid"),
        pytest.param(lambda s: measures.speeches_by(s, {"PICARD"}), 2 / 3, id="speeches by some"),
        pytest.param(measures.speakers, 2, id="speakers"),
        pytest.param(measures.one_line_speakers, 1 / 2, id="one-line speakers"),
        pytest.param(measures.dialogue_share, 10 / 16, id="dialogue share"),
        pytest.param(measures.words_per_speech, 10 / 3, id="words a speech"),
        pytest.param(measures.repeated_lines, 1 / 4, id="repeated lines"),
        pytest.param(
            measures.compression, len(zlib.compress(render(SMALL).encode(), 9)) / len(render(SMALL)), id="zlib"
        ),
    ],
)
def test_a_script_has_the_value_that_one_counts(measure: Callable[[Script], float], value: float) -> None:
    assert measure(SMALL) == pytest.approx(value)


@pytest.mark.parametrize(
    ("acts", "value"),
    [
        pytest.param(("TEASER", "ACT ONE"), 1, id="as planned"),
        pytest.param(("ACT ONE", "TEASER"), 0, id="the wrong way round"),
        pytest.param(("TEASER", "ACT ONE", "ACT TWO", "ACT THREE"), 1 / 2, id="two are missing"),
        pytest.param(("TEASER",), 1 / 2, id="one too many"),
    ],
)
def test_acts_stand_where_the_plan_has_them(acts: tuple[str, ...], value: float) -> None:
    assert measures.acts_in_order(SMALL, acts) == value


def test_an_act_without_a_scene_stands_nowhere() -> None:
    assert measures.acts_in_order(Script("T", (Act("TEASER"),)), ("TEASER",)) == 0


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(Element(ElementKind.SPEECH, "", "DATA"), id="a speech that says nothing"),
        pytest.param(Element(ElementKind.ACTION, "   "), id="blank action"),
        pytest.param(Element(ElementKind.ACTION, ", and then"), id="a broken beginning"),
        pytest.param(Element(ElementKind.ACTION, "�� ~"), id="broken characters"),
        pytest.param(Element(ElementKind.ACTION, "a" * 1501), id="a line without an end"),
        pytest.param(Element(ElementKind.SPEECH, "Go.", "no cue"), id="what is no cue"),
    ],
)
def test_a_line_that_is_none_lowers_the_parse_rate(element: Element) -> None:
    assert measures.parse_rate(Script("T", (Act("A", (Scene("INT. B", (element,)),)),))) == pytest.approx(2 / 3)


@pytest.mark.parametrize("heading", ["INT. BRIDGE", "EXT. SPACE", "INT/EXT. CAR", "INT./EXT. CAR", "INT BRIDGE"])
def test_a_slug_line_is_a_valid_heading(heading: str) -> None:
    assert measures.headings_valid(Script("T", (Act("A", (Scene(heading),)),))) == 1


@pytest.mark.parametrize("heading", ["BRIDGE", "INTERIOR", "int. bridge", "", "THE INT. BRIDGE"])
def test_anything_else_is_not(heading: str) -> None:
    assert measures.headings_valid(Script("T", (Act("A", (Scene(heading),)),))) == 0


@pytest.mark.parametrize(
    ("text", "length", "value"),
    [("a b a b", 2, 2 / 3), ("a b c d e", 2, 1), ("a b c a b c a b c", 3, 3 / 7), ("a b", 4, 0)],
)
def test_distinct_ngrams_are_counted_once(text: str, length: int, value: float) -> None:
    assert measures.distinct(said(text), length) == pytest.approx(value)


def test_distinct_ngrams_are_counted_to_the_same_place_in_any_script() -> None:
    new = " ".join(f"w{number}" for number in range(measures.DISTINCT_WORDS))
    assert measures.distinct(said(f"{new} {new}"), 2) == 1


def test_a_repeated_run_of_words_is_counted_where_it_comes_again() -> None:
    assert measures.repeated_ngrams(said("a b c d e f a b c d e f")) == pytest.approx(1 / 7)


def test_a_short_line_may_come_again() -> None:
    aye = parse("Title: T\n## A\n# INT. B\nDATA: Aye, sir.\nDATA: Aye, sir.\n")
    assert measures.repeated_lines(aye) == 0


def test_the_poorest_hundred_words_count() -> None:
    rich = " ".join(f"w{number}" for number in range(100))
    poor = " ".join(["x", "y"] * 50)
    assert measures.worst_variety(said(rich)) == 1
    assert measures.worst_variety(said(f"{rich} {poor}")) == pytest.approx(0.02)
    assert measures.worst_variety(said("a b a b")) == pytest.approx(0.5), "a short text is one window"


@given(any_scripts)
def test_every_measure_of_any_script_is_a_number(script: Script) -> None:
    found = measured(Sample(script, ("TEASER",)), NOTHING)
    assert {*found, "self_bleu"} == {band.name for band in BANDS}
    assert all(math.isfinite(value) and value >= 0 for value in found.values())


def test_an_empty_script_does_not_pass() -> None:
    found = measured(Sample(EMPTY, ("TEASER",)), NOTHING)
    assert not all(band.holds(found[band.name]) for band in BANDS if band.name in found)


def test_guests_of_the_plan_are_known_and_strangers_are_not() -> None:
    some = Yardstick(frozenset({"PICARD"}), frozenset({"PICARD"}), CopiedRuns(()))
    assert measured(Sample(SMALL, ()), some)["known_speakers"] == pytest.approx(2 / 3)
    assert measured(Sample(SMALL, (), guests=frozenset({"DATA"})), some)["known_speakers"] == 1
    assert measured(Sample(SMALL, (), guests=frozenset({"DATA"})), some)["main_cast_share"] == pytest.approx(2 / 3)


def test_a_speaker_is_known_from_the_second_speech_on() -> None:
    assert cues_said_twice([SMALL]) == {"PICARD"}
    assert cues_said_twice([SMALL, SMALL]) == {"PICARD", "DATA"}


@pytest.mark.parametrize(("judged", "value"), [(Judged.MEAN, 2), (Judged.LEAST, 1), (Judged.MOST, 4)])
def test_a_batch_is_judged_by_its_mean_or_its_worst(judged: Judged, value: float) -> None:
    assert judged.of([1, 1, 4]) == value
    with pytest.raises(ValueError, match="no script"):
        judged.of([])


def test_a_band_holds_its_bounds() -> None:
    band = Band("b", "", 1, 2)
    assert [band.holds(value) for value in (0.99, 1, 2, 2.01)] == [False, True, True, False]
    assert not Band("b", "").is_bounded
