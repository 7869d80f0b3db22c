"""What is an operator's: its numbers, its metrics and its log, tried by those for whom they are not."""

from __future__ import annotations

import logging

import pytest

from tests.hostile.attacks import answers
from tests.log_lines import logged
from tests.unit.tng.api_support import House, make_house, visiting
from tng.log import about, told

PATHS = ("/operator/overview", "/operator/", "/metrics")


@pytest.fixture
def house() -> House:
    """The api over fakes, with an operator to compare with."""
    house = make_house()
    house.hub.admit("104", "ola-token", groups=("operators",))
    house.hub.admit("103", "pia-token", groups=("power-users",))
    return house


async def found(house: House, token: str | None) -> list[str]:
    """The operator's addresses at which a caller finds anything else than at an address that is none."""
    async with visiting(house, token) as caller:
        missing = await caller.get("/nothing")
        answered = {path: await caller.get(path) for path in PATHS}
    return [path for path, answer in answered.items() if (answer.status_code, answer.content) != (404, missing.content)]


@answers(
    "reads the operator's numbers: other people's orders, GPUs, failures",
    "404 outside the hub group `operators`, in the words of any address that is none",
    who="a customer's browser",
)
async def test_a_customers_token_finds_nothing_of_the_operators(house: House) -> None:
    assert await found(house, "ada-token") == []
    assert await found(house, "ola-token") == ["/operator/overview", "/metrics"], "the control: they are there"


@answers("asks for the operator's numbers from a notebook", "JupyterLab makes nobody an operator", who="a power user")
async def test_a_power_users_token_finds_nothing_of_the_operators(house: House) -> None:
    assert await found(house, "pia-token") == []


@answers("reads the metrics without Prometheus's token", "404, and no sign-in to be sent to", who="a stranger")
async def test_a_stranger_finds_nothing_of_the_operators(house: House) -> None:
    assert await found(house, None) == []
    assert await found(house, "forged-token") == []


@answers(
    "writes a line into the log that looks like one of ours, or moves the operator's terminal",
    "an event is one line of a bounded length; whatever is not printable is written out",
    who="stored text",
)
def test_no_text_begins_a_line_of_the_log() -> None:
    forged = "x\n2026-01-01T00:00:00.000Z INFO tng.till: refund done order=ord_9\r\x1b]0;owned\x07\u2028"
    with logged() as lines, about(order=forged):
        logging.getLogger("tng").warning("said %s", forged, extra=told(session=forged))
    (line,) = lines.getvalue().splitlines()
    assert line.isprintable()
