"""People's servers without a house around them: as the hub starts them, and a hub that knows two people."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
from jupyterhub import __version__ as hub_version
from websockets.sync.client import ClientConnection, connect

from hub.channel import V1
from hub.front import front
from hub.kernel_slots import KernelSlots
from hub.places import TEMPLATES
from hub.rules import DASHBOARD, LAB, VOILA
from tests.architecture.sources import ROOT
from tests.open_house import free_block
from tests.processes import kernels_below, words_of
from tests.shows import first_show
from tng.settings import Settings

SOON_SECONDS = 20.0
HERE = "Your desk is open in two places already"
HOUSE = "Every place is taken"
PEOPLE = {"ada-token": "ada", "ben-token": "ben"}


class LoneHub:
    """What a server asks a hub: whose token this is. ``told`` is what it was told of people's activity."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hub/api"
        self.told: list[dict[str, Any]] = []
        told = self.told

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = PEOPLE.get(self.headers.get("Authorization", "").split(" ")[-1])
                scopes = [f"access:servers!server={name}/", f"access:servers!user={name}"]
                user = {"name": name, "kind": "user", "admin": False, "groups": [], "scopes": scopes}
                whole = self.path.rstrip("/").endswith("/hub/api")
                self._answer(200 if name or whole else 404, {"version": hub_version} if whole else user)

            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(200, {})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *words: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class PersonsServer:
    """The server of ``name``, at ``url``: a customer's, or JupyterLab."""

    def __init__(
        self, name: str, home: Path, port: int, hub: LoneHub, arguments: list[str], environment: dict[str, str]
    ) -> None:
        self.name = name
        self.hub = hub
        self.base = f"/user/{name}/"
        self.url = f"http://127.0.0.1:{port}{self.base}"
        self.log_path = home / f"{name}.log"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.start", *arguments],
                cwd=home,
                env=self._environment(home) | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self, home: Path) -> dict[str, str]:
        token = f"{self.name}-token"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "JUPYTER_PATH": str(TEMPLATES / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(home),
            "TNG_API_URL": "http://127.0.0.1:9/services/api",
            "TNG_PRODUCT": first_show().product,
            "JUPYTERHUB_SERVICE_URL": self.url,
            "JUPYTERHUB_SERVICE_PREFIX": self.base,
            "JUPYTERHUB_API_URL": self.hub.url,
            "JUPYTERHUB_ACTIVITY_URL": f"{self.hub.url}/users/{self.name}/activity",
            "JUPYTERHUB_ACTIVITY_INTERVAL": "1",
            "JUPYTERHUB_API_TOKEN": token,
            "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{self.name}",
            "JUPYTERHUB_USER": self.name,
            "JUPYTERHUB_SERVER_NAME": "",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([f"access:servers!server={self.name}/"]),
        }

    @property
    def log(self) -> str:
        """What it said."""
        return self.log_path.read_text()

    def browser(self, who: str = "") -> httpx.Client:
        """A browser of its owner, or of somebody else; of a stranger where ``who`` is "nobody"."""
        headers = {"Authorization": f"token {who or self.name}-token"} if who != "nobody" else {}
        return httpx.Client(base_url=self.url, headers={"accept": "text/html"} | headers, timeout=60)

    def kernels(self) -> list[psutil.Process]:
        """Its living kernels."""
        return kernels_below(self.process.pid)

    def wait_until_it_answers(self) -> None:
        """It listens."""
        with httpx.Client(transport=httpx.HTTPTransport(retries=12), timeout=60) as client:
            assert client.get(f"{self.url}api/status").status_code < 500, self.log

    def stop(self) -> None:
        """End it and its kernels."""
        left = [psutil.Process(self.process.pid), *self.kernels()] if self.process.poll() is None else []
        self.process.terminate()
        _, left = psutil.wait_procs(left, timeout=15)
        for process in left:
            process.kill()
        self.process.wait(5)


@contextmanager
def served(
    *names: str, home: Path, slots: KernelSlots | None = None, arguments: tuple[str, ...] = (), **environment: str
) -> Iterator[list[PersonsServer]]:
    """A customer's server for each name; all count their kernels in ``slots``."""
    resources = f"--VoilaConfiguration.resources={ {'house': front(first_show())} }"
    voila = ["hub.voila_server", str(DASHBOARD), *VOILA, resources, *arguments]
    told = (slots.environment() if slots else {}) | environment
    with _started([(name, voila) for name in names], home, told) as servers:
        yield servers


@contextmanager
def workbench(name: str, *, home: Path, **environment: str) -> Iterator[PersonsServer]:
    """A power user's server."""
    lab = ["hub.lab_server", *LAB, "--allow-root"]
    with _started([(name, lab)], home, environment) as (server,):
        yield server


@contextmanager
def _started(
    wanted: list[tuple[str, list[str]]], home: Path, environment: dict[str, str]
) -> Iterator[list[PersonsServer]]:
    port = free_block(len(wanted) + 1)
    hub = LoneHub(port)
    servers = [
        PersonsServer(name, home, port + 1 + number, hub, arguments, environment)
        for number, (name, arguments) in enumerate(wanted)
    ]
    try:
        for server in servers:
            server.wait_until_it_answers()
        yield servers
    finally:
        for server in servers:
            server.stop()
        hub.close()


def kernel_id_of(kernel: psutil.Process) -> str:
    return next(re.search(r"kernel-([\w-]+)\.json", word)[1] for word in words_of(kernel) if "kernel-" in word)  # type: ignore[index]


@contextmanager
def browsing(server: PersonsServer) -> Iterator[httpx.Client]:
    """The owner's browser; every page that it opened is closed at the end."""
    with server.browser() as client:
        yield client
        for page in server.kernels():
            client.post(f"voila/api/shutdown/{kernel_id_of(page)}")


def open_page(client: httpx.Client, path: str = "") -> str:
    """Open a page; the id of its kernel."""
    page = client.get(path)
    assert page.status_code == 200, page.text[-600:]
    found = re.search(r'"kernelId": ?"([\w-]+)"', page.text)
    assert found
    return found[1]


def leave(client: httpx.Client, kernel_id: str) -> None:
    """What a browser says when a page is left."""
    assert client.post(f"voila/api/shutdown/{kernel_id}").status_code == 204


def channel(server: PersonsServer, kernel_id: str, who: str = "") -> ClientConnection:
    """The channel of a page to its kernel, as a browser opens it."""
    address = f"{server.url}api/kernels/{kernel_id}/channels?session_id=one".replace("http", "ws", 1)
    headers = {"Authorization": f"token {who or server.name}-token"} if who != "nobody" else {}
    return connect(address, additional_headers=headers, subprotocols=[V1], proxy=None)  # type: ignore[list-item]


def until(true: Callable[[], Any]) -> None:
    """Wait for something that has no event of its own: it happens in another process."""
    end = time.monotonic() + SOON_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def refused(page: httpx.Response) -> str:
    """The title of a page that says that there is no place."""
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0
    assert page.headers["cache-control"] == "no-store"
    found = re.search(r"<h1>(.*)</h1>", page.text)
    assert found
    return found[1]


def places(folder: Path, count: int) -> KernelSlots:
    """The places of a house that has so many."""
    settings = Settings(home=folder / "var", kernels_in_all=count)
    settings.make_home()
    return KernelSlots.prepare(settings)
