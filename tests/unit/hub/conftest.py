"""Settings of a house that never opens: in a folder of its own, whatever the shell says."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import traitlets.log
from traitlets.config import Config

import hub.spawner
from hub.config import configure
from tests.credentials import CLIENT_ID, CLIENT_SECRET, LIVE_KEY, WEBHOOK_SECRET
from tng.settings import Settings

GOOGLE = {"google_client_id": CLIENT_ID, "google_client_secret": CLIENT_SECRET}
STRIPE = {"stripe_secret_key": "sk_test_of_ours", "stripe_webhook_secret": "whsec_of_ours"}
PRODUCTION: dict[str, Any] = {
    "mode": "production",
    "public_url": "https://shop.example",
    "trusted_users": True,  # whoever runs the tests need not be root
    **GOOGLE,
    "stripe_secret_key": LIVE_KEY,
    "stripe_webhook_secret": WEBHOOK_SECRET,
}

DEMO: dict[str, Any] = {}
WITH_GOOGLE = dict(GOOGLE)
WITH_STRIPE = dict(STRIPE)


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("TNG_", "GOOGLE_", "STRIPE_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _log_of_traitlets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What configurable things log is heard, whatever application an earlier test began in this process."""
    monkeypatch.setattr(traitlets.log, "get_logger", lambda: logging.getLogger("tests.traitlets"))


@pytest.fixture(autouse=True)
def _starts_that_are_taken_at_their_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that a test only says to be started listens nowhere: nobody waits for it."""
    monkeypatch.setattr(hub.spawner, "listens", lambda _: True)


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a home of this test's own."""
    return lambda **changes: Settings.read(home=tmp_path / "home", **changes)


@pytest.fixture
def configured(settings: Callable[..., Settings]) -> Callable[..., Config]:
    """A bare traitlets Config after ``configure``."""

    def build(**changes: Any) -> Config:
        c = Config()
        configure(c, settings(**changes))
        return c

    return build
