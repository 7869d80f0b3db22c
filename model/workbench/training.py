"""A training of one's own: where it stands in the home folder, a bar while it runs, and the way to its release."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tqdm.auto import tqdm

from model.training.machine import gpus
from model.training.progress import Progress
from model.workbench.showing import show_lines
from tng.releases import MANIFEST, Release

RELEASES: Final = "releases"
TRAININGS: Final = "trainings"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")


@dataclass(frozen=True, slots=True)
class OwnTraining:
    """Where one training and its release stand. Nothing is made yet; a release takes its name from its folder.

    ``base`` is the checkpoint or the release that it starts from; empty for fresh weights.
    """

    corpus: Path
    checkpoint: Path
    release: Path
    base: Path | str = ""


def own_training(name: str = "mine", base_folder: str = "", *, home: Path | None = None) -> OwnTraining:
    """Places below the home folder that are free: ``name-1``, ``name-2`` … Raises ValueError for an odd name.

    A release never changes, so that training again makes another one. In ``base_folder`` ``~`` is understood.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("a name may have letters, digits, dots and dashes, and 41 characters at most")
    home = home or Path.home()
    for number in itertools.count(1):
        numbered = f"{name}-{number}"
        release, training = home / RELEASES / numbered, home / TRAININGS / numbered
        if not release.exists() and not training.exists():
            break
    base = Path(base_folder).expanduser() if base_folder else ""
    return OwnTraining(training / "corpus", training / "checkpoint", release, base)


def own_releases(home: Path | None = None) -> list[Path]:
    """The releases that somebody has made, by name."""
    return sorted(path.parent for path in ((home or Path.home()) / RELEASES).glob(f"*/{MANIFEST}"))


def load_tensorflow() -> None:
    """Load what trains, and say where it computes. What its own start says, on every machine, is left out.

    A GPU that this server has and TensorFlow does not see is told here: then its drivers do not fit.
    """
    with _unheard():
        import tensorflow as tf

        cards = gpus(tf)
    tf.get_logger().setLevel("ERROR")
    show_lines(f"TensorFlow {tf.__version__} trains on " + (f"{len(cards)} GPU" if cards else "the CPU"))


@contextmanager
def _unheard() -> Iterator[None]:
    """Nothing that is written to the error output arrives there, not by libraries that are no Python either."""
    sys.stderr.flush()
    heard = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it is no path of ours
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(heard, 2)
        os.close(heard)


class TrainingBar:
    """A report that moves a bar with every step, and says the mean loss beside it."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __call__(self, progress: Progress) -> None:
        """Take one step."""
        if self._bar is None:
            self._bar = tqdm(total=progress.steps, unit="step", desc="training")
        self._bar.set_postfix_str(f"loss {progress.mean_loss:.3f}", refresh=False)
        self._bar.update(progress.step - self._bar.n)
        if progress.step >= progress.steps:
            self.close()

    def close(self) -> None:
        """The training has ended, at its last step or before."""
        if self._bar is not None:
            self._bar.close()


def show_learnt(heard: Sequence[Progress], release: Release) -> None:
    """Say what came of a training, and where it can be used now."""
    if heard:
        fell = f"the loss fell from {heard[0].loss:.2f} to {heard[-1].mean_loss:.2f}"
        show_lines(f"{len(heard)} steps in {heard[-1].seconds:.0f} seconds: {fell}.")
    folder = f"~/{RELEASES}/{release.id}"
    show_lines(f"The release {release.id} is whole. To use it in another notebook, name its folder there: {folder}")


__all__ = ["OwnTraining", "TrainingBar", "load_tensorflow", "own_releases", "own_training", "show_learnt"]
