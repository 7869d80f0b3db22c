"""How large a training is: the whole configuration, frozen, with two presets. It runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from model.checkpoint import HParams
from model.corpus.training_text import CorpusConfig


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """Everything that decides what a training gives. Saved whole in every release.

    The learning rate rises over ``warmup_steps`` to ``learning_rate`` and falls along a cosine to a twentieth of it at
    the last step. ``whole_records`` is the share of windows that begin where a record begins, as all do when it writes.
    """

    corpus: CorpusConfig
    network: HParams
    steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int
    save_every: int
    seed: int = 1
    whole_records: float = 0.95

    def with_steps(self, steps: int) -> FinetuneConfig:
        """The same with another number of steps; 0 keeps the preset's."""
        return replace(self, steps=steps) if steps else self


PRESETS: Final[dict[str, FinetuneConfig]] = {
    "tiny": FinetuneConfig(
        corpus=CorpusConfig(episodes=12, held_out_episodes=2, vocabulary_tokens=800, tokenizer_episodes=6),
        network=HParams(n_vocab=800, n_ctx=384, n_embd=64, n_head=2, n_layer=2),
        steps=120,
        batch_size=4,
        learning_rate=3e-3,
        warmup_steps=10,
        save_every=120,
    ),
    "small": FinetuneConfig(
        corpus=CorpusConfig(episodes=400, held_out_episodes=10, vocabulary_tokens=3000),
        network=HParams(n_vocab=3000, n_ctx=384, n_embd=320, n_head=5, n_layer=4),
        steps=2000,
        batch_size=5,
        learning_rate=2e-3,
        warmup_steps=40,
        save_every=200,
    ),
}
"""``tiny`` for a test, in seconds; ``small`` for the release that comes along, in twenty minutes on two quiet cores."""


def preset(name: str) -> FinetuneConfig:
    """The preset of that name. Raises ValueError with the names that there are."""
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; choose one of: {', '.join(PRESETS)}")
    return PRESETS[name]


def config_from(fields: dict[str, Any]) -> FinetuneConfig:
    """Read back what dataclasses.asdict wrote."""
    return FinetuneConfig(
        **{**fields, "corpus": CorpusConfig(**fields["corpus"]), "network": HParams(**fields["network"])}
    )


__all__ = ["PRESETS", "FinetuneConfig", "config_from", "preset"]
