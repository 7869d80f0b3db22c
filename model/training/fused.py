"""The parts of the network whose gradients are written out: each reads and writes its activations once.

TensorFlow derives gradients operation by operation, and each passes over memory; on a processor that took longer than
the products did. What is elementwise is compiled by XLA into one loop, what is a product stays oneDNN's, which is
quicker at it. In float32 the results are those of the plain formulas; the tests hold them against each other.

Shapes: B texts, T tokens, D width, H heads, W = D/H, N = B·T positions.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

EPSILON: Final = 1e-5
QUERY_BLOCK: Final = 128
"""Queries that look back together: they read keys up to their own end, and nothing that they may not see."""
_NEVER: Final = -1e9
_GELU: Final = math.sqrt(2 / math.pi)
_CUBIC: Final = 0.044715


class Fused:
    """Norm, GELU, linear map and attention, made once for a network. ``products`` is the type of matrix products."""

    def __init__(self, products: Any, heads: int) -> None:
        import tensorflow as tf

        self._tf = tf
        self._products = products
        self._heads = heads
        compiled = tf.function(jit_compile=True)
        self._norm, self._norm_back = compiled(self._plain_norm), compiled(self._plain_norm_back)
        self._gelu, self._gelu_back = compiled(self._plain_gelu), compiled(self._plain_gelu_back)
        self._scores_back = compiled(self._plain_scores_back)

    def norm(self, x: Any, gain: Any, bias: Any) -> Any:
        """Layer norm of ``x`` (N, D), as the type of products."""
        return self._tf.custom_gradient(
            lambda x, gain, bias: (self._norm(x, gain, bias), lambda up: self._norm_back(x, gain, up))
        )(x, gain, bias)

    def gelu(self, x: Any) -> Any:
        """The tanh form of GELU."""
        return self._tf.custom_gradient(lambda x: (self._gelu(x), lambda up: self._gelu_back(x, up)))(x)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        """``x`` (N, in) through ``weight`` (in, out), all in the type of products; gradients of both in float32."""
        tf = self._tf
        ones = tf.ones([1, x.shape[0]], self._products)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def linear(x: Any, weight: Any, bias: Any) -> tuple[Any, Any]:
            narrow = self._narrow(weight)

            def back(up: Any) -> tuple[Any, Any, Any]:
                by_weight = tf.matmul(x, up, transpose_a=True)
                by_bias = tf.reshape(tf.matmul(ones, up), [-1])
                return tf.matmul(up, narrow, transpose_b=True), self._wide(by_weight), self._wide(by_bias)

            return tf.nn.bias_add(tf.matmul(x, narrow), self._narrow(bias)), back

        return linear(x, weight, bias)

    def attention(self, qkv: Any, batch: int) -> Any:
        """Causal attention of ``qkv`` (N, 3D): what every position takes from those before it, (N, D)."""
        tf = self._tf

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def attention(qkv: Any) -> tuple[Any, Any]:
            query, key, value = self._split_heads(qkv, batch)
            looks = [self._look(query, key, start) for start in range(0, query.shape[2], QUERY_BLOCK)]
            mixed = tf.concat([tf.matmul(look, value[:, :, : look.shape[3]]) for look in looks], 2)  # (B, H, T, W)
            return self._merge_heads(mixed), lambda up: self._attention_back(query, key, value, looks, mixed, up)

        return attention(qkv)

    # --- attention: forward and back ---------------------------------------------------------------------

    def _look(self, query: Any, key: Any, start: int) -> Any:
        """How a block of queries weighs the keys up to its end: (B, H, block, end)."""
        tf = self._tf
        end = min(start + QUERY_BLOCK, query.shape[2])
        scores = tf.matmul(query[:, :, start:end], key[:, :, :end], transpose_b=True)
        return tf.nn.softmax(scores + tf.constant(_future(start, end), scores.dtype))

    def _attention_back(self, query: Any, key: Any, value: Any, looks: list[Any], mixed: Any, up: Any) -> Any:
        tf = self._tf
        batch, _, length, width = query.shape
        up = self._heads_of(up, batch)  # (B, H, T, W)
        shared = tf.reduce_sum(self._wide(up) * self._wide(mixed), -1, keepdims=True)  # (B, H, T, 1)
        by_query, by_key, by_value = [], [], []
        for number, look in enumerate(looks):
            start, end = number * QUERY_BLOCK, look.shape[3]
            block = up[:, :, start:end]
            by_look = tf.matmul(block, value[:, :, :end], transpose_b=True)
            by_scores = self._scores_back(look, by_look, shared[:, :, start:end])
            by_query.append(tf.matmul(by_scores, key[:, :, :end]))
            by_key.append(tf.matmul(by_scores, query[:, :, start:end], transpose_a=True))
            by_value.append(tf.matmul(look, block, transpose_a=True))
        whole = [tf.concat(by_query, 2) / math.sqrt(width), self._joined(by_key), self._joined(by_value)]
        stacked = tf.transpose(tf.stack(whole), [1, 3, 0, 2, 4])  # (B, T, 3, H, W)
        return tf.reshape(stacked, [batch * length, 3 * self._heads * width])

    def _joined(self, parts: list[Any]) -> Any:
        """The sum of parts (B, H, end, W) that all begin at the first key and end one block after another."""
        tf = self._tf
        total = parts[0]
        for part in parts[1:]:
            known = total.shape[2]
            total = tf.concat([total + part[:, :, :known], part[:, :, known:]], 2)
        return total

    def _split_heads(self, qkv: Any, batch: int) -> list[Any]:
        """Query (scaled), key and value, (B, H, T, W) each, of ``qkv`` (N, 3D)."""
        tf = self._tf
        rows, columns = qkv.shape
        width = columns // 3 // self._heads
        split = tf.transpose(tf.reshape(qkv, [batch, rows // batch, 3, self._heads, width]), [2, 0, 3, 1, 4])
        query, key, value = tf.unstack(split)
        return [query / math.sqrt(width), key, value]

    def _heads_of(self, x: Any, batch: int) -> Any:
        tf = self._tf
        rows, columns = x.shape
        return tf.transpose(tf.reshape(x, [batch, rows // batch, self._heads, columns // self._heads]), [0, 2, 1, 3])

    def _merge_heads(self, x: Any) -> Any:
        batch, heads, length, width = x.shape
        return self._tf.reshape(self._tf.transpose(x, [0, 2, 1, 3]), [batch * length, heads * width])

    def _plain_scores_back(self, look: Any, by_look: Any, shared: Any) -> Any:
        return self._narrow(self._wide(look) * (self._wide(by_look) - shared))

    # --- elementwise, compiled ---------------------------------------------------------------------------

    def _plain_norm(self, x: Any, gain: Any, bias: Any) -> Any:
        centred, scale = self._centred(x)
        return self._narrow(centred * scale * gain + bias)

    def _plain_norm_back(self, x: Any, gain: Any, up: Any) -> tuple[Any, Any, Any]:
        tf = self._tf
        centred, scale = self._centred(x)
        normal, up = centred * scale, self._wide(up)
        by_normal = up * gain
        along = tf.reduce_mean(by_normal * normal, -1, keepdims=True)
        by_x = scale * (by_normal - tf.reduce_mean(by_normal, -1, keepdims=True) - normal * along)
        return by_x, tf.reduce_sum(up * normal, 0), tf.reduce_sum(up, 0)

    def _centred(self, x: Any) -> tuple[Any, Any]:
        tf = self._tf
        centred = x - tf.reduce_mean(x, -1, keepdims=True)
        return centred, tf.math.rsqrt(tf.reduce_mean(tf.square(centred), -1, keepdims=True) + EPSILON)

    def _plain_gelu(self, x: Any) -> Any:
        """x·(1 + tanh u)/2 is x·sigmoid(2u)."""
        x = self._wide(x)
        return self._narrow(x * self._tf.sigmoid(x * (2 * _GELU + 2 * _GELU * _CUBIC * x * x)))

    def _plain_gelu_back(self, x: Any, up: Any) -> Any:
        x, up = self._wide(x), self._wide(up)
        gate = self._tf.sigmoid(x * (2 * _GELU + 2 * _GELU * _CUBIC * x * x))
        return self._narrow(up * (gate + x * gate * (1 - gate) * (2 * _GELU + 6 * _GELU * _CUBIC * x * x)))

    def _narrow(self, x: Any) -> Any:
        return self._tf.cast(x, self._products)

    def _wide(self, x: Any) -> Any:
        return self._tf.cast(x, self._tf.float32)


def _future(start: int, end: int) -> Any:
    """(block, end): nothing where a query may look, a very low score where it may not."""
    queries, keys = np.arange(start, end)[:, None], np.arange(end)[None, :]
    return np.where(keys > queries, np.float32(_NEVER), np.float32(0))


__all__ = ["EPSILON", "QUERY_BLOCK", "Fused"]
