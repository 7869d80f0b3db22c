"""A drawn line can be taken back as if it had never been drawn, and the window never overflows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.lexicon import Lexicon
from model.pen import LINE_TOKENS, Pen, _Body
from model.sampling import Sampling, generator, repeats
from model.tokenizer import Tokenizer
from tests.unit.model.networks import MarkovNetwork, NoiseNetwork, OneTokenNetwork, TestNetwork

HEADER = "ACT: TEASER / HOOK\nCAST: PICARD, DATA\n# INT. MAIN BRIDGE"


def pen_of(network: TestNetwork, tokenizer: Tokenizer, sampling: Sampling | None = None, seed: int = 1) -> Pen:
    pen = Pen(network, tokenizer, sampling or Sampling(), generator(seed))
    pen.open(HEADER)
    return pen


def test_what_is_taken_back_leaves_no_trace(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    pen = pen_of(markov, tokenizer)
    pen.draw_line()
    pen.keep()
    held = list(markov.ids)
    for _ in range(5):
        pen.draw_line()
        pen.take_back()
        assert markov.ids == held


def test_what_is_kept_stands_below_the_header(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    pen = pen_of(markov, tokenizer)
    lines = []
    for _ in range(3):
        lines.append(pen.draw_line().text)
        pen.keep()
    assert tokenizer.decode(markov.ids) == "\n".join([HEADER, *lines]) + "\n"


def test_a_beginning_is_part_of_the_line(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    assert pen_of(markov, tokenizer).draw_line(beginning="DATA:").text.startswith("DATA: ")


def test_a_written_line_stands_like_a_drawn_one(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    pen = pen_of(markov, tokenizer)
    pen.write("DATA: Report.")
    assert tokenizer.decode(markov.ids).endswith("# INT. MAIN BRIDGE\nDATA: Report.\n")


def test_the_same_seed_draws_the_same_line(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    lines = [pen_of(markov, tokenizer, seed=seed).draw_line().text for seed in (5, 5, 6)]
    assert lines[0] == lines[1] != lines[2]


def test_the_end_of_text_ends_the_scene(tokenizer: Tokenizer) -> None:
    drawn = pen_of(OneTokenNetwork(tokenizer.size, tokenizer.end_of_text), tokenizer).draw_line()
    assert (drawn.text, drawn.ended) == ("", True)


def test_a_line_without_an_end_is_cut(tokenizer: Tokenizer) -> None:
    (dot,) = tokenizer.encode(".")
    pen = pen_of(OneTokenNetwork(tokenizer.size, dot), tokenizer, Sampling(repeat_tokens=0))
    assert len(tokenizer.encode(pen.draw_line().text)) <= LINE_TOKENS


def test_a_token_that_makes_no_word_is_not_drawn(tokenizer: Tokenizer) -> None:
    (dot,), (colon,) = tokenizer.encode("."), tokenizer.encode(":")

    class Undecided(TestNetwork):
        """Would say a colon and, if it may not, a dot."""

        def likely(self) -> NDArray[np.float32]:
            logits = np.full(self.size, -30.0, np.float32)
            logits[[colon, dot]] = 9, 5
            return logits

    class NoColon(Lexicon):
        def may_go_on(self, line: str, more: str) -> bool:
            return ":" not in more

    pen = pen_of(Undecided(tokenizer.size), tokenizer, Sampling(repeat_tokens=0))
    assert ":" in pen.draw_line().text
    pen.take_back()
    assert set(pen.draw_line(lexicon=NoColon(())).text) == {"."}


def test_a_hopeless_line_is_not_drawn_to_its_end(tokenizer: Tokenizer) -> None:
    (colon,) = tokenizer.encode(":")
    network = OneTokenNetwork(tokenizer.size, colon)
    pen = pen_of(network, tokenizer)
    before = network.fed_tokens
    pen.draw_line(is_hopeless=lambda text: text == ":")
    assert network.fed_tokens == before + 1


@pytest.mark.parametrize("window", [260, 300, 448])
def test_the_window_never_overflows(tokenizer: Tokenizer, window: int) -> None:
    network = NoiseNetwork(tokenizer.size, window)
    pen = pen_of(network, tokenizer)
    header = tokenizer.encode(HEADER + "\n")
    for number in range(12):
        pen.draw_line()  # the network itself refuses more than its window
        pen.keep() if number % 3 else pen.take_back()
        assert network.ids[: len(header)] == header


def test_after_a_shift_whole_lines_stand_below_the_header(tokenizer: Tokenizer) -> None:
    network = NoiseNetwork(tokenizer.size, 260)
    pen = pen_of(network, tokenizer)
    for number in range(20):
        pen.write(f"DATA: That is line {number}, and there is a little more of it to fill the window.")
    text = tokenizer.decode(network.ids)
    assert text.startswith(HEADER + "\nDATA: That is line ")
    assert "line 19," in text
    assert "line 0," not in text


def test_a_header_without_room_below_it_is_refused(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    pen = Pen(markov, tokenizer, Sampling(), generator(1))
    with pytest.raises(ValueError, match="no room"):
        pen.open("TITLE: " + "strange " * 400)


def test_no_line_is_drawn_before_a_scene_is_open(markov: MarkovNetwork, tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match="no scene is open"):
        Pen(markov, tokenizer, Sampling(), generator(1)).draw_line()


class Spelling(TestNetwork):
    """Says given tokens one after the other, each with the same chance."""

    def __init__(self, size: int, ids: list[int], chance: float = 1.0) -> None:
        super().__init__(size)
        self._ids, self._said, self._chance = ids, 0, chance

    def likely(self) -> NDArray[np.float32]:
        logits = np.full(self.size, math.log((1 - self._chance or 1e-9) / (self.size - 1)), np.float32)
        if self._said < len(self._ids):
            logits[self._ids[self._said]] = math.log(self._chance)
        self._said += 1
        return logits


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_line_reads_as_its_tokens_do_however_its_characters_are_torn(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text + "\n")[: LINE_TOKENS - 1]
    pen = pen_of(Spelling(tokenizer.size, ids), tokenizer, Sampling(temperature=0, repeat_tokens=0))
    assert pen.draw_line().text == tokenizer.decode(ids).rstrip("\n")


def test_what_was_drawn_and_kept_says_how_likely_it_was(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("DATA: Yes.\n")
    pen = pen_of(Spelling(tokenizer.size, ids * 2, 0.25), tokenizer, Sampling(temperature=0, repeat_tokens=0))
    assert pen.log_probability == 0, "nothing was drawn"
    pen.write("DATA: No.")
    assert pen.log_probability == 0, "nobody drew it"
    pen = pen_of(Spelling(tokenizer.size, ids * 2, 0.25), tokenizer, Sampling(temperature=0, repeat_tokens=0))
    pen.draw_line()
    pen.take_back()
    assert pen.log_probability == 0, "it was not kept"
    pen.draw_line()
    pen.keep()
    assert math.isclose(pen.log_probability, math.log(0.25), rel_tol=1e-5)


steps = st.lists(st.one_of(st.just("keep"), st.just("take back"), st.lists(st.integers(0, 3), max_size=9)), max_size=12)


@given(steps, st.integers(0, 5))
@settings(max_examples=200)
def test_what_would_repeat_is_known_without_looking_back(some_steps: list[str | list[int]], run_tokens: int) -> None:
    body = _Body(run_tokens)
    for step in some_steps:
        if step == "keep":
            body.kept = len(body.ids)
        elif step == "take back":
            body.take_back()
        else:
            body.add(step)  # type: ignore[arg-type]
        assert set(body.repeating()) == repeats(body.ids, run_tokens)
