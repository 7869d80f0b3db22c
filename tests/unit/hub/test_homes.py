"""A home folder is for one person for ever, and root follows nothing that lies in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.homes import hand_over, make_home, remove_sockets, socket_folder
from hub.unix_users import UnixUser
from tng.errors import HomeTaken

ADA, BEN = UnixUser(3_200_001, 3_200_001), UnixUser(3_200_002, 3_200_002)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")


def test_a_home_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = make_home(tmp_path / "homes", "ada@example.com")
    assert home.stat().st_mode & 0o777 == 0o700
    assert make_home(tmp_path / "homes", "ada@example.com") == home


@pytest.mark.parametrize("name", ["../../etc", "..", ".ssh", "a/../b@example.com"])
def test_no_name_leads_out_of_the_homes(tmp_path: Path, name: str) -> None:
    homes = tmp_path / "homes"
    home = make_home(homes, f"{name}x")
    assert home.parent == homes
    assert home.resolve().is_relative_to(homes.resolve())
    assert home != homes


@as_root
def test_a_persons_home_is_theirs_and_the_way_to_it_is_free(tmp_path: Path) -> None:
    home = make_home(tmp_path / "homes", "ada", ADA)
    assert (home.stat().st_uid, home.stat().st_gid, home.stat().st_mode & 0o777) == (ADA.uid, ADA.gid, 0o700)
    assert (home.parent.stat().st_uid, home.parent.stat().st_mode & 0o777) == (0, 0o711)
    assert make_home(tmp_path / "homes", "ada", ADA) == home


@as_root
def test_a_home_of_another_is_never_handed_on(tmp_path: Path) -> None:
    make_home(tmp_path / "homes", "ada", ADA)
    with pytest.raises(HomeTaken, match=r"of user 3200001 and not of 3200002"):
        make_home(tmp_path / "homes", "ada", BEN)


@as_root
def test_a_number_that_was_anothers_opens_no_second_home(tmp_path: Path) -> None:
    make_home(tmp_path / "homes", "ada", ADA)
    with pytest.raises(HomeTaken, match="another person's number"):
        make_home(tmp_path / "homes", "ben", ADA)
    assert not (tmp_path / "homes" / "ben").exists()


@as_root
@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_no_home(tmp_path: Path, kind: str) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    if kind == "link":
        (homes / "ada").symlink_to(tmp_path)
    else:
        (homes / "ada").touch()
    with pytest.raises(HomeTaken):
        make_home(homes, "ada", ADA)
    assert tmp_path.stat().st_uid == 0


@as_root
def test_a_home_from_before_is_handed_over_whole(tmp_path: Path) -> None:
    home = make_home(tmp_path / "homes", "ada")
    (home / "deep").mkdir()
    (home / "deep" / "notes").write_text("mine")
    make_home(tmp_path / "homes", "ada", ADA)
    assert {path.stat().st_uid for path in (home, *home.rglob("*"))} == {ADA.uid}


@as_root
def test_nothing_that_is_only_named_in_a_folder_is_given_away(tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "folder"
    (tmp_path / "others").mkdir()
    for file in (precious, tmp_path / "others" / "file"):
        file.write_text("root's")
    folder.mkdir()
    (folder / "link").symlink_to(precious)
    (folder / "folder").symlink_to(tmp_path / "others")
    os.link(precious, folder / "second-name")
    (folder / "bens").touch()
    os.chown(folder / "bens", BEN.uid, BEN.gid)
    hand_over(folder, ADA)
    assert precious.stat().st_uid == (tmp_path / "others" / "file").stat().st_uid == 0
    assert (folder / "link").lstat().st_uid == ADA.uid
    assert (folder / "bens").stat().st_uid == BEN.uid


@pytest.mark.parametrize("length", [57, 58, 200], ids=["fits", "one-too-long", "far-too-long"])
def test_a_kernels_socket_fits_into_its_path(tmp_path: Path, length: int) -> None:
    wished = Path(str(tmp_path) + "/" + "x" * max(1, length - len(str(tmp_path)) - 1))
    if len(str(wished)) > 250:
        pytest.skip("the folder of this test is too long itself")
    folder = socket_folder(wished)
    socket = folder / "kernel-12345678-1234-1234-1234-123456789012-ipc-10"
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(str(socket)) <= 107
    if folder != wished:
        folder.rmdir()


def test_what_an_earlier_server_left_is_not_found_again(tmp_path: Path) -> None:
    wished = Path("/tmp") / f"tng-run-{os.getpid()}"  # noqa: S108 - short enough for a socket
    (socket_folder(wished) / "old").touch()
    assert list(socket_folder(wished).iterdir()) == []
    remove_sockets(wished)
    assert not wished.exists()


@as_root
def test_the_sockets_of_a_person_are_theirs(tmp_path: Path) -> None:
    folder = socket_folder(tmp_path / ("x" * 60), ADA)
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (ADA.uid, 0o700)
    remove_sockets(folder)


def test_to_remove_sockets_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "run").symlink_to(tmp_path / "precious")
    remove_sockets(tmp_path / "run")
    assert (tmp_path / "precious" / "file").exists()
    remove_sockets(tmp_path / "never-there")
