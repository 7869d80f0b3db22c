"""``python -m tng.api`` as the hub starts it: a process with a real database, killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.stand_ins import StripeStandIn, free_port, stripe_stand_in
from tests.unit.tng.api_support import ADA, BEN, PREFIX, SCENES, SCOPE, SCRIPT, WISH, events_in
from tng.app import build_fulfilment
from tng.jobs import EventKind
from tng.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = {"ada-token": ADA, "ben-token": BEN}
START_SECONDS = 30


class Hub(BaseHTTPRequestHandler):
    """The one question that a kernel's call makes the api ask."""

    def do_GET(self) -> None:
        """Who a token belongs to."""
        name = PEOPLE.get(self.headers["Authorization"].removeprefix("token "))
        body = f'{{"kind": "user", "name": "{name}", "scopes": ["{SCOPE}"]}}'.encode()
        self.send_response(200 if name else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hub/api"
        server.shutdown()


def environment(home: Path, hub_url: str, port: int, stripe: StripeStandIn) -> dict[str, str]:
    """What the hub gives to the api."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TNG_HOME": str(home),
        "TNG_PORT": str(port),
        "TNG_RELEASE": str(home / "release"),
        "TNG_COOKIE_SECRET": "a secret of the test",
        "STRIPE_SECRET_KEY": stripe.key,
        "STRIPE_WEBHOOK_SECRET": stripe.webhook_secret,
        "STRIPE_API_BASE": stripe.api_base,
        "JUPYTERHUB_API_URL": hub_url,
        "JUPYTERHUB_API_TOKEN": "service-token",
        "JUPYTERHUB_CLIENT_ID": "service-api",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}/oauth_callback",
        "JUPYTERHUB_SERVICE_PREFIX": f"{PREFIX}/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": f'["{SCOPE}"]',
    }


@contextmanager
def process(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The api, from its first answer on."""
    with log.open("ab") as out:
        running = subprocess.Popen([sys.executable, "-m", "tng.api"], cwd=ROOT, env=environ, stdout=out, stderr=out)
    try:
        until = time.monotonic() + START_SECONDS
        url = environ["JUPYTERHUB_SERVICE_URL"].rstrip("/") + PREFIX
        while True:
            assert running.poll() is None, log.read_text(encoding="utf-8")
            try:
                httpx.get(f"{url}/health", timeout=5)
                break
            except httpx.ConnectError:
                assert time.monotonic() < until
                threading.Event().wait(0.05)
        yield running
    finally:
        running.kill()
        running.wait(10)


def test_an_order_outlives_an_api_that_is_killed(hub: str, tmp_path: Path) -> None:
    port, log, home = free_port(), tmp_path / "api.log", tmp_path / "home"
    (home / "release").mkdir(parents=True)
    (home / "release" / "manifest.json").write_text("{}")
    url = f"http://127.0.0.1:{port}{PREFIX}"
    ada = httpx.Client(base_url=url, headers={"Authorization": "Bearer ada-token"}, timeout=20)
    with stripe_stand_in(webhook_url=f"{url}/stripe/webhook") as stripe:
        environ = environment(home, hub, port, stripe)
        with process(environ, log) as running:
            placed = ada.post("/orders", json=WISH, headers={"Idempotency-Key": "draft-1"}).json()
            stripe.pay(placed["checkout_url"])
            session_id = re.search(r"cs_\w+", placed["checkout_url"])
            assert session_id is not None
            back = ada.get("/pay/return", params={"session_id": session_id[0]})
            assert back.headers["location"].endswith(f"/hub/user-redirect/?order={placed['id']}")
            running.send_signal(signal.SIGKILL)
            running.wait(10)
        fulfilment = build_fulfilment(Settings(home=home, port=port))
        job = fulfilment.claim("worker-1")
        assert job is not None
        scenes = [(EventKind.SCENE, {"act": "TEASER", "number": n + 1, "text": t}) for n, t in enumerate(SCENES)]
        fulfilment.heartbeat(job, scenes)
        fulfilment.deliver(job, script_text=SCRIPT, release_id=job.release_id or "r", run_sha256="0" * 64)
        with process(environ, log):
            told = events_in(ada.get(f"/orders/{placed['id']}/events").text)
            assert [body["number"] for _, kind, body in told if kind == "scene"] == [1, 2, 3]
            assert told[-1][1] == "end"
            assert "PICARD (V.O.)" in ada.get(f"/orders/{placed['id']}/script.txt").text
            stranger = httpx.get(f"{url}/orders/{placed['id']}", headers={"Authorization": "Bearer ben-token"})
            assert stranger.status_code == 404
    said = log.read_text(encoding="utf-8")
    assert placed["id"] in said
    secrets = (ADA, WISH["title"], "ada-token", stripe.key, stripe.webhook_secret, "Captain's log")
    assert not [word for word in secrets if str(word) in said]


def test_it_stops_at_once_although_somebody_is_listening(hub: str, tmp_path: Path) -> None:
    port, home = free_port(), tmp_path / "home"
    (home / "release").mkdir(parents=True)
    (home / "release" / "manifest.json").write_text("{}")
    headers = {"Authorization": "Bearer ada-token", "Idempotency-Key": "1"}
    url = f"http://127.0.0.1:{port}{PREFIX}"
    with (
        stripe_stand_in() as stripe,
        process(environment(home, hub, port, stripe), tmp_path / "api.log") as running,
    ):
        order_id = httpx.post(f"{url}/orders", json=WISH, headers=headers, timeout=20).json()["id"]
        with httpx.stream("GET", f"{url}/orders/{order_id}/events", headers=headers, timeout=20) as stream:
            assert "event: state" in next(stream.iter_text())
            began = time.monotonic()
            running.send_signal(signal.SIGTERM)
            running.wait(15)
        assert time.monotonic() - began < 8


@pytest.mark.parametrize("missing", ["JUPYTERHUB_SERVICE_URL", "JUPYTERHUB_API_TOKEN", "TNG_COOKIE_SECRET"])
def test_without_what_the_hub_gives_it_says_what_is_missing_and_ends(hub: str, tmp_path: Path, missing: str) -> None:
    environ = environment(tmp_path / "home", hub, free_port(), StripeStandIn(port=1))
    del environ[missing]
    done = subprocess.run(
        [sys.executable, "-m", "tng.api"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert missing in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
