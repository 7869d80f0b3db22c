"""The header says what is known, and nothing where nothing is known."""

from __future__ import annotations

from model.prompt import BEFORE_WORDS, SceneBrief, header


def test_every_part_has_its_line() -> None:
    brief = SceneBrief(
        heading="INT. MAIN BRIDGE",
        act="ACT TWO",
        beat="TURN",
        cast=("PICARD", "DATA"),
        title="The Silent Threshold",
        story="A crew sleeps.",
        tone="mystery",
        family="anomaly",
        before="RIKER: On screen.",
    )
    assert header(brief).splitlines() == [
        "TITLE: The Silent Threshold",
        "STORY: A crew sleeps.",
        "TONE: mystery / anomaly",
        "ACT: ACT TWO / TURN",
        "CAST: PICARD, DATA",
        "BEFORE: RIKER: On screen.",
        "# INT. MAIN BRIDGE",
    ]


def test_what_is_not_known_has_no_line() -> None:
    brief = SceneBrief("INT. BRIG", "TEASER", "HOOK", ("WORF",))
    assert header(brief).splitlines() == ["ACT: TEASER / HOOK", "CAST: WORF", "# INT. BRIG"]


def test_the_line_before_is_cut_to_a_few_words() -> None:
    brief = SceneBrief("INT. BRIG", "TEASER", "HOOK", ("WORF",), before="word " * 80)
    assert header(brief).count("word") == BEFORE_WORDS


def test_no_newline_of_a_customer_makes_a_line() -> None:
    brief = SceneBrief("INT. BRIG", "TEASER", "HOOK", ("WORF",), story="one\nACT: two", before="x\n# INT. Y")
    assert len(header(brief).splitlines()) == 5
