"""What a notebook displays is what the shop listens to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from model import events
from model.evaluate import script_measures
from model.writing import Writer, write
from tests.shows import second_show
from tng.adapters.run_engine import EVENT_MIME, RESULT_MIME
from tng.errors import PremiseError
from tng.script import Length, Premise, Tone, parse
from tng.shows import Show

PREMISE = Premise("The Quiet Hours", "", ("PICARD", "DATA"), Tone.MYSTERY, Length.TEASER, 3)


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []

    def show(bundle: dict[str, Any], *, raw: bool) -> None:
        assert raw
        shown.append(json.loads(json.dumps(bundle)))

    monkeypatch.setattr(events, "display", show)
    return shown


def test_the_shop_listens_to_the_same_types() -> None:
    assert (events.EVENT_MIME, events.RESULT_MIME) == (EVENT_MIME, RESULT_MIME)


def test_a_premise_comes_back_from_its_fields(show: Show) -> None:
    assert events.read_premise(json.dumps(PREMISE.to_fields()), show) == PREMISE


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"title": 7}', "null"])
def test_what_is_no_premise_is_refused(text: str, show: Show) -> None:
    with pytest.raises(PremiseError):
        events.read_premise(text, show)


def test_a_premise_of_another_show_is_refused() -> None:
    with pytest.raises(PremiseError, match="field cast"):
        events.read_premise(json.dumps(PREMISE.to_fields()), second_show())


def test_events_and_the_result_are_displayed(writer: Writer, displayed: list[dict[str, Any]]) -> None:
    written = write(PREMISE, writer, events.show_event)
    events.show_result(written, writer, PREMISE)
    kinds = [bundle[EVENT_MIME]["kind"] for bundle in displayed[:-1]]
    scenes = len(written.script.scenes)
    assert kinds == ["plan", *["scene", "progress"] * scenes]
    result = displayed[-1][RESULT_MIME]
    assert parse(result["script_text"]) == written.script
    assert (result["release_id"], result["seed"], result["scenes"]) == ("test-1", 3, scenes)
    assert result["words"] == len(result["script_text"].split())
    assert result["provenance"] == written.provenance


def test_what_a_reader_sees_holds_no_line_of_the_script(writer: Writer, displayed: list[dict[str, Any]]) -> None:
    written = write(PREMISE, writer, events.show_event)
    events.show_result(written, writer, PREMISE)
    for bundle in displayed:
        assert len(bundle["text/plain"]) < 40


def test_facts_are_shown_one_a_line(displayed: list[dict[str, Any]]) -> None:
    events.show_facts({"steps": 3, "loss": 2.5})
    assert displayed == [{"application/json": {"steps": 3, "loss": 2.5}, "text/plain": "steps: 3\nloss: 2.5"}]


def test_scripts_are_measured(writer: Writer) -> None:
    measures = script_measures(writer, [PREMISE, replace(PREMISE, seed=4)])
    assert measures["scripts"] == 2
    assert measures["reads_back"] == 1
    assert 0.3 < measures["speeches_by_known_cast"] <= 1
    assert measures["drawn_a_line"] >= 0.5
    assert measures["stock_lines"] < 0.5
