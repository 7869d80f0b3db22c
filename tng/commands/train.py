"""``tng train``: run the training notebook from the shell, and show how it goes.

TensorFlow runs in the notebook's kernel, never in this process. The first Ctrl-C lets the training end after the step
in hand and keep what was learnt; the second ends the kernel at once, and what was saved last is what is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tng.app import build_training_runner
from tng.errors import TngError
from tng.jobs import EventKind
from tng.settings import Settings

PRESETS = ["tiny", "small", "124M", "355M"]
TRAINERS = ["tng", "gpt-2-simple"]
STOPPED = 130
"""What the shell knows a command by that Ctrl-C ended."""
BEAT_SECONDS = 0.5


@click.command()
@click.option("--preset", type=click.Choice(PRESETS), default="small", show_default=True, help="how large a training")
@click.option("--corpus", type=click.Path(path_type=Path), help="the corpus  [default: $TNG_HOME/training/corpus]")
@click.option("--base", type=click.Path(path_type=Path, exists=True), help="a checkpoint to start from")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="the result  [default: $TNG_HOME/training/checkpoint]"
)
@click.option("--steps", type=click.IntRange(1), help="another number of steps than the preset's")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="stop after so long and keep what was learnt")
@click.option("--trainer", type=click.Choice(TRAINERS), default="tng", show_default=True, help="who trains")
@click.option("--resume", is_flag=True, help="go on with the training that was interrupted in this folder")
def train(corpus: Path | None, checkpoint: Path | None, **options: Any) -> None:
    """Train a checkpoint.

    Ctrl-C ends it after the step in hand, and keeps what was learnt.
    """
    os.umask(0o077)
    settings = Settings.read()
    home = settings.make_home() / "training"
    parameters = parameters_of(corpus or home / "corpus", checkpoint or home / "checkpoint", **options)
    parameters["runs_database"] = str(home / "mlflow.sqlite")
    run_folder = settings.runs_folder / f"train-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    sys.exit(_run(settings, parameters, run_folder))


def parameters_of(
    corpus: Path,
    checkpoint: Path,
    *,
    preset: str,
    base: Path | None,
    steps: int | None,
    minutes: float | None,
    trainer: str,
    resume: bool,
) -> dict[str, Any]:
    """The parameters of the notebook. Its kernel works in a folder of its own, so that paths are absolute."""
    return {
        "preset_name": preset,
        "corpus_folder": str(corpus.resolve()),
        "base_folder": str(base.resolve()) if base else "",
        "checkpoint_folder": str(checkpoint.resolve()),
        "steps": steps or 0,
        "most_seconds": max(1, round(minutes * 60)) if minutes else 0,
        "trainer": trainer,
        "resume": resume,
    }


class TrainingGuard:
    """The ``RunGuard`` of a training: keeps its kernel alive, prints what it says, and passes Ctrl-C on."""

    def __init__(self) -> None:
        self._kernel: tuple[int, Path] | None = None
        self.interrupts = 0

    def started(self, kernel_pid: int, alive_file: Path) -> None:
        """There is a kernel. What was pressed before it was there counts."""
        alive_file.touch()
        self._kernel = kernel_pid, alive_file
        if self.interrupts:
            self._signal(signal.SIGKILL)

    def say(self, kind: EventKind, body: dict[str, Any]) -> None:
        """Print a step."""
        if kind is EventKind.PROGRESS:
            click.echo(progress_line(body))

    def keep_alive(self) -> None:
        """Touch the file without which the kernel ends itself."""
        if self._kernel is not None:
            with contextlib.suppress(FileNotFoundError):  # the run ended meanwhile, and its folder is gone
                os.utime(self._kernel[1])

    def interrupt(self) -> None:
        """Ask the training to end; the second time, end its kernel."""
        self.interrupts += 1
        self._signal(signal.SIGINT if self.interrupts == 1 else signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._kernel is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._kernel[0], number)


def progress_line(body: dict[str, Any]) -> str:
    """One line of progress: how far, the running mean of the loss, the held-out loss where it was measured."""
    line = f"{body['percent']:3d} %  step {body['step']}/{body['steps']}  loss {body['loss']:.3f}"
    if "held_out_loss" in body:
        line += f"  held out {body['held_out_loss']:.3f}"
    return f"{line}  {body['seconds']:.0f} s"


def _run(settings: Settings, parameters: dict[str, Any], run_folder: Path) -> int:
    """Run the notebook, and answer with the exit status. Raises what the runner raises, save for an interruption.

    The runner works in a thread: in the main thread nbclient would take Ctrl-C for its own, and end the kernel.
    """
    guard = TrainingGuard()
    runner = build_training_runner(settings)
    try:
        with ThreadPoolExecutor(1) as pool, _interrupts(guard):
            running = pool.submit(runner.run, "finetune", parameters, run_folder=run_folder, guard=guard)
            result = _result(running, guard)
    finally:
        runner.close()
    if result is None:
        click.echo("Stopped; what was saved last is kept. Go on with --resume.", err=True)
        return STOPPED
    click.echo(f"{result['steps']} steps in {parameters['checkpoint_folder']}")
    click.echo(f"mean loss {result['mean_loss']}, best held-out loss {result['best_held_out_loss'] or '-'}")
    click.echo(f"The executed notebook is in {run_folder}")
    return STOPPED if guard.interrupts else 0


def _result(running: Future[dict[str, Any]], guard: TrainingGuard) -> dict[str, Any] | None:
    """What the notebook displayed; None where Ctrl-C came before it could."""
    while not running.done():
        guard.keep_alive()
        wait_for([running], timeout=BEAT_SECONDS)
    try:
        return running.result()
    except TngError:
        if guard.interrupts:
            return None
        raise


@contextmanager
def _interrupts(guard: TrainingGuard) -> Iterator[None]:
    """Give Ctrl-C to the guard. Only a main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: guard.interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
