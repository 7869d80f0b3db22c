"""What the launcher says, what it hands on, and when it calls the house open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.__main__ import banner, hub_environment
from tests.shows import second_show
from tests.unit.hub.conftest import DEMO, PRODUCTION, STRIPE
from tng.settings import Settings

MakeSettings = Callable[..., Settings]


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        pytest.param(DEMO, ["Google and Stripe", "ada@example.com", "una@example.com"], ["Google account"], id="demo"),
        pytest.param(STRIPE, ["take the place of Google:"], ["Google and Stripe"], id="stripe-is-real"),
        pytest.param(PRODUCTION, ["Everybody with a Google account"], ["a demo.", "example.com  "], id="production"),
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


def test_a_secret_in_a_file_stays_there_and_the_hub_is_told_where(settings: MakeSettings, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(STRIPE["stripe_secret_key"])
    file.chmod(0o600)
    house = settings(stripe_secret_key_file=file, stripe_webhook_secret="whsec_of_ours")
    environment = hub_environment({"STRIPE_SECRET_KEY_FILE": "key", "PATH": "/bin"}, house)
    assert environment["STRIPE_SECRET_KEY_FILE"] == str(file)
    assert STRIPE["stripe_secret_key"] not in environment.values()
