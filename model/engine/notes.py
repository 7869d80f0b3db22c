"""What an export says of itself, read from its file in a moment: the weights in it are skipped, nothing is loaded.

An ONNX file is a protocol buffer (ModelProto): field 7 is the graph with the weights, each field 14 an entry of the
metadata, with its key in field 1 and its value in field 2.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from model.varint import read_varint

_GRAPH: Final = 7
_METADATA: Final = 14
_VARINT, _SIZED = 0, 2


def notes_of(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file; nothing where it is none, is cut short, or cannot be read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            entries = [dict(_fields(body)) for number, body in _fields(content) if number == _METADATA]
            return {entry[1].decode(): entry[2].decode() for entry in entries}
    except (OSError, ValueError, IndexError, KeyError):
        return {}


def _fields(message: mmap.mmap | bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field that has a size; the graph is passed over."""
    place = 0
    while place < len(message):
        tag, place = read_varint(message, place)
        value, place = read_varint(message, place)
        if tag & 7 == _VARINT:
            continue
        if tag & 7 != _SIZED or place + value > len(message):
            raise ValueError("not an ONNX file, or cut short")
        number = tag >> 3
        yield number, b"" if number == _GRAPH else message[place : place + value]
        place += value


__all__ = ["notes_of"]
