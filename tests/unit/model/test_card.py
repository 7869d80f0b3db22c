"""The card is made from meta.json alone, and says what was not measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.build_release import RELEASES_FOLDER
from model.card import NOT_MEASURED, model_card
from tng.releases import find_release

NETWORK = {"n_layer": 2, "n_embd": 64, "n_head": 2, "n_ctx": 384, "n_vocab": 800}
TRAINED: dict[str, Any] = {
    "id": "show-1",
    "config": {"network": NETWORK, "steps": 1200, "batch_size": 4, "learning_rate": 0.003, "seed": 1},
    "corpus": {"config": {"episodes": 12}, "training_tokens": 41000, "fingerprint": "ab12", "is_ours": True},
    "training_seconds": 600,
    "training_loss": 0.5,
    "evaluation": {"recombined_perplexity": 3.25, "unseen_perplexity": 120.5},
    "made_with": {"python": "3.11.7"},
}
IMPORTED: dict[str, Any] = {
    "id": "big-1",
    "config": {"network": NETWORK},
    "imported": {"parameters": 124439808, "weights_sha256": "cd34", "nats": 3.2},
    "plans_like": "show-1",
    "made_with": {"python": "3.11.7"},
}


@pytest.mark.parametrize(
    "fact",
    [
        "# show-1",
        "2 layers, 64 wide",
        "1,200 steps of 4 windows",
        "10 minutes",
        "41,000 tokens",
        "`ab12`",
        "3.25",
        "120.5",
    ],
)
def test_the_card_says_how_a_release_was_made_and_measured(fact: str) -> None:
    assert fact in model_card(TRAINED)


def test_what_was_not_measured_is_said_to_be_so() -> None:
    card = model_card({**TRAINED, "evaluation": {}, "training_loss": None})
    assert card.count(NOT_MEASURED) == 3


def test_an_operators_corpus_is_not_called_ours() -> None:
    theirs = {**TRAINED, "corpus": {**TRAINED["corpus"], "is_ours": False}}
    assert "a corpus that its operator brought along" in model_card(theirs)
    assert "written for this project" in model_card(TRAINED)


def test_the_card_of_an_imported_checkpoint_claims_nothing_about_its_training() -> None:
    card = model_card(IMPORTED)
    assert "is not known here" in card
    assert "124,439,808" in card
    assert "steps" not in card
    assert "like the release show-1" in card


def test_the_configurations_that_were_compared_are_listed() -> None:
    tried = [
        {"name": "4 x 320", "steps": 400, "held_out_loss": 3.1, "read": "halting"},
        {"name": "6 x 288", "steps": 400},
    ]
    card = model_card({**TRAINED, "tried": tried})
    assert "| 4 x 320 | 400 | 3.1 | halting |" in card
    assert f"| 6 x 288 | 400 | {NOT_MEASURED} |  |" in card


@pytest.mark.parametrize("folder", sorted(RELEASES_FOLDER.glob("*/")), ids=lambda path: path.name)
def test_the_card_of_every_release_that_comes_along_is_its_metas(folder: Path) -> None:
    release = find_release(folder)
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == model_card(release.meta)
