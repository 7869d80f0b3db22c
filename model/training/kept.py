"""Which weights a checkpoint folder holds while it is trained into: the files of gpt-2-simple, named by their step.

Weights that an interruption kept out of turn stand beside the best of those that were measured in turn, so that a
training that goes on ends as one that was never interrupted.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from model.checkpoint import STATE_FILE, HParams, Weights, write_checkpoint
from model.tokenizer import ENCODER_FILE, MERGES_FILE

_STEP: Final = re.compile(r"model-(\d+)\.")


class KeptWeights:
    """The checkpoint of ``folder``; its vocabulary comes from ``corpus_folder``."""

    def __init__(self, folder: Path, corpus_folder: Path) -> None:
        self._folder, self._corpus_folder = folder, corpus_folder

    def keep(self, network: HParams, weights: Weights, step: int, *, beside: int = 0) -> None:
        """Make the weights the checkpoint. Others go when these are there, but for those of the step ``beside``."""
        write_checkpoint(network, weights, self._folder, step=step)
        for name in (ENCODER_FILE, MERGES_FILE):
            shutil.copyfile(self._corpus_folder / name, self._folder / name)
        self._remove_all_but({step, beside})

    def go_back(self, step: int) -> None:
        """Make the weights of an earlier step the checkpoint again, where they are still there."""
        if not step or not list(self._folder.glob(f"model-{step}.index")):
            return
        named = f'model_checkpoint_path: "model-{step}"\nall_model_checkpoint_paths: "model-{step}"\n'
        partial = self._folder / f"{STATE_FILE}.partial"
        partial.write_text(named, encoding="ascii")
        partial.replace(self._folder / STATE_FILE)
        self._remove_all_but({step})

    def _remove_all_but(self, steps: set[int]) -> None:
        for path in self._folder.glob("model-*"):
            found = _STEP.match(path.name)
            if found is None or int(found[1]) not in steps:
                path.unlink()


__all__ = ["KeptWeights"]
