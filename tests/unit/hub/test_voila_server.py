"""A customer's server, as far as it can be seen without starting it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
from jupyterhub.singleuser.extension import (
    JupyterHubAuthorizer,
    JupyterHubLogoutHandler,
    JupyterHubOAuthCallbackHandler,
)
from jupyterlab_server.themes_handler import ThemesHandler
from tornado.web import RedirectHandler
from voila.configuration import VoilaConfiguration
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import MultiStaticFileHandler

from hub import voila_server
from hub.channel import HouseChannel
from hub.pages import DeskPage, NoPage, PageChannel, StyleFiles, VisitTeller
from hub.rules import DASHBOARD, VOILA
from hub.voila_server import HouseIdentity, HouseVoila, page_headers, report

ENVIRONMENT = {
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:4321/user/ada@example.com/",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/ada@example.com/",
    "JUPYTERHUB_ACTIVITY_URL": "http://127.0.0.1:1/hub/api/users/ada/activity",
    "JUPYTERHUB_API_TOKEN": "a-token",
    "JUPYTERHUB_SERVER_NAME": "",
}


@pytest.fixture
def voila(monkeypatch: pytest.MonkeyPatch) -> Iterator[HouseVoila]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(voila_server.Voila, "initialize", lambda self, argv: self.parse_command_line(argv))
    app = HouseVoila()
    app.initialize([str(DASHBOARD), *VOILA])
    yield app
    HouseVoila.clear_instance()


def test_it_listens_where_the_hub_expects_it(voila: HouseVoila) -> None:
    assert (voila.ip, voila.port, voila.port_retries) == ("127.0.0.1", 4321, 0)
    assert voila.base_url == "/user/ada@example.com/"
    assert not voila.open_browser


def test_it_lets_in_whom_the_hub_lets_in(voila: HouseVoila) -> None:
    assert voila.identity_provider_class is HouseIdentity
    assert voila.authorizer_class is JupyterHubAuthorizer
    assert voila.token is None


def test_no_file_of_the_customers_configures_it(voila: HouseVoila) -> None:
    assert voila.config_file_paths == []


def test_only_a_dashboard_is_served_unless_more_is_named(voila: HouseVoila) -> None:
    assert voila.pages == {}
    told = HouseVoila(argv=[])
    told.parse_command_line(["--HouseVoila.pages=bridge=/a/bridge.ipynb"])
    assert told.pages == {"bridge": "/a/bridge.ipynb"}


def test_a_person_may_open_as_many_pages_as_the_house_says(voila: HouseVoila, monkeypatch: pytest.MonkeyPatch) -> None:
    assert voila.most_pages == 2
    monkeypatch.setenv("TNG_KERNELS_PER_CUSTOMER", "5")
    assert HouseVoila(argv=[]).most_pages == 5


def test_messages_pass_through_our_channel(voila: HouseVoila) -> None:
    assert voila.kernel_websocket_connection_class is HouseChannel


OWNER = {KernelHandler, PageChannel, VoilaShutdownKernelHandler, DeskPage, NoPage}
OWN_KERNELS = {VisitTeller}
EVERYBODY = {MultiStaticFileHandler, StyleFiles, ThemesHandler, FileFindHandler, RedirectHandler}
SIGN_IN = {JupyterHubLogoutHandler, JupyterHubOAuthCallbackHandler}


def test_it_is_known_of_every_address_whom_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    app = HouseVoila()
    try:
        app.initialize([str(DASHBOARD), *VOILA, "--HouseVoila.pages=bridge=/a/bridge.ipynb"])
        app.server_url = app.base_url
        app.identity_provider = HouseIdentity(parent=app)
        kinds = [handler for _, handler, *_ in app.init_handlers()]
    finally:
        HouseVoila.clear_instance()
    assert set(kinds) == OWNER | OWN_KERNELS | EVERYBODY | SIGN_IN
    assert kinds.count(DeskPage) == 2
    assert kinds.count(RedirectHandler) == 1, "from the address without its last slash"
    assert kinds[-1] is NoPage


def test_its_pages_load_from_the_house_alone_and_stand_in_no_frame() -> None:
    headers = page_headers("https://shop.example/")
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert not [source for source in " ".join(policy.values()).split() if "//" in source or source == "*"]
    assert "Strict-Transport-Security" in headers


def test_one_kernel_is_kept_warm_and_forgotten_ones_end(voila: HouseVoila) -> None:
    configuration = VoilaConfiguration(parent=voila)
    assert configuration.preheat_kernel
    assert configuration.default_pool_size == 1
    assert MappingKernelManager(parent=voila).cull_idle_timeout == 120


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the hub was told."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    said: list[tuple[str, dict[str, Any]]] = []

    async def fetch(url: str, **words: Any) -> None:
        said.append((url, words))

    monkeypatch.setattr(voila_server, "fetch", fetch)
    return said


async def test_activity_is_reported_in_utc(told: list[tuple[str, dict[str, Any]]]) -> None:
    assert await report(datetime(2026, 1, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))))
    url, words = told[0]
    assert url == ENVIRONMENT["JUPYTERHUB_ACTIVITY_URL"]
    assert words["headers"] == {"Authorization": "token a-token"}
    at = "2026-01-01T12:00:00Z"
    assert words["json"] == {"servers": {"": {"last_activity": at}}, "last_activity": at}


async def test_a_hub_that_does_not_answer_stops_nobody(
    told: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fetch(url: str, **words: Any) -> None:
        raise ConnectionError(url)

    monkeypatch.setattr(voila_server, "fetch", fetch)
    with caplog.at_level(logging.WARNING):
        assert not await report(datetime.now(UTC))
    assert "ConnectionError" in caplog.text
    assert "a-token" not in caplog.text
