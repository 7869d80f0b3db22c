"""What the network computes with: numpy, or TensorFlow's numpy where there is a graphics card. Two doors, one room.

On a machine without a card TensorFlow is never imported.
"""

from __future__ import annotations

import ctypes
import logging
import re
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

CARD: Final = Path("/proc/driver/nvidia/version")

_OPENBLAS = re.compile(r"\S*openblas\S*\.so\S*")
_SWITCHES: Final = ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_", "openblas_set_num_threads")

Array = Any
"""An array of whichever module computes."""


class Arrays(Protocol):
    """An array module (``xp``: matmul, exp, tanh …) and the little in which the two differ."""

    xp: Any

    def given(self, array: NDArray[np.float32]) -> Array:
        """A float32 array of numpy as one of this module."""
        ...

    def room(self, heads: int, positions: int, width: int) -> Array:
        """An empty cache for the keys or values of one layer, (heads, positions, width)."""
        ...

    def extended(self, cache: Array, start: int, new: Array) -> Array:
        """The cache with ``new`` (heads, T, width) from position ``start`` on; what stood there is gone."""
        ...


class NumpyArrays:
    """The processor: caches are written in place."""

    xp: Any = np

    def given(self, array: NDArray[np.float32]) -> Array:
        """The same array, its memory in one piece."""
        return np.ascontiguousarray(array)

    def room(self, heads: int, positions: int, width: int) -> Array:
        """All positions at once; what is not written yet is never read."""
        return np.zeros((heads, positions, width), np.float32)

    def extended(self, cache: Array, start: int, new: Array) -> Array:
        """Written in place."""
        cache[:, start : start + new.shape[1]] = new
        return cache


class TensorFlowArrays:
    """A graphics card through ``tf.experimental.numpy``: tensors never change, so caches grow by joining."""

    def __init__(self) -> None:
        import tensorflow as tf

        self.xp = tf.experimental.numpy
        self._tf = tf

    def given(self, array: NDArray[np.float32]) -> Array:
        """A tensor on the card."""
        return self._tf.constant(array, self._tf.float32)

    def room(self, heads: int, positions: int, width: int) -> Array:
        """No positions yet."""
        del positions
        return self._tf.zeros((heads, 0, width), self._tf.float32)

    def extended(self, cache: Array, start: int, new: Array) -> Array:
        """A new tensor of ``start`` old positions and the new ones."""
        return self._tf.concat([cache[:, :start], new], axis=1)


def best_arrays(card: Path = CARD) -> Arrays:
    """TensorFlow where the driver of a card is there and TensorFlow can use it, else numpy."""
    if card.exists():
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            logger.info("the writer computes on a graphics card")
            return TensorFlowArrays()
    return NumpyArrays()


def compute_on_one_thread(maps: Path = Path("/proc/self/maps")) -> bool:
    """Tell the OpenBLAS that numpy brought along to use one thread; whether one was told.

    The matrices of a single token are so small that a second thread only waits for the first: beside other work on two
    cores it made the writer twenty times slower. Holds for the whole process.
    """
    try:
        libraries = set(_OPENBLAS.findall(maps.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False
    told = False
    for path in libraries:
        library = ctypes.CDLL(path)
        for name in _SWITCHES:
            if (switch := getattr(library, name, None)) is not None:
                switch(1)
                told = True
                break
    return told


__all__ = ["Array", "Arrays", "NumpyArrays", "TensorFlowArrays", "best_arrays", "compute_on_one_thread"]
