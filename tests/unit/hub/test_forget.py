"""An account that is taken away leaves no address and no file, and everybody else's stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyterhub import orm

from hub.forget import forget

ADDRESS = b"somebody@example.com"
NUMBER, OTHER = "100000000000000000001", "100000000000000000002"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with orm.new_session_factory(f"sqlite:///{tmp_path / 'hub.sqlite'}")() as session:
        session.add_all([orm.User(name=NUMBER, encrypted_auth_state=ADDRESS), orm.User(name=OTHER)])
        session.commit()
    for name in (NUMBER, OTHER):
        (tmp_path / "homes" / name).mkdir(parents=True)
        (tmp_path / "homes" / name / "mine.ipynb").write_text("words")
    return tmp_path


def test_account_and_home_are_gone_and_the_others_stay(home: Path) -> None:
    assert ADDRESS in (home / "hub.sqlite").read_bytes()
    assert forget(home, NUMBER)
    assert ADDRESS not in (home / "hub.sqlite").read_bytes()
    assert [folder.name for folder in (home / "homes").iterdir()] == [OTHER]
    with orm.new_session_factory(f"sqlite:///{home / 'hub.sqlite'}")() as session:
        assert [user.name for user in session.query(orm.User)] == [OTHER]
    assert not forget(home, NUMBER)


@pytest.mark.parametrize("name", ["", ".", "..", "../homes", f"{OTHER}/.."])
def test_no_name_leads_to_another_folder(home: Path, name: str) -> None:
    assert not forget(home, name)
    assert len(list((home / "homes").iterdir())) == 2


def test_a_house_that_was_never_opened_has_nobody(tmp_path: Path) -> None:
    assert not forget(tmp_path, NUMBER)
