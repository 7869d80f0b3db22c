"""The customer's page for a browser: Voilà, our template and our widgets, against an api that runs, without a hub."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hub.front import front
from tests.integration.live_api import LiveApi

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def voila(api: LiveApi, home: Path) -> Iterator[str]:
    """Voilà with our page, preheated, as the hub would start it, for Ada; of the show that the api sells."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": str(ROOT / "hub" / "templates" / "jupyter"),
        "TNG_API_URL": api.url,
        "TNG_PRODUCT": api.house.show.product,
        "JUPYTERHUB_API_TOKEN": "ada-token",
    }
    page = ROOT / "notebooks" / "pages" / "dashboard.ipynb"
    command = [sys.executable, "-m", "hub.start", "voila", str(page), "--no-browser"]
    settings = ["template=tng", "preheat_kernel=True", "default_pool_size=1", "show_tracebacks=False"]
    settings += [f"resources={ {'house': front(api.house.show)} }"]
    command += [f"--port={port}", *(f"--VoilaConfiguration.{setting}" for setting in settings)]
    with (home / "voila.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/voila/static/voila.js", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    transport = httpx.HTTPTransport(retries=10)
    with httpx.Client(transport=transport, timeout=30) as client:
        for _ in range(3):
            assert process.poll() is None, "voila ended at its start"
            if client.get(url).status_code == 200:
                return
    raise AssertionError("voila does not answer")
