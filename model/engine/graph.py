"""GPT-2 as an ONNX graph: pre-norm blocks, tanh GELU, a head tied to ``wte``. It builds the graph and runs nothing.

The mathematics are gpt-2-simple's (OpenAI's gpt-2, src/model.py). Attention is com.microsoft's GroupQueryAttention,
which extends a cache of keys and values in place where past and present are bound to the same memory; it wants heads
of a width that is a multiple of 8, so narrower ones are filled with nothing.

The 8 bit kind sums whole numbers, so that a row's result does not depend on the rows beside it, to the bit. A layer's
matrix has a scale a column, and each row that meets it a scale of its own (com.microsoft's MatMulIntegerToFloat): of
what onnxruntime has, the quickest for prompts, twice as quick as MatMulNBits. The head, which only ever sees a row a
text, is MatMulNBits, quicker there, whose 64 weights share a scale. (Blocks of 32 are a fifth slower and no better;
with blocks of 128 the last bits depend on the other rows. DynamicQuantizeMatMul has one scale for all of its rows.)

The names of inputs and outputs, and their shapes, are those of :mod:`model.engine.form`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from model.checkpoint import HParams, Weights
from model.engine.form import ASKED, IDS, LAST, LOGITS, NEW, POSITIONS, REACH, Kind, cache_names

BLOCK: Final = 64
"""Weights of the head that share a scale."""

_ZERO: Final = 128
"""What stands for nothing among 8 bit numbers without a sign."""

_MOST: Final = 127
_STEP: Final = "step"
_NOTHING: Final = "nothing"
_WIDTH_AXIS: Final = "width"
_OPSET: Final = 20
_IR_VERSION: Final = 10
_EPSILON: Final = 1e-5
_HEAD_STEP: Final = 8
_MICROSOFT: Final = "com.microsoft"


class _Graph:
    """Nodes and weights while they are gathered; every step is named by what it gives."""

    def __init__(self, shape: HParams, weights: Weights, kind: Kind) -> None:
        self.shape, self.kind = shape, kind
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self._weights = weights
        self._floats = np.float16 if kind is Kind.FLOAT16 else np.float32
        if kind is Kind.INT8:
            self.constant(_STEP, np.array(1 / _MOST, np.float32))
            self.constant(_NOTHING, np.array(_ZERO, np.uint8))
            self.constant(_WIDTH_AXIS, np.array([-1], np.int64))

    def constant(self, name: str, array: NDArray[np.generic]) -> str:
        """An array as it is."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, name: str) -> str:
        """A vector or a table of the checkpoint."""
        return self.constant(name, self._weights[name].astype(self._floats))

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """One operation, named by its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{output}:{kind}", **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        """``x @ w + b`` of a layer."""
        return self.biased(x, name, self._weights[f"{name}/w"][0], self._weights[f"{name}/b"])

    def biased(self, x: str, name: str, matrix: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """``x @ matrix + bias``, the matrix (in, out) kept as the kind keeps it."""
        multiplied = self._whole_product if self.kind is Kind.INT8 else self._product
        product = multiplied(x, name, matrix)
        return self.node("Add", [product, self.constant(f"{name}/b", bias.astype(self._floats))], f"{name}/out")

    def _product(self, x: str, name: str, matrix: NDArray[np.float32]) -> str:
        weights = self.constant(f"{name}/w", matrix.astype(self._floats))
        return self.node("MatMul", [x, weights], f"{name}:product")

    def _whole_product(self, x: str, name: str, matrix: NDArray[np.float32]) -> str:
        """``x @ matrix`` in whole numbers: each row of ``x`` is divided by its largest, and multiplied by it last.

        A row of nothing is divided by nothing; whatever its quotients become, they are finite numbers of 8 bits, and
        times nothing they are nothing again.
        """
        whole, scales = quantised_columns(matrix)
        largest = self.node("ReduceMax", [self.node("Abs", [x], f"{name}:sizes"), _WIDTH_AXIS], f"{name}:largest")
        share = self.node("Div", [x, largest], f"{name}:share")
        steps = self.node("QuantizeLinear", [share, _STEP, _NOTHING], f"{name}:steps")
        even = self.constant(f"{name}:even", np.array(0, np.int8))  # one each: onnxruntime may rewrite it
        weights = [self.constant(f"{name}/w", whole), _STEP, self.constant(f"{name}:scales", scales), _NOTHING, even]
        product = self.node("MatMulIntegerToFloat", [steps, *weights], f"{name}:shares", domain=_MICROSOFT)
        return self.node("Mul", [product, largest], f"{name}:product")

    def _block_product(self, x: str, name: str, matrix: NDArray[np.float32]) -> str:
        """``x @ matrix`` in whole numbers, a block of the matrix at a time."""
        packed, scales = quantised(matrix)
        return self.node(
            "MatMulNBits",
            [x, self.constant(f"{name}:packed", packed), self.constant(f"{name}:scales", scales)],
            f"{name}:product",
            domain=_MICROSOFT,
            K=matrix.shape[0],
            N=matrix.shape[1],
            bits=8,
            block_size=BLOCK,
            accuracy_level=4,
        )

    def norm(self, x: str, name: str) -> str:
        """A layer norm of the checkpoint."""
        weights = [self.weight(f"{name}/g"), self.weight(f"{name}/b")]
        return self.node("LayerNormalization", [x, *weights], f"{name}/out", axis=-1, epsilon=_EPSILON)

    def embedded(self) -> str:
        """Tokens and positions as vectors, (B, T, D)."""
        tokens = self.node("Gather", [self._tokens(), IDS], "tokens")
        if self.kind is Kind.INT8:
            tokens = self.node("Cast", [tokens], "tokens:wide", to=TensorProto.FLOAT)
        places = self.node("Gather", [self.weight("wpe"), POSITIONS], "places")
        return self.node("Add", [tokens, places], "embedded")

    def _tokens(self) -> str:
        """The table of tokens; the 8 bit kind keeps it in 16, which halves the largest thing there is."""
        if self.kind is Kind.INT8:
            return self.constant("wte", self._weights["wte"].astype(np.float16))
        return self.weight("wte")

    def attention(self, layer: int, x: str) -> str:
        """What a layer's tokens learn from those before them; its cache is extended."""
        name, heads = f"h{layer}/attn", self.shape.n_head
        key, value = cache_names(layer + 1)[-2:]
        matrix, bias = (self._weights[f"{name}/c_attn/{part}"] for part in ("w", "b"))
        room = 3 * heads  # of each input, the columns of the query's heads, then the keys', then the values'
        qkv = self.biased(x, f"{name}/c_attn", _widened(matrix[0], room), _widened(bias[None], room)[0])
        self.nodes.append(
            helper.make_node(
                "GroupQueryAttention",
                [qkv, "", "", key, value, LAST, REACH],
                [f"{name}/mixed", key + NEW, value + NEW],
                name=f"{name}/mixed:GroupQueryAttention",
                domain=_MICROSOFT,
                num_heads=heads,
                kv_num_heads=heads,
                scale=1 / math.sqrt(self.shape.n_embd // heads),
            )
        )
        back = _widened(self._weights[f"{name}/c_proj/w"][0].T, heads).T
        return self.biased(f"{name}/mixed", f"{name}/c_proj", back, self._weights[f"{name}/c_proj/b"])

    def mlp(self, layer: int, x: str) -> str:
        """What a layer makes of each token by itself."""
        wide = self.linear(x, f"h{layer}/mlp/c_fc")
        bent = self.node("Gelu", [wide], f"h{layer}/mlp/gelu", approximate="tanh")
        return self.linear(bent, f"h{layer}/mlp/c_proj")

    def head(self, x: str) -> None:
        """The logits of the positions asked for; whatever it computed in, it answers in float32."""
        asked = self.norm(self.node("Gather", [x, ASKED], "asked:out", axis=1), "ln_f")
        multiplied = self._block_product if self.kind is Kind.INT8 else self._product
        logits = multiplied(asked, "head", self._weights["wte"].T)
        self.node("Cast", [logits], LOGITS, to=TensorProto.FLOAT)


def build_graph(shape: HParams, weights: Weights, kind: Kind, notes: Mapping[str, str] | None = None) -> ModelProto:
    """The graph of a checkpoint with its weights inside, and ``notes`` in its metadata."""
    graph = _Graph(shape, weights, kind)
    x = graph.embedded()
    for layer in range(shape.n_layer):
        attended = graph.attention(layer, graph.norm(x, f"h{layer}/ln_1"))
        x = graph.node("Add", [x, attended], f"h{layer}/attended")
        x = graph.node("Add", [x, graph.mlp(layer, graph.norm(x, f"h{layer}/ln_2"))], f"h{layer}/out")
    graph.head(x)
    inputs, outputs = _signature(shape, kind)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    body = helper.make_graph(graph.nodes, "gpt2", inputs, outputs, graph.initializers)
    proto = helper.make_model(body, opset_imports=opsets, ir_version=_IR_VERSION)
    helper.set_model_props(proto, dict(notes or {}))
    return proto


def head_width(shape: HParams) -> int:
    """The width of a head as the graph has it: the checkpoint's, filled up to a multiple of 8."""
    return _filled(shape.n_embd // shape.n_head)


def _signature(shape: HParams, kind: Kind) -> tuple[list[ValueInfoProto], list[ValueInfoProto]]:
    floats = TensorProto.FLOAT16 if kind is Kind.FLOAT16 else TensorProto.FLOAT
    room: list[str | int | None] = ["B", shape.n_head, "N", head_width(shape)]
    caches = cache_names(shape.n_layer)
    value = helper.make_tensor_value_info
    inputs = [
        value(IDS, TensorProto.INT64, ["B", "T"]),
        value(POSITIONS, TensorProto.INT64, ["B", "T"]),
        value(LAST, TensorProto.INT32, ["B"]),
        value(REACH, TensorProto.INT32, []),
        value(ASKED, TensorProto.INT64, ["O"]),
        *(value(name, floats, room) for name in caches),
    ]
    logits = value(LOGITS, TensorProto.FLOAT, ["B", "O", shape.n_vocab])
    return inputs, [logits, *(value(name + NEW, floats, room) for name in caches)]


def _filled(width: int) -> int:
    return math.ceil(width / _HEAD_STEP) * _HEAD_STEP


def _widened(matrix: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """A matrix whose columns are those of ``heads`` heads, each head filled with nothing to its width in the graph."""
    rows, width = matrix.shape[0], matrix.shape[1] // heads
    wide = np.zeros((rows, heads, _filled(width)), np.float32)
    wide[..., :width] = matrix.reshape(rows, heads, width)
    return wide.reshape(rows, -1)


def quantised(matrix: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A matrix (in, out) in MatMulNBits' form: 8 bit weights (out, blocks, BLOCK) and a scale for each (out * blocks,).

    Symmetric: the largest weight of a block is 127 steps from nothing, which is the number 128. The last block of a
    width that is no multiple of BLOCK is filled with nothing.
    """
    width, count = matrix.shape
    blocks = math.ceil(width / BLOCK)
    padded = np.zeros((count, blocks * BLOCK), np.float32)
    padded[:, :width] = matrix.T
    grouped = padded.reshape(count, blocks, BLOCK)
    scales = np.abs(grouped).max(axis=-1) / np.float32(_MOST)  # (out, blocks)
    steps = np.divide(grouped, scales[..., None], out=np.zeros_like(grouped), where=scales[..., None] > 0)
    packed = (np.rint(steps, out=steps) + np.float32(_ZERO)).astype(np.uint8)
    return packed, scales.reshape(-1)


def quantised_columns(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix (in, out) as 8 bit weights of the same shape, and a scale for each column (out,).

    Symmetric: the largest weight of a column is 127 steps from nothing.
    """
    scales = np.abs(matrix).max(axis=0) / np.float32(_MOST)
    steps = np.divide(matrix, scales, out=np.zeros_like(matrix), where=scales > 0)
    return np.rint(steps, out=steps).astype(np.int8), scales


__all__ = ["BLOCK", "build_graph", "head_width", "quantised", "quantised_columns"]
