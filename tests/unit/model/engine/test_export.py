"""An export is whole or absent, fits its checkpoint or is not taken, and can always be derived again."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from model.engine.export import EXPORT_FILE, export, export_for, export_key
from model.engine.form import FORMAT, Kind, Note
from model.engine.notes import notes_of
from model.engine.slots import Engine
from tests.checkpoints import make_checkpoint
from tng.errors import ReleaseDamaged
from tng.releases import digest, writing_release


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "small")


@pytest.fixture
def checkpoint(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "checkpoint")


def test_an_export_says_what_it_is(checkpoint: Path, tmp_path: Path) -> None:
    path = export(checkpoint, tmp_path / "into", Kind.FLOAT32)
    assert path == tmp_path / "into" / EXPORT_FILE
    assert notes_of(path) == {
        Note.KEY: export_key(checkpoint, Kind.FLOAT32),
        Note.KIND: "float32",
        Note.WINDOW: "64",
        Note.FORMAT: FORMAT,
    }


def test_it_is_derived_once_and_kept(checkpoint: Path, home: Path) -> None:
    path = export_for(checkpoint)
    assert path.is_relative_to(home)
    written = path.stat().st_mtime_ns
    assert export_for(checkpoint) == path
    assert path.stat().st_mtime_ns == written
    assert [each.name for each in path.parent.iterdir()] == [EXPORT_FILE]
    assert EXPORT_FILE not in {each.name for each in checkpoint.iterdir()}, "a checkpoint folder is only read"


def test_the_one_inside_a_release_is_taken(checkpoint: Path, home: Path) -> None:
    inside = export(checkpoint, checkpoint)
    assert export_for(checkpoint) == inside
    assert not home.exists()


def test_one_of_another_kind_inside_is_not_taken(checkpoint: Path, home: Path) -> None:
    export(checkpoint, checkpoint, Kind.FLOAT32)
    assert export_for(checkpoint, Kind.INT8).is_relative_to(home)


def test_one_of_other_weights_is_not_taken(checkpoint: Path, home: Path) -> None:
    export(checkpoint, checkpoint)
    weights = next(checkpoint.glob("*.data-*"))
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)
    assert export_for(checkpoint).is_relative_to(home)


@pytest.mark.parametrize("damage", ["cut-short", "emptied", "other"])
def test_a_damaged_one_is_derived_anew(checkpoint: Path, home: Path, damage: str) -> None:
    path = export_for(checkpoint)
    whole = digest(path)
    content = path.read_bytes()
    path.write_bytes({"cut-short": content[: len(content) // 2], "emptied": b"", "other": b"\x3a\x05hello"}[damage])
    assert export_for(checkpoint) == path
    assert digest(path) == whole


def test_two_at_once_leave_one_whole_export(checkpoint: Path, home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = {each.result() for each in [pool.submit(export_for, checkpoint) for _ in range(4)]}
    assert len(paths) == 1
    assert Engine(paths.pop()).feed({0: [1]})[0].shape == (280,)
    assert len([path for path in home.rglob("*") if path.is_file()]) == 1


def test_where_the_home_cannot_be_written_it_goes_to_the_cache(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with caplog.at_level(logging.WARNING):
        assert export_for(checkpoint).is_relative_to(tmp_path / "cache")
    assert "no export can be kept in exports" in caplog.text


def test_where_nothing_can_be_kept_it_is_temporary(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    for name in ("TNG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = export_for(checkpoint)
    assert path.parent.name.startswith("tng-export-")
    assert notes_of(path)[Note.KIND] == Kind.INT8


def test_a_write_that_fails_leaves_what_was_there(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export(checkpoint, tmp_path / "into")
    before = digest(path)

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        export(checkpoint, tmp_path / "into", Kind.FLOAT32)
    assert digest(path) == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_release_has_the_key_of_its_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    with writing_release(tmp_path / "release") as partial:
        shutil.copytree(checkpoint, partial, dirs_exist_ok=True)
    assert export_key(tmp_path / "release", Kind.INT8) == export_key(checkpoint, Kind.INT8)
    weights = next((tmp_path / "release").glob("*.data-*"))
    weights.write_bytes(weights.read_bytes() + b"more")  # of another size than its manifest says: it is read then
    assert export_key(tmp_path / "release", Kind.INT8) != export_key(checkpoint, Kind.INT8)


def test_kinds_have_keys_of_their_own(checkpoint: Path) -> None:
    assert len({export_key(checkpoint, kind) for kind in Kind}) == len(Kind)


def test_without_weights_there_is_no_export(checkpoint: Path) -> None:
    for path in checkpoint.glob("model-7*"):
        path.unlink()
    with pytest.raises(ReleaseDamaged):
        export_for(checkpoint)
    (checkpoint / "hparams.json").unlink()
    with pytest.raises(ReleaseDamaged):
        export_key(checkpoint, Kind.INT8)


def test_what_is_no_onnx_file_says_nothing(tmp_path: Path) -> None:
    assert notes_of(tmp_path / "missing") == {}
    assert notes_of(tmp_path) == {}
    for content in (b"", b"\xff" * 20, b"\x72\x02ab", b"\x3a\x7fshort"):
        (tmp_path / "file").write_bytes(content)
        assert notes_of(tmp_path / "file") == {}
