"""The log of the house names nobody."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from hub import journal
from hub.journal import Journal

KEY = "11" * 32


@pytest.fixture
def log(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "logs" / "hub.log", KEY)


@pytest.mark.parametrize(
    "line",
    [
        "User logged in: ada@example.com",
        "302 GET /user/ada@example.com/?x=1 (ada@example.com@127.0.0.1) 3ms",
        "GET /hub/spawn?next=%2Fuser%2Fada%40example.com%2F",
        "client_id=jupyterhub-user-ada%2540example.com&x=1",
        "next=%252Fuser%252Fada%2540example.com%252F",
        "Notebook dir /srv/homes/ada@example.com/work",
        "mail to <ADA@Example.COM>, please",
        "ada.wren+shop@mail.example.co.uk",
        "%ada@example.com",
        "jürgen@example.com",
    ],
)
def test_no_address_is_left(log: Journal, line: str) -> None:
    hidden = log.hide(line)
    assert "@example" not in hidden.lower()
    assert "ada" not in hidden.lower()
    assert "example" not in hidden.lower()
    assert re.search(r"person-[0-9a-f]{8}", hidden)


@pytest.mark.parametrize(
    "line",
    [
        "302 GET /user/100000000000000000017/?x=1 (100000000000000000017@127.0.0.1) 3ms",
        "GET /hub/spawn?next=%2Fuser%2F100000000000000000017%2F",
        "client_id=jupyterhub-user-100000000000000000017&x=1",
        "Notebook dir /srv/homes/100000000000000000017/work",
    ],
)
def test_no_number_of_an_account_is_left(log: Journal, line: str) -> None:
    hidden = log.hide(line)
    assert "00000" not in hidden
    assert re.search(r"person-[0-9a-f]{8}", hidden)


@pytest.mark.parametrize(
    "line",
    [
        "200 GET /hub/login (@127.0.0.1) 3ms",
        "Traceback: @property def x, in C@1",
        "[I 2026-11-24 15:10:06.718 JupyterHub app:3493] Running JupyterHub version 6.1.1",
        "/node_modules/@scope/name/index.js",
        "at 1764179000.123456",
    ],
)
def test_a_line_about_nobody_stays_as_it_is(log: Journal, line: str) -> None:
    assert log.hide(line) == line


def test_one_person_is_one_number_and_two_are_two(log: Journal) -> None:
    quoted = [
        log.hide(t) for t in ("ada@example.com", "ADA@example.com", "ada%40example.com", "%2Fada%2540example.com")
    ]
    assert len({line[-8:] for line in quoted}) == 1
    assert log.hide("ben@example.com") != quoted[0]


def test_the_number_cannot_be_guessed_without_the_key(log: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path / "other.log", "22" * 32)
    assert other.hide("ada@example.com") != log.hide("ada@example.com")


def test_the_log_is_for_its_owner_alone(log: Journal) -> None:
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.parent.stat().st_mode & 0o777 == 0o700


def test_lines_come_in_order_and_broken_ones_too(log: Journal) -> None:
    log.keep(io.BytesIO(b"eins\nzwei ada@example.com\n" + b"\xff drei"))
    first, second, third = log.path.read_text(encoding="utf-8").splitlines()
    assert first == "eins"
    assert second.startswith("zwei person-")
    assert third.endswith(" drei")


def test_a_long_log_is_put_aside(log: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LONGEST_LOG", 100)
    log.keep(io.BytesIO(b"x" * 99 + b"\n" + b"old\n" + b"new\n"))
    assert log.path.read_text() == "new\n"
    assert log.path.with_suffix(".log.1").read_text().endswith("old\n")


def test_a_log_that_cannot_be_written_stops_nobody(log: Journal) -> None:
    log.path.unlink()
    log.path.mkdir()
    stream = io.BytesIO(b"one\ntwo\n")
    log.keep(stream)
    assert stream.read() == b""
