"""Which services run, what each is told, and who may do what."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from hub.places import HARMLESS
from tests.unit.hub.conftest import DEMO, PRODUCTION, STRIPE, WITH_GOOGLE
from tng.settings import ROOT, Part, Settings

Configured = Callable[..., Config]

every_way = pytest.mark.parametrize("changes", [DEMO, WITH_GOOGLE, STRIPE, PRODUCTION], ids=["demo", "g", "s", "prod"])


def _service(c: Config, name: str) -> dict[str, Any]:
    return next(service for service in c.JupyterHub.services if service["name"] == name)


@every_way
def test_only_the_api_and_the_stand_in_know_keys_of_stripe(configured: Configured, changes: dict[str, Any]) -> None:
    for service in configured(**changes).JupyterHub.services:
        names = {name for name in service.get("environment", {}) if "STRIPE" in name}
        allowed = {
            "api": {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"},
            "stripe": {"STRIPE_STAND_IN_KEY", "STRIPE_STAND_IN_WEBHOOK_SECRET"},
        }
        assert names <= allowed.get(service["name"], set())


@every_way
def test_no_service_but_the_stand_in_knows_keys_of_google(configured: Configured, changes: dict[str, Any]) -> None:
    for service in configured(**changes).JupyterHub.services:
        if service["name"] != "google":
            assert not [name for name in service.get("environment", {}) if "GOOGLE" in name]


@every_way
def test_only_the_process_of_the_schedules_knows_how_operators_are_reached(
    configured: Configured, changes: dict[str, Any]
) -> None:
    told = {"notice_webhook": "https://hooks.example/x", "smtp_host": "mail.example", "smtp_user": "tng"}
    mail = {"notice_mail_to": "ola@example.com", "notice_mail_from": "tng@example.com", "smtp_password": "pass-word"}
    for service in configured(**changes, **told, **mail).JupyterHub.services:
        known = {n: v for n, v in service.get("environment", {}).items() if n.startswith(("TNG_NOTICE", "TNG_SMTP"))}
        if service["name"] == "scheduler":
            assert known["TNG_NOTICE_WEBHOOK"] == "https://hooks.example/x"
            assert known["TNG_SMTP_PASSWORD"] == "pass-word"
            assert known["TNG_NOTICE_MAIL_TO"] == "ola@example.com"
        else:
            assert not known


@every_way
def test_no_secret_is_on_a_command_line(configured: Configured, changes: dict[str, Any]) -> None:
    for service in configured(**changes).JupyterHub.services:
        line = " ".join(service.get("command", []))
        for name, value in service.get("environment", {}).items():
            if value and any(word in name for word in ("KEY", "SECRET")):
                assert value not in line


def test_the_demo_talks_to_the_stand_in_with_keys_of_its_own(configured: Configured) -> None:
    c = configured()
    api, stripe = _service(c, "api")["environment"], _service(c, "stripe")["environment"]
    assert api["STRIPE_SECRET_KEY"] == stripe["STRIPE_STAND_IN_KEY"]
    assert api["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert api["STRIPE_WEBHOOK_SECRET"] == stripe["STRIPE_STAND_IN_WEBHOOK_SECRET"]
    assert api["STRIPE_API_BASE"] == "http://127.0.0.1:8005/services/stripe"
    assert "--webhook-url=http://127.0.0.1:8003/services/api/stripe/webhook" in _service(c, "stripe")["command"]
    assert "--public-url=http://127.0.0.1:8000/services/stripe" in _service(c, "stripe")["command"]


def test_two_houses_have_different_keys(tmp_path: Path) -> None:
    from hub.services import stripe_environment

    first = stripe_environment(Settings.read(home=tmp_path / "one"))
    second = stripe_environment(Settings.read(home=tmp_path / "two"))
    assert first["STRIPE_SECRET_KEY"] != second["STRIPE_SECRET_KEY"]
    assert first["STRIPE_WEBHOOK_SECRET"] != second["STRIPE_WEBHOOK_SECRET"]


def test_with_keys_the_api_talks_to_stripe(configured: Configured) -> None:
    environment = _service(configured(**PRODUCTION), "api")["environment"]
    assert environment["STRIPE_SECRET_KEY"] == PRODUCTION["stripe_secret_key"]
    assert "STRIPE_API_BASE" not in environment


@pytest.mark.parametrize(("name", "part"), [("api", Part.API), ("worker", Part.WORKER), ("scheduler", Part.SCHEDULER)])
@every_way
def test_a_service_can_read_its_settings_again(
    configured: Configured, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], name: str, part: Part
) -> None:
    c = configured(**changes, power_users="b@example.com,a@example.com", price_cents=499)
    for variable, value in _service(c, name)["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = Settings.read()
    assert settings.part is part
    assert (settings.price_cents, settings.currency) == (499, None)
    assert settings.show == ROOT / "shows" / "tng"
    assert settings.power_users == {"a@example.com", "b@example.com"}
    assert settings.home.is_absolute()
    assert not settings.google_client_secret.get_secret_value()


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_whoever_runs_notebooks_can_neither_charge_nor_refund(configured: Configured, name: str) -> None:
    environment = _service(configured(**PRODUCTION), name)["environment"]
    assert not [name for name in environment if any(word in name for word in ("STRIPE", "GOOGLE", "COOKIE"))]


def test_all_are_kept_and_so_restarted_at_once_and_end_with_the_hub(configured: Configured) -> None:
    for service in configured().JupyterHub.services:
        if service["name"] in ("prometheus", "forget"):
            continue  # a token, and no process of ours
        assert service["command"][1:3] == ["-m", "hub.keeper"]
        assert f"--parent={os.getpid()}" in service["command"]


def test_stand_ins_are_up_before_those_that_call_them(configured: Configured) -> None:
    names = [service["name"] for service in configured().JupyterHub.services]
    assert names.index("stripe") < names.index("api") < names.index("worker") < names.index("scheduler")


def test_the_process_of_the_schedules_stands_back_for_all_others(configured: Configured) -> None:
    niced = [one["name"] for one in configured().JupyterHub.services if "--nice=10" in one.get("command", [])]
    assert niced == ["scheduler"]


def test_what_is_inherited_holds_no_secret() -> None:
    assert not [name for name in HARMLESS if any(word in name for word in ("KEY", "SECRET", "TOKEN", "PASS"))]


def test_where_people_are_kept_apart_no_service_is_root(
    configured: Configured, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.services.isolates", lambda _: True)
    users = {}
    for service in configured().JupyterHub.services:
        if "command" in service:
            (user,) = [word for word in service["command"] if word.startswith("--as=")]
            assert service["command"].index(user) == 3
            assert ("--hold=8003" in service["command"]) == (service["name"] == "api")
            users[service["name"]] = user.removeprefix("--as=")
    assert users.pop("api") == "200001:200000"
    assert users.pop("worker") == users.pop("scheduler") == "200002:200000"
    assert set(users.values()) == {"200003:200003"}
    for name in ("worker", "scheduler"):
        environment = _service(configured(), name)["environment"]
        assert environment["HOME"] == str(settings().home.resolve() / "rooms" / "worker")


def test_in_a_house_of_one_user_nobody_is_anybody_else(configured: Configured) -> None:
    for service in configured(isolation="one").JupyterHub.services:
        assert not [word for word in service.get("command", []) if word.startswith("--as=")]
