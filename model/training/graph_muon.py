"""Muon for gpt-2-simple: a stand-in for the AdamOptimizer that it makes, stepping as ``model.training.optimizer``.

It is for TensorFlow's graphs, and it loads TensorFlow when it is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from model.training.optimizer import BETA_2, MOMENTUM, orthogonal


class Muon:
    """Takes the place of ``tf.compat.v1.train.AdamOptimizer`` where gpt-2-simple asks for one."""

    def __init__(self, learning_rate: Any, *, adam: type[Any]) -> None:
        """``adam`` is TensorFlow's own optimizer, for whatever is no matrix."""
        import tensorflow as tf

        self._tf = tf
        self._rate = learning_rate
        self._adam = adam(learning_rate=learning_rate, beta2=BETA_2["muon"])

    def apply_gradients(self, gradients: Iterable[tuple[Any, Any]]) -> Any:
        """One operation that takes a step of every variable."""
        pairs = list(gradients)
        matrices = [(gradient, variable) for gradient, variable in pairs if _is_matrix(variable)]
        others = [(gradient, variable) for gradient, variable in pairs if not _is_matrix(variable)]
        steps = [self._step(gradient, variable) for gradient, variable in matrices]
        return self._tf.group(self._adam.apply_gradients(others), *steps)

    def _step(self, gradient: Any, variable: Any) -> Any:
        tf = self._tf
        _, rows, columns = variable.shape.as_list()
        name = variable.op.name.replace("model/", "muon/")
        initial = tf.zeros(variable.shape, tf.float32)
        momentum = tf.compat.v1.Variable(initial, trainable=False, name=name, use_resource=False)
        moved = momentum.assign(MOMENTUM * momentum + gradient)
        direction = orthogonal(tf, gradient + MOMENTUM * moved, tf.float32)
        return variable.assign_sub(self._rate * 0.2 * max(rows, columns) ** 0.5 * direction)


def _is_matrix(variable: Any) -> bool:
    """Whether a variable is one of gpt-2-simple's matrices, (1, in, out)."""
    shape = variable.shape.as_list()
    return len(shape) == 3 and shape[0] == 1


__all__ = ["Muon"]
