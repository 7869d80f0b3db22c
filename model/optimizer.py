"""Muon for gpt-2-simple: a stand-in for the AdamOptimizer that it makes, several times as quick from fresh weights.

The step of a matrix is its momentum made orthogonal (five Newton-Schulz iterations), so that no direction is learnt
much faster than another; embeddings, norms and biases keep Adam. Source: Keller Jordan, "Muon", 2024; the scale of a
step is that of Moonshot's "Muon is scalable", 2025, by which one learning rate serves both. It is for TensorFlow's
graphs, and it loads TensorFlow when it is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

MOMENTUM: Final = 0.95
ITERATIONS: Final = 5
_POLYNOMIAL: Final = (3.4445, -4.7750, 2.0315)


class Muon:
    """Takes the place of ``tf.compat.v1.train.AdamOptimizer`` where gpt-2-simple asks for one."""

    def __init__(self, learning_rate: Any, *, adam: type[Any]) -> None:
        """``adam`` is TensorFlow's own optimizer, for whatever is no matrix."""
        import tensorflow as tf

        self._tf = tf
        self._rate = learning_rate
        self._adam = adam(learning_rate=learning_rate, beta2=0.98)

    def apply_gradients(self, gradients: Iterable[tuple[Any, Any]]) -> Any:
        """One operation that takes a step of every variable."""
        pairs = list(gradients)
        matrices = [(gradient, variable) for gradient, variable in pairs if is_matrix(variable.shape.as_list())]
        others = [(gradient, variable) for gradient, variable in pairs if not is_matrix(variable.shape.as_list())]
        steps = [self._step(gradient, variable) for gradient, variable in matrices]
        return self._tf.group(self._adam.apply_gradients(others), *steps)

    def _step(self, gradient: Any, variable: Any) -> Any:
        tf = self._tf
        _, rows, columns = variable.shape.as_list()
        name = variable.op.name.replace("model/", "muon/")
        initial = tf.zeros(variable.shape, tf.float32)
        momentum = tf.compat.v1.Variable(initial, trainable=False, name=name, use_resource=False)
        moved = momentum.assign(MOMENTUM * momentum + gradient)
        direction = orthogonal(tf, (gradient + MOMENTUM * moved)[0], rows, columns)
        scale = 0.2 * max(rows, columns) ** 0.5
        return variable.assign_sub(self._rate * scale * direction[tf.newaxis])


def is_matrix(shape: list[int]) -> bool:
    """Whether a variable is one of gpt-2-simple's matrices, (1, in, out)."""
    return len(shape) == 3 and shape[0] == 1


def orthogonal(tf: Any, matrix: Any, rows: int, columns: int) -> Any:
    """Nearly the closest matrix with all singular values one; ``matrix`` is (rows, columns)."""
    x = tf.transpose(matrix) if rows > columns else matrix
    a, b, c = _POLYNOMIAL
    x = x / (tf.norm(x) + 1e-7)
    for _ in range(ITERATIONS):
        square = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * square + c * tf.matmul(square, square), x)
    return tf.transpose(x) if rows > columns else x


__all__ = ["ITERATIONS", "MOMENTUM", "Muon", "is_matrix", "orthogonal"]
