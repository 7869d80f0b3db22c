"""The promises of a script hold whatever the network says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from model.corpus.outlines import words_of
from model.drafting import MOST_LINES
from model.gate import REPEATABLE_WORDS
from model.planning import plan
from model.tokenizer import Tokenizer
from model.writing import Writer, write
from tests.shows import first_show
from tests.unit.model.networks import MarkovNetwork, NoiseNetwork, OneTokenNetwork, RecitingNetwork, TestNetwork
from tng.script import ElementKind, Length, Premise, Script, Tone, parse, render

CASTS = [("TROI", "GUINAN"), ("PICARD", "RIKER", "DATA"), first_show().cues]
PREMISE = Premise(
    "The Quiet Hours", "Ambassador Sorel comes aboard.", ("PICARD", "DATA"), Tone.MYSTERY, Length.SHORT, 3
)

NETWORKS: dict[str, Callable[[Tokenizer], TestNetwork]] = {
    "noise": lambda tokenizer: NoiseNetwork(tokenizer.size),
    "silence": lambda tokenizer: OneTokenNetwork(tokenizer.size, tokenizer.end_of_text),
    "newlines": lambda tokenizer: OneTokenNetwork(tokenizer.size, tokenizer.encode("\n")[0]),
    "dots": lambda tokenizer: OneTokenNetwork(tokenizer.size, tokenizer.encode(".")[0]),
    "a-stranger": lambda tokenizer: reciting(tokenizer, "WORF: I am not in this story at all.\n"),
    "one-line": lambda tokenizer: reciting(tokenizer, "PICARD: We have been here before, I think.\n"),
    "break-out": lambda tokenizer: reciting(tokenizer, "## ACT NINE\n# INT. NOWHERE\nTitle: Another\n"),
    "small-window": lambda tokenizer: NoiseNetwork(tokenizer.size, window=160),
}


def reciting(tokenizer: Tokenizer, text: str) -> TestNetwork:
    return RecitingNetwork(tokenizer.size, tokenizer.encode(text))


def speakers_that_may(premise: Premise, writer: Writer) -> set[str]:
    return set(plan(premise, writer.outlines, writer.show).speakers)


def assert_promises(script: Script, premise: Premise, writer: Writer) -> None:
    assert script.title == premise.title
    assert parse(render(script)) == script
    assert set(premise.cast) <= set(script.speakers) <= speakers_that_may(premise, writer)
    assert [act.name for act in script.acts] == list(writer.show.lengths[premise.length])
    said: set[str] = set()
    for scene in script.scenes:
        assert sum(element.kind is ElementKind.SPEECH for element in scene.elements) >= 3
        assert len(scene.elements) <= MOST_LINES + len(first_show().cues)
        for element in scene.elements:
            assert element.kind in (ElementKind.SPEECH, ElementKind.ACTION)
            plain = " ".join(words_of(element.text))
            assert len(element.text.split()) <= REPEATABLE_WORDS or plain not in said
            said.add(plain)


@pytest.mark.parametrize("network", list(NETWORKS))
@pytest.mark.usefixtures("hasty")
def test_the_promises_hold_whatever_the_network_says(writer: Writer, tokenizer: Tokenizer, network: str) -> None:
    premise = replace(PREMISE, length=Length.TEASER)
    broken = replace(writer, network=NETWORKS[network](tokenizer))
    written = write(premise, broken)
    assert_promises(written.script, premise, broken)
    assert written.gates["stock"] > 0


@pytest.mark.parametrize("tone", list(Tone))
@pytest.mark.parametrize(
    "cast", [("TROI", "GUINAN"), ("PICARD", "RIKER", "DATA"), first_show().cues], ids=["two", "three", "all"]
)
def test_the_promises_hold_for_any_premise(writer: Writer, tone: Tone, cast: tuple[str, ...]) -> None:
    premise = replace(PREMISE, tone=tone, cast=cast)
    written = write(premise, writer)
    assert_promises(written.script, premise, writer)


def test_an_episode_is_whole(writer: Writer) -> None:
    premise = replace(PREMISE, length=Length.EPISODE)
    assert_promises(write(premise, writer).script, premise, writer)


@pytest.mark.parametrize(
    ("title", "logline"),
    [
        pytest.param("李" * 80, "星" * 500, id="chinese"),
        pytest.param("🖖" * 80, "🖖" * 500, id="emoji"),
        pytest.param("Title: ## ACT ONE", "# INT. BRIDGE PICARD: <|endoftext|> ACT: X", id="marks"),
        pytest.param("x", "", id="shortest"),
        pytest.param("A " * 40, "Captain " * 60, id="words"),
    ],
)
def test_no_words_of_a_customer_break_a_script(writer: Writer, title: str, logline: str) -> None:
    fields = {**PREMISE.to_fields(), "title": title, "logline": logline, "length": "teaser"}
    premise = Premise.checked(fields, writer.show.cues)
    assert_promises(write(premise, writer).script, premise, writer)


def test_the_same_seed_writes_the_same_script(writer: Writer) -> None:
    texts = [render(write(replace(PREMISE, seed=seed), writer).script) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_what_was_written_before_does_not_matter(writer: Writer) -> None:
    first = render(write(PREMISE, writer).script)
    write(replace(PREMISE, title="Something Else", seed=99), writer)
    assert render(write(PREMISE, writer).script) == first


def test_events_tell_the_story_as_it_happens(writer: Writer) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    script = write(PREMISE, writer, lambda kind, body: heard.append((kind, dict(body)))).script
    total = len(script.scenes)
    assert [kind for kind, _ in heard] == ["plan", *["scene", "progress"] * total]
    planned = heard[0][1]
    assert planned["title"] == script.title
    assert [(a["name"], a["scenes"]) for a in planned["acts"]] == [
        (act.name, [scene.heading for scene in act.scenes]) for act in script.acts
    ]
    scenes = [body for kind, body in heard if kind == "scene"]
    assert [body["number"] for body in scenes] == list(range(1, total + 1))
    told = "".join(f"{body['text']}\n" for body in scenes)
    assert told == "\n".join(line for line in render(script).splitlines()[1:] if not line.startswith("## ")) + "\n"
    progress = [body for kind, body in heard if kind == "progress"]
    times = [body.pop("seconds") for body in progress]
    assert times == sorted(times)
    assert times[0] >= 0
    assert progress[-1] == {"act": script.acts[-1].name, "done": total, "total": total, "percent": 100}


def test_the_names_of_the_logline_come_to_speak(writer: Writer) -> None:
    assert "SOREL" in write(PREMISE, writer).script.speakers


def test_the_guests_that_were_asked_for_are_in_the_script(writer: Writer) -> None:
    premise = replace(PREMISE, logline="", guests=("Zoë", "T’Vral"))
    script = write(premise, writer).script
    assert_promises(script, premise, writer)
    text = render(script).casefold()
    assert "zoe" in text
    assert "t'vral" in text


def test_no_temperature_is_the_releases_own_and_another_one_is_drawn_with(writer: Writer) -> None:
    teaser = replace(PREMISE, length=Length.TEASER)
    asked = (None, writer.sampling.temperature, 1.0)
    own, same, hot = (write(replace(teaser, temperature=each), writer).script for each in asked)
    assert render(own) == render(same) != render(hot)
    assert_promises(hot, teaser, writer)


@pytest.mark.usefixtures("hasty")
def test_the_network_is_told_the_title_the_story_and_the_cast(writer: Writer, tokenizer: Tokenizer) -> None:
    headers: list[str] = []

    class Listening(MarkovNetwork):
        def feed(self, ids: Any) -> Any:
            if self.position == 0:
                headers.append(tokenizer.decode(ids))
            return super().feed(ids)

    premise = replace(PREMISE, length=Length.TEASER)
    write(premise, replace(writer, network=Listening(tokenizer.size, [tokenizer.encode("DATA: Yes.\n")])))
    assert all("TITLE: The Quiet Hours\n" in header for header in headers)
    assert all("STORY: XRANK XGUEST comes aboard.\n" in header for header in headers)
    assert any("CAST: " in header and "XGUEST" in header for header in headers)
    assert not [header for header in headers if "SOREL" in header.upper()]
    assert len(headers) >= 4


def test_no_mark_comes_to_the_page(writer: Writer) -> None:
    for seed in range(3):
        text = render(write(replace(PREMISE, seed=seed, length=Length.TEASER), writer).script)
        assert not re.findall(r"\bX[A-Z]{3,}\b", text)


def test_counts_say_what_it_took(writer: Writer) -> None:
    written = write(PREMISE, writer)
    lines = sum(len(scene.elements) for scene in written.script.scenes)
    assert (written.gates["lines"], written.gates["scenes"]) == (lines, len(written.script.scenes))
    assert written.gates["drawn"] >= lines - written.gates["stock"]
