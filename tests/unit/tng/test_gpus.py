"""The rules of the GPUs, without a store: who is next, what a week is, what the machine says it has."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import START
from tests.nvidia import stand_in, uuid
from tng.adapters.nvidia import Gpu, chosen, inventory, read
from tng.commands.gpus import book_lines
from tng.gpus.ledger import Book
from tng.gpus.rules import Claim, ClaimKind, Floor, Use, Wish, before, grant, hours_back_at, hours_used, most_gpus

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
UNTIL = START + HOUR


def wish(holder: str, count: int = 1, kind: ClaimKind = ClaimKind.WORKBENCH, minutes: int = 0) -> Wish:
    return Wish(holder, kind, "here", count, START + timedelta(minutes=minutes), UNTIL)


def claim(holder: str, *gpus: str, kind: ClaimKind = ClaimKind.WORKBENCH) -> Claim:
    return Claim(holder, kind, "here", gpus, START, UNTIL)


def use(begin_hours: float, hours: float, count: int = 1) -> Use:
    """A use that began so many hours after START."""
    begin_at = START + timedelta(hours=begin_hours)
    return Use("ada", count, begin_at, begin_at + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("total", "kept", "at_once", "most"),
    [(0, 1, 4, 0), (1, 1, 4, 0), (2, 1, 4, 1), (8, 1, 4, 4), (8, 0, 16, 8), (2, 5, 4, 0)],
)
def test_a_workbench_may_ask_for_what_is_not_kept_for_orders(total: int, kept: int, at_once: int, most: int) -> None:
    assert most_gpus(total, order_gpus=kept, at_once=at_once) == most


@pytest.mark.parametrize(
    ("asking", "claims", "wishes", "got"),
    [
        (wish("ada"), [], [], ("a",)),
        (wish("ada", 2), [], [], ("a", "b")),
        (wish("ada", 3), [], [], ()),
        (wish("ada"), [claim("bob", "a")], [], ("b",)),
        (wish("ada"), [claim("w", "a", kind=ClaimKind.ORDER)], [], ("b",)),
        (wish("ada", 2, minutes=1), [], [wish("bob")], ()),
        (wish("ada", 1, minutes=1), [], [wish("bob")], ("a",)),
        (wish("ada", 1), [], [wish("bob", 2, minutes=1)], ("a",)),
        (wish("w", 1, ClaimKind.ORDER), [], [wish("bob", 3)], ("a",)),
        (wish("w", 2, ClaimKind.ORDER), [], [], ()),
        (wish("v", 1, ClaimKind.ORDER), [claim("w", "a", kind=ClaimKind.ORDER)], [], ()),
    ],
)
def test_who_gets_what_of_three_when_one_is_kept(
    asking: Wish, claims: Sequence[Claim], wishes: Sequence[Wish], got: tuple[str, ...]
) -> None:
    assert grant(asking, Floor(("a", "b", "c"), claims, wishes, 1)) == got


def test_a_small_wish_does_not_overtake_a_large_one() -> None:
    floor = Floor(("a", "b"), [claim("cy", "a")], [wish("bob", 2)], 0)
    assert grant(wish("ada", minutes=1), floor) == ()


def test_at_the_same_moment_the_name_decides_and_nobody_is_before_oneself() -> None:
    wishes = [wish("ada"), wish("bob")]
    assert before(wish("bob"), wishes) == [wish("ada")]
    assert before(wish("ada"), wishes) == []


def test_hours_are_those_of_seven_days_a_gpu_each() -> None:
    now = START + WEEK
    assert hours_used([use(-5, 6), use(10, 2, count=2)], now) == pytest.approx(1 + 4)
    assert hours_used([], now) == 0


def test_an_hour_is_free_again_a_week_after_it_was_used() -> None:
    uses, now = [use(0, 1), use(24, 1)], START + timedelta(hours=48)
    assert hours_back_at(uses, now, hours_a_week=2) == START + WEEK + HOUR
    assert hours_back_at([use(24, 1, count=2)], now, hours_a_week=2) == START + timedelta(hours=24.5) + WEEK
    assert hours_back_at(uses, now, hours_a_week=5) == now


def test_with_less_than_an_hour_a_week_all_has_to_be_forgotten() -> None:
    assert hours_back_at([use(0, 0.5)], START + HOUR, hours_a_week=0.5) == START + timedelta(hours=0.5) + WEEK


def test_the_machine_is_asked_for_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", stand_in(tmp_path, 2))
    assert inventory() == [Gpu(uuid(number), "NVIDIA Stand-in", "40960 MiB") for number in range(2)]
    assert inventory(uuid(1)) == inventory("1") == inventory()[1:]
    assert inventory("") == []


def test_a_machine_without_the_tool_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert inventory() == []


def test_a_tool_that_fails_or_hangs_is_said_and_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "nvidia-smi"
    broken.write_text("#!/bin/sh\nsleep 20\n", encoding="ascii")
    broken.chmod(stat.S_IRWXU)
    monkeypatch.setattr("tng.adapters.nvidia.ANSWER_SECONDS", 0.2)
    assert inventory(tool=[str(broken)]) == []
    assert "TimeoutExpired" in caplog.text
    assert inventory(tool=["/bin/false"]) == []


def test_only_lines_that_name_a_gpu_are_read() -> None:
    assert read("No devices were found\n\nGPU-1, A, 1 MiB\nMIG-2, B, 1 MiB\n") == [Gpu("GPU-1", "A", "1 MiB")]


def test_cuda_visible_devices_is_obeyed() -> None:
    gpus = [Gpu("GPU-a", "", ""), Gpu("GPU-b", "", "")]
    assert chosen(gpus, None) == gpus
    assert chosen(gpus, " 1, 7") == gpus[1:]


def test_the_operator_sees_who_holds_what_and_who_waits() -> None:
    lines = book_lines(Book([claim("w", "a", "b", kind=ClaimKind.ORDER)], [wish("ada", 2)]))
    assert [line.split()[:3] for line in lines[:2]] == [["here", "a", "order"], ["here", "b", "order"]]
    assert "waits for 2" in lines[2]
    assert lines[2].endswith("ada")
