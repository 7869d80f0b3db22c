"""The graph of a checkpoint as one file, ``serving.onnx``: derived in seconds, kept by the digest of its weights.

An export holds nothing that the checkpoint does not: it may be thrown away at any time. It is whole or absent, as it
is written beside its place and moved there; two processes that derive it at once write the same, and either stays. Its
key stands in its metadata, so that an export of other weights, or of an older graph, is never taken. One that cannot
be loaded is derived anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from model.checkpoint import HPARAMS_FILE, latest, load_weights, read_hparams
from model.engine.form import FORMAT, Kind, Note
from model.engine.notes import notes_of
from tng.errors import ReleaseDamaged
from tng.releases import MANIFEST, digest

logger = logging.getLogger(__name__)

EXPORT_FILE: Final = "serving.onnx"
HOME: Final = "TNG_HOME"
_OWNER_ONLY: Final = 0o700
_READABLE: Final = 0o644
_NAME_LETTERS: Final = 32


def export(checkpoint: Path, into: Path, kind: Kind = Kind.INT8) -> Path:
    """Write ``into/serving.onnx``, the export of a checkpoint folder; replaces one that is there.

    Raises ReleaseDamaged where the checkpoint cannot be read. Needs about twice the memory of the weights meanwhile.
    """
    from model.engine.graph import build_graph

    shape, weights = read_hparams(checkpoint), load_weights(checkpoint)
    notes: dict[str, str] = {
        Note.KEY: export_key(checkpoint, kind),
        Note.KIND: kind.value,
        Note.WINDOW: str(shape.n_ctx),
        Note.FORMAT: FORMAT,
    }
    content = build_graph(shape, weights, kind, notes).SerializeToString()
    into.mkdir(parents=True, exist_ok=True)
    path = into / EXPORT_FILE
    _write_whole(path, content)
    logger.info("export derived kind=%s bytes=%d key=%s", kind.value, len(content), notes[Note.KEY][:12])
    return path


def export_for(folder: Path, kind: Kind | None = None, *, anew: bool = False) -> Path:
    """The export of a checkpoint or release: the one inside where it fits, else one that is kept, else a derived one.

    Without a kind: float16 where there is a graphics card, else int8. Kept are exports in ``$TNG_HOME/exports``, or in
    the user's cache where no home is set or it cannot be written. ``anew`` takes none that is there already.
    """
    wanted = kind or best_kind()
    key = export_key(folder, wanted)
    places = [home / key[:_NAME_LETTERS] for home in _homes()]
    for place in () if anew else (folder, *places):
        if notes_of(place / EXPORT_FILE).get(Note.KEY) == key:
            return place / EXPORT_FILE
    for place in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
            return export(folder, place, wanted)
        except OSError as error:
            logger.warning("no export can be kept in %s (%s)", place.parent.name, type(error).__name__)
    return export(folder, Path(tempfile.mkdtemp(prefix="tng-export-")), wanted)


def best_kind() -> Kind:
    """The kind for this machine."""
    from model.engine.slots import has_card

    return Kind.FLOAT16 if has_card() else Kind.INT8


def export_key(folder: Path, kind: Kind) -> str:
    """What an export of this checkpoint is known by: the sha256 over shape, weights, kind and format of the graph.

    The digests of a release's files are those of its manifest, which whoever opens a release verifies: to read 500 MB
    twice would cost half of the time that a start may take.
    """
    prefix = latest(folder)
    weights = [path for ending in (".index", ".data-*") for path in sorted(folder.glob(prefix.name + ending))]
    try:
        known = _told(folder)
        digests = [known.get(path.name) or digest(path) for path in (folder / HPARAMS_FILE, *weights)]
    except OSError as error:
        raise ReleaseDamaged(f"checkpoint {prefix.name} cannot be read ({type(error).__name__})") from error
    return hashlib.sha256("\n".join([FORMAT, kind.value, *digests]).encode("ascii")).hexdigest()


def _told(folder: Path) -> dict[str, str]:
    """The sha256 of each file that a manifest tells and whose size is as told; nothing for a bare checkpoint."""
    try:
        entries = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {
            name: entry["sha256"] for name, entry in entries.items() if (folder / name).stat().st_size == entry["bytes"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _homes() -> Iterator[Path]:
    """Where derived exports may be kept, the best place first."""
    if home := os.environ.get(HOME):
        yield Path(home) / "exports"
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        yield (Path(cache) if cache else Path.home() / ".cache") / "tng-exports"
    except RuntimeError:  # a process without a home
        return


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside the place, and move there: nobody ever sees half of it."""
    number, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _READABLE)
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


__all__ = ["EXPORT_FILE", "best_kind", "export", "export_for", "export_key"]
