"""Open what the operator named: an archive, a folder or a file. Everything is read before anything is written.

An archive may be anybody's, so nothing of it is believed: names must stay inside, members are counted, and bytes are
counted while they come out, whatever the headers promise. It is never unpacked to disk.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Final

from tng.errors import CorpusError

SUFFIXES: Final = frozenset({".txt", ".fountain", ".fdx"})
MOST_MEMBERS: Final = 2_000
MOST_BYTES: Final = 64 * 2**20
"""Unpacked, of everything that one path holds."""
MOST_RATIO: Final = 100
"""Unpacked to packed, of a member above a megabyte. Teleplays come to about 5."""

_ENCRYPTED: Final = 0x1
_RATIO_FROM_BYTES: Final = 2**20
_CHUNK_BYTES: Final = 2**16
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that may be an episode: its name inside what was given, and its bytes."""

    name: str
    content: bytes

    @property
    def suffix(self) -> str:
        """``.txt``, ``.fountain`` or ``.fdx``."""
        return PurePosixPath(self.name).suffix.lower()


@dataclass(slots=True)
class Sources:
    """What a path holds: the files to read, and how many others there are of which kind (``.pdf``, ``link`` …)."""

    files: list[SourceFile] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Allowance:
    """How many bytes came out of one path so far."""

    where: str
    used: int = 0

    def take(self, count: int) -> None:
        """Count bytes that came out. Raises CorpusError above the limit."""
        self.used += count
        if self.used > MOST_BYTES:
            raise CorpusError(f"{self.where}: holds more than {MOST_BYTES // 2**20} MB; give it in parts")


def read_sources(path: Path) -> Sources:
    """Read a ZIP, a folder (and those in it) or a file. Raises CorpusError where it is unsafe or cannot be read."""
    try:
        if path.is_dir():
            return _from_folder(path)
        if path.is_file() and zipfile.is_zipfile(path):
            return _from_archive(path)
        if path.is_file():
            return _from_file(path)
    except OSError as error:
        raise CorpusError(f"{path.name}: cannot be read ({type(error).__name__})") from error
    raise CorpusError(f"{path.name}: there is no such file or folder")


def _from_file(path: Path) -> Sources:
    if path.suffix.lower() == ".zip":
        raise CorpusError(f"{path.name}: is not a whole ZIP archive; fetch it again")
    if path.suffix.lower() not in SUFFIXES:
        raise CorpusError(f"{path.name}: is none of {', '.join(sorted(SUFFIXES))}, .zip")
    return Sources([SourceFile(path.name, _read(path, _Allowance(path.name)))])


def _from_folder(folder: Path) -> Sources:
    """All files below; links are not followed."""
    found, allowance = Sources(), _Allowance(folder.name)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if _is_hidden(name) or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file():
            found.ignored["link" if path.is_symlink() else "special file"] += 1
        elif _is_wanted(name, found):
            found.files.append(SourceFile(name, _read(path, allowance)))
    return found


def _read(path: Path, allowance: _Allowance) -> bytes:
    with path.open("rb") as stream:
        return b"".join(_chunks(stream, allowance))


def _chunks(stream: IO[bytes], allowance: _Allowance) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        allowance.take(len(chunk))
        yield chunk


def _from_archive(path: Path) -> Sources:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(path.name, members)
            return _unpacked(path.name, archive, members)
    except _BROKEN as error:
        raise CorpusError(f"{path.name}: the archive is damaged ({type(error).__name__}); fetch it again") from error


def _check_members(where: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuse the whole archive for one member that is not what an honest archive of teleplays has."""
    if len(members) > MOST_MEMBERS:
        raise CorpusError(f"{where}: has {len(members):,} members; {MOST_MEMBERS:,} are the most")
    for place, member in enumerate(members, 1):
        if _leads_outside(member.filename) or _leads_outside(member.orig_filename):
            raise CorpusError(f"{where}: member {place} has a path that leads out of the archive")
        if member.flag_bits & _ENCRYPTED:
            raise CorpusError(f"{where}: member {place} is encrypted; give an archive without a password")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise CorpusError(f"{where}: member {place} is a link, not a file")


def _leads_outside(name: str) -> bool:
    windows = PureWindowsPath(name)
    return bool(windows.drive or windows.root) or ".." in windows.parts or "\x00" in name


def _unpacked(where: str, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Sources:
    found, allowance = Sources(), _Allowance(where)
    for place, member in enumerate(members, 1):
        name = member.filename.replace("\\", "/")
        if member.is_dir() or _is_hidden(name) or not _is_wanted(name, found):
            continue
        content = bytearray()
        with archive.open(member) as stream:
            for chunk in _chunks(stream, allowance):
                content += chunk
                if len(content) > max(_RATIO_FROM_BYTES, MOST_RATIO * member.compress_size):
                    raise CorpusError(f"{where}: member {place} is packed more than {MOST_RATIO} to 1, as bombs are")
        found.files.append(SourceFile(name, bytes(content)))
    return found


def _is_hidden(name: str) -> bool:
    """What a Macintosh or an editor left: no file of the operator's, and not worth a word."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _is_wanted(name: str, found: Sources) -> bool:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in SUFFIXES:
        return True
    found.ignored["ZIP inside" if suffix == ".zip" else suffix or "no suffix"] += 1
    return False


__all__ = ["MOST_BYTES", "MOST_MEMBERS", "MOST_RATIO", "SUFFIXES", "SourceFile", "Sources", "read_sources"]
