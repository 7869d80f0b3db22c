"""An export at work: rows of a cache, each a text of its own, and tokens fed to several of them in one step.

Nothing is sampled here. Not for two threads at once: an engine belongs to whoever feeds it.

Two ways to use several cores. ``lanes`` computes the rows of a step in as many parts, each on one thread from end to
end: best for several texts, and calm beside other work. ``threads`` splits every single product: quicker for one text
of a large network on idle cores, and many times slower beside busy neighbours, as each product waits for the slowest.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from model.engine.form import ASKED, IDS, LAST, LOGITS, NEW, POSITIONS, REACH, Kind, Note, cache_names
from tng.errors import ReleaseDamaged

Logits = NDArray[np.float32]

CARD: Final = "CUDAExecutionProvider"
PROCESSOR: Final = "CPUExecutionProvider"
_FATAL_ONLY: Final = 4
_EXACT_SUMS: Final = "session.x64quantprecision"
"""An option of onnxruntime's: half the speed, and exact sums where the processor's own are not."""

_PROCESSOR: Final = Path("/proc/cpuinfo")
_CANNOT_LOAD: Final = (
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NoSuchFile,
    states.NotImplemented,
    states.RuntimeException,
)
_PADDING: Final = 0
"""The token of a row that only lies between two others; nobody ever reads what comes of it."""


class _Job(NamedTuple):
    """Rows ``lo`` to ``hi`` that take as many tokens each, (B, T); only the fed ones among them count."""

    lo: int
    hi: int
    ids: NDArray[np.int64]
    fed: tuple[int, ...]


class Engine:
    """Rows of the cache of one network. Raises ReleaseDamaged where the export cannot be loaded."""

    def __init__(self, export: Path, *, slots: int = 1, threads: int = 1, lanes: int = 1) -> None:
        if min(slots, threads, lanes) < 1:
            raise ValueError(f"no such engine: {slots} slots, {threads} threads, {lanes} lanes")
        self._session = open_session(export, threads)
        self._rows = _Rows(self._session, slots)
        self._positions = [0] * slots
        self._steps: dict[tuple[int, int], _Step] = {}
        self._lanes = lanes
        self._pool = ThreadPoolExecutor(lanes - 1, thread_name_prefix="lane") if lanes > 1 else None

    @property
    def window(self) -> int:
        """How many tokens a slot can hold, ``n_ctx``."""
        return self._rows.window

    @property
    def slots(self) -> int:
        """How many texts it can hold."""
        return len(self._positions)

    def position(self, slot: int) -> int:
        """How many tokens the slot holds now."""
        return self._positions[slot]

    def rewind(self, slot: int, position: int) -> None:
        """Forget every token of the slot from ``position`` on. Raises ValueError where it never came so far."""
        if not 0 <= position <= self._positions[slot]:
            raise ValueError(f"cannot go back to position {position} from {self._positions[slot]}")
        self._positions[slot] = position

    def feed(self, tokens: Mapping[int, Sequence[int]]) -> dict[int, Logits]:
        """Give every named slot its tokens, in one step; answer with the logits (V,) after the last of each.

        Slots that are not named keep their state. Raises ValueError, and changes nothing, where a slot has no room or
        gets nothing.
        """
        for slot, ids in tokens.items():
            self._check(slot, ids)
        lanes = self._shared_out(tokens)
        answers: dict[int, Logits] = {}
        if self._pool is None or len(lanes) < 2:
            parts = [self._ran(jobs) for jobs in lanes]
        else:
            waiting = [self._pool.submit(self._ran, jobs) for jobs in lanes[1:]]
            parts = [self._ran(lanes[0]), *(part.result() for part in waiting)]
        for part in parts:
            answers |= part
        for slot, ids in tokens.items():
            self._positions[slot] += len(ids)
        return {slot: answers[slot] for slot in tokens}

    def score(self, slot: int, ids: Sequence[int]) -> Logits:
        """From an empty slot, the logits (T, V) after every token."""
        self.rewind(slot, 0)
        self._check(slot, ids)
        job = _Job(slot, slot + 1, np.array([ids], np.int64), (slot,))
        logits = self._rows.run(job, [0], np.arange(len(ids), dtype=np.int64))
        self._positions[slot] = len(ids)
        scored: Logits = logits[0]
        return scored

    def _check(self, slot: int, ids: Sequence[int]) -> None:
        start = self._positions[slot]
        if not ids or start + len(ids) > self.window:
            raise ValueError(f"{len(ids)} tokens at position {start} do not fit a window of {self.window}")
        if not 0 <= min(ids) <= max(ids) < self._rows.vocabulary:
            raise ValueError(f"ids from {min(ids)} to {max(ids)} do not fit a vocabulary of {self._rows.vocabulary}")

    def _shared_out(self, tokens: Mapping[int, Sequence[int]]) -> list[list[_Job]]:
        """What each lane has to run: a share of the rows that take one token, and of the longer ones."""
        single = sorted(slot for slot, ids in tokens.items() if len(ids) == 1)
        count = max(1, min(self._lanes, len(tokens)))
        edges = [round(len(single) * lane / count) for lane in range(count + 1)]
        lanes = [self._spans(single[lo:hi], tokens) for lo, hi in pairwise(edges)]
        costs = [hi - lo for lo, hi in pairwise(edges)]
        longer = sorted((slot for slot, ids in tokens.items() if len(ids) > 1), key=lambda slot: -len(tokens[slot]))
        for slot in longer:
            lane = costs.index(min(costs))
            costs[lane] += len(tokens[slot])
            lanes[lane].append(_Job(slot, slot + 1, np.array([tokens[slot]], np.int64), (slot,)))
        return [jobs for jobs in lanes if jobs]

    def _spans(self, slots: Sequence[int], tokens: Mapping[int, Sequence[int]]) -> list[_Job]:
        """Rows of one token each as few jobs; idle rows between them come along, where they have room for a token."""
        jobs: list[_Job] = []
        span: list[int] = []
        for slot in slots:
            between = range(span[-1] + 1, slot) if span else range(0)
            if any(row in tokens or self._positions[row] == self.window for row in between):
                jobs.append(_span(span, tokens))
                span = []
            span.append(slot)
        return [*jobs, _span(span, tokens)] if span else jobs

    def _ran(self, jobs: Sequence[_Job]) -> dict[int, Logits]:
        answers: dict[int, Logits] = {}
        for job in jobs:
            positions = self._positions[job.lo : job.hi]
            if job.ids.shape[1] == 1:
                step = self._steps.get((job.lo, job.hi)) or self._prepared(job.lo, job.hi)
                logits = step.run(job.ids, positions)
            else:
                logits = self._rows.run(job, positions, _LAST_ONE)[:, 0]
            answers |= {slot: logits[slot - job.lo] for slot in job.fed}
        return answers

    def _prepared(self, lo: int, hi: int) -> _Step:
        self._steps[lo, hi] = step = _Step(self._session, self._rows, lo, hi)
        return step


_LAST_ONE: Final = np.array([-1], np.int64)


def _span(slots: Sequence[int], tokens: Mapping[int, Sequence[int]]) -> _Job:
    lo, hi = slots[0], slots[-1] + 1
    ids = np.full((hi - lo, 1), _PADDING, np.int64)
    for slot in slots:
        ids[slot - lo, 0] = tokens[slot][0]
    return _Job(lo, hi, ids, tuple(slots))


class _Rows:
    """The keys and values of every slot, (slots, H, N, W) a layer, where the session computes."""

    def __init__(self, session: Any, slots: int) -> None:
        self._session = session
        shapes = {each.name: each.shape for each in session.get_inputs()}
        notes = session.get_modelmeta().custom_metadata_map
        self.window = int(notes[Note.WINDOW])
        self.vocabulary = int(session.get_outputs()[0].shape[-1])
        self._names = cache_names(sum(name.startswith("key_") for name in shapes))
        _, heads, _, width = shapes[self._names[0]]
        self._row = (heads, self.window, width)
        self._floats = np.float16 if notes[Note.KIND] == Kind.FLOAT16 else np.float32
        self._device = "cuda" if CARD in session.get_providers() else "cpu"
        self._caches = [self._room(slots) for _ in self._names]

    def _room(self, slots: int) -> Any:
        """Zeros that take memory only where they are written, or memory of the card."""
        shape = (slots, *self._row)
        if self._device != "cpu":
            return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, self._floats, self._device, 0)
        pages = mmap.mmap(-1, int(np.prod(shape)) * np.dtype(self._floats).itemsize)
        if hasattr(mmap, "MADV_NOHUGEPAGE"):  # a huge page would hold places that no text may ever reach
            pages.madvise(mmap.MADV_NOHUGEPAGE)
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.frombuffer(pages, self._floats).reshape(shape))

    def bind(self, binding: Any, lo: int, hi: int) -> None:
        """Bind the rows from ``lo`` to ``hi`` as past and as present, in place."""
        start = lo * int(np.prod(self._row)) * np.dtype(self._floats).itemsize
        for name, cache in zip(self._names, self._caches, strict=True):
            place = (self._device, 0, self._floats, (hi - lo, *self._row), cache.data_ptr() + start)
            binding.bind_input(name, *place)
            binding.bind_output(name + NEW, *place)

    def run(self, job: _Job, positions: Sequence[int], asked: NDArray[np.int64]) -> Logits:
        """Feed rows as many tokens each; the logits (B, O, V) of the tokens asked for."""
        count = job.ids.shape[1]
        starts = np.array(positions, np.int64)
        logits = np.empty((job.hi - job.lo, len(asked), self.vocabulary), np.float32)
        inputs: dict[str, NDArray[Any]] = {
            IDS: job.ids,
            POSITIONS: starts[:, None] + np.arange(count),
            LAST: (starts + count - 1).astype(np.int32),
            REACH: np.array(starts.max() + count, np.int32),
            ASKED: asked,
        }
        binding = self._session.io_binding()
        bound = [_bound(binding, name, array) for name, array in inputs.items()]
        answer = onnxruntime.OrtValue.ortvalue_from_numpy(logits)
        binding.bind_ortvalue_output(LOGITS, answer)
        self.bind(binding, job.lo, job.hi)
        self._session.run_with_iobinding(binding)
        del bound
        return logits


class _Step:
    """One token for each of the rows ``lo`` to ``hi``, bound once: a step writes numbers in place and runs."""

    def __init__(self, session: Any, rows: _Rows, lo: int, hi: int) -> None:
        count = hi - lo
        self._session = session
        self._ids = np.zeros((count, 1), np.int64)
        self._positions = np.zeros((count, 1), np.int64)
        self._last = np.zeros(count, np.int32)
        self._reach = np.zeros((), np.int32)
        self._logits = np.empty((count, 1, rows.vocabulary), np.float32)
        self._binding = session.io_binding()
        arrays: dict[str, NDArray[Any]] = {
            IDS: self._ids,
            POSITIONS: self._positions,
            LAST: self._last,
            REACH: self._reach,
            ASKED: _LAST_ONE,
        }
        self._bound = [_bound(self._binding, name, array) for name, array in arrays.items()]
        self._answer = onnxruntime.OrtValue.ortvalue_from_numpy(self._logits)
        self._binding.bind_ortvalue_output(LOGITS, self._answer)
        rows.bind(self._binding, lo, hi)

    def run(self, ids: NDArray[np.int64], positions: Sequence[int]) -> Logits:
        """The logits (B, V); an array of their own."""
        self._ids[...] = ids
        self._positions[:, 0] = positions
        self._last[...] = positions
        self._reach[...] = max(positions) + 1
        self._session.run_with_iobinding(self._binding)
        return self._logits[:, 0].copy()


def _bound(binding: Any, name: str, array: NDArray[Any]) -> Any:
    """Bind an array of numpy as an input without a copy; whoever gets the value keeps it while it is bound."""
    value = onnxruntime.OrtValue.ortvalue_from_numpy(array)
    binding.bind_ortvalue_input(name, value)
    return value


def has_card() -> bool:
    """Whether this onnxruntime can compute on a graphics card."""
    return CARD in onnxruntime.get_available_providers()


def sums_exactly(processor: Path = _PROCESSOR) -> bool:
    """Whether this processor adds products of 8 bits in 32 (VNNI); others of its family cut them off at 16.

    No where it does not say. The option that this decides about means nothing to processors of other families.
    """
    try:
        return "vnni" in processor.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def open_session(export: Path, threads: int) -> Any:
    """An onnxruntime session over an export. Raises ReleaseDamaged where it is none of ours or cut short.

    On a card the same code binds memory of the card; that has never run, for want of one.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    if not sums_exactly():
        options.add_session_config_entry(_EXACT_SUMS, "1")
    providers = [CARD, PROCESSOR] if has_card() else [PROCESSOR]
    try:
        session = onnxruntime.InferenceSession(str(export), options, providers=providers)
    except _CANNOT_LOAD as error:
        raise ReleaseDamaged(f"export {export.name} cannot be loaded ({type(error).__name__})") from error
    if not set(Note) <= set(session.get_modelmeta().custom_metadata_map):
        raise ReleaseDamaged(f"export {export.name} does not say what it is an export of")
    return session


__all__ = ["CARD", "Engine", "Logits", "has_card", "open_session", "sums_exactly"]
