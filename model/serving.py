"""GPT-2 forward, token after token, with a cache of keys and values. It samples nothing and knows no text.

The mathematics are gpt-2-simple's: pre-norm blocks (epsilon 1e-5), the tanh form of GELU, the head tied to ``wte``.
Shapes: T new tokens, D width, H heads, W = D/H, V vocabulary, N positions so far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from model.arrays import Array, Arrays, best_arrays, compute_on_one_thread
from model.checkpoint import HParams, Weights, load_weights, read_hparams

_EPSILON: Final = np.float32(1e-5)
_GELU: Final = np.float32(math.sqrt(2 / math.pi))
_CUBIC: Final = np.float32(0.044715)
_HALF: Final = np.float32(0.5)
_ONE: Final = np.float32(1)
_NEVER: Final = np.float32(-1e10)

Logits = NDArray[np.float32]


class Network(Protocol):
    """What the writing needs of a network. The real one is :class:`Gpt2`; tests have scripted ones."""

    @property
    def window(self) -> int:
        """How many tokens it can hold."""
        ...

    @property
    def position(self) -> int:
        """How many tokens it holds now."""
        ...

    def feed(self, ids: Sequence[int]) -> Logits:
        """Take at least one token more; answer with the logits (V,) of what comes after the last."""
        ...

    def rewind(self, position: int) -> None:
        """Forget every token from ``position`` on."""
        ...


class Gpt2:
    """A GPT-2 with one cache: one text at a time."""

    def __init__(self, hparams: HParams, weights: Weights, arrays: Arrays) -> None:
        self._shape = hparams
        self._arrays = arrays
        self._xp = arrays.xp
        self._weights = {name: arrays.given(_flat(weight)) for name, weight in weights.items()}
        self._head = arrays.given(weights["wte"].T)  # (D, V)
        room = (hparams.n_head, hparams.n_ctx, hparams.n_embd // hparams.n_head)
        self._keys = [arrays.room(*room) for _ in range(hparams.n_layer)]
        self._values = [arrays.room(*room) for _ in range(hparams.n_layer)]
        self._wte, self._wpe = weights["wte"], weights["wpe"]
        self._position = 0

    @property
    def window(self) -> int:
        """How many tokens the network can hold, ``n_ctx``."""
        return self._shape.n_ctx

    @property
    def position(self) -> int:
        """How many tokens it holds now."""
        return self._position

    def rewind(self, position: int) -> None:
        """Forget every token from ``position`` on. Raises ValueError where it never came so far."""
        if not 0 <= position <= self._position:
            raise ValueError(f"cannot go back to position {position} from {self._position}")
        self._position = position

    def feed(self, ids: Sequence[int]) -> Logits:
        """Take tokens, answer with the logits (V,) after the last. Raises ValueError where the window is full."""
        hidden = self._hidden(ids)
        logits: Logits = np.asarray(self._xp.matmul(hidden[-1:], self._head))[0]
        return logits

    def score(self, ids: Sequence[int]) -> Logits:
        """From an empty cache, the logits (T, V) after every token."""
        self.rewind(0)
        logits: Logits = np.asarray(self._xp.matmul(self._hidden(ids), self._head))
        return logits

    def _hidden(self, ids: Sequence[int]) -> Array:
        start, end = self._position, self._position + len(ids)
        if not ids or end > self.window:
            raise ValueError(f"{len(ids)} tokens at position {start} do not fit a window of {self.window}")
        x = self._arrays.given(self._wte[list(ids)] + self._wpe[start:end])  # (T, D)
        for layer in range(self._shape.n_layer):
            x = x + self._attention(layer, self._norm(x, f"h{layer}/ln_1"), start)
            x = x + self._mlp(layer, self._norm(x, f"h{layer}/ln_2"))
        self._position = end
        return self._norm(x, "ln_f")  # (T, D)

    def _attention(self, layer: int, x: Array, start: int) -> Array:
        xp, shape = self._xp, self._shape
        count, width = x.shape[0], shape.n_embd // shape.n_head
        qkv = xp.reshape(self._linear(x, f"h{layer}/attn/c_attn"), (count, 3, shape.n_head, width))
        query, key, value = (xp.transpose(qkv[:, part], (1, 0, 2)) for part in range(3))  # (H, T, W) each
        self._keys[layer] = self._arrays.extended(self._keys[layer], start, key)
        self._values[layer] = self._arrays.extended(self._values[layer], start, value)
        keys, values = self._keys[layer][:, : start + count], self._values[layer][:, : start + count]  # (H, N, W)
        scores = xp.matmul(query, xp.transpose(keys, (0, 2, 1))) * np.float32(1 / math.sqrt(width))  # (H, T, N)
        if count > 1:
            scores = scores + _future(start, count)
        weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
        mixed = xp.matmul(weights, values) / xp.sum(weights, axis=-1, keepdims=True)  # (H, T, W)
        return self._linear(xp.reshape(xp.transpose(mixed, (1, 0, 2)), (count, shape.n_embd)), f"h{layer}/attn/c_proj")

    def _mlp(self, layer: int, x: Array) -> Array:
        x = self._linear(x, f"h{layer}/mlp/c_fc")  # (T, 4D)
        x = _HALF * x * (_ONE + self._xp.tanh(_GELU * (x + _CUBIC * x * x * x)))
        return self._linear(x, f"h{layer}/mlp/c_proj")

    def _linear(self, x: Array, name: str) -> Array:
        return self._xp.matmul(x, self._weights[f"{name}/w"]) + self._weights[f"{name}/b"]

    def _norm(self, x: Array, name: str) -> Array:
        xp = self._xp
        x = x - xp.mean(x, axis=-1, keepdims=True)
        x = x / xp.sqrt(xp.mean(x * x, axis=-1, keepdims=True) + _EPSILON)
        return x * self._weights[f"{name}/g"] + self._weights[f"{name}/b"]


def load_network(folder: Path, arrays: Arrays | None = None) -> Gpt2:
    """The network of a checkpoint folder. Raises ReleaseDamaged where it cannot be read."""
    compute_on_one_thread()
    return Gpt2(read_hparams(folder), load_weights(folder), arrays or best_arrays())


def _flat(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """gpt-2-simple keeps matrices as (1, in, out)."""
    return weight[0] if weight.ndim == 3 else weight


def _future(start: int, count: int) -> NDArray[np.float32]:
    """(T, N): nothing where a token may look, a very low score where it may not."""
    looking = np.arange(start, start + count)[:, None]
    return np.where(np.arange(start + count)[None, :] > looking, _NEVER, np.float32(0))


__all__ = ["Gpt2", "Logits", "Network", "load_network"]
