"""A real house for tests: ``python -m hub`` on free ports with a home of its own, and visitors without a screen."""

from __future__ import annotations

import html
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx
import psutil

from hub.sandbox.people import by_address
from tests.architecture.sources import ROOT
from tests.processes import words_of
from tests.shared import worker

READY_SECONDS = 120.0
STOP_SECONDS = 40.0
ROOMY = {"TNG_KERNELS_PER_CUSTOMER": "20"}
"""A visitor without a screen does not say when a page is left, as a browser does: its place is free much later."""
NOTHING_WRITTEN = {"TNG_SPARE_KERNELS": "0"}
"""A house in which no script is written need not load the writer beforehand: a third of what its start takes."""


def free_block(size: int = 6) -> int:
    """The first of ``size`` consecutive ports that are free now, outside the range that systems give out themselves.

    They are tried out and then taken by another process: so that no two workers mean the same, each has its own range.
    """
    number, workers = worker()
    for start in random.SystemRandom().sample(range(18000 + 10 * number, 30000, 10 * workers), 100):
        with ExitStack() as stack:
            try:
                for port in range(start, start + size):
                    probe = stack.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return start
    raise RuntimeError("no free block of ports was found")


class OpenHouse:
    """One start of ``python -m hub``. ``says`` are the lines of its console so far."""

    def __init__(self, home: Path, port: int, *, command: Sequence[str] = (), **settings: str) -> None:
        self.home = home
        self.port = port
        self.url = f"{'https' if 'TNG_TLS_CERTIFICATE' in settings else 'http'}://127.0.0.1:{port}"
        self.says: list[str] = []
        self.began = time.monotonic()
        self.ready_seconds = float("nan")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [*command, sys.executable, "-m", "hub"],
            cwd=ROOT,
            env=kept | {"TNG_HOME": str(home), "TNG_PORT": str(port), "TNG_FREE_DISK_MB": "0", **ROOMY} | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        """What the hub and its services have said so far."""
        path = self.home / "logs" / "hub.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def wait_until_ready(self) -> float:
        """Seconds from the start until it said that it is ready."""
        until = time.monotonic() + READY_SECONDS
        while not any(line.startswith("Ready") for line in self.says):
            if self.process.poll() is not None or time.monotonic() > until:
                self.end()
                raise AssertionError("\n".join(self.says) + "\n" + self.log[-5000:])
            time.sleep(0.05)
        self.ready_seconds = time.monotonic() - self.began
        return self.ready_seconds

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended; the exit status."""
        status = self.process.wait(timeout=STOP_SECONDS)
        self._reader.join(timeout=5)
        return status

    def belongings(self) -> list[psutil.Process]:
        """Every living process that knows this home folder or its hub, whoever its parent is. The launcher is one."""
        found, known = [], (str(self.home), f"http://127.0.0.1:{self.port + 1}/hub/api")
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
                if process.status() != psutil.STATUS_ZOMBIE and any(mark in word for word in words for mark in known):
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.pid != os.getpid()]

    def service(self, command: str) -> psutil.Process:
        """The process that runs a module of ours, not the one that keeps it.

        Where several run one module, as ``tng.cli worker`` and ``tng.cli scheduler``, say which: any may come first.
        """
        for process in self.belongings():
            line = words_of(process)
            if f" {command} " in f"{' '.join(line)} " and "hub.keeper" not in line:
                return process
        raise AssertionError(f"nothing runs {command}")

    def end(self) -> None:
        """Leave nothing behind, whatever the test did; what was just being started meanwhile neither."""
        while left := self.belongings():
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=STOP_SECONDS)
        self.process.wait(timeout=STOP_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.says.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))


@contextmanager
def opened(home: Path, *, port: int | None = None, command: Sequence[str] = (), **settings: str) -> Iterator[OpenHouse]:
    """A house that is ready; afterwards nothing of it is left.

    It is ended at once: how it is stopped takes seconds, and is what ``test_hub_starts_and_stops`` looks at. One with a
    ``command`` before it may have more to put away.
    """
    house = OpenHouse(home, port or free_block(), command=command, **settings)
    try:
        house.wait_until_ready()
        yield house
    finally:
        if command and house.process.poll() is None:
            house.stop()
        house.end()


def visitor(house: OpenHouse) -> httpx.Client:
    """Somebody with a browser and no account yet."""
    return httpx.Client(base_url=house.url, follow_redirects=True, timeout=60, headers={"accept": "text/html"})


def sign_in(client: httpx.Client, email: str, *, to: str = "") -> httpx.Response:
    """Go through the front door and choose somebody on the page of the stand-in; where that leads."""
    page = client.get("/hub/oauth_login", params={"next": to} if to else {})
    assert page.url.path == "/services/google/authorize", page.url
    return client.post(page.url, data={"email": email})


def server_path(email: str) -> str:
    """Where the server of somebody on the page of the stand-in is: the house names people by number."""
    return f"/user/{by_address(email).id}/"


def open_door(
    client: httpx.Client, page: httpx.Response, door: str = "workbench", gpus: int | str = 0
) -> httpx.Response:
    """Choose on the page that asks a power user what to open; where that leads."""
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None, page.text
    return client.post(html.unescape(action[1]), data={"door": door, "gpus": str(gpus)})


def arrive(client: httpx.Client, path: str) -> httpx.Response:
    """Open ``path`` as often as it takes until a person's server answers; the page of that server."""
    until = time.monotonic() + READY_SECONDS
    while True:
        page = client.get(path)
        if 'id="spawn_form"' in page.text:
            page = open_door(client, page)
        if page.url.path.startswith("/user/") and page.status_code == 200:
            return page
        assert time.monotonic() < until, (page.status_code, page.url, page.text[:2000])
        time.sleep(0.3)
