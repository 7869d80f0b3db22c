"""How far each step goes: up over the warm-up, then down along a cosine. It steps nothing."""

from __future__ import annotations

import math
from typing import Final

from model.presets import FinetuneConfig

LAST_SHARE: Final = 0.05
"""What is left of the learning rate at the last step."""


def learning_rate_at(step: int, config: FinetuneConfig) -> float:
    """The learning rate of a step, counted from 0."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = min(1.0, (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    return config.learning_rate * (LAST_SHARE + (1 - LAST_SHARE) * cosine)


__all__ = ["LAST_SHARE", "learning_rate_at"]
