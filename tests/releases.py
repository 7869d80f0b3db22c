"""Releases that write nothing, but are whole, and a ledger over them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.fakes import FakeClock
from tng.ports import Clock, Store
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.shelf import ReleaseShelf
from tng.releases import META, Release, writing_release
from tng.shows import SHOW_FILE


def a_release(places: Path, name: str = "tiny", *, show: Path | None = None) -> Release:
    """A whole release in ``places``; one that is there already is left as it is."""
    folder = places / name
    if not folder.is_dir():
        with writing_release(folder) as partial:
            (partial / META).write_text(f'{{"name": "{name}"}}', encoding="utf-8")
            if show is not None:
                shutil.copy(show / SHOW_FILE, partial)
    return Release(name, folder)


def a_ledger(
    store: Store, places: Path, *more: str, first: str = "tiny", clock: Clock | None = None, show_id: str = ""
) -> ReleaseLedger:
    """The ledger of a house that begins with the release ``first`` and has ``more`` in ``places``."""
    begun = a_release(places, first)
    for name in more:
        a_release(places, name)
    return ReleaseLedger(store, clock or FakeClock(), ReleaseShelf([places]), begun, show_id=show_id)
