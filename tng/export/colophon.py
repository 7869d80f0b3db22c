"""What a file says of itself besides the script: who wrote it, with what, when, and whose the characters are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Colophon:
    """It stands on the title page of every format, and in the metadata where a format has some.

    ``identifier`` is an URN that stays the same however often the file is made; ``written_at`` is aware, and the
    only time that enters a file: the same script and colophon give the same bytes. ``provenance`` is a sentence.
    """

    product: str
    disclaimer: str
    identifier: str
    written_at: datetime
    release_id: str = ""
    seed: int | None = None
    provenance: str = ""

    @property
    def written_utc(self) -> datetime:
        """The time of writing in UTC, to the second."""
        return self.written_at.astimezone(UTC).replace(microsecond=0)

    @property
    def draft_date(self) -> str:
        """The day for a title page: ``24 November 2026``, in UTC."""
        return f"{self.written_utc.day} {self.written_utc:%B %Y}"

    @property
    def told(self) -> tuple[str, ...]:
        """How it was written: a sentence or two."""
        release = f" by release {self.release_id}" if self.release_id else ""
        seed = "" if self.seed is None else f", seed {self.seed}"
        written = f"Written on {self.draft_date}{release}{seed}."
        return (written, self.provenance) if self.provenance else (written,)

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands below the title: how it was written, and whose the characters are."""
        return (*self.told, self.disclaimer)
