"""The house under load: the api and the workers as processes of their own, and Stripe's stand-in.

Real are the api (``python -m tng.api``), the database, Stripe's stand-in over HTTP and its webhooks, and all of a
worker but its kernel: ``python -m tests.benchmarks.load_house`` is a worker whose notebook takes 50 ms. The hub is
stood in for by the one question that the api asks of it, who holds a token; its sign-in and its proxy are not measured.
"""

from __future__ import annotations

import asyncio
import json
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
from typing import Any

import httpx

from tests.stand_ins import ROOT, StripeStandIn, free_port, stripe_stand_in
from tests.unit.tng.api_support import PREFIX, SCENES, SCOPE, SCRIPT
from tng import log
from tng.app import bell_of, build_fulfilment, build_release_ledger, build_store
from tng.bell import Topic
from tng.cli import stop_on_signals
from tng.desk import WritingDesk
from tng.jobs import EventKind
from tng.payments import EVENT_TYPES
from tng.ports import RunGuard
from tng.settings import Settings
from tng.worker import Worker

WRITING_SECONDS = 0.05
START_SECONDS = 60.0
END_SECONDS = 15.0
READER_TOKEN = "the-reader"


class QuickRunner:
    """Stands in for a kernel: shows its scenes one by one, and has a script after 50 ms."""

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        """The same script for everybody."""
        run_folder.mkdir(parents=True, exist_ok=True)
        (run_folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
        for number, text in enumerate(SCENES, 1):
            time.sleep(WRITING_SECONDS / len(SCENES))
            guard.say(EventKind.SCENE, {"number": number, "act": "TEASER", "text": text})
        return {"script_text": SCRIPT, "release_id": Path(parameters["release_folder"]).name}

    def close(self) -> None:
        """There is no kernel."""


class TheHub:
    """Says of every token that it is the person of that name."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> TheHub:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                token = head.lower().partition("authorization: token ")[2].partition("\r\n")[0]
                body = json.dumps(_owner(token)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the api has hung up, or all is over
        finally:
            writer.close()


def _owner(token: str) -> dict[str, object]:
    if token == READER_TOKEN:
        return {"kind": "service", "name": "prometheus", "scopes": [SCOPE]}
    return {"kind": "user", "name": token, "scopes": [SCOPE]}


@dataclass(frozen=True)
class LoadedHouse:
    """What runs, and where."""

    settings: Settings
    stripe: StripeStandIn
    url: str
    log: Path
    environ: dict[str, str]

    @contextmanager
    def at_work(self, workers: int, *, api: str = "tng.api") -> Iterator[None]:
        """Its api (a module) and its workers, which are gone afterwards. Blocks while the api starts."""
        with ExitStack() as stack:
            stack.enter_context(_process(api, self.environ, self.log))
            for _ in range(workers):
                stack.enter_context(_process(__name__, self.environ, self.log))
            _wait_for(f"{self.url}/health", self.log)
            yield


@contextmanager
def loaded_house(folder: Path, hub_port: int, database_url: str, *, workers: int) -> Iterator[LoadedHouse]:
    """An api, its workers and Stripe; all of them are gone afterwards. Blocks while they start."""
    with furnished_house(folder, hub_port, database_url) as house, house.at_work(workers):
        yield house


@contextmanager
def furnished_house(folder: Path, hub_port: int, database_url: str) -> Iterator[LoadedHouse]:
    """A house in which nobody works yet, and Stripe, which is gone afterwards."""
    (folder / "release").mkdir()
    (folder / "release" / "manifest.json").write_text("{}", encoding="utf-8")
    port = free_port()
    webhook = f"http://127.0.0.1:{port}{PREFIX}/stripe/webhook"
    with stripe_stand_in(webhook, webhook_events=tuple(sorted(EVENT_TYPES))) as stripe:
        environ = _environment(folder, hub_port, port, stripe, database_url)
        settings = Settings(
            home=folder / "home",
            release=folder / "release",
            database_url=database_url,
            free_disk_mb=0,
            lease_seconds=60,
        )
        build_store(settings).close()
        yield LoadedHouse(settings, stripe, f"http://127.0.0.1:{port}{PREFIX}", folder / "log", environ)


def _environment(folder: Path, hub_port: int, port: int, stripe: StripeStandIn, database_url: str) -> dict[str, str]:
    """What the hub gives to the api. The limit of the queue is out of the way: here everybody is let in."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TNG_HOME": str(folder / "home"),
        "TNG_PORT": str(port),
        "TNG_RELEASE": str(folder / "release"),
        "TNG_DATABASE_URL": database_url,
        "TNG_QUEUE_LIMIT": "100000",
        "TNG_FREE_DISK_MB": "0",
        "TNG_LEASE_SECONDS": "60",
        "TNG_COOKIE_SECRET": "a secret of the benchmark",
        "STRIPE_SECRET_KEY": stripe.key,
        "STRIPE_WEBHOOK_SECRET": stripe.webhook_secret,
        "STRIPE_API_BASE": stripe.api_base,
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub_port}/hub/api",
        "JUPYTERHUB_API_TOKEN": "service-token",
        "JUPYTERHUB_CLIENT_ID": "service-api",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}/oauth_callback",
        "JUPYTERHUB_SERVICE_PREFIX": f"{PREFIX}/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([SCOPE]),
    }


@contextmanager
def _process(module: str, environ: dict[str, str], out: Path) -> Iterator[None]:
    with out.open("ab") as said:
        running = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environ, stdout=said, stderr=said)
    try:
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _wait_for(url: str, out: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5, trust_env=False).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > until:
                raise RuntimeError(f"the api does not start: {out.read_text(encoding='utf-8')[-2000:]}") from None
            time.sleep(0.05)
        else:
            return


def main() -> None:
    """A worker, until it is stopped."""
    log.configure("WARNING")
    settings = Settings.read()
    store = build_store(settings)
    ledger = build_release_ledger(settings, store=store)
    ledger.current()
    worker = Worker(
        WritingDesk(build_fulfilment(settings, store=store), ledger),
        QuickRunner(),
        name=f"{socket.gethostname()}:{os.getpid()}",
        runs_folder=settings.runs_folder,
        lease_seconds=settings.lease_seconds,
        bell=bell_of(store, Topic.JOBS),
    )
    stop_on_signals(worker.stop)
    worker.run_forever()


if __name__ == "__main__":
    main()
