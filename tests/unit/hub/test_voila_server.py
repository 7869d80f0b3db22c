"""A customer's server, as far as it can be seen without starting it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
from jupyterhub.singleuser.extension import JupyterHubAuthorizer
from voila.configuration import VoilaConfiguration

from hub import voila_server
from hub.spawner import DASHBOARD, VOILA
from hub.voila_server import HouseIdentity, HouseVoila, report

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
    await report(datetime(2026, 1, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))))
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
        await report(datetime.now(UTC))
    assert "ConnectionError" in caplog.text
    assert "a-token" not in caplog.text
