"""Checkpoints from elsewhere: any folder of gpt-2-simple's or OpenAI's GPT-2, checked, and kept as a base or a release.

What is checked, in this order, so that the first sentence names the real fault: the files, the shape, the vocabulary,
every weight's checksum and shape, and that the network reads a page with a finite loss. Nothing of the source is
changed, and what is kept is whole or absent.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.checkpoint import HPARAMS_FILE, STATE_FILE, HParams, latest, load_weights, read_hparams, verify_weights
from model.quality.perplexity import nats_of
from model.release import make_release
from model.serving import load_network
from model.tokenizer import ENCODER_FILE, MERGES_FILE, Tokenizer
from tng.errors import CheckpointError, ReleaseDamaged
from tng.releases import Release, digest

FACTS_FILE: Final = "import.json"
NEEDED: Final = (HPARAMS_FILE, ENCODER_FILE, MERGES_FILE)
PAGE: Final = """\
The ship hung above the terminator, half in the light and half out of it. Nobody on the bridge had spoken for a
minute. The signal came again, three short tones and a long one, and the officer at the aft station turned her chair.
"It is not a greeting," she said. "It is a list. They are counting how many of them are left."
"""
"""Read to see that a network's loss is a number. Ours, so that it may stand here."""


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """What was found in a folder. ``nats`` is the mean loss a token on a page of plain English."""

    hparams: HParams
    parameters: int
    weights_sha256: str
    nats: float

    @property
    def knows_less_than_chance(self) -> bool:
        """Whether guessing evenly would have been no worse: weights that were never trained."""
        return self.nats >= math.log(self.hparams.n_vocab)

    def to_fields(self) -> dict[str, Any]:
        """The facts as plain JSON values."""
        return {**asdict(self), "nats": round(self.nats, 4)}


def inspect(folder: Path) -> CheckpointFacts:
    """Check a checkpoint folder. Raises CheckpointError with what is wrong and what to do."""
    _check_files(folder)
    try:
        hparams = read_hparams(folder)
        tokenizer = Tokenizer(folder)
        _check_shape(hparams)
        if tokenizer.size != hparams.n_vocab:
            raise CheckpointError(
                f"{folder.name}: {ENCODER_FILE} has {tokenizer.size:,} tokens, {HPARAMS_FILE} says {hparams.n_vocab:,}"
                "; take the vocabulary that the checkpoint was trained with"
            )
        if tokenizer.decode(tokenizer.encode(PAGE)) != PAGE:
            raise CheckpointError(
                f"{folder.name}: the vocabulary does not give a text back; {MERGES_FILE} is another's"
            )
        verify_weights(folder)
        weights = load_weights(folder)
        _check_numbers(folder, weights)
        nats = _mean_loss(folder, tokenizer.encode(PAGE))
    except ReleaseDamaged as error:
        raise CheckpointError(f"{folder.name} cannot be used: {error}") from error
    if not math.isfinite(nats):
        raise CheckpointError(f"{folder.name}: the loss on a page of text is {nats}; the training went astray")
    parameters = sum(array.size for array in weights.values())
    return CheckpointFacts(hparams, parameters, _weights_digest(folder), nats)


def import_base(source: Path, folder: Path) -> CheckpointFacts:
    """Check ``source`` and keep it as ``folder``, to train from.

    Raises CheckpointError where it does not pass, or where ``folder`` holds another checkpoint already; the same one
    again changes nothing.
    """
    facts = inspect(_named_state(source))
    if folder.exists():
        if read_facts(folder).get("weights_sha256") == facts.weights_sha256:
            return facts
        raise CheckpointError(f"there is another checkpoint named {folder.name} already; give this one another name")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for path in _files(source):
            shutil.copyfile(path, partial / path.name)
        (partial / STATE_FILE).write_text(f'model_checkpoint_path: "{latest(source).name}"\n', encoding="utf-8")
        (partial / FACTS_FILE).write_text(json.dumps(facts.to_fields(), indent=2) + "\n", encoding="ascii")
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return facts


def import_release(base: Path, like: Release, folder: Path) -> Release:
    """Make the release ``folder`` of an imported base; it plans, and knows the words, like the release ``like``.

    Raises FileExistsError where there is one of that name, CheckpointError where ``base`` was not imported.
    """
    facts = read_facts(base)
    if not facts:
        raise CheckpointError(f"{base.name} was not imported: it has no {FACTS_FILE}")
    meta = {"imported": facts, "plans_like": like.id, "config": {"network": facts["hparams"]}}
    return make_release(base, like.folder, folder, meta)


def read_facts(folder: Path) -> dict[str, Any]:
    """What an import wrote down; empty where ``folder`` was never imported."""
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise CheckpointError(f"{folder.name} is not a folder; name the one that holds {HPARAMS_FILE}")
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        raise CheckpointError(
            f"{folder.name} lacks {', '.join(missing)}; gpt-2-simple keeps them beside the weights, "
            "in checkpoint/<run> or models/<size>"
        )


def _named_state(folder: Path) -> Path:
    """The folder itself, where it says which weights count, or where there is one choice only."""
    if folder.is_dir() and not (folder / STATE_FILE).is_file():
        found = ", ".join(path.stem for path in sorted(folder.glob("*.index"))) or "no weights"
        raise CheckpointError(f"{folder.name} lacks the file {STATE_FILE}, which says what counts; found: {found}")
    return folder


def _check_shape(hparams: HParams) -> None:
    sizes = asdict(hparams)
    if wrong := [name for name, size in sizes.items() if size < 1]:
        raise CheckpointError(f"{HPARAMS_FILE}: {', '.join(wrong)} must be at least 1")
    if hparams.n_embd % hparams.n_head:
        raise CheckpointError(f"{HPARAMS_FILE}: n_embd {hparams.n_embd} is no multiple of n_head {hparams.n_head}")


def _check_numbers(folder: Path, weights: Mapping[str, Any]) -> None:
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"{folder.name}: {name} holds values that are no numbers; the training went astray")


def _mean_loss(folder: Path, ids: list[int]) -> float:
    """Nats a token, over as much of the page as the window holds."""
    network = load_network(folder)
    ids = ids[: network.window]
    return float(nats_of(network.score(ids[:-1]), ids[1:]).mean())


def _files(folder: Path) -> list[Path]:
    prefix = latest(folder)
    weights = [prefix.with_name(prefix.name + ".index"), *sorted(folder.glob(f"{prefix.name}.data-*"))]
    return [*(folder / name for name in NEEDED), *weights]


def _weights_digest(folder: Path) -> str:
    """The sha256 of the weights' file; of several, of the first."""
    prefix = latest(folder)
    return digest(min(folder.glob(f"{prefix.name}.data-*")))


__all__ = ["CheckpointFacts", "import_base", "import_release", "inspect", "read_facts"]
