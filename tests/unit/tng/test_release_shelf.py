"""A release is found by its name, and taken only where it is the one that was promoted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.releases import a_release
from tests.shows import FIRST
from tng.errors import ReleaseDamaged, ReleaseMissing
from tng.promotion.shelf import ReleaseShelf, show_of
from tng.releases import MANIFEST, META, digest, writing_release


def another(place: Path, name: str) -> Path:
    """A release of the same name as others, and with other files."""
    with writing_release(place / name) as folder:
        (folder / META).write_text('{"made": "elsewhere"}', encoding="utf-8")
    return place / name


def test_the_first_place_wins_where_a_name_stands_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    a_release(first), another(second, "tiny"), a_release(second, "more")
    shelf = ReleaseShelf([first, second, tmp_path / "not-there"])
    assert [(one.id, one.folder.parent) for one in shelf] == [("more", second), ("tiny", first)]
    alone = another(tmp_path / "elsewhere", "tiny")
    assert ReleaseShelf([first], [alone]).find("tiny").folder == alone


def test_the_one_that_is_meant_is_taken_wherever_it_stands(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    a_release(first)
    meant = another(second, "tiny")
    shelf = ReleaseShelf([first, second])
    assert shelf.take("tiny", digest(meant / MANIFEST)).folder == meant
    with pytest.raises(ReleaseDamaged, match="its manifest differs"):
        shelf.take("tiny", "0" * 64)
    with pytest.raises(ReleaseMissing, match="there are: tiny"):
        shelf.take("more", "0" * 64)


def test_a_release_is_found_by_its_folder_too(tmp_path: Path) -> None:
    folder = another(tmp_path, "mine")
    assert ReleaseShelf([]).find(str(folder)).folder == folder


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_release_that_is_closed_to_this_user_is_none(tmp_path: Path) -> None:
    folder = a_release(tmp_path).folder
    folder.chmod(0)
    try:
        assert list(ReleaseShelf([tmp_path])) == []
    finally:
        folder.chmod(0o700)


def test_a_release_names_its_show_or_none(tmp_path: Path) -> None:
    assert show_of(a_release(tmp_path, "with", show=FIRST)) == FIRST.name
    assert show_of(a_release(tmp_path, "without")) is None


@pytest.mark.parametrize(
    ("place_mode", "modes"),
    [
        pytest.param(0o2750, {0o2750, 0o640}, id="shared"),
        pytest.param(0o700, {0o700, 0o600}, id="of-one-user"),
    ],
)
def test_in_a_shared_place_the_group_may_read_a_release_that_is_made_there(
    tmp_path: Path, place_mode: int, modes: set[int]
) -> None:
    place = tmp_path / "releases"
    place.mkdir()
    place.chmod(place_mode)
    before = os.umask(0o077)
    try:
        folder = another(place, "made")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())} == modes
