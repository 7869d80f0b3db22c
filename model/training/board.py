"""TensorBoard's event files in the checkpoint folder, where gpt-2-simple leaves its own. No training reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from model.training.progress import Progress

_FLUSH_EVERY: Final = 20


class Board:
    """A report that writes the scalars ``loss`` and ``avg_loss`` of every step, and ``held_out_loss`` when measured.

    The folder must be there when the first step is told. It loads TensorFlow then. The files are TensorFlow 1's, as
    gpt-2-simple's are: to write those of TensorFlow 2, TensorBoard itself would have to be installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def __call__(self, progress: Progress) -> None:
        """Write one step."""
        import tensorflow as tf

        v1 = tf.compat.v1
        if self._writer is None:
            with tf.Graph().as_default():  # the writer refuses to be made where TensorFlow is eager
                self._writer = v1.summary.FileWriter(str(self._folder))
        scalars = {"loss": progress.loss, "avg_loss": progress.mean_loss, "held_out_loss": progress.held_out_loss}
        values = [v1.Summary.Value(tag=tag, simple_value=loss) for tag, loss in scalars.items() if loss is not None]
        self._writer.add_summary(v1.Summary(value=values), progress.step)
        if progress.step % _FLUSH_EVERY == 0 or progress.step == progress.steps:
            self._writer.flush()


__all__ = ["Board"]
