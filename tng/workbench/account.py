"""What a run tells of itself while it writes: how long each scene took, how it went, and nothing of what it wrote.

It listens to the run's events as they are (``plan``, ``scene``, ``progress``, ``restart`` …): those of an order that
come through the api, or those of a script that is written here and now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tng.provenance import Provenance


@dataclass(frozen=True, slots=True)
class SceneTime:
    """One scene, by its act and number, and the seconds that its writing took."""

    name: str
    seconds: float


@dataclass
class RunAccount:
    """One script's run. ``events`` counts what was heard by kind; ``scenes`` are those of the last attempt."""

    title: str
    state: str = ""
    provenance: Provenance = field(default_factory=Provenance)
    attempts: int = 1
    planned: int = 0
    events: Counter[str] = field(default_factory=Counter)
    scenes: list[SceneTime] = field(default_factory=list)
    _until_seconds: float = 0.0

    def hear(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take in one event; what it does not understand is counted and changes nothing else."""
        self.events[kind] += 1
        match kind:
            case "restart":
                self.attempts = _whole(body.get("attempt"), self.attempts)
                self.planned, self.scenes, self._until_seconds = 0, [], 0.0
            case "plan":
                self.planned = sum(len(act.get("scenes", ())) for act in body.get("acts", ()))
            case "state":
                self.state = str(body.get("state", self.state))
            case "progress":
                self._take_time(body)

    def _take_time(self, body: Mapping[str, Any]) -> None:
        """A run of an older writer tells no seconds."""
        seconds = body.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return
        name = f"{body.get('act', '')}, {_whole(body.get('done'), 0)}"
        self.scenes.append(SceneTime(name, round(max(0.0, seconds - self._until_seconds), 2)))
        self._until_seconds = float(seconds)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each scene took, by its name."""
        return {scene.name: scene.seconds for scene in self.scenes}

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that is known, a line each, for the person who asked."""
        heard = ", ".join(f"{count} × {kind}" for kind, count in sorted(self.events.items()))
        state = [f"State: {self.state}."] if self.state else []
        attempts = [f"It took {self.attempts} attempts."] if self.attempts > 1 else []
        written = "1 scene was" if len(self.scenes) == 1 else f"{len(self.scenes)} scenes were"
        took = f"{written} written in {self._until_seconds:.1f} seconds."
        timed = took if self.scenes else "The run did not say how long its scenes took."
        return (*state, *attempts, *self.provenance.sentences, timed, f"Events: {heard or 'none'}.")


def _whole(value: object, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


__all__ = ["RunAccount", "SceneTime"]
