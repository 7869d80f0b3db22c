"""What the launcher says, what it hands on, and when it calls the house open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hub.__main__ import answers, banner, hub_environment
from tests.shows import second_show
from tests.unit.hub.conftest import DEMO, PRODUCTION, STRIPE
from tng.settings import Settings

MakeSettings = Callable[..., Settings]


class Door(BaseHTTPRequestHandler):
    """Answers 200 to /open and 404 to the rest."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/open" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_it_is_open_when_the_page_is_there(port: int) -> None:
    assert answers(port, "/open")


def test_it_is_not_open_while_the_proxy_knows_no_way(port: int) -> None:
    assert not answers(port, "/closed")


def test_it_is_not_open_while_nobody_listens(port: int) -> None:
    assert not answers(1, "/open")


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        pytest.param(DEMO, ["Google and Stripe", "ada@example.com", "una@example.com"], ["Google account"], id="demo"),
        pytest.param(STRIPE, ["take the place of Google:"], ["Google and Stripe"], id="stripe-is-real"),
        pytest.param(PRODUCTION, ["Everybody with a Google account"], ["demo", "example.com  "], id="production"),
    ],
)
def test_the_banner_says_what_is_real_and_who_may_come(
    settings: MakeSettings, changes: dict[str, str], there: list[str], absent: list[str]
) -> None:
    house = settings(**changes)
    text = banner(house, second_show(), house.home / "hub.log")
    assert f"{second_show().product}: {house.public}" in text
    assert not [word for word in there if word not in text]
    assert not [word for word in absent if word in text]


def test_the_banner_holds_no_secret(settings: MakeSettings) -> None:
    text = banner(settings(**PRODUCTION), second_show(), settings().home)
    assert not [value for name, value in PRODUCTION.items() if "secret" in name and value in text]


def test_the_hub_inherits_the_settings_and_little_else(settings: MakeSettings) -> None:
    shell = {
        "PATH": "/bin",
        "STRIPE_SECRET_KEY": "k",
        "GOOGLE_CLIENT_SECRET": "g",
        "TNG_PORT": "1",
        "AWS_SECRET_ACCESS_KEY": "a",
        "PYTHONPATH": "/elsewhere",
        "LD_PRELOAD": "/evil.so",
        "NODE_OPTIONS": "--inspect",
    }
    environment = hub_environment(shell, settings(port=9000))
    assert environment["PATH"] == "/bin"
    assert environment["STRIPE_SECRET_KEY"] == "k"
    assert environment["GOOGLE_CLIENT_SECRET"] == "g"
    assert environment["TNG_PORT"] == "9000"
    assert not {"AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "NODE_OPTIONS"} & set(environment)
    assert environment["PYTHONPATH"] != "/elsewhere"


def test_a_relative_home_means_the_same_for_everybody(settings: MakeSettings) -> None:
    environment = hub_environment({}, Settings.read(home="var"))
    assert environment["TNG_HOME"].startswith("/")
    assert environment["TNG_RELEASE"].startswith("/")
