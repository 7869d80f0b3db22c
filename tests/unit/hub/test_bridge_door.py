"""The bridge stands beside an operator's dashboard, and beside nobody else's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub.auth import OPERATORS, POWER_USERS
from hub.rules import BRIDGE, HouseRules
from tests.architecture.sources import ROOT
from tng import overview


class Plain:
    """What a carrier gives to the rules."""

    def get_env(self) -> dict[str, str]:
        return {}


class Server(HouseRules, Plain):
    """A person's server that is never started."""

    def __init__(self, *groups: str) -> None:
        super().__init__()
        self.user: Any = SimpleNamespace(name="104", groups=[SimpleNamespace(name=group) for group in groups])


@pytest.mark.parametrize(
    ("groups", "has"), [((), False), ((POWER_USERS,), False), ((OPERATORS,), True), ((POWER_USERS, OPERATORS), True)]
)
def test_the_dashboards_server_has_the_bridge_for_operators_only(groups: tuple[str, ...], has: bool) -> None:
    server = Server(*groups)
    assert (f"--HouseVoila.pages=bridge={BRIDGE}" in server.dashboard_arguments()) is has
    assert ("bridge" in " ".join(server.dashboard_arguments())) is has
    assert ("TNG_BRIDGE" in server.get_env()) is has


def test_the_notebook_of_the_bridge_is_there() -> None:
    assert BRIDGE.is_file()
    assert BRIDGE.is_relative_to(ROOT / "notebooks" / "pages")


def test_hub_and_api_mean_the_same_group() -> None:
    assert overview.OPERATORS == OPERATORS
