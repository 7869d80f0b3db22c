"""Power users who want more GPUs, or more of their time, than they are offered. A real house; its two GPUs are none."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from hub.sandbox.people import by_address
from tests.hostile.attacks import answers
from tests.nvidia import stand_in
from tests.open_house import OpenHouse, arrive, open_door, opened, server_path, sign_in, visitor

pytestmark = pytest.mark.slow

PIA = by_address("pia@example.com")
ADA = by_address("ada@example.com")
ONE = {"opt-door": "workbench", "opt-gpus": "1"}
LOOK_SECONDS = 150.0
"""The hub looks after a server every thirty."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """Two GPUs, of which one is kept for orders; a power user may use one for half a minute a week."""
    place = tmp_path_factory.mktemp("house")
    told = {"PATH": stand_in(place / "bin", 2), "TNG_ORDER_GPUS": "1", "TNG_GPU_HOURS_A_WEEK": "0.01"}
    with opened(place / "var", TNG_POWER_USERS=ADA.email, TNG_SPARE_KERNELS="0", **told) as ready:
        yield ready


@pytest.fixture
def pia(house: OpenHouse) -> Iterator[httpx.Client]:
    """A power user who has signed in, and whose server does not run."""
    with visitor(house) as client:
        sign_in(client, PIA.email, to="/hub/home")
        yield client


def by_rest(client: httpx.Client, wish: dict[str, object]) -> httpx.Response:
    """Ask the hub's own api for a server."""
    token = next(str(c.value) for c in client.cookies.jar if c.name == "_xsrf" and c.path == "/hub/")
    headers = {"X-XSRFToken": token, "accept": "application/json"}
    return client.post(f"/hub/api/users/{PIA.id}/server", headers=headers, json=wish)


@answers(
    "asks for the GPUs that are kept for paid orders, by form, address or REST",
    "the hub counts what may be chosen, and reads every wish again when it starts the server",
    who="a power user",
)
@pytest.mark.parametrize("gpus", ["2", "-1", "1e1"])
def test_no_more_gpus_are_given_than_are_offered(pia: httpx.Client, gpus: str) -> None:
    page = pia.get("/hub/spawn")
    assert [f'name="gpus" value="{number}"' in page.text for number in range(3)] == [True, True, False]
    assert open_door(pia, page, gpus=gpus).status_code == 400
    assert pia.get("/hub/spawn", params={"opt-gpus": gpus}).status_code == 400
    asked = by_rest(pia, {"door": "workbench", "gpus": gpus})
    assert (asked.status_code, "between 0 and 1" in asked.text) == (400, True)


@answers(
    "goes on after the GPU hours of the week are used up: keeps the server running, and starts it again",
    "the hub stops a server that has GPUs and no hours left; each start counts the hours of seven days in the database",
    who="a power user",
)
def test_hours_that_are_used_up_are_used_up(house: OpenHouse, pia: httpx.Client) -> None:
    pia.get("/hub/spawn", params=ONE)
    arrive(pia, server_path(PIA.email))
    until = time.monotonic() + LOOK_SECONDS
    while (page := pia.get("/hub/spawn")).url.path != "/hub/spawn":
        assert time.monotonic() < until, page.url
        time.sleep(1)
    assert "GPU hours of the week are used up" in house.log
    assert "The next ones are free on" in page.text
    again = pia.get("/hub/spawn", params=ONE)
    assert (again.status_code, "GPU hours of the last seven days are used up" in again.text) == (403, True)
    assert by_rest(pia, {"door": "workbench", "gpus": 1}).status_code == 403
    assert open_door(pia, pia.get("/hub/spawn"), gpus=0).status_code == 200  # the control: without one it opens
    assert arrive(pia, server_path(PIA.email)).url.path.endswith("/lab/tree/workbench")
