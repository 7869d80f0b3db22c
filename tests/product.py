"""The whole product, started as the README says, on ports and in a folder of its own. For the tests that drive it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
PORTS = 6
START_SECONDS = 90
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")


def free_ports(count: int = PORTS) -> int:
    """The first of ``count`` neighbouring ports that nobody listens on."""
    for first in range(20000 + os.getpid() % 20000, 60000, count):
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports")


@dataclass
class Product:
    """A running product."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    ready_seconds: float

    @property
    def processes(self) -> list[psutil.Process]:
        """Everything that runs because of it, the launcher first."""
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def service(self, name: str) -> psutil.Process:
        """The process of one of the hub's services, by its words after ``python -m``; not the one that keeps it."""
        for process in self.processes:
            try:
                if " ".join(process.cmdline()[2:]).startswith(name):
                    return process
            except psutil.Error:
                continue
        raise LookupError(f"no process runs {name}")

    @property
    def log(self) -> str:
        """What its processes logged so far."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.home / "logs").glob("*.log")))


@contextmanager
def running(home: Path, **settings: str) -> Iterator[Product]:
    """Start it, wait until it is ready, and stop it with SIGTERM in the end."""
    port = free_ports()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"TNG_HOME": str(home), "TNG_PORT": str(port), "PYTHONUNBUFFERED": "1"} | settings
    began = time.monotonic()
    console = home.parent / f"{home.name}-console.txt"
    with console.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub"], cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    product = Product(f"http://127.0.0.1:{port}", home, process, 0.0)
    try:
        _await_ready(product, console)
        product.ready_seconds = time.monotonic() - began
        yield product
    finally:
        _stop(process)


def _await_ready(product: Product, console: Path) -> None:
    until = time.monotonic() + START_SECONDS
    services = ("/hub/login", "/services/api/health", "/services/stripe/", "/services/google/")
    while time.monotonic() < until:
        if product.process.poll() is not None:
            raise RuntimeError(f"the product ended at start: {console.read_text(errors='replace')[-3000:]}")
        try:
            if all(httpx.get(product.url + path, timeout=5).status_code < 400 for path in services):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"not ready in {START_SECONDS} s: {console.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
