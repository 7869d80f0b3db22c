"""A network, its optimizer, and the two compiled functions of a training: one step, and one held-out batch."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from model.checkpoint import Weights
from model.presets import FinetuneConfig
from model.training.machine import best_products, gpus
from model.training.network import TrainingNetwork
from model.training.optimizer import Optimizer
from model.training.windows import Tokens

_PLACES: Final = 128
"""Seeds that are left free for the places of one network where activations are dropped."""


class Steps:
    """Takes steps, and measures. It loads TensorFlow when it is made."""

    def __init__(
        self, config: FinetuneConfig, weights: Weights, *, products: str | None = None, xla: bool | None = None
    ) -> None:
        """``products`` is the type of matrix products, the quickest of the machine where None; so with ``xla``."""
        import tensorflow as tf

        for card in gpus(tf):
            tf.config.experimental.set_memory_growth(card, True)
        products = products or best_products(tf)
        compiled = bool(gpus(tf)) if xla is None else xla
        self._tf = tf
        self._config = config
        self.network = TrainingNetwork(
            config.network,
            weights,
            products=products,
            dropout=config.dropout,
            misread_share=config.misread_share,
            recompute=config.recompute,
        )
        self.optimizer = Optimizer(
            self.network.variables,
            config.optimizer,
            weight_decay=config.weight_decay,
            most_norm=config.most_norm,
            products=products,
        )
        self._compiled_step = tf.function(self._step, jit_compile=compiled)
        self._compiled_loss = tf.function(self.network.loss, jit_compile=compiled, reduce_retracing=True)

    def take(self, tokens: Tokens, rate: float, number: int) -> float:
        """Take step ``number`` on windows (accumulate times batch, T+1); its mean loss in nats."""
        tf, config = self._tf, self._config
        parts = tokens.reshape(config.accumulate, config.batch_size, -1)
        seed = np.array([config.seed, number * config.accumulate * _PLACES % 2**31], np.int32)
        return float(self._compiled_step(tf.constant(parts), tf.constant(rate, tf.float32), tf.constant(seed)))

    def measure(self, tokens: Tokens) -> float:
        """The mean loss of windows (count, T+1), nothing dropped."""
        size = self._config.batch_size
        parts = [tokens[start : start + size] for start in range(0, len(tokens), size)]
        losses = [float(self._compiled_loss(self._tf.constant(part))) * len(part) for part in parts]
        return sum(losses) / len(tokens)

    def gradients(self, tokens: Any, seed: Any = None) -> tuple[Any, dict[str, Any]]:
        """The loss of windows (B, T+1), and its gradient by each variable."""
        with self._tf.GradientTape() as tape:
            loss = self.network.loss(tokens, seed)
        found = tape.gradient(loss, self.network.variables)
        return loss, {name: self._tf.convert_to_tensor(gradient) for name, gradient in found.items()}

    def _step(self, parts: Any, rate: Any, seed: Any) -> Any:
        loss, gradients = self._accumulated(parts, seed)
        self.optimizer.apply(gradients, rate)
        return loss

    def _accumulated(self, parts: Any, seed: Any) -> tuple[Any, dict[str, Any]]:
        """The mean over the parts, one after the other: only one part's activations are held at a time."""
        tf, count = self._tf, self._config.accumulate
        loss, gradients = self.gradients(parts[0], seed)
        if count == 1:
            return loss, gradients

        def add(number: Any, loss: Any, gradients: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
            more_loss, more = self.gradients(parts[number], seed + tf.stack([0, number * _PLACES]))
            return number + 1, loss + more_loss, {name: gradients[name] + more[name] for name in gradients}

        _, loss, gradients = tf.while_loop(
            lambda number, *_: number < count, add, (tf.constant(1), loss, gradients), parallel_iterations=1
        )
        return loss / count, {name: gradient / count for name, gradient in gradients.items()}


__all__ = ["Steps"]
