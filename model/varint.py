"""The numbers of protocol buffers: seven bits a byte, the lowest first. Checkpoints and exports are written in them."""

from __future__ import annotations

import mmap


def read_varint(message: bytes | mmap.mmap, place: int) -> tuple[int, int]:
    """The number at ``place``, and the place behind it. Raises IndexError where the message ends before it does."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7


__all__ = ["read_varint"]
