"""Where releases stand, and which folder is the one that is meant. It reads manifests, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tng.errors import ReleaseDamaged, ReleaseMissing
from tng.releases import MANIFEST, PARTIAL, Release, digest, find_release
from tng.shows import SHOW_FILE, read_show


class ReleaseShelf:
    """Places that hold releases, a folder each. The same name in two places is the one of the first place.

    ``places`` hold release folders; ``alone`` are release folders that stand anywhere, and come first.
    """

    def __init__(self, places: Sequence[Path], alone: Sequence[Path] = ()) -> None:
        self._places, self._alone = places, alone

    def __iter__(self) -> Iterator[Release]:
        """Every release, by name; a half-written one is none."""
        found: dict[str, Release] = {}
        for folder in self._folders():
            if _is_release(folder):
                found.setdefault(folder.name, Release(folder.name, folder))
        yield from (found[name] for name in sorted(found))

    def find(self, name: str) -> Release:
        """The release of that id, or in that folder. Raises ReleaseMissing."""
        if _is_release(Path(name)):
            return find_release(Path(name).resolve())
        known = {one.id: one for one in self}
        if name not in known:
            raise ReleaseMissing(f"there is no release {name!r}; there are: {', '.join(known) or 'none'}")
        return known[name]

    def take(self, name: str, manifest_sha256: str) -> Release:
        """The release of that id, whose manifest is still the one that was promoted.

        Raises ReleaseMissing, ReleaseDamaged.
        """
        for folder in self._folders():
            if folder.name == name and _is_release(folder) and digest(folder / MANIFEST) == manifest_sha256:
                return Release(name, folder)
        release = self.find(name)
        raise ReleaseDamaged(
            f"release {name} in {release.folder.parent} is not the one that was promoted: its manifest differs. "
            "Restore its folder, or promote another release."
        )

    def _folders(self) -> Iterator[Path]:
        yield from self._alone
        for place in self._places:
            yield from sorted(place.glob("*/"))


def _is_release(folder: Path) -> bool:
    """Whether it is whole, and open to this user."""
    return not folder.name.endswith(PARTIAL) and os.access(folder / MANIFEST, os.R_OK)


def show_of(release: Release) -> str | None:
    """The id of the show that a release writes; None where it was made before releases carried theirs.

    Raises ShowError.
    """
    return read_show(release.folder).id if (release.folder / SHOW_FILE).is_file() else None
