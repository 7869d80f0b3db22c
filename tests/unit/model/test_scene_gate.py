"""Which scenes may stand as a whole, as a table, and which of several bad ones is the best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.copies import build_copies
from model.corpus.assembler import Assembler
from model.scene_gate import Draft, Flaw, SceneGate, dialogue_share, reads_back, repeated_lines
from tng.script import Element, ElementKind, Scene, parse_line, render_scene

GOOD = (
    "Picard turns from the dark glass and looks at the empty chair.",
    "PICARD: How long has it been silent, and who heard it last?",
    "DATA: It has been silent for eleven hours, since the morning watch.",
    "PICARD: Then somebody on that watch knows more than is in the log.",
    "Data lays a single sheet on the table, face down.",
)
CAST = ("PICARD", "DATA")


def a_draft(*lines: str, **changes: object) -> Draft:
    scene = Scene("INT. READY ROOM", tuple(parse_line(line) for line in lines))
    return replace(Draft(scene, lines, drawn=len(lines), forced=0, stock=0, log_probability=-1.0), **changes)


def flaws(draft: Draft, gate: SceneGate | None = None) -> tuple[Flaw, ...]:
    return (gate or SceneGate()).judge(draft, CAST, {*CAST, "COMPUTER"}).flaws


def changed(place: int, line: str) -> Draft:
    return a_draft(*GOOD[:place], line, *GOOD[place + 1 :])


def broken(draft: Draft) -> Draft:
    """A line of it holds another line."""
    first, *others = draft.scene.elements
    return replace(draft, scene=replace(draft.scene, elements=(replace(first, text="Rain.\n## ACT TWO"), *others)))


def test_a_good_scene_stands() -> None:
    assert flaws(a_draft(*GOOD)) == ()


@pytest.mark.parametrize(
    ("draft", "flaw"),
    [
        pytest.param(broken(a_draft(*GOOD)), Flaw.FORM, id="does-not-read-back"),
        pytest.param(changed(1, "WORF: It has been silent since noon."), Flaw.STRANGER, id="a-stranger"),
        pytest.param(changed(2, "PICARD: It has been silent since noon."), Flaw.SILENT, id="somebody-is-silent"),
        pytest.param(changed(3, "Somebody on that watch knows a little more."), Flaw.SPEECHES, id="two-speeches"),
        pytest.param(a_draft("PICARD: Yes.", "DATA: No.", "PICARD: Go."), Flaw.LENGTH, id="too-short"),
        pytest.param(
            a_draft(*GOOD, *[f"DATA: {'it goes on ' * 20}{n}." for n in range(12)]), Flaw.LENGTH, id="endless"
        ),
        pytest.param(a_draft(*GOOD[1:4], "Quiet."), Flaw.DIALOGUE, id="talk-alone"),
        pytest.param(
            a_draft("The room. " * 30 + "Rain.", "PICARD: Yes.", "DATA: No.", "PICARD: Go."),
            Flaw.DIALOGUE,
            id="hardly-a-word",
        ),
        pytest.param(a_draft(*GOOD, GOOD[1], GOOD[2]), Flaw.LOOP, id="lines-come-again"),
        pytest.param(
            changed(3, "DATA: And how long has it been silent, and who heard it last?"), Flaw.LOOP, id="runs-come-again"
        ),
        pytest.param(a_draft(*GOOD, stock=2, forced=2), Flaw.STOCK, id="stock-lines"),
        pytest.param(a_draft(*GOOD, forced=3), Flaw.FORCED, id="forced-lines"),
    ],
)
def test_a_bad_scene_does_not(draft: Draft, flaw: Flaw) -> None:
    gate = SceneGate()
    assert flaw in flaws(draft, gate)
    assert gate.failed[flaw.value] == 1


def test_what_the_script_has_said_it_may_not_say_again() -> None:
    gate = SceneGate()
    assert flaws(a_draft(*GOOD), gate) == ()
    assert flaws(a_draft(*GOOD), gate) == (), "the first one was not kept"
    gate.keep(a_draft(*GOOD))
    assert flaws(a_draft(*GOOD), gate) == (Flaw.LOOP,)


class TestCopying:
    TWENTY = "PICARD: " + " ".join(f"so{letter}" for letter in "abcdefghijklmnopqrs")  # with its cue, twenty words
    MORE = TWENTY + " sot"

    def gate(self, *, ours: bool = False) -> SceneGate:
        return SceneGate(build_copies([self.MORE]), corpus_is_ours=ours)

    def draft(self, line: str) -> Draft:
        return changed(1, line + ".")

    def test_a_run_of_more_than_twenty_words_is_copied(self) -> None:
        assert flaws(self.draft(self.MORE), self.gate()) == (Flaw.COPIED,)

    def test_twenty_words_may_be_the_same(self) -> None:
        assert flaws(self.draft(self.TWENTY), self.gate()) == ()

    def test_of_a_corpus_of_our_own_anything_may_be_copied(self) -> None:
        assert flaws(self.draft(self.MORE), self.gate(ours=True)) == ()

    def test_without_an_index_nothing_is_known(self) -> None:
        gate = SceneGate()
        gate.keep(self.draft(self.MORE))
        assert flaws(self.draft(self.MORE), SceneGate()) == ()
        assert gate.copied() is None

    def test_the_whole_script_is_measured_even_where_copying_is_allowed(self) -> None:
        gate = self.gate(ours=True)
        gate.keep(a_draft(*GOOD))
        gate.keep(self.draft(self.MORE))
        copied = gate.copied()
        assert copied is not None
        assert copied.longest_run_words == 21
        assert 0.1 < copied.share < 0.3

    def test_the_networks_own_words_are_compared_not_those_of_the_page(self) -> None:
        staged = changed(1, "SOREL: " + self.MORE.removeprefix("PICARD: ").replace("soj", "Kadris") + ".")
        told = replace(staged, lines=(*GOOD[:1], self.MORE + ".", *GOOD[2:]))
        assert Flaw.COPIED in flaws(told, self.gate())
        assert Flaw.COPIED not in flaws(staged, self.gate())


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(a_draft(*GOOD, log_probability=-1.0), a_draft(*GOOD, log_probability=-2.0), id="likelier"),
        pytest.param(a_draft(*GOOD, log_probability=-9.0), a_draft(*GOOD, forced=1), id="less-forced"),
        pytest.param(a_draft(*GOOD, forced=2), a_draft(*GOOD, forced=1, stock=1), id="less-stock"),
        pytest.param(a_draft(*GOOD, stock=1), changed(1, "WORF: It has been silent since noon."), id="fewer-flaws"),
    ],
)
def test_of_two_drafts_the_better_is_found(better: Draft, worse: Draft) -> None:
    ranks = [SceneGate().judge(draft, CAST, CAST).rank for draft in (better, worse)]
    assert ranks[0] < ranks[1]


def test_every_scene_of_the_bank_would_stand(assembler: Assembler) -> None:
    """The control: the bounds are no narrower than what people wrote."""
    refused = []
    for number in range(8):
        gate = SceneGate()
        for part in assembler.episode(number).parts:
            lines = tuple(render_scene(part.scene).splitlines()[1:])
            draft = Draft(part.scene, lines, len(lines), 0, 0, 0.0)
            refused += gate.judge(draft, part.scene.speakers, part.scene.speakers).flaws
            gate.keep(draft)
    assert refused == []


def test_an_empty_scene_has_no_shares() -> None:
    empty = Scene("INT. BRIDGE")
    assert (dialogue_share(empty), repeated_lines(empty), reads_back(empty)) == (0, 0, True)
    assert {Flaw.SILENT, Flaw.SPEECHES, Flaw.LENGTH} <= set(flaws(Draft(empty, (), 0, 0, 0, 0.0)))


def test_a_heading_of_another_form_does_not_read_back() -> None:
    assert not reads_back(Scene("", (Element(ElementKind.ACTION, "Rain."),)))
