"""The api on a real port, in a thread, over the fakes: it can be killed and started again, as the hub would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.unit.tng.api_support import PREFIX, House, make_house
from tng.ports import Store
from tng.shows import Show


class LiveApi:
    """Serves a house on one port for as long as the test lives."""

    def __init__(self, house: House, **settings: Any) -> None:
        self.house, self._settings = house, settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where its routes begin."""
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def start(self) -> None:
        """Serve, from the moment this returns."""
        # a new application for each start, as a new process would have: only the store outlives it
        app = make_house(like=self.house, **self._settings).app
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_config=None, lifespan="off", timeout_graceful_shutdown=0
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = threading.Event()
        while not self._server.started:
            until.wait(0.01)

    def kill(self) -> None:
        """Break off every connection, and serve no more."""
        if self._server is not None and self._thread is not None:
            self._server.force_exit = True
            self._server.should_exit = True
            self._thread.join(10)
            self._server = self._thread = None


@contextmanager
def live_api(show: Show | None = None, store: Store | None = None, **settings: Any) -> Iterator[LiveApi]:
    """A running api over a new house, of the show that comes along or of another, and over a real store if given."""
    api = LiveApi(make_house(show=show, store=store), **settings)
    api.start()
    try:
        yield api
    finally:
        api.kill()
