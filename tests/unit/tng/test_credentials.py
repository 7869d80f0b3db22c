"""A secret in a file is taken only where nobody else could have read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.credentials import CLIENT_ID, CLIENT_SECRET, LIVE_KEY, WEBHOOK_SECRET
from tng.credentials import google_faults, read_secret, stripe_faults
from tng.errors import SettingsError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file as it should be."""
    path = tmp_path / "secret"
    path.write_text(f"\n  {LIVE_KEY} \n")
    path.chmod(0o600)
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        read_secret(path, "STRIPE_SECRET_KEY_FILE")
    sentence = str(refused.value)
    assert sentence.startswith(f"STRIPE_SECRET_KEY_FILE: {path}")
    assert LIVE_KEY not in sentence
    return sentence


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_read_without_the_space_around_it(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert read_secret(file, "X") == LIVE_KEY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o602, 0o440])
def test_a_file_that_others_can_reach_is_refused_with_the_remedy(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert f"can be read by others (mode {mode:04o}); close it: chmod 600" in _refusal(file)


@pytest.mark.parametrize(("mode", "read"), [(0o440, True), (0o400, True), (0o444, False), (0o460, False)])
def test_where_systemd_mounts_credentials_the_own_group_may_read_too(
    file: Path, monkeypatch: pytest.MonkeyPatch, mode: int, read: bool
) -> None:
    file.chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    if read:
        assert read_secret(file, "X") == LIVE_KEY
    else:
        assert "can be read by others" in _refusal(file)


@as_root
def test_a_group_of_strangers_may_not_read_it_there_either(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o440)
    os.chown(file, 0, 54321)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    assert "can be read by others" in _refusal(file)


@as_root
def test_a_file_of_another_user_is_refused(file: Path) -> None:
    os.chown(file, 54321, 54321)
    assert "belongs to another user" in _refusal(file)


def test_a_link_is_judged_by_the_file_that_it_names(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    assert read_secret(link, "X") == LIVE_KEY
    file.chmod(0o644)
    assert "can be read by others" in _refusal(link)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "is not a file" in _refusal(tmp_path / "pipe")
    assert "is not a file" in _refusal(tmp_path)
    assert "cannot be read" in _refusal(tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b" \n\n", "is empty"), (b"one two", "more than one word"), ("schlüssel".encode(), "letters")],
    ids=["nothing", "space", "two-words", "no-ascii"],
)
def test_what_is_no_secret_is_refused(file: Path, content: bytes, sentence: str) -> None:
    file.write_bytes(content)
    assert sentence in _refusal(file)


def test_real_credentials_have_no_fault() -> None:
    assert not list(google_faults(CLIENT_ID, CLIENT_SECRET))
    assert not list(stripe_faults(LIVE_KEY, WEBHOOK_SECRET))
    assert not list(stripe_faults("rk_" + LIVE_KEY.removeprefix("sk_"), WEBHOOK_SECRET))
