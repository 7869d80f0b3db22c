"""Where imported episodes are kept: a private folder, one text and one JSON an episode. It reads no teleplay.

Where the folder above is one that a group shares (setgid), the group may read them, too: the worker of an isolated
house is another Unix user than the operator. Nobody else ever may.

    103.json            what is known of the episode; it names its text, and is written last
    103.1f0c9a….txt     the script in the compact form (see ``tng.script``)

An episode is whole or absent: the text is written under a name of its own, then the JSON is put in place by one
rename. What the JSON does not name does not exist, so a crash leaves the older episode or the newer one.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tng.errors import CorpusError, ScriptError
from tng.script import Script, parse, render

READER_VERSION: Final = 1
"""Raised when the readers read otherwise, so that a text that was imported before is read again."""

_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR
_GROUP_READS: Final = 0o640
_GROUP_LISTS: Final = 0o2750


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What is known of a kept episode; empty or None where the teleplay does not say.

    ``text_sha256`` is that of the decoded text it was read from, ``file`` the name of its script's file.
    """

    key: str
    title: str
    number: int | None
    season: int | None
    writer: str
    director: str
    draft: str
    date: str
    story: str
    dialect: str
    encoding: str
    text_sha256: str
    acts: int
    scenes: int
    speeches: int
    reader_version: int = READER_VERSION
    file: str = ""


@dataclass(frozen=True, slots=True)
class StoredEpisode:
    """An episode as it is kept: the script with its names, as it was broadcast or typed."""

    facts: EpisodeFacts
    script: Script


class Shelf:
    """The kept episodes of one show, by key: the production number, or the title where there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def facts(self) -> dict[str, EpisodeFacts]:
        """What is known of every episode, by key, in their order. Raises CorpusError where a file is damaged."""
        if not self.folder.is_dir():
            return {}
        kept = [self._facts(path) for path in self.folder.glob("*.json") if not path.name.startswith(".")]
        return {facts.key: facts for facts in sorted(kept, key=_order)}

    def episodes(self) -> Iterator[StoredEpisode]:
        """Every episode, in the order of their numbers. Raises CorpusError where one is damaged."""
        for facts in self.facts().values():
            yield StoredEpisode(facts, self._script(facts))

    def keep(self, facts: EpisodeFacts, script: Script) -> None:
        """Keep an episode; one of the same key goes. Raises CorpusError where the folder cannot be written."""
        content = render(script).encode("utf-8")
        name = f"{facts.key}.{hashlib.sha256(content).hexdigest()[:16]}.txt"
        fields = {**asdict(facts), "file": name}
        try:
            self._prepare()
            self._write(name, content)
            self._write(f"{facts.key}.json", json.dumps(fields, indent=2, ensure_ascii=False).encode("utf-8") + b"\n")
            self._remove_others(facts.key, name)
        except OSError as error:
            raise CorpusError(f"{self.folder.name}: cannot be written ({type(error).__name__})") from error

    def open_to_its_group(self) -> None:
        """Open what was kept before its folder was shared. Raises CorpusError where that is not ours to do."""
        if not self.folder.is_dir() or not _is_shared(self.folder.parent):
            return
        try:
            self._prepare()
            for path in self.folder.iterdir():
                _share(path, self.folder.parent, _GROUP_READS)
        except OSError as error:
            raise CorpusError(
                f"{self.folder.name}: cannot be opened to its group ({type(error).__name__}); "
                "import as the user who keeps the house"
            ) from error

    def _prepare(self) -> None:
        """The folder: its owner's alone, or its group's to read where the one above is shared."""
        self.folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        if _is_shared(self.folder.parent):
            _share(self.folder, self.folder.parent, _GROUP_LISTS)
        else:
            self.folder.chmod(stat.S_IRWXU)

    def _write(self, name: str, content: bytes) -> None:
        beside = self.folder / f".{name}.new"
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as stream:
            if _is_shared(self.folder.parent):
                _share(stream.fileno(), self.folder.parent, _GROUP_READS)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self.folder / name)

    def _remove_others(self, key: str, name: str) -> None:
        for path in self.folder.iterdir():
            parts = path.name.split(".")
            if path.suffix == ".txt" and parts[:-2] == [key] and path.name != name:
                path.unlink()

    def _facts(self, path: Path) -> EpisodeFacts:
        try:
            fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return EpisodeFacts(**fields)
        except (OSError, ValueError, TypeError) as error:
            raise CorpusError(f"{path.name} cannot be read ({type(error).__name__}); import it again") from error

    def _script(self, facts: EpisodeFacts) -> Script:
        try:
            return parse((self.folder / facts.file).read_text(encoding="utf-8"))
        except (OSError, ValueError, ScriptError) as error:
            raise CorpusError(
                f"episode {facts.key} cannot be read ({type(error).__name__}); import it again"
            ) from error


def _is_shared(folder: Path) -> bool:
    """Whether a folder is one that a group shares."""
    return bool(folder.stat().st_mode & stat.S_ISGID)


def _share(what: Path | int, shared_folder: Path, mode: int) -> None:
    """Give a file or folder to the group of a shared folder, to read. What has the right form already is left alone."""
    if isinstance(what, Path):
        descriptor = os.open(what, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # nobody's link leads us elsewhere
        try:
            _share(descriptor, shared_folder, mode)
        finally:
            os.close(descriptor)
        return
    found, group = os.fstat(what), shared_folder.stat().st_gid
    if found.st_gid != group:
        os.fchown(what, -1, group)
    if found.st_gid != group or stat.S_IMODE(found.st_mode) != mode:
        os.fchmod(what, mode)


def _order(facts: EpisodeFacts) -> tuple[bool, int, str]:
    return facts.number is None, facts.number or 0, facts.key


__all__ = ["READER_VERSION", "EpisodeFacts", "Shelf", "StoredEpisode"]
