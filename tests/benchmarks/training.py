"""How fast training is: tokens a second of our trainer and of gpt-2-simple's own, on the same shapes and batches' size.

Each side is a process that takes one step when it is told to, so that both see the same machine: their steps alternate.
gpt-2-simple trains as it comes (float32, Adam); that its windows follow the network is the one cure it needs. Ours
trains with Adam, too, so that both do the same work; Muon, which learns several times as much from a step, is a row of
its own. ``python -m tests.benchmarks.training`` prints the rows.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from model.checkpoint import fresh_weights, write_checkpoint
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig, preset
from tests.architecture.sources import ROOT

BAR = 1.8
STEPS = {"small": 12, "124M": 5}
WARM_UP = 2
"""Steps that are not counted: the first ones build graphs."""


def training_rows() -> list[tuple[str, str, str, bool]]:
    """Name, what was measured, the bar, and whether it was reached, for each shape."""
    return [row for name in STEPS for row in _rows(name)]


def _rows(name: str) -> Iterator[tuple[str, str, str, bool]]:
    config = _config(name)
    tokens = config.batch_size * config.network.n_ctx
    shape = f"{name}, {config.batch_size} x {config.network.n_ctx}"
    sides = ["ours", "theirs", *(["muon"] if name == "small" else [])]
    speed = {side: tokens / seconds for side, seconds in _seconds(name, sides).items()}
    ratio = speed["ours"] / speed["theirs"]
    measured = f"{speed['ours']:,.0f} tokens a second, {ratio:.2f}x gpt-2-simple's {speed['theirs']:,.0f}"
    yield f"training {shape}", measured, f">= {BAR}x", ratio >= BAR
    if "muon" in speed:
        yield f"training {shape}, with Muon", f"{speed['muon']:,.0f} tokens a second", "-", True


def _seconds(name: str, sides: list[str]) -> dict[str, float]:
    """The median seconds of a step of each side; they take turns."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        prepare(name, Path(folder))
        runners = {side: stack.enter_context(_started(side, name, Path(folder))) for side in sides}
        taken: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(STEPS[name]):
            for side, runner in runners.items():
                taken[side].append(runner.step())
    return {side: statistics.median(seconds[WARM_UP:]) for side, seconds in taken.items()}


@dataclass
class Runner:
    """The other end of a process that trains a step at a time."""

    asked: IO[str]
    answered: IO[str]

    def step(self) -> float:
        """Let it take one step; how many seconds that took."""
        print("go", file=self.asked, flush=True)
        return float(self.answered.readline())


@contextlib.contextmanager
def _started(side: str, name: str, folder: Path) -> Iterator[Runner]:
    command = [sys.executable, "-m", "tests.benchmarks.training", side, name, str(folder)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Runner(process.stdin, process.stdout)
        finally:
            process.kill()


# --- inside the processes ------------------------------------------------------------------------------------


def _config(name: str, optimizer: str = "adamw") -> FinetuneConfig:
    return replace(
        preset(name),
        optimizer=optimizer,
        accumulate=1,
        most_norm=0.0,
        hold_out_every=0,
        steps=10_000,
        save_every=10_000,
    )


def prepare(name: str, folder: Path) -> None:
    """Weights to start from, and a corpus of numbers, in ``folder``."""
    network = preset(name).network
    write_checkpoint(network, fresh_weights(network, 1), folder / "models" / "base")
    rng = np.random.default_rng(1)
    episodes = rng.integers(0, network.n_vocab - 1, (8, 4 * network.n_ctx)).astype(np.int32)
    episodes[:, ::50] = network.n_vocab - 1
    np.savez(folder / "training.npz", **{f"episode_{number}": episode for number, episode in enumerate(episodes)})
    for vocabulary in (folder, folder / "models" / "base"):
        (vocabulary / "encoder.json").write_text('{"<|endoftext|>": 0}', encoding="ascii")
        (vocabulary / "vocab.bpe").write_text("#version: 0.2\na b\n", encoding="ascii")


class Turns:
    """Waits until it is told to go on, and tells how long the step before took."""

    def __init__(self) -> None:
        self._answered, self._began = sys.stdout, 0.0
        self._wait()

    def __call__(self, *_: Any) -> None:
        """A step is done."""
        print(time.perf_counter() - self._began, file=self._answered, flush=True)
        self._wait()

    def _wait(self) -> None:
        if not sys.stdin.readline():
            sys.exit()
        self._began = time.perf_counter()


def train_ours(config: FinetuneConfig, folder: Path) -> None:
    """Our trainer, as it is."""
    from model.training.loop import Training

    corpus = Corpus(folder, {"config": {"vocabulary_tokens": config.network.n_vocab}, "fingerprint": "of numbers"})
    Training(config, corpus, folder / config.optimizer, base=folder / "models" / "base").run(Turns())


def train_theirs(config: FinetuneConfig, folder: Path) -> None:
    """gpt-2-simple's own function in its own session."""
    import gpt_2_simple
    from gpt_2_simple import gpt_2

    from model.training.reference import record_sampler

    class Listener(io.TextIOBase):
        def __init__(self) -> None:
            self.turns = Turns()

        def write(self, text: str) -> int:
            if "loss=" in text:
                self.turns()
            return len(text)

    gpt_2.Sampler = record_sampler(gpt_2.Sampler, config)
    with contextlib.redirect_stdout(Listener()):
        gpt_2_simple.finetune(
            gpt_2_simple.start_tf_sess(), dataset=str(folder / "training.npz"), steps=config.steps, model_name="base",
            model_dir=str(folder / "models"), batch_size=config.batch_size, learning_rate=config.learning_rate,
            accumulate_gradients=1, restore_from="fresh", run_name="theirs", checkpoint_dir=str(folder),
            sample_every=config.steps, sample_length=1, save_every=config.steps, print_every=1,
        )  # fmt: skip


def main() -> None:
    """Print the rows; or, with a side, a shape and a folder, be that side."""
    if len(sys.argv) > 1:
        side, name, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
        if side == "theirs":
            train_theirs(_config(name), folder)
        else:
            train_ours(_config(name, "muon" if side == "muon" else "adamw"), folder)
        return
    for row in training_rows():
        print(*row, sep="  |  ")


if __name__ == "__main__":
    main()
