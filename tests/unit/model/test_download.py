"""A download goes on where it stopped, is checked, and is whole or absent. The server is real, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import model.download
from model.download import FILES, download
from model.foreign import read_facts
from tests.checkpoint_server import Source, serving
from tests.checkpoints import make_checkpoint
from tng.errors import CheckpointError, DownloadError
from tng.releases import digest

WEIGHTS = "model.ckpt.data-00000-of-00001"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    folder = make_checkpoint(tmp_path / "models" / "124M", name="model.ckpt")
    known = {name: digest(folder / name) for name in ("encoder.json", "vocab.bpe")}
    monkeypatch.setattr(model.download, "KNOWN_SHA256", known)
    monkeypatch.setattr(model.download, "CHUNK_BYTES", 1024)
    with serving(tmp_path / "models") as source:
        yield source


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "bases" / "124M"


def test_a_checkpoint_is_fetched_whole(source: Source, base: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    facts = download("124M", base, source=source.url, report=lambda *row: seen.append(row))
    assert read_facts(base)["weights_sha256"] == facts.weights_sha256
    assert {name for name, _ in source.asked} == set(FILES)
    assert seen[-1][1] == seen[-1][2] > 0
    assert [path.name for path in base.parent.iterdir()] == ["124M"]


@pytest.mark.parametrize("says_md5", [True, False], ids=["md5", "no-md5"])
def test_a_download_that_broke_goes_on_where_it_stopped(source: Source, base: Path, says_md5: bool) -> None:
    source.says_md5 = says_md5
    source.cut_at[WEIGHTS] = 5000
    with pytest.raises(DownloadError, match=r"could not be fetched|cut short"):
        download("124M", base, source=source.url)
    assert not base.exists()
    source.asked.clear()
    download("124M", base, source=source.url)
    assert [name for name, _ in source.asked] == [WEIGHTS]
    assert source.asked[0][1] > 0
    assert base.exists()


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(source: Source, base: Path) -> None:
    source.cut_at[WEIGHTS] = 5000
    with pytest.raises(DownloadError):
        download("124M", base, source=source.url)
    make_checkpoint(source.folder / "124M", seed=2, name="model.ckpt")
    source.asked.clear()
    with pytest.raises(CheckpointError, match="checksum"):  # its index is still the old one's
        download("124M", base, source=source.url)
    assert source.asked == [(WEIGHTS, 0)]
    facts = download("124M", base, source=source.url)
    assert facts.weights_sha256 == digest(source.folder / "124M" / WEIGHTS)


def test_what_differs_from_the_stated_digest_is_thrown_away(source: Source, base: Path) -> None:
    source.wrong_md5.add("hparams.json")
    with pytest.raises(DownloadError, match=r"hparams\.json differs from the MD5"):
        download("124M", base, source=source.url)
    source.wrong_md5.clear()
    download("124M", base, source=source.url)


def test_another_vocabulary_than_the_known_one_is_refused(
    source: Source, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.download, "KNOWN_SHA256", {"vocab.bpe": "0" * 64})
    with pytest.raises(DownloadError, match=r"vocab\.bpe differs from the sha256"):
        download("124M", base, source=source.url)
    assert not base.exists()


def test_a_page_of_a_proxy_is_no_checkpoint(source: Source, base: Path) -> None:
    (source.folder / "124M" / "hparams.json").write_text("<html>Please log in</html>", encoding="ascii")
    with pytest.raises(DownloadError, match="perhaps a page of a proxy"):
        download("124M", base, source=source.url)


def test_weights_that_were_spoilt_on_the_way_do_not_become_a_base(source: Source, base: Path) -> None:
    source.says_md5 = False
    weights = source.folder / "124M" / WEIGHTS
    weights.write_bytes(b"\xff" * weights.stat().st_size)
    with pytest.raises(CheckpointError, match="checksum"):
        download("124M", base, source=source.url)
    assert not base.exists()
    make_checkpoint(source.folder / "124M", name="model.ckpt")
    download("124M", base, source=source.url)


def test_without_the_network_the_sentence_says_what_to_do(base: Path, source: Source) -> None:
    with pytest.raises(DownloadError, match=r"may not reach .*tng model import PATH"):
        download("124M", base, source="http://127.0.0.1:9")


def test_a_size_that_is_not_there_names_those_that_are(base: Path) -> None:
    with pytest.raises(DownloadError, match="124M, 355M, 774M, 1558M"):
        download("117M", base)


def test_what_the_server_has_not_is_said(source: Source, base: Path) -> None:
    (source.folder / "124M" / "vocab.bpe").unlink()
    with pytest.raises(DownloadError, match="answered 404"):
        download("124M", base, source=source.url)
