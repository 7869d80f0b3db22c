"""MLflow's registry as a mirror of the ledger: one registered model, a version a release, two aliases.

The ledger of the shop is the truth. Whatever was changed by hand in MLflow is put right; it decides nothing here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from model.training.mlflow_store import alone, open_store, unheard
from tng.errors import ReleaseError

MODEL: Final = "writer"
CHAMPION, CHALLENGER = "champion", "challenger"
RELEASE, PROMOTED, REASON, METRIC = "release_id", "promoted_at", "reason", "metric."
LEDGER, MIRRORED = "ledger_id", "mirrored_at"
_RECENT_SECONDS: Final = 60.0
"""A mirror of a newer ledger that is no older than this overtook us; an older one was changed by hand."""


@dataclass(frozen=True, slots=True)
class MirroredRelease:
    """A release as the registry shows it; ``promoted_at`` is empty where it never was."""

    id: str
    folder: str
    promoted_at: str = ""
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """What its version says of it."""
        told = {RELEASE: self.id, PROMOTED: self.promoted_at, REASON: self.reason}
        told |= {METRIC + name: str(value) for name, value in self.metrics.items()}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class MirroredLedger:
    """What the ledger says now; ``number`` is that of its last row."""

    number: int
    releases: tuple[MirroredRelease, ...]
    champion: str = ""
    challenger: str = ""

    @property
    def aliases(self) -> dict[str, str]:
        """Alias → release."""
        return {alias: named for alias, named in self._named().items() if named}

    def _named(self) -> dict[str, str]:
        return {CHAMPION: self.champion, CHALLENGER: self.challenger}


@dataclass(slots=True)
class MirrorReport:
    """What the mirror had to change."""

    made: int = 0
    mended: int = 0
    removed: int = 0
    was_overtaken: bool = False


def read_ledger(text: str) -> MirroredLedger:
    """The ledger as JSON says it. Raises ReleaseError where that is none, or names a release that it does not list."""
    try:
        said = json.loads(text)
        releases = tuple(_release(fields) for fields in said["releases"])
        ledger = MirroredLedger(
            int(said["ledger_id"]), releases, str(said["champion"] or ""), str(said["challenger"] or "")
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"what was given is no ledger ({type(error).__name__}); it needs its releases") from error
    listed = [release.id for release in releases]
    missing = [named for named in ledger.aliases.values() if named not in listed]
    if missing or len(set(listed)) < len(listed):
        raise ReleaseError(f"the ledger must list every release once; look at {', '.join(missing) or 'its releases'}")
    return ledger


def mirror(database: Path, ledger: MirroredLedger) -> MirrorReport:
    """Make the registry in ``database`` say what the ledger says; one at a time, and again it changes nothing.

    Raises StoreBusy where the file stays locked, and what ``mlflow_store.failures`` names.
    """
    report = MirrorReport()
    database.parent.mkdir(parents=True, exist_ok=True)
    with alone(database.parent), unheard():
        registry = _Registry(open_store(database), report)
        if registry.is_newer_than(ledger):
            report.was_overtaken = True
        else:
            registry.take_over(ledger)
    return report


class _Registry:
    """The registered model, and what is done to it."""

    def __init__(self, client: Any, report: MirrorReport) -> None:
        self._client, self._report = client, report
        self._model = self._registered()

    def is_newer_than(self, ledger: MirroredLedger) -> bool:
        """Whether a mirror of later rows came in between, a moment ago."""
        number, at = (_number(self._model.tags.get(name)) for name in (LEDGER, MIRRORED))
        return number > ledger.number and 0 <= time.time() - at < _RECENT_SECONDS

    def take_over(self, ledger: MirroredLedger) -> None:
        """Versions first, then the aliases, the number of the ledger at the end: it stands where all of it does."""
        versions = self._keep_right_versions(ledger)
        for release in ledger.releases:
            if release.id not in versions:
                versions[release.id] = self._make(release)
        self._set_aliases({alias: versions[named] for alias, named in ledger.aliases.items()})
        changed = self._report.made or self._report.mended or self._report.removed
        if changed or self._model.tags.get(LEDGER) != str(ledger.number):
            self._client.set_registered_model_tag(MODEL, LEDGER, str(ledger.number))
            self._client.set_registered_model_tag(MODEL, MIRRORED, str(int(time.time())))

    def _registered(self) -> Any:
        found = self._client.search_registered_models(f"name = '{MODEL}'")
        return found[0] if found else self._client.create_registered_model(MODEL)

    def _keep_right_versions(self, ledger: MirroredLedger) -> dict[str, str]:
        """Release → version, of those that are right or could be mended; all others are removed."""
        wanted = {release.id: release for release in ledger.releases}
        kept: dict[str, str] = {}
        for version in self._versions():
            release = wanted.get(version.tags.get(RELEASE, ""))
            if release is None or release.id in kept or version.source != release.folder:
                self._client.delete_model_version(MODEL, version.version)
                self._report.removed += 1
            else:
                kept[release.id] = str(version.version)
                self._report.mended += self._mend_tags(version, release.tags)
        return kept

    def _versions(self) -> list[Any]:
        """Every version, the oldest first."""
        found: list[Any] = []
        token: str | None = None
        while token != "":
            page = self._client.search_model_versions(f"name = '{MODEL}'", max_results=200, page_token=token)
            found += page
            token = page.token or ""
        return sorted(found, key=lambda version: int(version.version))

    def _make(self, release: MirroredRelease) -> str:
        self._report.made += 1
        made = self._client.create_model_version(MODEL, release.folder, tags=release.tags)
        return str(made.version)

    def _mend_tags(self, version: Any, tags: Mapping[str, str]) -> bool:
        """Put our tags right, and leave an operator's own; whether anything was wrong."""
        ours = {name: value for name, value in version.tags.items() if name in _OUR_TAGS or name.startswith(METRIC)}
        for name in ours.keys() - tags.keys():
            self._client.delete_model_version_tag(MODEL, version.version, name)
        for name, value in tags.items():
            if ours.get(name) != value:
                self._client.set_model_version_tag(MODEL, version.version, name, value)
        return ours != dict(tags)

    def _set_aliases(self, aliases: Mapping[str, str]) -> None:
        found = {alias: str(version) for alias, version in self._registered().aliases.items()}
        for alias in (CHAMPION, CHALLENGER):
            if found.get(alias) == aliases.get(alias):
                continue
            self._report.mended += 1
            if alias in aliases:
                self._client.set_registered_model_alias(MODEL, alias, aliases[alias])
            else:
                self._client.delete_registered_model_alias(MODEL, alias)


_OUR_TAGS: Final = frozenset({RELEASE, PROMOTED, REASON})


def _release(fields: Mapping[str, Any]) -> MirroredRelease:
    metrics = {str(name): float(value) for name, value in (fields.get("metrics") or {}).items() if value is not None}
    promoted_at, reason = (str(fields.get(name) or "") for name in (PROMOTED, REASON))
    return MirroredRelease(str(fields["id"]), str(fields["folder"]), promoted_at, reason, metrics)


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0  # somebody wrote over it


__all__ = ["MODEL", "MirrorReport", "MirroredLedger", "MirroredRelease", "mirror", "read_ledger"]
