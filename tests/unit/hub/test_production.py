"""A house that is open to the world refuses to start with whatever would make that a danger, and says all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import production
from hub.production import refuse
from tests.unit.hub.conftest import PRODUCTION
from tng.errors import SettingsError
from tng.settings import Settings

EARNEST = {**PRODUCTION, "trusted_users": False}
POWER = {"power_users": "grace@example.com"}


@pytest.fixture
def isolating(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which every person can be given a Unix user."""
    monkeypatch.setattr(production, "can_isolate", lambda _: "")
    monkeypatch.setattr(production, "isolates", lambda _: True)


@pytest.fixture
def faults(tmp_path: Path) -> Callable[..., list[str]]:
    """What is said of a house."""

    def said(**changes: Any) -> list[str]:
        try:
            refuse(Settings.draft(home=tmp_path / "home", **changes))
        except SettingsError as error:
            return str(error).splitlines()
        return []

    return said


Faults = Callable[..., list[str]]


@pytest.mark.usefixtures("isolating")
@pytest.mark.parametrize("changes", [{}, POWER], ids=["customers", "power-users"])
def test_a_house_that_keeps_people_apart_may_open(faults: Faults, changes: dict[str, Any]) -> None:
    assert faults(**EARNEST, **changes) == []


def test_a_demonstration_may_open_with_everybody_as_one_user(faults: Faults) -> None:
    assert faults(isolation="one", **POWER) == []


def test_one_user_for_all_needs_a_word_that_all_are_trusted(faults: Faults) -> None:
    (sentence,) = faults(**EARNEST, isolation="one")
    assert "TNG_ISOLATION is one" in sentence
    assert "TNG_TRUSTED_USERS=1" in sentence
    assert faults(**PRODUCTION, isolation="one", **POWER) == []


def test_where_people_cannot_be_kept_apart_the_reason_is_said(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "can_isolate", lambda _: "this house is not opened by root")
    monkeypatch.setattr(production, "isolates", lambda _: False)
    (sentence,) = faults(**EARNEST)
    assert "this house is not opened by root" in sentence


def test_containers_keep_people_apart_by_themselves(faults: Faults) -> None:
    assert faults(**EARNEST, carrier="docker", image="tng:1") == []


@pytest.mark.usefixtures("isolating")
def test_power_users_may_not_share_a_host_name_with_customers_unless_trusted(faults: Faults) -> None:
    (sentence,) = faults(**EARNEST, **POWER, subdomains=False)
    assert "TNG_SUBDOMAINS may not be off" in sentence
    assert faults(**PRODUCTION, **POWER, subdomains=False) == []


@pytest.mark.usefixtures("isolating")
@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o755, 1), (0o770, 1), (0o711, 0), (0o700, 0)],
    ids=["read-by-all", "of-the-group", "passable", "closed"],
)
def test_a_home_that_others_can_read_is_refused_before_it_is_closed(
    faults: Faults, tmp_path: Path, mode: int, said: int
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(mode)
    sentences = faults(**EARNEST)
    assert len(sentences) == said
    assert all("TNG_HOME" in sentence for sentence in sentences)
    assert (tmp_path / "home").stat().st_mode & 0o777 == mode


def test_every_fault_is_said_at_once_and_once(faults: Faults) -> None:
    lines = faults(mode="production", isolation="one", bind="somewhere", public_url="https://shop.example/path")
    named = ("GOOGLE_CLIENT_ID", "STRIPE_SECRET_KEY", "TNG_PUBLIC_URL", "TNG_BIND", "TNG_ISOLATION")
    assert [[name for name in named if name in line] for line in lines] == [[name] for name in named]
