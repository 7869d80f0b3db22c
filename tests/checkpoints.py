"""A checkpoint folder for tests, as gpt-2-simple would have left it: random weights and a small vocabulary."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from pathlib import Path

import google_crc32c
import numpy as np

from model.checkpoint import HParams, Weights, fresh_weights
from model.tokenizer import train_tokenizer

SHAPE = HParams(n_vocab=280, n_ctx=64, n_embd=16, n_head=2, n_layer=2)
TEXTS = ("the ship hung above the terminator and the signal came again, three short tones and a long one ",) * 20


def make_checkpoint(folder: Path, shape: HParams = SHAPE, *, seed: int = 1, name: str = "model-7") -> Path:
    """Write a whole folder, without TensorFlow: its table format is small."""
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(TEXTS, shape.n_vocab, folder)
    (folder / "hparams.json").write_text(json.dumps(asdict(shape)), encoding="ascii")
    write_tensors(fresh_weights(shape, seed), folder, name)
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "/somewhere/else/{name}"\n', encoding="utf-8")
    return folder


def write_tensors(weights: Weights, folder: Path, name: str) -> None:
    """The two files of a TensorFlow V2 checkpoint: a LevelDB table of one data block, and the raw tensors."""
    rows, content = [(b"", b"\x08\x01")], b""
    for key in sorted(weights, key=lambda key: f"model/{key}".encode()):
        raw = np.ascontiguousarray(weights[key], "<f4").tobytes()
        dimensions = b"".join(_field(2, b"\x08" + _varint(size)) for size in weights[key].shape)
        entry = b"\x08\x01" + _field(2, dimensions) + b"\x20" + _varint(len(content)) + b"\x28" + _varint(len(raw))
        entry += b"\x35" + struct.pack("<I", _masked(google_crc32c.value(raw)))
        rows.append((f"model/{key}".encode(), entry))
        content += raw
    block = _block(rows)
    handle = _varint(0) + _varint(len(block))
    index_start = len(block) + 5
    index = _block([(rows[-1][0], handle)])
    footer = b"\0\0" + _varint(index_start) + _varint(len(index))
    table = block + b"\0" * 5 + index + b"\0" * 5
    (folder / f"{name}.index").write_bytes(table + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57))
    (folder / f"{name}.data-00000-of-00001").write_bytes(content)


def _block(rows: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(b"\0" + _varint(len(key)) + _varint(len(value)) + key + value for key, value in rows)
    return body + struct.pack("<II", 0, 1)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
