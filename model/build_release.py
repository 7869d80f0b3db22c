"""The one command that makes a release from nothing: ``make release``, or ``python -m model.build_release``.

It does what the notebooks build_corpus, finetune and evaluate do, one after the other. The preset ``small`` takes
about twenty minutes on two quiet cores. The release gets the next free number; one that is there is never touched.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from model.evaluate import script_measures
from model.presets import PRESETS, preset
from model.train import corpus_for, release_of, show_in, train
from model.training.progress import stop_after
from model.writing import warm
from tng.log import configure

logger = logging.getLogger(__name__)

RELEASES_FOLDER = Path(__file__).parent / "releases"
WORK_FOLDER = Path("var/training")


def next_release(folder: Path, show_id: str, preset_name: str) -> Path:
    """The first of ``<show>-<preset>-1``, ``-2`` … that is not there."""
    numbered = (folder / f"{show_id}-{preset_name}-{number}" for number in itertools.count(1))
    return next(path for path in numbered if not path.exists())


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the corpus, train, measure, and make the release. Raises FileExistsError before anything is begun."""
    reader = argparse.ArgumentParser(prog="python -m model.build_release", description="Make a release from nothing.")
    reader.add_argument("--show", type=Path, default=Path("shows/tng"), help="its folder; relative to the repository")
    reader.add_argument("--preset", choices=sorted(PRESETS), default="small")
    reader.add_argument("--release", type=Path, help="its folder; the next free number where none is named")
    reader.add_argument("--work-folder", type=Path, default=WORK_FOLDER, help="for corpus and checkpoint")
    reader.add_argument("--steps", type=int, default=0, help="another number of steps than the preset's")
    reader.add_argument("--seconds", type=float, default=0, help="stop after so long and keep what was learnt")
    chosen = reader.parse_args(arguments)
    show = show_in(chosen.show)
    release_folder = chosen.release or next_release(RELEASES_FOLDER, show.id, chosen.preset)
    if release_folder.exists():
        raise FileExistsError(f"{release_folder} is there already; releases never change")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    configure()
    config = preset(chosen.preset).with_steps(chosen.steps)
    checkpoint = chosen.work_folder / "checkpoint"
    corpus = corpus_for(chosen.preset, chosen.work_folder / "corpus", show)
    train(config, corpus, checkpoint, reports=[stop_after(chosen.seconds)])
    release = release_of(config, corpus, checkpoint, release_folder, show)
    logger.info("release %s: %s", release.id, script_measures(warm(release.folder)))


__all__ = ["main", "next_release"]

if __name__ == "__main__":
    main()
