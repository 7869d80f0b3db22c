"""The network that writes, behind one small interface: tokens in, logits out. It samples nothing and knows no text.

It computes on ONNX Runtime (:mod:`model.engine`); TensorFlow is never loaded. Shapes: T tokens, V vocabulary.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from model.engine.export import export_for
from model.engine.form import Kind
from model.engine.slots import Engine, Logits
from tng.errors import ReleaseDamaged

logger = logging.getLogger(__name__)


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
    """One slot of an engine: one text at a time."""

    def __init__(self, engine: Engine, slot: int = 0) -> None:
        self._engine, self._slot = engine, slot

    @property
    def window(self) -> int:
        """How many tokens the network can hold, ``n_ctx``."""
        return self._engine.window

    @property
    def position(self) -> int:
        """How many tokens it holds now."""
        return self._engine.position(self._slot)

    def rewind(self, position: int) -> None:
        """Forget every token from ``position`` on. Raises ValueError where it never came so far."""
        self._engine.rewind(self._slot, position)

    def feed(self, ids: Sequence[int]) -> Logits:
        """Take tokens, answer with the logits (V,) after the last. Raises ValueError where they do not fit."""
        return self._engine.feed({self._slot: ids})[self._slot]

    def score(self, ids: Sequence[int]) -> Logits:
        """From an empty cache, the logits (T, V) after every token."""
        return self._engine.score(self._slot, ids)


def load_network(folder: Path, kind: Kind | None = None) -> Gpt2:
    """The network of a checkpoint or release folder, on one thread. Raises ReleaseDamaged where it cannot be read.

    One thread is the quickest way for small networks, and the only calm one beside other work.
    """
    return Gpt2(open_engine(folder, kind))


def open_engine(folder: Path, kind: Kind | None = None, *, slots: int = 1, threads: int = 1, lanes: int = 1) -> Engine:
    """An engine for a checkpoint or release folder. Raises ReleaseDamaged where the checkpoint cannot be read.

    An export that cannot be loaded is derived anew: all that it holds stands in the checkpoint.
    """
    path = export_for(folder, kind)
    try:
        return Engine(path, slots=slots, threads=threads, lanes=lanes)
    except ReleaseDamaged as error:
        logger.warning("%s; deriving it anew", error)
    return Engine(export_for(folder, kind, anew=True), slots=slots, threads=threads, lanes=lanes)


__all__ = ["Gpt2", "Logits", "Network", "load_network", "open_engine"]
