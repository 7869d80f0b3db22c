"""What the graph and those who feed it agree on: the kinds, the names of inputs and outputs, the notes in the file.

It loads neither onnx nor onnxruntime, so that a process that only serves never pays for building.

Shapes: B rows, T new tokens, O positions asked for, N positions of the cache, H heads, W width of a head, V vocabulary.

    ids (B, T)  positions (B, T)  last (B,): a row's last position  reach (): the furthest row's number of positions
    asked (O,): of which of the T tokens the logits are wanted  key_l, value_l (B, H, N, W)  →  logits (B, O, V)
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

IDS: Final = "ids"
POSITIONS: Final = "positions"
LAST: Final = "last"
REACH: Final = "reach"
ASKED: Final = "asked"
LOGITS: Final = "logits"
NEW: Final = ":new"
"""Behind the name of a cache: the same cache with the new tokens in it."""

FORMAT: Final = "2"
"""Counts up with every change of the graph, so that no export of an older one is taken."""


class Kind(StrEnum):
    """How exactly an export computes.

    ``float32`` is the checkpoint itself, for proofs: its logits are gpt-2-simple's. ``int8`` has matrices of 8 bits and
    reads a quarter of the memory. ``float16`` is for graphics cards; a processor refuses it.
    """

    FLOAT32 = "float32"
    INT8 = "int8"
    FLOAT16 = "float16"


class Note(StrEnum):
    """What stands in the metadata of an export's file."""

    KEY = "key"
    KIND = "kind"
    WINDOW = "window"
    FORMAT = "format"


def cache_names(layers: int) -> list[str]:
    """The inputs that hold keys and values, a layer after the other."""
    return [f"{what}_{layer}" for layer in range(layers) for what in ("key", "value")]


__all__ = ["ASKED", "FORMAT", "IDS", "LAST", "LOGITS", "NEW", "POSITIONS", "REACH", "Kind", "Note", "cache_names"]
