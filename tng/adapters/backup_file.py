"""A backup: one ZIP file with everything that the orders database knows, as one line of JSON a row.

tables/<name>.jsonl              the rows of a table
runs/<job>.<attempt>/notebook.ipynb   the notebook of a run, where the operator asked for them
manifest.json                    what it is, how many rows each table has, and the SHA-256 of every other part

It is as secret as the database itself. It can be restored on SQLite and on PostgreSQL, wherever it was made.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from tng import __version__
from tng.adapters.database import rows
from tng.adapters.whole_file import written_whole
from tng.desk import RECORD
from tng.errors import BackupError

FORM: Final = 1
MANIFEST: Final = "manifest.json"
BLOCK: Final = 2**20
_TABLE = re.compile(r"tables/([a-z_]+)\.jsonl")
_RUN = re.compile(rf"runs/(\d{{1,18}}\.\d{{1,9}}/{re.escape(RECORD)})")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. ``numbers`` is the last number that each table gave out; ``releases`` are those
    that the ledger names, with their digests: their folders are not in it.
    """

    made_at: str
    revision: str
    counts: Mapping[str, int]
    numbers: Mapping[str, int]
    releases: Mapping[str, str]
    digests: Mapping[str, str]
    product: str = __version__
    form: int = field(default=FORM)


def write_backup(engine: Engine, target: Path, now: datetime, *, runs: Path | None = None) -> Manifest:
    """Write a new file, whole or not at all, that only its owner can read. ``runs`` is a folder of runs to include.

    Raises BackupError where it cannot be written, StoreBusy.
    """
    try:
        with written_whole(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
            return _write(engine, zipped, now, runs)
    except OSError as error:
        raise BackupError(f"no backup was made: {error}") from error


def check_backup(source: Path) -> Manifest:
    """What is in it; every part is as it was written. Raises BackupError."""
    with _opened(source) as zipped:
        return _checked(zipped)


def restore_backup(engine: Engine, source: Path, *, replace: bool = False, runs: Path | None = None) -> Manifest:
    """Fill an empty database with it, in one transaction; every part is checked before anything is written.

    ``replace``: what is there goes. Notebooks go to ``runs``, beside those that are there. Raises BackupError,
    StoreBusy.
    """
    with _opened(source) as zipped:
        manifest = _checked(zipped)
        with rows.emptied(engine, manifest.revision, replace=replace) as connection:
            for name in (name for name in rows.TABLES if name in manifest.counts):
                count = rows.put(connection, rows.TABLES[name], _lines(zipped, name))
                if count != manifest.counts[name]:
                    raise BackupError(f"table {name} has {count} rows, not {manifest.counts[name]}")
            rows.go_on_from(connection, manifest.numbers)
        if runs is not None:
            try:
                _put_runs(zipped, runs)
            except OSError as error:
                raise BackupError(f"the orders are restored, and their notebooks are not all: {error}") from error
        return manifest


def _write(engine: Engine, zipped: zipfile.ZipFile, now: datetime, runs: Path | None) -> Manifest:
    digests: dict[str, str] = {}
    counts: dict[str, int] = {}
    with rows.snapshot(engine) as connection:
        for name, table in rows.TABLES.items():
            counted = _Counted(line.encode() for line in rows.lines(connection, table))
            digests[_part(name)] = _add(zipped, _part(name), counted)
            counts[name] = counted.count
        numbers, revision = rows.highest(connection), rows.revision(connection)
        releases = rows.releases(connection)
    for run in sorted(runs.glob(f"*/{RECORD}")) if runs else ():
        if _RUN.fullmatch(name := f"runs/{run.parent.name}/{RECORD}"):
            digests[name] = _add(zipped, name, [run.read_bytes()])
    manifest = Manifest(now.isoformat(), revision, counts, numbers, releases, digests)
    zipped.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2))
    return manifest


class _Counted:
    """An iterable that knows afterwards how much there was."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts, self.count = parts, 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self.count += 1
            yield part


def _part(table: str) -> str:
    return f"tables/{table}.jsonl"


def _add(zipped: zipfile.ZipFile, name: str, content: Iterable[bytes]) -> str:
    """Write a part, never the whole of it in memory; its SHA-256."""
    digest = hashlib.sha256()
    with zipped.open(name, "w", force_zip64=True) as out:
        for some in content:
            out.write(some)
            digest.update(some)
    return digest.hexdigest()


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as zipped:
            yield zipped
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BackupError(f"{source.name} is no backup, or is not whole ({error})") from error
    except OSError as error:
        raise BackupError(f"{source.name}: {error.strerror or error}; nothing of the orders was changed") from error


def _checked(zipped: zipfile.ZipFile) -> Manifest:
    manifest = _manifest(zipped)
    names = zipped.namelist()
    if sorted(names) != sorted([*manifest.digests, MANIFEST]):
        raise BackupError("the backup has other parts than its manifest names")
    unknown = [name for name in manifest.digests if not _is_ours(name)]
    if unknown:
        raise BackupError(f"the backup has a part that this version does not know: {unknown[0]!r}")
    for name, wanted in manifest.digests.items():
        if _digest(zipped, name) != wanted:
            raise BackupError(f"{name} is not what was backed up: its SHA-256 differs")
    return manifest


def _manifest(zipped: zipfile.ZipFile) -> Manifest:
    try:
        told: dict[str, Any] = json.loads(zipped.read(MANIFEST))
        if told.get("form") != FORM:
            raise BackupError(f"the backup has form {told.get('form')!r}; this version reads form {FORM}")
        return Manifest(**told)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BackupError("the backup has no manifest that can be read") from error


def _is_ours(name: str) -> bool:
    table = _TABLE.fullmatch(name)
    return bool(_RUN.fullmatch(name)) or (table is not None and table[1] in rows.TABLES)


def _digest(zipped: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with zipped.open(name) as part:
        while block := part.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _lines(zipped: zipfile.ZipFile, table: str) -> Iterator[str]:
    with zipped.open(_part(table)) as part:
        yield from io.TextIOWrapper(part, encoding="utf-8")


def _put_runs(zipped: zipfile.ZipFile, runs: Path) -> None:
    """A notebook that is there stays as it is."""
    for name in zipped.namelist():
        found = _RUN.fullmatch(name)
        target = runs / found[1] if found else None
        if target is not None and not target.exists():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with written_whole(target) as file:
                file.write(zipped.read(name))
