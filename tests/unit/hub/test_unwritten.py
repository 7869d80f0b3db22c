"""What a service is told is in no database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from jupyterhub import orm
from jupyterhub.services.service import Service

from hub.unwritten import keep_environments_unwritten
from tng.errors import SettingsError

SECRET = "a-key-in-an-environment"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A hub's database as JupyterHub writes it by itself."""
    path = tmp_path / "hub.sqlite"
    session = orm.new_session_factory(f"sqlite:///{path}")()
    session.add(orm.Service(name="api", from_config=True, environment={"KEY": SECRET}))
    session.commit()
    session.close()
    return path


def test_what_an_older_house_has_written_is_erased_and_the_rest_stays(database: Path) -> None:
    assert SECRET.encode() in database.read_bytes()
    keep_environments_unwritten(database)
    assert SECRET.encode() not in database.read_bytes()
    session = orm.new_session_factory(f"sqlite:///{database}")()
    assert session.query(orm.Service).one().name == "api"
    session.close()


def test_the_hub_writes_none_any_more(tmp_path: Path) -> None:
    keep_environments_unwritten(tmp_path / "not-yet")
    assert Service.class_traits()["environment"].metadata["in_db"] is False
    assert not (tmp_path / "not-yet").exists()


def test_a_database_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "hub.sqlite").write_text("this is no database, and long enough to be looked at" * 20)
    with pytest.raises(SettingsError, match="cannot be changed"):
        keep_environments_unwritten(tmp_path / "hub.sqlite")


def test_an_empty_database_is_fine(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "hub.sqlite").close()
    keep_environments_unwritten(tmp_path / "hub.sqlite")
