"""A key of Stripe is known to the api and to whoever starts it: to no server of a person's, no worker and no kernel.

Nor are the channels by which operators are told: the process of the schedules knows those, and so does its starter.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.credentials import TEST_KEY, WEBHOOK_SECRET
from tests.hostile.attacks import answers
from tests.open_house import OpenHouse, arrive, opened, sign_in, visitor
from tests.processes import above, below, is_kernel, words_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the environment of a process is read from /proc"),
]

SECRETS = {"STRIPE_SECRET_KEY": TEST_KEY, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
CHANNELS = {"TNG_NOTICE_WEBHOOK": "https://127.0.0.1:9/hooks/9fK2mQ7xT4", "TNG_SMTP_PASSWORD": "pL3nBd8JfHc1sG"}
MAIL = {
    "TNG_SMTP_HOST": "127.0.0.1",
    "TNG_SMTP_PORT": "9",
    "TNG_SMTP_USER": "tng",
    "TNG_NOTICE_MAIL_TO": "ola@example.com",
    "TNG_NOTICE_MAIL_FROM": "tng@example.com",
}
NOBODY = "http://127.0.0.1:9"
"""Where no Stripe answers: the api goes on without."""

KERNEL_SECONDS = 60.0


def _by_file(folder: Path) -> dict[str, str]:
    told = {}
    for name, value in {**SECRETS, **CHANNELS}.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(value + "\n")
        told[f"{name}_FILE"] = str(folder / name)
    return told


@pytest.fixture(scope="module", params=["environment", "file"])
def earnest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house with keys of Stripe; a customer and a power user are at work in it, and a kernel of the worker waits."""
    folder = tmp_path_factory.mktemp("house")
    told = _by_file(folder) if request.param == "file" else SECRETS | CHANNELS
    with opened(folder / "var", STRIPE_API_BASE=NOBODY, **MAIL, **told) as house:
        for email in ("ada@example.com", "pia@example.com"):
            with visitor(house) as client:
                sign_in(client, email)
                arrive(client, "/hub/user-redirect/")
        _wait_for_kernels(house)
        yield house


def _wait_for_kernels(house: OpenHouse) -> None:
    until = time.monotonic() + KERNEL_SECONDS
    while {"worker", "person"} - {_whose(kernel) for kernel in _kernels(house)}:
        assert time.monotonic() < until, house.log[-3000:]
        time.sleep(0.1)


def _everybody(house: OpenHouse) -> list[psutil.Process]:
    """The launcher and all below it."""
    launcher = psutil.Process(house.process.pid)
    return [launcher, *below(launcher)]


def _kernels(house: OpenHouse) -> list[psutil.Process]:
    return [process for process in _everybody(house) if is_kernel(process)]


def _whose(process: psutil.Process) -> str:
    """Who a process works for."""
    lines = [words_of(parent) for parent in (process, *above(process))]
    if any(module in line for line in lines for module in ("hub.voila_server", "hub.lab_server")):
        return "person"
    if any(line[-3:] == ["-m", "tng.cli", "worker"] for line in lines):
        return "worker"
    return "api" if any("tng.api" in line for line in lines) else "house"


def _knowers(house: OpenHouse, *words: str) -> set[str]:
    """Whose processes have one of these words in their environment or on their command line."""
    found = set()
    for process in _everybody(house):
        place, known = Path("/proc") / str(process.pid), b""
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            known = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
        if any(word.encode() in known for word in words):
            found.add(_whose(process))
    return found


@answers(
    "looks for the keys of Stripe in the environment of their server or kernel, or of the worker's",
    "the keys are given to the api alone",
    who="a power user",
)
def test_only_the_api_and_whoever_starts_it_know_the_keys(earnest: OpenHouse) -> None:
    by_file = (earnest.home.parent / "STRIPE_SECRET_KEY").exists()
    assert _knowers(earnest, *SECRETS.values()) == ({"api"} if by_file else {"api", "house"})
    assert _knowers(earnest, "STRIPE_", "GOOGLE_CLIENT") <= {"api", "house"}


@answers(
    "looks for the webhook and the mail password of the operators in their server or kernel, or in the worker",
    "they are given to the process of the schedules alone",
    who="a power user",
)
def test_only_the_process_of_the_schedules_knows_how_operators_are_reached(earnest: OpenHouse) -> None:
    assert _knowers(earnest, *CHANNELS.values(), "TNG_NOTICE_", "TNG_SMTP_") <= {"house"}


def test_those_who_must_not_know_them_are_there_to_be_asked(earnest: OpenHouse) -> None:
    assert _knowers(earnest, "PATH=") == {"api", "house", "worker", "person"}
    assert len(_kernels(earnest)) >= 2


@answers(
    "looks for the keys of Stripe in the files of the house, the hub's database among them",
    "they are written nowhere: the hub is kept from storing what services are told",
    who="a power user",
)
def test_the_keys_are_in_no_file_of_the_house(earnest: OpenHouse) -> None:
    written = [path for path in earnest.home.rglob("*") if path.is_file()]
    assert len(written) > 5
    secrets = [value.encode() for value in (*SECRETS.values(), *CHANNELS.values())]
    assert not [path for path in written if any(value in path.read_bytes() for value in secrets)]
