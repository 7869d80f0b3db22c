"""gpt-2-simple's checkpoint folder: read without TensorFlow, made fresh with it. It neither trains nor computes.

    hparams.json  encoder.json  vocab.bpe  checkpoint  model-N.index  model-N.data-00000-of-00001

A TensorFlow V2 checkpoint is a table in LevelDB's format (``.index``: a 48-byte footer, an index block, data blocks
with prefix-compressed keys, one BundleEntryProto a tensor) beside raw little-endian tensors (``.data-…``). Which of
several checkpoints counts is read from the file ``checkpoint`` by the base of its name only: gpt-2-simple writes
absolute paths there, and a copied folder would load the weights of the original.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from model.varint import read_varint
from tng.errors import ReleaseDamaged

HPARAMS_FILE: Final = "hparams.json"
STATE_FILE: Final = "checkpoint"

Weights = dict[str, NDArray[np.float32]]
"""Variable name without its leading ``model/`` → float32 array."""

_MAGIC: Final = 0xDB4775248B80FB57
_FOOTER_BYTES: Final = 48
_DTYPES: Final = {1: "<f4", 19: "<f2"}
_LATEST = re.compile(r'^model_checkpoint_path:\s*"(.*)"', re.MULTILINE)
_PATHS = re.compile(r'"[^"]*[/\\]([^"/\\]+)"')


@dataclass(frozen=True, slots=True)
class HParams:
    """The shape of a GPT-2, under gpt-2-simple's own names."""

    n_vocab: int
    n_ctx: int
    n_embd: int
    n_head: int
    n_layer: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every variable of the network and its shape."""
        d = self.n_embd
        shapes: dict[str, tuple[int, ...]] = {"wpe": (self.n_ctx, d), "wte": (self.n_vocab, d)}
        for layer in range(self.n_layer):
            shapes |= {
                f"h{layer}/ln_1/g": (d,),
                f"h{layer}/ln_1/b": (d,),
                f"h{layer}/attn/c_attn/w": (1, d, 3 * d),
                f"h{layer}/attn/c_attn/b": (3 * d,),
                f"h{layer}/attn/c_proj/w": (1, d, d),
                f"h{layer}/attn/c_proj/b": (d,),
                f"h{layer}/ln_2/g": (d,),
                f"h{layer}/ln_2/b": (d,),
                f"h{layer}/mlp/c_fc/w": (1, d, 4 * d),
                f"h{layer}/mlp/c_fc/b": (4 * d,),
                f"h{layer}/mlp/c_proj/w": (1, 4 * d, d),
                f"h{layer}/mlp/c_proj/b": (d,),
            }
        return shapes | {"ln_f/g": (d,), "ln_f/b": (d,)}


def read_hparams(folder: Path) -> HParams:
    """The shape of the network in ``folder``. Raises ReleaseDamaged where hparams.json does not say it."""
    try:
        fields = json.loads((folder / HPARAMS_FILE).read_text(encoding="utf-8"))
        return HParams(**{name: int(fields[name]) for name in HParams.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseDamaged(f"{folder.name}/{HPARAMS_FILE} cannot be read ({type(error).__name__})") from error


def latest(folder: Path) -> Path:
    """The prefix of the checkpoint that counts, always inside ``folder``. Raises ReleaseDamaged where none is named."""
    try:
        named = _LATEST.search((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseDamaged(f"{folder.name}/{STATE_FILE} cannot be read ({type(error).__name__})") from error
    if named is None:
        raise ReleaseDamaged(f"{folder.name}/{STATE_FILE} names no checkpoint")
    return folder / re.split(r"[/\\]", named.group(1))[-1]


def make_relocatable(folder: Path) -> None:
    """Rewrite the file ``checkpoint`` so that it names files of its own folder, wherever that is moved."""
    state = folder / STATE_FILE
    state.write_text(_PATHS.sub(r'"\1"', state.read_text(encoding="utf-8")), encoding="utf-8")


def load_weights(folder: Path) -> Weights:
    """All variables of the checkpoint that counts in ``folder``.

    Raises ReleaseDamaged where one is missing, cut short, of another shape than hparams.json says, or not a float.
    """
    entries, maps = _open(latest(folder))
    return {
        name: _tensor(f"model/{name}", entries, maps, shape) for name, shape in read_hparams(folder).shapes().items()
    }


def _open(prefix: Path) -> tuple[dict[str, _Entry], list[np.memmap[Any, Any]]]:
    """The entries of a checkpoint by name, and its shards, mapped."""
    try:
        entries, shards = _read_index(prefix.with_name(prefix.name + ".index").read_bytes())
        maps = [
            np.memmap(prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{shards:05}"), dtype="u1", mode="r")
            for shard in range(shards)
        ]
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise ReleaseDamaged(f"checkpoint {prefix.name} cannot be read ({type(error).__name__})") from error
    return entries, maps


def verify_weights(folder: Path) -> None:
    """Hold every variable against the CRC-32C written with it. Raises ReleaseDamaged with the first that differs.

    It reads all the weights once: about a second for 500 MB.
    """
    prefix = latest(folder)
    entries, maps = _open(prefix)
    for name in sorted(f"model/{name}" for name in read_hparams(folder).shapes()):
        entry = entries.get(name)
        if entry is None or entry.shard >= len(maps):
            raise ReleaseDamaged(f"checkpoint: {name} is missing")
        raw = maps[entry.shard][entry.offset : entry.offset + entry.size]
        if _masked(google_crc32c.value(raw.tobytes())) != entry.crc32c:
            raise ReleaseDamaged(f"checkpoint: {name} differs from its checksum")


def _masked(crc: int) -> int:
    """LevelDB stores a CRC turned and shifted, so that a CRC of CRCs means something."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc32c: int


def _tensor(
    name: str, entries: dict[str, _Entry], maps: list[np.memmap[Any, Any]], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    entry = entries.get(name)
    if entry is None or entry.shape != shape or entry.dtype not in _DTYPES or entry.shard >= len(maps):
        found = "nothing" if entry is None else f"shape {entry.shape}, type {entry.dtype}"
        raise ReleaseDamaged(f"checkpoint: {name} should be a float of shape {shape}, found {found}")
    raw = maps[entry.shard][entry.offset : entry.offset + entry.size]
    tensor = np.frombuffer(raw.tobytes(), _DTYPES[entry.dtype])
    if tensor.size != int(np.prod(shape)):
        raise ReleaseDamaged(f"checkpoint: {name} is cut short")
    return tensor.reshape(shape).astype(np.float32)


# --- the index: LevelDB's table of protocol buffers ----------------------------------------------------------


def _read_index(content: bytes) -> tuple[dict[str, _Entry], int]:
    """Every tensor's entry by its name, and the number of shards."""
    (magic,) = struct.unpack_from("<Q", content, len(content) - 8)
    if magic != _MAGIC:
        raise ValueError("not the index of a TensorFlow checkpoint")
    place = len(content) - _FOOTER_BYTES
    for _ in range(2):  # the handle of the meta block, which is empty
        _, place = read_varint(content, place)
    offset, place = read_varint(content, place)
    size, _ = read_varint(content, place)
    entries: dict[str, _Entry] = {}
    shards = 1
    for _, handle in _block(content, offset, size):
        block_offset, place = read_varint(handle, 0)
        block_size, _ = read_varint(handle, place)
        for key, value in _block(content, block_offset, block_size):
            if key:
                entries[key.decode()] = _entry(value)
            else:
                shards = int(dict(_fields(value)).get(1, 1))
    return entries, shards


def _block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each row of a block; a key shares its beginning with the one before."""
    if content[offset + size] != 0:
        raise ValueError("the index is compressed")
    block = content[offset : offset + size]
    (restarts,) = struct.unpack_from("<I", block, size - 4)
    end, place, key = size - 4 - 4 * restarts, 0, b""
    while place < end:
        shared, place = read_varint(block, place)
        unshared, place = read_varint(block, place)
        length, place = read_varint(block, place)
        key = key[:shared] + block[place : place + unshared]
        place += unshared
        yield key, block[place : place + length]
        place += length


def _entry(value: bytes) -> _Entry:
    fields = dict(_fields(value))
    dimensions = (dict(_fields(d)).get(1, 0) for number, d in _fields(fields.get(2, b"")) if number == 2)
    return _Entry(
        int(fields.get(1, 0)),
        tuple(int(d) for d in dimensions),
        int(fields.get(3, 0)),
        int(fields.get(4, 0)),
        int(fields.get(5, 0)),
        int(fields.get(6, 0)),
    )


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protocol buffer."""
    place = 0
    while place < len(message):
        tag, place = read_varint(message, place)
        match tag & 7:
            case 0:
                value, place = read_varint(message, place)
                yield tag >> 3, value
            case 2:
                length, place = read_varint(message, place)
                yield tag >> 3, message[place : place + length]
                place += length
            case 5:
                (number,) = struct.unpack_from("<I", message, place)
                yield tag >> 3, number
                place += 4
            case wire:
                raise ValueError(f"wire type {wire} in the index")


# --- a fresh one ---------------------------------------------------------------------------------------------


def fresh_weights(hparams: HParams, seed: int) -> Weights:
    """Random weights as GPT-2 begins with: normal, 0.02 (positions 0.01, residual projections less), norms at one."""
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for name, shape in hparams.shapes().items():
        scale = {"wpe": 0.01}.get(name, 0.02)
        if name.endswith("c_proj/w"):
            scale /= (2 * hparams.n_layer) ** 0.5
        if name.endswith("/g"):
            weights[name] = np.ones(shape, np.float32)
        elif name.endswith("/b"):
            weights[name] = np.zeros(shape, np.float32)
        else:
            weights[name] = rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)
    return weights


def write_checkpoint(hparams: HParams, weights: Weights, folder: Path, *, step: int = 0) -> None:
    """Write hparams.json and the weights as the checkpoint ``model-STEP`` of gpt-2-simple. Loads TensorFlow."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    (folder / HPARAMS_FILE).write_text(json.dumps(asdict(hparams)), encoding="ascii")
    v1 = tf.compat.v1
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        variables = [
            v1.get_variable(f"model/{name}", shape=array.shape, dtype=tf.float32, use_resource=False)
            for name, array in weights.items()
        ]
        for variable, array in zip(variables, weights.values(), strict=True):
            variable.load(array, session)
        v1.train.Saver(variables).save(session, str(folder / "model"), global_step=step, write_meta_graph=False)
    make_relocatable(folder)


__all__ = [
    "HParams",
    "Weights",
    "fresh_weights",
    "latest",
    "load_weights",
    "make_relocatable",
    "read_hparams",
    "verify_weights",
    "write_checkpoint",
]
