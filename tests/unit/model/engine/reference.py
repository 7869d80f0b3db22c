"""GPT-2 in numpy, in one piece and without a cache: what the graph must agree with. Slow on purpose: it is plain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import HParams, Weights, fresh_weights

Array = NDArray[np.float32]


def lively_weights(shape: HParams, seed: int = 1, noise: float = 0.1) -> Weights:
    """Fresh weights with so much noise that the logits differ from each other."""
    rng = np.random.default_rng(seed)
    return {n: w + rng.normal(0, noise, w.shape).astype(np.float32) for n, w in fresh_weights(shape, seed).items()}


def reference_logits(shape: HParams, weights: Weights, ids: Sequence[int]) -> Array:
    """The logits (T, V) after every token."""
    x = weights["wte"][list(ids)] + weights["wpe"][: len(ids)]
    for layer in range(shape.n_layer):
        x = x + _attention(shape, weights, f"h{layer}/attn", _norm(weights, f"h{layer}/ln_1", x))
        wide = _linear(weights, f"h{layer}/mlp/c_fc", _norm(weights, f"h{layer}/ln_2", x))
        bent = 0.5 * wide * (1 + np.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))
        x = x + _linear(weights, f"h{layer}/mlp/c_proj", bent)
    logits: Array = _norm(weights, "ln_f", x) @ weights["wte"].T
    return logits


def _attention(shape: HParams, weights: Weights, name: str, x: Array) -> Array:
    count, width = len(x), shape.n_embd // shape.n_head
    qkv = _linear(weights, f"{name}/c_attn", x).reshape(count, 3, shape.n_head, width)
    query, key, value = (qkv[:, part].transpose(1, 0, 2) for part in range(3))  # (H, T, W) each
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(width) + np.triu(np.full((count, count), -1e10), 1)
    chances = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = chances / chances.sum(axis=-1, keepdims=True) @ value
    return _linear(weights, f"{name}/c_proj", mixed.transpose(1, 0, 2).reshape(count, -1))


def _linear(weights: Weights, name: str, x: Array) -> Array:
    product: Array = x @ weights[f"{name}/w"][0] + weights[f"{name}/b"]
    return product


def _norm(weights: Weights, name: str, x: Array) -> Array:
    x = x - x.mean(axis=-1, keepdims=True)
    normed: Array = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)
    return normed * weights[f"{name}/g"] + weights[f"{name}/b"]
