"""How large a training is: the whole configuration, frozen, with its presets. It runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from model.checkpoint import HParams
from model.corpus.training_text import CorpusConfig

CONFIG_FILE: Final = "config.json"
"""A training leaves its configuration beside the weights of a checkpoint."""


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """Everything that decides what a training gives. Saved whole in every release.

    The learning rate rises over ``warmup_steps`` to ``learning_rate`` and falls along a cosine to a twentieth of it at
    the last step. ``whole_records`` is the share of windows that begin where a record begins, as all do when it writes.
    ``misread_share`` of the tokens that are read are others, by chance.
    ``optimizer`` is muon (for fresh weights) or adamw (for weights that were trained before). A step reads
    ``accumulate`` batches. ``dropout`` is the share of activations left out after each part of a block;
    ``weight_decay`` is of matrices; ``most_norm`` is what the norm of the gradients is cut to, 0 for never.

    Every ``hold_out_every`` steps the loss of ``held_out_windows`` held-out windows is measured, and the best weights
    are kept, or the last where ``keeps_last``; 0 measures nothing and keeps the last. A training stops early after
    ``patience`` measurements without a better one; 0 never does. ``recompute`` trades time for memory: activations are
    computed twice instead of kept.
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
    optimizer: str = "muon"
    accumulate: int = 1
    dropout: float = 0.0
    misread_share: float = 0.0
    weight_decay: float = 0.0
    most_norm: float = 1.0
    hold_out_every: int = 0
    held_out_windows: int = 40
    patience: int = 0
    keeps_last: bool = False
    recompute: bool = False

    def with_steps(self, steps: int) -> FinetuneConfig:
        """The same with another number of steps; 0 keeps the preset's."""
        return replace(self, steps=steps) if steps else self


_OPENAI: Final = FinetuneConfig(
    corpus=CorpusConfig(episodes=400, held_out_episodes=10, vocabulary_tokens=50257),
    network=HParams(n_vocab=50257, n_ctx=1024, n_embd=768, n_head=12, n_layer=12),
    steps=1000,
    batch_size=1,
    accumulate=5,
    optimizer="adamw",
    learning_rate=1e-4,
    warmup_steps=50,
    save_every=100,
    hold_out_every=100,
    patience=3,
)

PRESETS: Final[dict[str, FinetuneConfig]] = {
    "tiny": FinetuneConfig(
        corpus=CorpusConfig(episodes=12, held_out_episodes=2, vocabulary_tokens=800, tokenizer_episodes=6),
        network=HParams(n_vocab=800, n_ctx=384, n_embd=64, n_head=2, n_layer=2),
        steps=120,
        batch_size=4,
        learning_rate=3e-3,
        warmup_steps=10,
        save_every=60,
        hold_out_every=60,
        held_out_windows=12,
    ),
    "small": FinetuneConfig(
        corpus=CorpusConfig(episodes=400, held_out_episodes=10, vocabulary_tokens=3000),
        network=HParams(n_vocab=3000, n_ctx=384, n_embd=384, n_head=6, n_layer=4),
        steps=5500,
        batch_size=5,
        learning_rate=2e-3,
        warmup_steps=40,
        save_every=250,
        misread_share=0.005,
        hold_out_every=500,
        keeps_last=True,
    ),
    "124M": _OPENAI,
    "355M": replace(
        _OPENAI,
        network=HParams(n_vocab=50257, n_ctx=1024, n_embd=1024, n_head=16, n_layer=24),
        recompute=True,
    ),
}
"""``tiny`` for a test, in seconds; ``small`` for the release that comes along, in an hour on two quiet cores.

``small`` is to know its scenes by heart: its last weights are kept, not those that knew strange scenes best.
``124M`` and ``355M`` are OpenAI's shapes, to be started from a base of that shape. On two cores a step of ``124M``
takes some ten seconds; ``355M`` wants a graphics card, on which neither was tried.
"""


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


__all__ = ["CONFIG_FILE", "PRESETS", "FinetuneConfig", "config_from", "preset"]
