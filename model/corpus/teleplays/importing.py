"""The whole way of an import: what was named is opened, decoded, read and kept; a report says what became of each file.

The report holds names of files, numbers and counts: no title, and no word of a script.
"""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from model.corpus.teleplays.decoding import Decoded, decode
from model.corpus.teleplays.dialects import read_teleplay
from model.corpus.teleplays.imported import Imported
from model.corpus.teleplays.shelf import READER_VERSION, EpisodeFacts, Shelf
from model.corpus.teleplays.sources import SourceFile, Sources, read_sources
from tng.errors import CorpusError
from tng.shows import Show

_LONGEST_KEY: Final = 60


class Outcome(StrEnum):
    """What became of a file."""

    TAKEN = "taken"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. Lines are numbers, from 1; ``reason`` says why a file was refused."""

    name: str
    outcome: Outcome
    reason: str = ""
    encoding: str = ""
    facts: EpisodeFacts | None = None
    unknown_lines: tuple[int, ...] = ()
    lines: int = 0
    repaired_acts: int = 0
    mended_cues: int = 0


@dataclass(slots=True)
class ImportReport:
    """What became of everything that was named."""

    files: list[FileReport] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def count(self, *outcomes: Outcome) -> int:
        """How many files came to one of these ends."""
        return sum(file.outcome in outcomes for file in self.files)

    @property
    def refused(self) -> int:
        """How many files, or whole archives, were refused."""
        return self.count(Outcome.REFUSED)

    @property
    def accepted(self) -> int:
        """How many files are episodes now: taken, replaced, or there already."""
        return len(self.files) - self.refused

    @property
    def unknown_lines(self) -> int:
        """How many lines of the files that were read this time were not understood."""
        return sum(len(file.unknown_lines) for file in self.files)

    @property
    def lines(self) -> int:
        """How many lines that are not blank were read."""
        return sum(file.lines for file in self.files)


def import_teleplays(paths: Iterable[Path], show: Show, shelf: Shelf, *, allow_short: bool = False) -> ImportReport:
    """Import what ``paths`` name into ``shelf``. A file that cannot be taken is in the report, and raises nothing.

    Raises CorpusError where the shelf itself is damaged or cannot be written.
    """
    started, report = time.monotonic(), ImportReport()
    importer = _Importer(show, shelf, allow_short)
    for path in paths:
        try:
            sources = read_sources(path)
        except CorpusError as error:
            report.files.append(FileReport(path.name, Outcome.REFUSED, str(error)))
            continue
        report.ignored.update(sources.ignored)
        report.files += importer.files(path, sources)
    report.seconds = time.monotonic() - started
    return report


class _Importer:
    """One import: what is kept already, and what came in since it began."""

    def __init__(self, show: Show, shelf: Shelf, allow_short: bool) -> None:
        self._show = show
        self._shelf = shelf
        self._allow_short = allow_short
        self._kept = shelf.facts()
        self._texts = {f.text_sha256: f for f in self._kept.values() if f.reader_version == READER_VERSION}
        self._came_from: dict[str, str] = {}

    def files(self, path: Path, sources: Sources) -> Iterator[FileReport]:
        """Import all files of one path, and report each."""
        if not sources.files:
            yield FileReport(path.name, Outcome.REFUSED, "holds no .txt, .fountain or .fdx file")
        for source in sources.files:
            yield self._file(source)

    def _file(self, source: SourceFile) -> FileReport:
        decoded = decode(source.content)
        digest = hashlib.sha256(decoded.text.encode("utf-8", "replace")).hexdigest()
        if known := self._texts.get(digest):
            self._came_from.setdefault(known.key, source.name)
            return FileReport(source.name, Outcome.UNCHANGED, encoding=decoded.encoding, facts=known)
        try:
            imported = read_teleplay(decoded.text, source.suffix, self._show, allow_short=self._allow_short)
            facts = self._facts(imported, source, decoded, digest)
            if earlier := self._came_from.get(facts.key):
                raise CorpusError(f"is episode {facts.key}, as {PurePosixPath(earlier).name} is")
        except CorpusError as error:
            return FileReport(source.name, Outcome.REFUSED, str(error), decoded.encoding)
        self._shelf.keep(facts, imported.script)
        older = self._kept.get(facts.key)
        outcome = Outcome.REPLACED if older else Outcome.TAKEN
        self._texts.pop(older.text_sha256 if older else "", None)
        self._kept[facts.key] = self._texts[digest] = facts
        self._came_from[facts.key] = source.name
        return FileReport(
            source.name,
            outcome,
            encoding=decoded.encoding,
            facts=facts,
            unknown_lines=imported.unknown_lines,
            lines=imported.lines,
            repaired_acts=imported.repaired_acts,
            mended_cues=imported.mended_cues,
        )

    def _facts(self, imported: Imported, source: SourceFile, decoded: Decoded, digest: str) -> EpisodeFacts:
        page, script = imported.page, imported.script
        title = script.title or PurePosixPath(source.name).stem
        return EpisodeFacts(
            key=_key(page.number, title),
            title=title,
            number=page.number,
            season=self._show.teleplays.season_of(page.number),
            writer=page.writer,
            director=page.director,
            draft=page.draft,
            date=page.date,
            story=page.story,
            dialect=imported.dialect.value,
            encoding=decoded.encoding,
            text_sha256=digest,
            acts=len(script.acts),
            scenes=len(script.scenes),
            speeches=imported.speeches,
        )


def _key(number: int | None, title: str) -> str:
    """The episode's name among the kept: its number, or its title in small letters; of other scripts a digest."""
    if number is not None:
        return str(number)
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST_KEY]
    return f"t-{key}" if key else f"t-{hashlib.sha256(title.encode()).hexdigest()[:16]}"


def summary_lines(report: ImportReport) -> Sequence[str]:
    """The totals in words, a line each."""
    counts = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in Outcome if report.count(outcome))
    lines = [f"{len(report.files)} files: {counts or 'none'}; {report.seconds:.1f} s"]
    if report.lines:
        share = report.unknown_lines / report.lines
        lines.append(f"{report.unknown_lines:,} of {report.lines:,} lines not understood ({share:.3%})")
    if report.ignored:
        lines.append("not read: " + ", ".join(f"{count} {kind}" for kind, count in sorted(report.ignored.items())))
    return lines


__all__ = ["FileReport", "ImportReport", "Outcome", "import_teleplays", "summary_lines"]
