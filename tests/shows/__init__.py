"""The shows of the tests: the one that comes along, and an invented one that shares no word with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from tests.architecture.sources import ROOT
from tng.shows import Show, read_show

FIRST: Final = ROOT / "shows" / "tng"
SECOND: Final = Path(__file__).parent / "lantern"


@cache
def first_show() -> Show:
    """The show that comes along."""
    return read_show(FIRST)


@cache
def second_show() -> Show:
    """The invented one: a lightship's keepers."""
    return read_show(SECOND)
