"""GPT-2 as TensorFlow 2 trains it: variables in float32, products in what the machine multiplies quickest.

The mathematics are gpt-2-simple's (pre-norm blocks, epsilon 1e-5, the tanh form of GELU, the head tied to ``wte``); in
float32 its losses and gradients are equal. What is quicker: products in bfloat16, no attention to what a block of
queries may not see, and a head that never holds the logits of all positions. It neither samples nor saves.

Shapes: B texts, T tokens, D width, H heads, W = D/H, V vocabulary, N = B·T positions.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from model.checkpoint import HParams, Weights
from model.training.fused import Fused

_HEAD_ROWS: Final = 1024
"""Positions whose logits are held at once."""


class TrainingNetwork:
    """A GPT-2 whose variables can be trained. It loads TensorFlow when it is made, and must find it eager."""

    def __init__(
        self,
        hparams: HParams,
        weights: Weights,
        *,
        products: str = "float32",
        dropout: float = 0.0,
        misread_share: float = 0.0,
        recompute: bool = False,
    ) -> None:
        """``products`` names the type of matrix products; ``recompute`` keeps one activation a block, for memory."""
        import tensorflow as tf

        self._tf = tf
        self._shape = hparams
        self._products = tf.as_dtype(products)
        self._fused = Fused(self._products, hparams.n_head)
        self._dropout = dropout
        self._misread_share = misread_share
        self._recompute = recompute
        self.variables: dict[str, Any] = {
            name: tf.Variable(weight[0] if weight.ndim == 3 else weight, name=name.replace("/", "_"))
            for name, weight in weights.items()
        }

    def weights(self) -> Weights:
        """The variables as gpt-2-simple shapes them: matrices (1, in, out)."""
        shapes = self._shape.shapes()
        return {name: variable.numpy().reshape(shapes[name]) for name, variable in self.variables.items()}

    def assign(self, weights: Weights) -> None:
        """Take other weights of the same shapes."""
        for name, variable in self.variables.items():
            variable.assign(weights[name].reshape(variable.shape))

    def loss(self, tokens: Any, seed: Any = None) -> Any:
        """Mean nats a token of ``tokens`` (B, T+1), the first of each text given. A ``seed`` (2,) drops activations."""
        tf = self._tf
        hidden = self._hidden(self._misread(tokens[:, :-1], seed), seed)  # (N, D)
        return self._cross_entropy(hidden, tf.reshape(tokens[:, 1:], [-1]))

    def logits(self, tokens: Any) -> Any:
        """The logits (B, T, V) after each of ``tokens`` (B, T), in float32."""
        batch, length = tokens.shape
        logits = self._tf.matmul(self._hidden(tokens, None), self._cast(self.variables["wte"]), transpose_b=True)
        return self._tf.reshape(self._float32(logits), [batch, length, self._shape.n_vocab])

    def _misread(self, tokens: Any, seed: Any) -> Any:
        """Some tokens by chance another, so that a text that went astray is led back (word dropout, Bowman 2016)."""
        tf = self._tf
        if seed is None or not self._misread_share:
            return tokens
        astray = tf.random.stateless_uniform(tokens.shape, seed + tf.constant([1, 0], seed.dtype))
        others = tf.random.stateless_uniform(
            tokens.shape, seed + tf.constant([1, 1], seed.dtype), 0, self._shape.n_vocab, tf.int32
        )
        return tf.where(astray < self._misread_share, others, tokens)

    def _hidden(self, tokens: Any, seed: Any) -> Any:
        tf, shape = self._tf, self._shape
        batch, length = tokens.shape
        x = tf.gather(self._read("wte"), tokens) + self._read("wpe")[:length]
        x = self._dropped(tf.reshape(x, [batch * length, shape.n_embd]), seed, 0)  # (N, D)
        for layer in range(shape.n_layer):
            block = partial(self._block, seed=seed, layer=layer, batch=batch)
            x = tf.recompute_grad(block)(x) if self._recompute else block(x)
        return self._norm(x, "ln_f")

    def _block(self, x: Any, seed: Any, layer: int, batch: int) -> Any:
        attended = self._attention(self._norm(x, f"h{layer}/ln_1"), layer, batch)
        x = x + self._float32(self._dropped(attended, seed, 2 * layer + 1))
        answered = self._mlp(self._norm(x, f"h{layer}/ln_2"), layer)
        return x + self._float32(self._dropped(answered, seed, 2 * layer + 2))

    def _attention(self, x: Any, layer: int, batch: int) -> Any:
        qkv = self._linear(x, f"h{layer}/attn/c_attn")
        return self._linear(self._fused.attention(qkv, batch), f"h{layer}/attn/c_proj")

    def _mlp(self, x: Any, layer: int) -> Any:
        return self._linear(self._fused.gelu(self._linear(x, f"h{layer}/mlp/c_fc")), f"h{layer}/mlp/c_proj")

    def _linear(self, x: Any, name: str) -> Any:
        return self._fused.linear(x, self._read(f"{name}/w"), self._read(f"{name}/b"))

    def _norm(self, x: Any, name: str) -> Any:
        return self._fused.norm(x, self._read(f"{name}/g"), self._read(f"{name}/b"))

    def _read(self, name: str) -> Any:
        """The value of a variable: gradients that are written out are of values."""
        return self._tf.convert_to_tensor(self.variables[name])

    def _dropped(self, x: Any, seed: Any, place: int) -> Any:
        if seed is None or not self._dropout:
            return x
        own = seed + self._tf.constant([0, place], seed.dtype)
        return self._tf.nn.experimental.stateless_dropout(x, self._dropout, seed=own, rng_alg="philox")

    def _cross_entropy(self, hidden: Any, targets: Any) -> Any:
        """Logits, loss and gradient of some rows at a time: all logits at once would be the largest thing held."""
        tf = self._tf

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def cross_entropy(hidden: Any, head: Any) -> tuple[Any, Any]:
            rows = hidden.shape[0]
            losses, by_hidden, by_head = [], [], []
            for start in range(0, rows, _HEAD_ROWS):
                part = hidden[start : start + _HEAD_ROWS]
                logits = self._float32(tf.matmul(part, head, transpose_b=True))  # (rows, V)
                loss, by_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
                    features=logits, labels=targets[start : start + _HEAD_ROWS]
                )
                by_logits = self._cast(by_logits / rows)
                losses.append(tf.reduce_sum(loss))
                by_hidden.append(tf.matmul(by_logits, head))
                by_head.append(self._float32(tf.matmul(by_logits, part, transpose_a=True)))
            grown_hidden, grown_head = tf.concat(by_hidden, 0), tf.add_n(by_head)
            return tf.add_n(losses) / rows, lambda up: (
                grown_hidden * self._cast(up),
                self._cast(grown_head * up),
            )

        return cross_entropy(hidden, self._cast(self.variables["wte"]))

    def _cast(self, x: Any) -> Any:
        return self._tf.cast(x, self._products)

    def _float32(self, x: Any) -> Any:
        return self._tf.cast(x, self._tf.float32)


__all__ = ["TrainingNetwork"]
