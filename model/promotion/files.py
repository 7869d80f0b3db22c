"""The first check: whether a release is whole. It loads no network, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from model.checkpoint import load_weights, read_hparams, verify_weights
from model.corpus.outlines import read_outlines, read_words
from model.engine.export import EXPORT_FILE, export_key
from model.engine.form import Kind, Note
from model.engine.notes import notes_of
from model.tokenizer import ENCODER_FILE, Tokenizer
from tng.errors import ReleaseDamaged, ReleaseError, ShowError
from tng.releases import Release, find_release, verify
from tng.shows import read_show


def flaw_of(folder: Path) -> str:
    """What is wrong with the release in ``folder``, as a sentence; nothing where it is whole.

    Every file is held against the manifest, every weight is read and must be a number, the vocabulary must be that of
    the network, and the export that serves must have been derived from these weights.
    """
    try:
        release = verify(find_release(folder))
        check_numbers(folder)
        _check_vocabulary(folder)
        _check_export(release)
        read_show(folder), read_outlines(folder), read_words(folder)
        _ = release.meta
    except (ReleaseError, ShowError) as error:
        return str(error)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return f"release {folder.name} is damaged: a file of it is not what it should be ({type(error).__name__})"
    return ""


def check_numbers(folder: Path) -> None:
    """Each weight must be as its checksum says, and a number. Raises ReleaseDamaged with the first that is not."""
    verify_weights(folder)
    for name, tensor in load_weights(folder).items():
        if not np.isfinite(tensor).all():
            raise ReleaseDamaged(f"the weights of {folder.name} are no numbers: {name} holds NaN or infinity")


def _check_vocabulary(folder: Path) -> None:
    """As many ids as the network has, each with a token, the end of text as the last."""
    tokenizer, wanted = Tokenizer(folder), read_hparams(folder).n_vocab
    ids = json.loads((folder / ENCODER_FILE).read_text(encoding="utf-8")).values()
    if tokenizer.size != wanted or sorted(ids) != list(range(wanted)):
        raise ReleaseDamaged(f"the vocabulary of {folder.name} is not whole: {len(ids)} tokens for {wanted}")


def _check_export(release: Release) -> None:
    if notes_of(release.folder / EXPORT_FILE).get(Note.KEY) != export_key(release.folder, Kind.INT8):
        raise ReleaseDamaged(f"release {release.id} has no {EXPORT_FILE} of its own weights; make the release again")


__all__ = ["check_numbers", "flaw_of"]
