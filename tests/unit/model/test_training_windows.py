"""Which tokens a step reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.windows import Windows
from tests.training_corpora import END, invented_corpus
from tng.errors import CorpusError

LENGTH = 17


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Windows:
    return Windows(invented_corpus(tmp_path_factory.mktemp("corpus")).training_file, LENGTH, END)


def episodes(folder: Path, *arrays: list[int]) -> Path:
    path = folder / "training.npz"
    np.savez(path, **{f"episode_{number}": np.array(array, np.int32) for number, array in enumerate(arrays)})
    return path


def test_the_windows_of_a_step_are_a_function_of_seed_and_step(windows: Windows) -> None:
    first = windows.batch(1, 7, 4, 0.5)
    assert first.shape == (4, LENGTH)
    windows.batch(1, 90, 4, 0.5)
    assert (windows.batch(1, 7, 4, 0.5) == first).all()
    assert (windows.batch(2, 7, 4, 0.5) != first).any()
    assert (windows.batch(1, 8, 4, 0.5) != first).any()


def test_each_record_begins_a_window_once_before_any_does_again(windows: Windows) -> None:
    begun = np.concatenate([windows.batch(1, step, 1, 1.0) for step in range(windows.records)])
    again = np.concatenate([windows.batch(1, windows.records + step, 1, 1.0) for step in range(windows.records)])
    every = sorted(windows.fixed(windows.records).tolist())
    assert sorted(begun.tolist()) == sorted(again.tolist()) == every
    assert (begun != again).any()


@pytest.mark.parametrize(("share", "fewest", "most"), [(1.0, 400, 400), (0.0, 0, 90), (0.5, 160, 290)])
def test_as_many_windows_as_asked_begin_with_a_record(windows: Windows, share: float, fewest: int, most: int) -> None:
    every = {tuple(window) for window in windows.fixed(10_000)}
    cut = windows.batch(1, 0, 400, share)
    assert fewest <= sum(tuple(window) in every for window in cut) <= most


@given(step=st.integers(0, 10_000), seed=st.integers(0, 2**31), share=st.floats(0, 1))
def test_a_window_is_a_piece_of_the_corpus_read_round_and_round(
    tmp_path_factory: pytest.TempPathFactory, step: int, seed: int, share: float
) -> None:
    first, second = [END, *range(10), END, *range(10), END], [END, *range(30, 40), END, *range(30, 45), END]
    cut = Windows(episodes(tmp_path_factory.mktemp("two"), first, second), 12, END).batch(seed, step, 5, share)
    whole = [*first, *second, *first]
    pieces = {tuple(whole[place : place + 12]) for place in range(len(first) + len(second))}
    assert {tuple(window) for window in cut.tolist()} <= pieces


def test_how_an_episode_ends_is_learnt_too(tmp_path: Path) -> None:
    """Its last record begins a window as every other does, though fewer tokens of the episode follow."""
    windows = Windows(episodes(tmp_path, [END, 1, 2, END, 3, 4, END], [END, *range(20, 40), END]), 10, END)
    assert windows.records == 3
    assert [window[0] for window in windows.fixed(9).tolist()] == [1, 3, 20]
    assert windows.fixed(9)[1].tolist()[:4] == [3, 4, END, END]


def test_the_fixed_windows_are_the_same_each_time_and_spread_over_all(windows: Windows) -> None:
    few = windows.fixed(5)
    assert few.shape == (5, LENGTH)
    assert (few == windows.fixed(5)).all()
    every = windows.fixed(10_000)
    assert len(every) == windows.records
    assert (few[0] == every[0]).all()
    assert (few[-1] == every[-1]).all()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [((), "0 tokens"), (([END, 1, 2, END],), "4 tokens"), (([*range(30)],), "no record")],
    ids=["none", "short", "no-record"],
)
def test_a_corpus_without_a_window_is_refused(tmp_path: Path, arrays: tuple[list[int], ...], sentence: str) -> None:
    with pytest.raises(CorpusError, match=sentence):
        Windows(episodes(tmp_path, *arrays), 10, END)
