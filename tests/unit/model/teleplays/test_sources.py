"""Whatever lies in an archive, nothing leaves it but teleplays; and an archive that attacks is refused whole."""

from __future__ import annotations

import random
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from model.corpus.teleplays import sources
from model.corpus.teleplays.importing import import_teleplays
from model.corpus.teleplays.shelf import Shelf
from model.corpus.teleplays.sources import read_sources
from tests.teleplays import MARKER, invented_script, studio_pages, zipped
from tng.errors import CorpusError
from tng.shows import Show

GOOD = {"103.txt": studio_pages(invented_script(1, scenes=12, speeches=24), 103).encode()}


def _lying_about_its_size(content: bytes) -> bytes:
    """An archive whose headers promise ten bytes of a member that has more."""
    archive = zipped({"103.txt": content})
    real = struct.pack("<I", len(content))
    return archive.replace(real, struct.pack("<I", 10))


ATTACKS: dict[str, Callable[[], bytes]] = {
    "a path that climbs": lambda: zipped(GOOD | {"../../evil.txt": b"x"}),
    "a path that climbs by backslashes": lambda: zipped(GOOD | {"..\\..\\evil.txt": b"x"}),
    "an absolute path": lambda: zipped(GOOD | {"/etc/evil.txt": b"x"}),
    "a path with a drive": lambda: zipped(GOOD | {"C:\\evil.txt": b"x"}),
    "a path on another machine": lambda: zipped(GOOD | {"\\\\host\\share\\evil.txt": b"x"}),
    "an encrypted member": lambda: _encrypted(zipped(GOOD)),
    "a link": lambda: zipped(GOOD, external_attr=(stat.S_IFLNK | 0o777) << 16),
    "too many members": lambda: zipped({f"{number}.txt": b"" for number in range(2001)}),
    "a bomb": lambda: zipped(GOOD | {"bomb.txt": b"\0" * 8_000_000}),
    "a lie about the size": lambda: _lying_about_its_size(GOOD["103.txt"]),
    "an archive cut off": lambda: zipped(GOOD)[:-200],
    "bytes that changed": lambda: zipped(GOOD).replace(zipped(GOOD)[200:260], bytes(60)),
}


def _encrypted(archive: bytes) -> bytes:
    """The flag set, in the member's own header and in the directory."""
    changed = bytearray(archive)
    changed[6] |= 1
    changed[archive.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_archive_that_attacks_is_refused_and_nothing_is_written(
    attack: Callable[[], bytes], show: Show, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "given.zip").write_bytes(attack())
    before = set(tmp_path.rglob("*"))
    report = import_teleplays([tmp_path / "given.zip"], show, shelf)
    assert (report.accepted, report.refused) == (0, 1)
    assert report.files[0].reason.startswith("given.zip: ")
    assert MARKER not in report.files[0].reason
    assert set(tmp_path.rglob("*")) == before


def test_the_same_archive_without_an_attack_is_taken(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "given.zip").write_bytes(zipped(GOOD))
    assert import_teleplays([tmp_path / "given.zip"], show, shelf).accepted == 1


def test_bytes_are_counted_as_they_come_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"{number}.txt": random.Random(number).randbytes(30_000) for number in range(4)}
    (tmp_path / "given.zip").write_bytes(zipped(members))
    assert len(read_sources(tmp_path / "given.zip").files) == 4
    monkeypatch.setattr(sources, "MOST_BYTES", 100_000)
    with pytest.raises(CorpusError, match=r"given\.zip: holds more than"):
        read_sources(tmp_path / "given.zip")


def test_more_than_64_megabytes_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    with (folder / "1.txt").open("wb") as stream:
        stream.truncate(sources.MOST_BYTES + 1)  # a hole: takes no disk
    with pytest.raises(CorpusError, match="large: holds more than 64 MB; give it in parts"):
        read_sources(folder)


def test_what_is_no_teleplay_is_counted_by_kind(tmp_path: Path) -> None:
    members = {
        "a/103.txt": b"1",
        "a/notes.PDF": b"2",
        "b.pdf": b"3",
        "more.zip": zipped({"104.txt": b"4"}),
        "README": b"5",
        "__MACOSX/103.txt": b"6",
        "a/.DS_Store": b"7",
        "a/._103.txt": b"8",
        "c.FDX": b"9",
        "d.fountain": b"0",
    }
    (tmp_path / "given.zip").write_bytes(zipped(members))
    found = read_sources(tmp_path / "given.zip")
    assert [file.name for file in found.files] == ["a/103.txt", "c.FDX", "d.fountain"]
    assert found.files[1].suffix == ".fdx"
    assert found.ignored == {".pdf": 2, "ZIP inside": 1, "no suffix": 1}


def test_a_folder_is_read_with_those_in_it_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    (folder / "season 1").mkdir(parents=True)
    (folder / "season 1" / "103.txt").write_bytes(b"1")
    (folder / "104.txt").write_bytes(b"2")
    (folder / ".hidden.txt").write_bytes(b"3")
    (tmp_path / "secret.txt").write_bytes(b"4")
    (folder / "105.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "elsewhere").symlink_to(tmp_path)
    found = read_sources(folder)
    assert [file.content for file in found.files] == [b"2", b"1"]
    assert found.ignored == {"link": 2}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("page.pdf", b"%PDF", "page.pdf: is none of .fdx, .fountain, .txt, .zip"),
        ("cut.zip", b"PK\x03\x04", "cut.zip: is not a whole ZIP archive"),
        ("absent.txt", None, "absent.txt: there is no such file"),
    ],
    ids=["another kind", "half an archive", "nothing"],
)
def test_what_cannot_be_opened_is_refused_by_name(
    name: str, content: bytes | None, reason: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=reason):
        read_sources(tmp_path / name)
