"""What lies on a workbench is ours until somebody changes it; and no trick in a home leads out of it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.workbench import GIVEN_FILE, MOST_BYTES, stock

NAME, NEWER = "one.ipynb", "one.new.ipynb"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / NAME).write_text("ours")
    (folder / "README.md").write_text("about")
    (folder / "three.txt").write_text("no notebook")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path / "home" / "workbench"


def _texts(target: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in target.iterdir() if path.name != GIVEN_FILE}


def test_an_empty_workbench_gets_the_notebooks_and_the_page_about_them(source: Path, target: Path) -> None:
    stock(source, target)
    assert _texts(target) == {NAME: "ours", "README.md": "about"}
    assert target.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}


def test_stocking_again_changes_nothing(source: Path, target: Path) -> None:
    stock(source, target)
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    stock(source, target)
    assert {path.name: path.stat().st_mtime_ns for path in target.iterdir()} == before


def test_an_untouched_notebook_gives_way_to_a_newer_one(source: Path, target: Path) -> None:
    stock(source, target)
    (source / NAME).write_text("ours, newer")
    stock(source, target)
    assert _texts(target)[NAME] == "ours, newer"
    assert NEWER not in _texts(target)


def test_what_a_person_changed_stays_as_it_is(source: Path, target: Path) -> None:
    stock(source, target)
    (target / NAME).write_text("mine")
    stock(source, target)
    assert _texts(target) == {NAME: "mine", "README.md": "about"}


def test_a_newer_one_is_laid_beside_a_changed_one_once(source: Path, target: Path) -> None:
    stock(source, target)
    (target / NAME).write_text("mine")
    (source / NAME).write_text("ours, newer")
    stock(source, target)
    stock(source, target)
    assert _texts(target) == {NAME: "mine", NEWER: "ours, newer", "README.md": "about"}
    (target / NEWER).unlink()
    stock(source, target)
    assert NEWER not in _texts(target), "whoever has seen it and thrown it away need not see it again"


def test_what_lies_beside_is_kept_up_to_date_until_somebody_works_on_it(source: Path, target: Path) -> None:
    stock(source, target)
    (target / NAME).write_text("mine")
    for newer in ("second", "third"):
        (source / NAME).write_text(newer)
        stock(source, target)
        assert _texts(target)[NEWER] == newer
    (target / NEWER).write_text("third, and mine")
    (source / NAME).write_text("fourth")
    stock(source, target)
    assert _texts(target)[NEWER] == "third, and mine"


def test_what_lies_beside_goes_once_the_newer_one_was_taken(source: Path, target: Path) -> None:
    stock(source, target)
    (target / NAME).write_text("mine")
    (source / NAME).write_text("ours, newer")
    stock(source, target)
    (target / NAME).write_text("ours, newer")
    stock(source, target)
    assert _texts(target) == {NAME: "ours, newer", "README.md": "about"}


def test_what_was_deleted_stays_away_until_there_is_a_newer_one(source: Path, target: Path) -> None:
    stock(source, target)
    (target / NAME).unlink()
    stock(source, target)
    assert NAME not in _texts(target)
    (source / NAME).write_text("ours, newer")
    stock(source, target)
    assert _texts(target)[NAME] == "ours, newer"


def test_a_file_of_that_name_that_was_never_ours_is_left_alone(source: Path, target: Path) -> None:
    target.mkdir()
    (target / NAME).write_text("somebody's own")
    stock(source, target)
    assert _texts(target) == {NAME: "somebody's own", NEWER: "ours", "README.md": "about"}


@pytest.mark.parametrize("body", ["", "[]", "{", '{"one.ipynb": 7}', "[" * 100_000, "\x00\xff"])
def test_a_broken_memory_costs_nobody_a_file(source: Path, target: Path, body: str) -> None:
    stock(source, target)
    (target / NAME).write_text("mine")
    (target / GIVEN_FILE).write_text(body)
    stock(source, target)
    assert _texts(target)[NAME] == "mine"
    assert set(json.loads((target / GIVEN_FILE).read_text())) == {"README.md", NEWER}


def test_a_link_for_a_folder_is_not_followed(source: Path, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = target.parent.parent / "elsewhere"
    elsewhere.mkdir()
    target.symlink_to(elsewhere)
    with caplog.at_level(logging.WARNING):
        stock(source, target)
    assert not list(elsewhere.iterdir())
    assert "was not stocked" in caplog.text
    assert str(target) not in caplog.text


@pytest.mark.parametrize("given_before", [True, False])
def test_a_link_for_a_file_is_not_written_through(source: Path, target: Path, given_before: bool) -> None:
    secret = target.parent.parent / "secret"
    secret.write_text("ours")  # what it says is just what was given: still a link is no untouched notebook
    if given_before:
        stock(source, target)
        (target / NAME).unlink()
    target.mkdir(exist_ok=True)
    (target / NAME).symlink_to(secret)
    (target / NEWER).symlink_to(secret)
    (source / NAME).write_text("ours, newer")
    stock(source, target)
    assert secret.read_text() == "ours"
    assert (target / NAME).is_symlink()
    assert (target / NEWER).is_symlink()


def test_a_link_for_the_memory_is_replaced_and_not_followed(source: Path, target: Path) -> None:
    secret = target.parent.parent / "secret"
    secret.write_text("{}")
    target.mkdir()
    (target / GIVEN_FILE).symlink_to(secret)
    stock(source, target)
    assert secret.read_text() == "{}"
    assert not (target / GIVEN_FILE).is_symlink()


def test_a_hard_link_of_a_foreign_file_is_replaced_and_not_written_into(source: Path, target: Path) -> None:
    secret = target.parent.parent / "secret"
    secret.write_text("ours")
    stock(source, target)
    (target / NAME).unlink()
    (target / NAME).hardlink_to(secret)
    (source / NAME).write_text("ours, newer")
    stock(source, target)
    assert secret.read_text() == "ours"
    assert _texts(target)[NAME] == "ours, newer"


def _as_pipe(path: Path) -> None:
    os.mkfifo(path)


def _as_folder(path: Path) -> None:
    path.mkdir()


def _as_something_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [_as_pipe, _as_folder, _as_something_huge])
def test_nothing_keeps_it_waiting(source: Path, target: Path, make: Callable[[Path], None]) -> None:
    target.mkdir()
    make(target / NAME)
    stock(source, target)
    assert (target / NEWER).read_text() == "ours"


def test_a_home_that_cannot_be_written_to_keeps_nobody_out(
    source: Path, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target.write_text("a file where the folder should be")
    stock(source, target)
    assert "was not stocked" in caplog.text


def test_nothing_half_written_is_left(source: Path, target: Path) -> None:
    target.mkdir()
    (target / GIVEN_FILE).mkdir()  # so that the last write fails
    stock(source, target)
    assert not [path for path in target.iterdir() if path.suffix == ".partial"]
