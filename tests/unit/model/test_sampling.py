"""What is drawn depends on the seed alone, and never on what is banned."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from model.sampling import Sampling, draw, generator, repeats

LOGITS = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))


def drawn(sampling: Sampling, times: int = 4000, banned: tuple[int, ...] = ()) -> Counter[int]:
    rng = generator(7)
    return Counter(draw(LOGITS, sampling, rng, banned=banned) for _ in range(times))


def test_the_same_seed_draws_the_same() -> None:
    first, second = generator(3, 1), generator(3, 1)
    sampling = Sampling()
    assert [draw(LOGITS, sampling, first) for _ in range(50)] == [draw(LOGITS, sampling, second) for _ in range(50)]


def test_a_seed_of_zero_is_a_seed_and_scenes_differ() -> None:
    runs = [tuple(generator(*seeds).integers(0, 1000, 5)) for seeds in [(0, 0), (0, 1), (1, 0), (1, 1)]]
    assert len(set(runs)) == 4
    assert tuple(generator(0, 0).integers(0, 1000, 5)) == runs[0]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    counts = drawn(Sampling(temperature=1, top_k=0, top_p=1))
    assert counts[0] / 4000 == pytest.approx(0.5, abs=0.03)
    assert counts[3] / 4000 == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("sampling", "possible"),
    [
        pytest.param(Sampling(temperature=0), {0}, id="greedy"),
        pytest.param(Sampling(temperature=1, top_k=2, top_p=1), {0, 1}, id="top-k"),
        pytest.param(Sampling(temperature=1, top_k=0, top_p=0.75), {0, 1}, id="top-p"),
        pytest.param(Sampling(temperature=1, top_k=0, top_p=0.01), {0}, id="top-p-keeps-one"),
    ],
)
def test_what_is_unlikely_can_be_left_out(sampling: Sampling, possible: set[int]) -> None:
    assert set(drawn(sampling)) == possible


def test_a_lower_temperature_is_less_bold() -> None:
    assert drawn(Sampling(temperature=0.3, top_k=0, top_p=1))[0] > drawn(Sampling(temperature=1.5, top_k=0, top_p=1))[0]


@pytest.mark.parametrize("temperature", [0, 1])
def test_what_is_banned_is_never_drawn(temperature: float) -> None:
    assert 0 not in drawn(Sampling(temperature=temperature, top_k=0, top_p=1), banned=(0,))


@pytest.mark.parametrize("temperature", [0, 1])
def test_what_does_not_fit_is_put_aside(temperature: float) -> None:
    sampling = Sampling(temperature=temperature, top_k=0, top_p=1)
    rng = generator(7)
    assert {draw(LOGITS, sampling, rng, fits=lambda token: token in (2, 3)) for _ in range(200)} <= {2, 3}


def test_an_unlikely_one_that_fits_comes_before_a_likely_one_that_does_not() -> None:
    rng = generator(7)
    assert draw(LOGITS, Sampling(temperature=1, top_p=0.01), rng, fits=lambda token: token == 3) == 3


def test_where_nothing_fits_the_likeliest_is_drawn() -> None:
    assert draw(LOGITS, Sampling(), generator(7), fits=lambda _: False) == 0


def test_where_everything_is_banned_nothing_is_drawn() -> None:
    with pytest.raises(ValueError, match="banned"):
        draw(LOGITS, Sampling(), generator(1), banned=range(4))


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"top_k": -1},
        {"top_p": 0},
        {"top_p": 1.1},
        {"repeat_tokens": -1},
        {"repeat_penalty": 0.9},
        {"repeat_penalty": float("nan")},
    ],
    ids=str,
)
def test_a_sampling_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no such sampling"):
        Sampling(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ids", "length", "banned"),
    [
        pytest.param([1, 2, 3, 9, 1, 2], 3, {3}, id="would-repeat"),
        pytest.param([1, 2, 3, 1, 2, 4, 1, 2], 3, {3, 4}, id="two-ways"),
        pytest.param([1, 2, 3, 9, 2, 1], 3, set(), id="no-repeat"),
        pytest.param([1, 2], 3, set(), id="too-short"),
        pytest.param([1, 1, 1], 0, set(), id="allowed"),
    ],
)
def test_the_token_that_completes_a_repeated_run_is_found(ids: list[int], length: int, banned: set[int]) -> None:
    assert repeats(ids, length) == banned


@pytest.mark.parametrize("size", [39, 40, 41, 3000, 20_000, 50_257], ids=str)
@pytest.mark.parametrize("grain", [0, 2], ids=["all-different", "many-equal"])
def test_the_best_of_many_are_the_best_of_all(size: int, grain: int) -> None:
    logits = np.random.default_rng(size).normal(size=size).astype(np.float32)
    logits = np.round(logits * grain).astype(np.float32) if grain else logits
    order = np.argsort(-logits, kind="stable")[:40].tolist()
    asked: list[int] = []
    draw(logits, Sampling(temperature=0), generator(1), fits=lambda token: bool(asked.append(token)))
    assert asked == order


def test_what_was_seen_is_less_likely() -> None:
    sampling = Sampling(temperature=0, repeat_penalty=2)
    logits = np.array([3.0, 2.0, -1.0, -1.5], np.float32)
    assert draw(logits, sampling, generator(1)) == 0
    assert draw(logits, sampling, generator(1), seen=[0, 0]) == 1, "once, however often it was seen"
    assert draw(-logits, sampling, generator(1), seen=[3]) == 2
    below = np.array([-3.0, -2.0, -1.0, -1.5], np.float32)
    assert draw(below, sampling, generator(1), seen=[2]) == 3
    assert logits.tolist() == [3.0, 2.0, -1.0, -1.5], "the logits stay as they were"


def test_without_a_penalty_nothing_is_held_against_what_was_seen() -> None:
    assert draw(LOGITS, Sampling(temperature=0), generator(1), seen=[0]) == 0
