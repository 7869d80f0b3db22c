"""A release: the model that writes, as a folder that is whole or absent. It reads and checks; it never trains or loads.

releases/<id>/
  hparams.json encoder.json vocab.bpe checkpoint model-N.index model-N.data-00000-of-00001
  meta.json       how it was made: config, corpus fingerprint, seed, losses, metrics
  MODEL_CARD.md   the same for people
  manifest.json   written last: the sha256 and size of every other file
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tng.errors import ReleaseDamaged, ReleaseMissing

MANIFEST = "manifest.json"
META = "meta.json"
PARTIAL = ".partial"
"""The end of a folder's name while it is filled."""


@dataclass(frozen=True, slots=True)
class Release:
    """A verified or yet-to-verify release on disk."""

    id: str
    folder: Path

    @property
    def meta(self) -> dict[str, Any]:
        """How the release was made. Raises ReleaseDamaged where that cannot be read."""
        return _read_json(self.folder / META, self.id)


def find_release(folder: Path) -> Release:
    """The release in ``folder``. Raises ReleaseMissing where there is no manifest: a half-written one is none."""
    if not (folder / MANIFEST).is_file():
        raise ReleaseMissing(
            f"no release in {folder}: manifest.json is missing. Restore the folder from the repository "
            "or name another one in TNG_RELEASE."
        )
    return Release(folder.name, folder)


def verify(release: Release) -> Release:
    """Hold every file against the manifest (size, then sha256). Raises ReleaseDamaged with the file and what to do."""
    for name, entry in _read_json(release.folder / MANIFEST, release.id)["files"].items():
        path = release.folder / name
        if not path.is_file():
            raise _damaged(release.id, f"{name} is missing")
        if path.stat().st_size != entry["bytes"]:
            raise _damaged(release.id, f"{name} has {path.stat().st_size} bytes, not {entry['bytes']}")
        if digest(path) != entry["sha256"]:
            raise _damaged(release.id, f"{name} differs from its sha256")
    return release


@contextmanager
def writing_release(folder: Path) -> Iterator[Path]:
    """Yield a folder beside ``folder`` to fill; at the end write the manifest and rename: whole or absent.

    In a folder that a group shares (setgid) the group may read it. Raises FileExistsError where ``folder`` is there
    already: a release never changes.
    """
    if folder.exists():
        raise FileExistsError(f"release {folder.name} exists already; releases never change")
    partial = folder.with_name(folder.name + PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        _write_manifest(partial)
        _open_to_group(partial)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def digest(path: Path) -> str:
    """The sha256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_manifest(folder: Path) -> None:
    files = {p.name: {"bytes": p.stat().st_size, "sha256": digest(p)} for p in sorted(folder.iterdir()) if p.is_file()}
    for name in files:
        _flush(folder / name)
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"format": 1, "files": files}, indent=2) + "\n", encoding="utf-8")
    _flush(manifest)


def _open_to_group(folder: Path) -> None:
    """The worker makes a release, and the api looks at its manifest: they are two users of one group."""
    if not folder.parent.stat().st_mode & stat.S_ISGID:
        return
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o2750 if path.is_dir() else 0o640)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _read_json(path: Path, release_id: str) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(release_id, f"{path.name} cannot be read ({type(error).__name__})") from error
    if not isinstance(body, dict):
        raise _damaged(release_id, f"{path.name} is not an object")
    return body


def _damaged(release_id: str, what: str) -> ReleaseDamaged:
    return ReleaseDamaged(
        f"release {release_id} is damaged: {what}. Restore its folder, or let another one write: "
        "tng release rollback, or tng release promote."
    )
