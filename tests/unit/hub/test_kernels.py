"""When a page is gone, and what becomes of a place that was meant for it. No kernel runs here."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from hub.kernel_slots import Slot
from hub.kernels import (
    ARRIVE_SECONDS,
    GONE_SECONDS,
    PRESSED_ARRIVE_SECONDS,
    PRESSED_SECONDS,
    OpenPage,
    SlottedKernels,
    Ticket,
)


class Counted(Slot):
    """A place that tells whether it was given back."""

    def __init__(self) -> None:
        super().__init__(None)
        self.released = False

    def release(self) -> None:
        self.released = True


def ago(seconds: float) -> float:
    return time.monotonic() - seconds


def test_a_page_whose_browser_is_there_is_never_gone() -> None:
    page = OpenPage(given_at=ago(10 * ARRIVE_SECONDS), connected=True)
    assert not page.gone(pressed=False)
    assert not page.gone(pressed=True)


@pytest.mark.parametrize(("pressed", "limit"), [(False, GONE_SECONDS), (True, PRESSED_SECONDS)])
def test_a_page_that_lost_its_browser_may_come_back_for_a_while(pressed: bool, limit: float) -> None:
    assert not OpenPage(connected=True, left_at=ago(limit - 0.5)).gone(pressed=pressed)
    assert OpenPage(connected=True, left_at=ago(limit + 0.5)).gone(pressed=pressed)


@pytest.mark.parametrize(("pressed", "limit"), [(False, ARRIVE_SECONDS), (True, PRESSED_ARRIVE_SECONDS)])
def test_a_page_that_no_browser_ever_connected_to_ends_by_and_by(pressed: bool, limit: float) -> None:
    assert not OpenPage(given_at=ago(limit - 1)).gone(pressed=pressed)
    assert OpenPage(given_at=ago(limit + 1)).gone(pressed=pressed)


def test_a_ticket_counts_until_it_is_closed_and_gives_back_what_it_did_not_use() -> None:
    kernels: Any = SimpleNamespace(opening=0)
    place = Counted()
    ticket = Ticket(kernels, place)
    assert kernels.opening == 1
    ticket.close()
    ticket.close()
    assert kernels.opening == 0
    assert place.released


def test_a_ticket_that_was_used_keeps_its_place() -> None:
    place = Counted()
    ticket = Ticket(SimpleNamespace(opening=0), place)  # type: ignore[arg-type]
    assert ticket.slot() is place
    ticket.close()
    assert not place.released


async def test_the_place_of_a_kernel_that_did_not_start_is_free_again() -> None:
    kernels = SlottedKernels(slots=SimpleNamespace(take=lambda: None))  # type: ignore[arg-type]
    place = Counted()
    with pytest.raises(Exception):  # noqa: B017 - whatever Jupyter raises for it
        await kernels.start_kernel(slot=place, kernel_name="there-is-no-such-kernel")
    assert place.released


async def test_without_a_place_no_kernel_is_started() -> None:
    kernels = SlottedKernels(slots=SimpleNamespace(take=lambda: None))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="503"):
        await kernels.start_kernel(kernel_name="python3")
    assert not kernels.list_kernel_ids()
