"""What is around the api: which processes are the house's, and whether hub and proxy answer. Nothing is guessed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.architecture.sources import ROOT
from tng.adapters.surroundings import Surroundings, house_of, part_of
from tng.overview import Health, PartHealth

LOOK = """
import json
from pathlib import Path
from tng.adapters.surroundings import Surroundings
around = Surroundings(hub_url="http://127.0.0.1:1/", proxy_url="http://127.0.0.1:1/", folder=Path("."))
machine, _ = around.look()
print(json.dumps([machine.kernels, [[part.part, part.processes, part.megabytes] for part in machine.parts]]))
"""
HOUSE = """
import os, subprocess, sys
sleeping = [sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"]
def start(*words):
    process = subprocess.Popen([*sleeping, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process
left = [start("configurable-http-proxy"), start("hub.voila_server"), start("something else")]
server = [sys.executable, "-c",
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import sys; print(1, flush=True); "
    "sys.stdin.read()', 'ipykernel_launcher'], stdin=subprocess.PIPE); p.wait()", "hub.voila_server"]
left.append(subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
left[-1].stdout.readline()
env = os.environ | {"PYTHONPATH": os.environ["PROJECT"]}
done = subprocess.run([sys.executable, "-c", os.environ["LOOK"], "tng.api"], env=env, capture_output=True, text=True)
print(done.stdout)
import psutil
for child in psutil.Process().children(recursive=True): child.kill()
"""


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("node /x/configurable-http-proxy --port 8000", "proxy"),
        ("python -m hub.keeper python -m tng.api", "api"),
        ("python -m tng.cli worker", "worker"),
        ("python -m tng.cli scheduler", "scheduler"),
        ("python -P -m hub.start hub.voila_server page.ipynb", "servers"),
        ("python -P -m hub.start hub.lab_server", "servers"),
        ("python -m ipykernel_launcher -f x.json", "whose parent"),
        ("", "whose parent"),
    ],
)
def test_a_process_is_told_by_its_command_or_belongs_to_its_parents_part(words: str, part: str) -> None:
    assert part_of(words.split(), "whose parent") == part


def test_a_process_in_no_house_sees_no_process() -> None:
    assert list(house_of(psutil.Process())) == []


def test_every_process_of_a_house_is_counted_once_in_its_part(tmp_path: Path) -> None:
    (tmp_path / "hub.py").write_text(HOUSE, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "PROJECT": str(ROOT), "LOOK": LOOK}
    done = subprocess.run(
        [sys.executable, "-m", "hub"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    kernels, parts = json.loads(done.stdout)
    assert kernels == 1
    assert {part: count for part, count, _ in parts} == {"api": 1, "hub": 2, "proxy": 1, "servers": 3}
    assert all(megabytes > 0 for _, _, megabytes in parts)


def around(tmp_path: Path, answer: httpx.MockTransport, **more: object) -> Surroundings:
    return Surroundings(
        hub_url="http://a.test/hub/health",
        proxy_url="http://a.test/services/api/health",
        folder=tmp_path,
        transport=answer,
        **more,  # type: ignore[arg-type]
    )


def test_hub_and_proxy_are_asked_and_others_say_it_themselves(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "hub" in request.url.path:
            return httpx.Response(503)
        raise httpx.ReadTimeout("slow")

    stripe = PartHealth("Stripe", Health.UNKNOWN, "was not asked yet")
    machine, health = around(tmp_path, httpx.MockTransport(answer), more=[lambda: stripe]).look()
    assert health == (
        PartHealth("hub", Health.UNWELL, "answers 503"),
        PartHealth("proxy", Health.UNWELL, "does not answer (ReadTimeout)"),
        stripe,
    )
    assert machine.free_disk_megabytes is not None
    assert machine.free_disk_megabytes > 0


def test_many_who_look_at_once_cost_one_look(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200)

    surroundings = around(tmp_path, httpx.MockTransport(answer))
    assert surroundings.look() == surroundings.look()
    assert asked == ["/hub/health", "/services/api/health"]
