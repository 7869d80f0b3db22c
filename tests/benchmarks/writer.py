"""``make bench-writer``: the writer's figures against its peers, all in one run and in the same process budget.

Tokens a second from one 124M-shaped checkpoint of random weights: prompts of 200 random tokens, 96 new ones, two
threads for everybody. Every engine is loaded in a process of its own and asked in turn, round after round, so that
whatever else the machine does meets all alike; of each engine's rounds the half with the least done by others counts,
and its median is shown. Then an episode by the release that comes along, and the training where it is measured.

The peers live in ``.venv-peers``; what is not there is said and left out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.architecture.sources import ROOT
from tests.benchmarks.writer_engines import ENGINES, THREADS

PEERS = ROOT / ".venv-peers" / "bin" / "python"
NEEDS = {"transformers": ("torch", "transformers"), "CTranslate2": ("ctranslate2",)}
SHAPE = {"n_vocab": 50257, "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12}
PROMPT_TOKENS, NEW_TOKENS = 200, 96
STREAMS = (1, 2, 8)
ROUNDS = 5
OURS = [name for name in ENGINES if name.startswith("ours")]

Row = tuple[str, str, str, bool]
"""What is measured, its figure, the bar it is held against, and whether it is met."""


class Round(NamedTuple):
    """One answer: tokens a second, and how many cores others used meanwhile."""

    speed: float
    others: float


class Peer:
    """An engine in its own process."""

    def __init__(self, name: str, folder: Path) -> None:
        python = PEERS if name.startswith(tuple(NEEDS)) else Path(sys.executable)
        program = ROOT / "tests" / "benchmarks" / "writer_engines.py"
        threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), str(THREADS))
        self.process = subprocess.Popen(
            [python, program, name, folder],
            env={**os.environ, **threads, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.loaded = self._answer()
        self.peak = self.loaded["peak"]

    def ask(self, prompts: list[list[int]]) -> Round:
        """Draw after the prompts."""
        assert self.process.stdin
        busy, began = busy_seconds(), time.perf_counter()
        self.process.stdin.write(json.dumps([prompts, NEW_TOKENS]) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        others = (busy_seconds() - busy - answer["cpu"]) / (time.perf_counter() - began)
        self.peak = answer["peak"]
        return Round(answer["tokens"] / answer["seconds"], max(0.0, others))

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"an engine ended with status {self.process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer


@contextmanager
def asked(name: str, folder: Path) -> Iterator[Peer]:
    """A peer that ends with the block."""
    peer = Peer(name, folder)
    try:
        yield peer
    finally:
        peer.process.kill()
        peer.process.communicate()


def busy_seconds() -> float:
    """Processor seconds that the whole machine has used; 0 where it does not say."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return 0.0
    user, nice, system = (int(field) for field in fields[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def prepare(folder: Path) -> None:
    """A release-like folder: the checkpoint, the same weights for the peers, our export, and a manifest."""
    import numpy as np

    from model.checkpoint import HParams, fresh_weights, write_checkpoint
    from model.engine.export import export
    from tng.releases import writing_release

    with writing_release(folder) as partial:
        shape = HParams(**SHAPE)
        weights = fresh_weights(shape, seed=1)
        write_checkpoint(shape, weights, partial)
        np.savez(partial / "weights.npz", **weights)
        export(partial, partial)


def missing() -> list[str]:
    """The engines that cannot be asked, because their environment lacks what they need."""
    found = []
    for name, modules in NEEDS.items():
        program = f"import {', '.join(modules)}"
        if not PEERS.exists() or subprocess.run([PEERS, "-c", program], capture_output=True, check=False).returncode:
            found += [engine for engine in ENGINES if engine.startswith(name)]
    return found


def speeds(folder: Path, names: Sequence[str], count: int) -> tuple[dict[str, dict[int, float]], list[Row]]:
    """The tokens a second of every engine by its number of streams, and what our own needed to start and to hold."""
    rng = random.Random(1)
    rounds: dict[str, dict[int, list[Round]]] = {name: defaultdict(list) for name in names}
    with ExitStack() as stack:
        peers = {name: stack.enter_context(asked(name, folder)) for name in names}
        for streams in STREAMS:
            for _ in range(count):
                prompts = [[rng.randrange(SHAPE["n_vocab"]) for _ in range(PROMPT_TOKENS)] for _ in range(streams)]
                for name, peer in peers.items():
                    rounds[name][streams].append(peer.ask(prompts))
        peak = max(peers[name].peak for name in OURS)
    start = min(started(folder) for _ in range(ROUNDS))
    rows = [
        bar("ours: load and first token, quickest of five starts", start, "s", at_most=1.0),
        bar("ours: peak memory of a process, eight streams", peak, "MB", at_most=600),
    ]
    return {name: {count: settled(found) for count, found in by.items()} for name, by in rounds.items()}, rows


def started(folder: Path) -> float:
    """Seconds from the first import to the first token after a prompt, in a new process."""
    with asked(OURS[-1], folder) as peer:
        return peer.loaded["load_and_first"]


def settled(rounds: Sequence[Round]) -> float:
    """The median speed of the half of the rounds that others disturbed least."""
    quiet = sorted(rounds, key=lambda each: each.others)[: (len(rounds) + 1) // 2]
    return statistics.median(each.speed for each in quiet)


def bar(name: str, figure: float, unit: str, *, at_least: float = 0.0, at_most: float = float("inf")) -> Row:
    """A row: a figure held against what it must reach or stay under."""
    limit = f"at least {at_least:.4g}" if at_least else f"under {at_most:.4g}"
    return name, f"{figure:.3g} {unit}", f"{limit} {unit}", at_least <= figure <= at_most


def speed_rows(found: dict[str, dict[int, float]]) -> list[Row]:
    """Our best setting for each number of streams against every peer."""
    rows = []
    for streams, factor in ((1, 5.0), (2, 0.0), (8, 4.0)):
        best = max(found[name][streams] for name in OURS)
        for name in found:
            if name in OURS:
                continue
            needed = factor if name == "gpt-2-simple" and factor else 1.0
            label = f"{streams} stream{'s' * (streams > 1)}: ours against {name}"
            rows.append(bar(label, best / found[name][streams], "x", at_least=needed))
    return rows


def episode_rows() -> list[Row]:
    """A full episode by the release that comes along."""
    from model.writing import warm, write
    from tng.script import Length, Premise, Tone

    premise = Premise("The Long Measure", "", ("PICARD", "DATA", "WORF", "TROI"), Tone.DRAMA, list(Length)[-1], 1)
    came: list[float] = []
    began, used = time.perf_counter(), time.process_time()
    writer = warm(ROOT / "model" / "releases" / "tng-small-2")
    written = write(premise, writer, lambda kind, _: came.append(time.perf_counter()) if kind == "scene" else None)
    whole, cpu = time.perf_counter() - began, time.process_time() - used
    name = f"a whole episode, {len(written.script.scenes)} scenes ({cpu:.0f} s of one core)"
    return [
        bar("the first scene, the release not yet loaded", came[0] - began, "s", at_most=2.0),
        bar(name, whole, "s", at_most=60.0),
    ]


def training_rows() -> list[Row]:
    """What the training's own benchmark says, where there is one."""
    try:
        rows: Callable[[], list[tuple[str, Any, Any, bool]]] = importlib.import_module(
            "tests.benchmarks.training"
        ).training_rows
    except ImportError:
        print("the training is not measured: there is no tests.benchmarks.training")
        return []
    return [(name, str(value), str(limit), ok) for name, value, limit, ok in rows()]


def show_speeds(found: dict[str, dict[int, float]]) -> None:
    """The table of tokens a second."""
    print(f"\ntokens a second, prompt included: {'':<2}" + "".join(f"{streams:>6} at once" for streams in STREAMS))
    for name, by in found.items():
        print(f"  {name:<34}" + "".join(f"{by[streams]:>14.1f}" for streams in STREAMS))


def main() -> int:
    """Measure and print. The exit status: 1 where a bar is not met."""
    if sys.argv[1:2] == ["prepare"]:
        prepare(Path(sys.argv[2]))
        return 0
    asked_for = argparse.ArgumentParser(description="The writer's figures against its peers.")
    asked_for.add_argument("--rounds", type=int, default=ROUNDS, help="how often each engine is asked")
    count = asked_for.parse_args().rounds
    absent = missing()
    for name in absent:
        print(f"not measured, as it is not installed: {name}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {THREADS} threads for everybody")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "models" / "bench"
        command = [sys.executable, "-m", "tests.benchmarks.writer", "prepare", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        found, rows = speeds(folder, [name for name in ENGINES if name not in absent], count)
    show_speeds(found)
    rows += [*speed_rows(found), *episode_rows(), *training_rows()]
    print()
    for name, figure, limit, ok in rows:
        print(f"  {'met ' if ok else 'MISS'}  {name:<62}{figure:>12}   {limit}")
    return 0 if all(ok for *_, ok in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
