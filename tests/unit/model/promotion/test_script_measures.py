"""What is measured of one script does not depend on its length, is quick, and sees what it is for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from model.promotion.script_measures import BLOCKED_WORDS_FILE, longest_repeat, read_blocked_words, script_measures
from model.quality.wording import words
from tests.teleplays import invented_script
from tng.errors import CorpusError
from tng.script import Act, Element, ElementKind, Scene, Script

GATES = {"lines": 20, "stock": 3}
BLOCKED = frozenset({"lantern"})


def of(script: Script) -> dict[str, float]:
    return script_measures(script, GATES, BLOCKED)


def spoken(*lines: str) -> Script:
    elements = tuple(Element(ElementKind.SPEECH, line, "DATA") for line in lines)
    return Script("The Loop", (Act("TEASER", (Scene("INT. BRIDGE", elements),)),))


def test_a_script_that_reads_back_says_so_and_what_of_it_is_our_own() -> None:
    measures = of(spoken("The lantern is lit.", "A lantern, sir."))
    assert measures["reads_back"] is True
    assert measures["stock_share"] == 0.15
    assert measures["blocked_words"] == 2
    assert measures["words"] == 12, "the title is the customer's"


def test_no_speaker_is_no_script() -> None:
    silent = Script("X", (Act("TEASER", (Scene("INT. BRIDGE", (Element(ElementKind.ACTION, "They wait."),)),)),))
    assert of(silent)["reads_back"] is False


def test_a_line_that_would_be_read_as_another_does_not_read_back() -> None:
    assert of(spoken("Captain.\n# INT. ENGINEERING"))["reads_back"] is False


def test_a_teaser_and_an_episode_by_the_same_hand_measure_the_same() -> None:
    short, long = (of(invented_script(7, scenes=scenes, speeches=8 * scenes)) for scenes in (6, 60))
    assert long["words"] > 5 * short["words"]
    assert long["distinct_3"] == pytest.approx(short["distinct_3"], abs=0.01)
    assert abs(long["longest_repeat"] - short["longest_repeat"]) <= 1


def test_a_loop_shows() -> None:
    looped = of(spoken(*["We must go back to the ship before the storm closes the way behind us."] * 30))
    assert looped["distinct_3"] < 0.2
    assert looped["longest_repeat"] > 100


@pytest.mark.parametrize(
    ("text", "longest"),
    [("", 0), ("a b c", 0), ("a b a", 1), ("a b c d a b c e", 3), ("a a a a a", 4), ("x a b c d e y a b c d e z", 5)],
)
def test_the_longest_run_that_stands_twice_is_found(text: str, longest: int) -> None:
    assert longest_repeat(text.split()) == longest


def test_an_episode_is_measured_in_less_than_a_twentieth_of_a_second() -> None:
    script = invented_script(3)
    of(script)
    seconds = []
    for _ in range(5):
        began = time.process_time()
        of(script)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.05


def test_our_list_is_whole_words_in_small_letters() -> None:
    listed = [line for line in BLOCKED_WORDS_FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert 30 <= len(listed) <= 60
    assert listed == sorted(set(listed))
    assert all(words(word) == [word] for word in listed)
    assert read_blocked_words() == frozenset(listed)


def test_another_list_is_taken_and_one_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("# ours\nGlimmerfrost\n", encoding="utf-8")
    assert read_blocked_words(mine) == {"glimmerfrost"}
    (tmp_path / "empty.txt").write_text("# nothing\n", encoding="utf-8")
    for name in ("empty.txt", "nowhere.txt"):
        with pytest.raises(CorpusError, match=name):
            read_blocked_words(tmp_path / name)
