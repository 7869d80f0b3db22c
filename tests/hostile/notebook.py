"""A notebook of JupyterLab in the hands of a script: a kernel is started and told what to run, as Lab's own page would.

with notebook_of(house, pia) as cell:
    assert cell("print(1 + 1)") == "2"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from tests.hostile.tab import Tab, cookies_for, socket_to, xsrf
from tests.open_house import OpenHouse

Cell = Callable[[str], str]
"""Runs code; what it printed, and the name of the exception that ended it."""


@contextmanager
def notebook_of(house: OpenHouse, client: httpx.Client, base: str) -> Iterator[Cell]:
    """A kernel of the JupyterLab server at ``base``, whose owner is signed in; it is ended afterwards."""
    page = client.get(f"{base}lab")
    started = client.post(f"{base}api/kernels", json={"name": "python3"}, headers=xsrf(client, base))
    assert started.status_code == 201, started.text
    kernel_id = started.json()["id"]
    path = f"{base}api/kernels/{kernel_id}/channels"
    try:
        with socket_to(house, path, cookies_for(client, path)) as socket:
            yield _cell(Tab(socket, kernel_id, page))
    finally:
        client.delete(f"{base}api/kernels/{kernel_id}", headers=xsrf(client, base))


def _cell(tab: Tab) -> Cell:
    def run(code: str) -> str:
        asked = tab.send(
            "execute_request", {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        )
        said = []
        for message in tab.answers_to(asked):
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])
            if message["msg_type"] == "error":
                said.append(message["content"]["ename"])
        return "".join(said).strip()

    return run
