"""Secrets that the house makes for itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.keys import own_secret
from tng.errors import SettingsError


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    first = own_secret(tmp_path, "a")
    assert own_secret(tmp_path, "a") == first
    assert len(bytes.fromhex(first)) == 32


def test_two_names_are_two_secrets(tmp_path: Path) -> None:
    assert own_secret(tmp_path, "a") != own_secret(tmp_path, "b")


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    own_secret(tmp_path, "a")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "a").stat().st_mode & 0o777 == 0o600


def test_many_who_ask_at_once_are_given_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        given = set(pool.map(lambda _: own_secret(tmp_path, "a"), range(32)))
    assert len(given) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(SettingsError, match="TNG_HOME"):
        own_secret(tmp_path, "a")
