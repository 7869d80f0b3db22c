"""The step of a training: Muon for matrices and Adam for the rest, or AdamW for all. It knows no schedule.

Muon makes the momentum of a matrix orthogonal (five Newton-Schulz iterations), so that no direction is learnt much
faster than another: several times as quick from fresh weights. Weights that were trained before keep AdamW. Sources:
Keller Jordan, "Muon", 2024; the scale of its step from Moonshot's "Muon is scalable", 2025, by which one learning rate
serves both; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOMENTUM: Final = 0.95
ITERATIONS: Final = 5
_POLYNOMIAL: Final = (3.4445, -4.7750, 2.0315)
_BETA_1: Final = 0.9
BETA_2: Final = {"muon": 0.98, "adamw": 0.999}
_EPSILON: Final = 1e-8

OPTIMIZERS: Final = tuple(BETA_2)

Memory = dict[str, NDArray[np.float32]]
"""What an optimizer remembers between steps: ``momentum/NAME``, ``mean/NAME``, ``square/NAME``, and two powers."""


class Optimizer:
    """Steps of all variables of a network, with the memory that they need. It loads TensorFlow when it is made."""

    def __init__(
        self,
        variables: dict[str, Any],
        kind: str,
        *,
        weight_decay: float = 0.0,
        most_norm: float = 0.0,
        products: str = "float32",
    ) -> None:
        """``kind`` is muon or adamw. ``most_norm`` is what the norm of all gradients is cut to; 0 cuts nothing."""
        import tensorflow as tf

        self._tf = tf
        self._variables = variables
        self._beta_2 = BETA_2[kind]
        self._decay = weight_decay
        self._most_norm = most_norm
        self._products = tf.as_dtype(products)
        matrices = [name for name in variables if name.endswith("/w")] if kind == "muon" else []
        others = [name for name in variables if name not in matrices]
        self._momentum = {name: _zeros(tf, variables[name]) for name in matrices}
        self._mean = {name: _zeros(tf, variables[name]) for name in others}
        self._square = {name: _zeros(tf, variables[name]) for name in others}
        self._powers = [tf.Variable(np.float32(_BETA_1)), tf.Variable(np.float32(self._beta_2))]

    def apply(self, gradients: dict[str, Any], rate: Any) -> None:
        """Take one step of every variable. To be called inside a ``tf.function``."""
        tf = self._tf
        if self._most_norm:
            cut, _ = tf.clip_by_global_norm(list(gradients.values()), self._most_norm)
            gradients = dict(zip(gradients, cut, strict=True))
        for name in self._decayed():
            self._variables[name].assign_sub(rate * self._decay * self._variables[name])
        self._step_matrices(gradients, rate)
        for name in self._mean:
            self._step_adam(name, gradients[name], rate)
        for power, beta in zip(self._powers, (_BETA_1, self._beta_2), strict=True):
            power.assign(power * beta)

    def memory(self) -> Memory:
        """Everything that the next step depends on."""
        return {name: variable.numpy() for name, variable in self._remembered().items()}

    def recall(self, memory: Memory) -> None:
        """Take up the memory of a training that was interrupted. Raises KeyError where a part is missing."""
        for name, variable in self._remembered().items():
            variable.assign(memory[name])

    def _remembered(self) -> dict[str, Any]:
        kinds = {"momentum": self._momentum, "mean": self._mean, "square": self._square}
        named = {f"{kind}/{name}": variable for kind, held in kinds.items() for name, variable in held.items()}
        return named | {f"power/{number}": power for number, power in enumerate(self._powers, 1)}

    def _decayed(self) -> list[str]:
        """Matrices alone: a norm or a bias that is pulled to zero only learns slower, and rare words would be lost."""
        return [name for name in self._variables if self._decay and name.endswith("/w")]

    def _step_matrices(self, gradients: dict[str, Any], rate: Any) -> None:
        """Matrices of one shape go through the iterations together."""
        tf = self._tf
        alike: dict[tuple[int, int], list[str]] = defaultdict(list)
        for name, momentum in self._momentum.items():
            alike[tuple(momentum.shape)].append(name)
        for (rows, columns), names in alike.items():
            ahead = tf.stack([self._look_ahead(name, gradients[name]) for name in names])
            directions = tf.unstack(orthogonal(tf, ahead, self._products))
            for name, direction in zip(names, directions, strict=True):
                self._variables[name].assign_sub(rate * 0.2 * max(rows, columns) ** 0.5 * direction)

    def _look_ahead(self, name: str, gradient: Any) -> Any:
        """Add to the momentum of a matrix; where it leads, as Nesterov has it."""
        momentum = self._momentum[name]
        return gradient + MOMENTUM * momentum.assign(MOMENTUM * momentum + gradient)

    def _step_adam(self, name: str, gradient: Any, rate: Any) -> None:
        tf = self._tf
        tf.raw_ops.ResourceApplyAdam(
            var=self._variables[name].handle,
            m=self._mean[name].handle,
            v=self._square[name].handle,
            beta1_power=self._powers[0],
            beta2_power=self._powers[1],
            lr=rate,
            beta1=_BETA_1,
            beta2=self._beta_2,
            epsilon=_EPSILON,
            grad=tf.convert_to_tensor(gradient),
        )


def orthogonal(tf: Any, matrices: Any, products: Any) -> Any:
    """Nearly the closest matrices with all singular values one; ``matrices`` is (count, rows, columns)."""
    _, rows, columns = matrices.shape
    x = tf.transpose(matrices, [0, 2, 1]) if rows > columns else matrices
    a, b, c = _POLYNOMIAL
    x = tf.cast(x / (tf.norm(x, axis=(1, 2), keepdims=True) + 1e-7), products)
    for _ in range(ITERATIONS):
        square = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * square + c * tf.matmul(square, square), x)
    x = tf.cast(x, tf.float32)
    return tf.transpose(x, [0, 2, 1]) if rows > columns else x


def _zeros(tf: Any, variable: Any) -> Any:
    return tf.Variable(tf.zeros(variable.shape, tf.float32), trainable=False)


__all__ = ["BETA_2", "ITERATIONS", "MOMENTUM", "OPTIMIZERS", "Memory", "Optimizer", "orthogonal"]
