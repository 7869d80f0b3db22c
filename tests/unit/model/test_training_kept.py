"""Which weights a checkpoint folder holds while it is trained into."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.checkpoint import fresh_weights, latest, load_weights
from model.training.kept import KeptWeights
from tests.training_corpora import NETWORK, invented_corpus


@pytest.fixture
def kept(tmp_path: Path) -> KeptWeights:
    return KeptWeights(tmp_path / "checkpoint", invented_corpus(tmp_path / "corpus").folder)


def steps(tmp_path: Path) -> list[str]:
    return sorted(path.stem for path in (tmp_path / "checkpoint").glob("model-*.index"))


def test_older_weights_go_when_newer_ones_are_kept(kept: KeptWeights, tmp_path: Path) -> None:
    for step in (4, 8):
        kept.keep(NETWORK, fresh_weights(NETWORK, step), step)
    assert steps(tmp_path) == ["model-8"]
    assert (tmp_path / "checkpoint" / "encoder.json").is_file()


def test_what_was_kept_out_of_turn_goes_again(kept: KeptWeights, tmp_path: Path) -> None:
    first = fresh_weights(NETWORK, 4)
    kept.keep(NETWORK, first, 4)
    kept.keep(NETWORK, fresh_weights(NETWORK, 7), 7, beside=4)
    assert steps(tmp_path) == ["model-4", "model-7"]
    assert latest(tmp_path / "checkpoint").name == "model-7"
    kept.go_back(4)
    assert steps(tmp_path) == ["model-4"]
    assert all((load_weights(tmp_path / "checkpoint")[name] == first[name]).all() for name in first)


@pytest.mark.parametrize("step", [0, 4], ids=["none-was-kept", "they-are-no-more"])
def test_where_there_is_nothing_to_go_back_to_what_is_there_stays(kept: KeptWeights, tmp_path: Path, step: int) -> None:
    kept.keep(NETWORK, fresh_weights(NETWORK, 7), 7)
    kept.go_back(step)
    assert latest(tmp_path / "checkpoint").name == "model-7"
