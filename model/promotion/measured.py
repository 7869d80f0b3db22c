"""Everything that was measured of one release, as the file of an evaluation keeps it. It judges nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from model.promotion.held_out import Reading
from model.promotion.probing import Probes
from model.promotion.samples import Samples


@dataclass(frozen=True, slots=True)
class Measured:
    """One side of an evaluation.

    ``flaw`` of its files: then nothing else was measured. ``reading`` holds the held-out episodes, empty with the
    reason in ``reading_flaw`` where they could not be read.
    """

    release_id: str
    flaw: str = ""
    probes: Probes = field(default_factory=Probes)
    reading: tuple[Reading, ...] = ()
    reading_flaw: str = ""
    samples: Samples = field(default_factory=Samples)

    @property
    def is_sound(self) -> bool:
        """Whether it can be loaded, asked and written with in this process: whole, not crashing, not slow, numbers."""
        numbers = all(math.isfinite(nats) for episode in self.reading for nats in episode.nats)
        return bool(not self.flaw and not self.probes.flaw and not self.samples.flaw and self.reading and numbers)

    def to_fields(self) -> dict[str, Any]:
        """As plain JSON values; what is no number is null."""
        episodes = [
            {"nats": [nats if math.isfinite(nats) else None for nats in one.nats], "tokens": list(one.tokens)}
            for one in self.reading
        ]
        return {
            "release_id": self.release_id,
            "flaw": self.flaw,
            "probes": asdict(self.probes),
            "reading": episodes,
            "reading_flaw": self.reading_flaw,
            "samples": self.samples.to_fields(),
        }

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Measured:
        """Back from JSON."""
        reading = tuple(
            Reading(tuple(math.nan if nats is None else nats for nats in one["nats"]), tuple(one["tokens"]))
            for one in fields["reading"]
        )
        return cls(
            fields["release_id"],
            fields["flaw"],
            Probes.read(fields["probes"]),
            reading,
            fields["reading_flaw"],
            Samples.read(fields["samples"]),
        )


__all__ = ["Measured"]
