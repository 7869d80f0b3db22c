"""Every process finds the release that writes: by the ledger, and by TNG_RELEASE where there is no ledger yet."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.fakes import FakeStore
from tests.releases import a_release
from tests.shows import FIRST, SECOND, first_show
from tng.adapters.in_use import release_in_use, show_in_use
from tng.app import _begin, _warming, build_release_ledger, build_shelf, build_store
from tng.errors import ReleaseDamaged, ReleaseMissing, SettingsError, StoreBusy
from tng.settings import Settings


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """A house that begins with ``tiny``; ``made`` was made here."""
    settings = Settings.draft(home=tmp_path / "home", release=a_release(tmp_path, "tiny", show=FIRST).folder)
    settings.make_home()
    a_release(settings.releases_folder, "made", show=FIRST)
    return settings


def promote(settings: Settings, name: str) -> None:
    ledger = build_release_ledger(settings)
    ledger.promote(name, actor="shell:ola", reason="x", unproven=True)


def test_a_new_house_writes_with_the_release_of_its_settings(house: Settings) -> None:
    assert release_in_use(house).id == "tiny"
    assert not list(house.shop_folder.glob("*.sqlite*")), "a look creates nothing"


def test_a_database_of_an_older_version_has_no_ledger(house: Settings) -> None:
    sqlite3.connect(house.shop_folder / "orders.sqlite").close()
    assert release_in_use(house).id == "tiny"


def test_a_house_whose_ledger_is_not_begun_writes_with_that_of_its_settings(house: Settings) -> None:
    build_store(house).close()
    assert release_in_use(house).id == "tiny"


@pytest.mark.parametrize("url", ["", "sqlite", "by SQLAlchemy"])
def test_then_it_writes_with_what_was_promoted(house: Settings, url: str, tmp_path: Path) -> None:
    scheme = {"": "", "sqlite": "sqlite:///", "by SQLAlchemy": "sqlite+pysqlite:///"}[url]
    ours = house.model_copy(update={"database_url": scheme and f"{scheme}{tmp_path / 'elsewhere.sqlite'}"})
    if url == "by SQLAlchemy":
        assert release_in_use(ours).id == "tiny", "its tables are not made yet"
    promote(ours, "made")
    assert release_in_use(ours).id == "made"
    shutil.rmtree(house.release)
    assert release_in_use(ours).id == "made", "TNG_RELEASE is needed by a new house alone"


def test_a_promoted_release_that_is_not_here_is_missed(house: Settings) -> None:
    promote(house, "made")
    manifest = house.releases_folder / "made" / "manifest.json"
    manifest.write_text("{}", encoding="utf-8")
    with pytest.raises(ReleaseDamaged):
        release_in_use(house)
    manifest.unlink()
    with pytest.raises(ReleaseMissing):
        release_in_use(house)
    assert show_in_use(house) == first_show(), "whoever needs the release says that it is missing"


def test_a_database_that_cannot_be_read_is_no_empty_ledger(house: Settings) -> None:
    promote(house, "made")
    with sqlite3.connect(house.shop_folder / "orders.sqlite") as connection:
        connection.execute("ALTER TABLE promotions RENAME COLUMN to_id TO elsewhere")
    with pytest.raises(StoreBusy, match="ledger"):
        release_in_use(house)


def test_the_show_is_held_against_the_release_that_writes(house: Settings) -> None:
    promote(house, "made")
    theirs = house.model_copy(update={"show": SECOND})
    with pytest.raises(SettingsError, match=r"release made writes tng.*promote a release of lantern"):
        show_in_use(theirs)
    lantern = a_release(house.home / "releases", "lantern-1", show=SECOND)
    promote(theirs, lantern.id)
    assert show_in_use(theirs).id == SECOND.name, "whatever TNG_RELEASE names"


def test_a_half_written_release_stands_on_no_shelf(house: Settings) -> None:
    shutil.copytree(house.releases_folder / "made", house.releases_folder / "more.partial")
    assert {"made", "tiny"} <= {one.id for one in build_shelf(house)}
    assert "more.partial" not in {one.id for one in build_shelf(house)}


def test_a_worker_says_where_its_settings_name_another_release_than_the_ledger(
    house: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ledger = build_release_ledger(house)
    _begin(ledger, house)
    assert "TNG_RELEASE" not in caplog.text
    promote(house, "made")
    _begin(ledger, house)
    (line,) = [line.getMessage() for line in caplog.records if "TNG_RELEASE" in line.getMessage()]
    for word in ("release made writes", "names tiny", "tng release promote tiny"):
        assert word in line


def test_of_a_release_that_nobody_named_nothing_is_said(house: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ours = house.model_copy(update={"release": Settings.model_fields["release"].default})
    promote(ours, "made")
    _begin(build_release_ledger(ours), ours)
    assert "TNG_RELEASE" not in caplog.text


def test_spare_kernels_load_the_release_that_writes(house: Settings) -> None:
    ledger = build_release_ledger(house, store=FakeStore())
    assert str(house.release) in _warming(ledger)
    ledger.promote("made", actor="shell:ola", reason="x", unproven=True)
    assert str(house.releases_folder / "made") in _warming(ledger)
