"""What is started for whom, and what it is told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config
from voila.configuration import VoilaConfiguration

from hub import spawner
from hub.auth import POWER_USERS
from hub.front import front
from hub.spawner import (
    HouseSpawner,
    configure_servers,
    server_environment,
)
from tests.shows import SECOND, first_show, second_show
from tests.unit.hub.conftest import DEMO, PRODUCTION
from tng.settings import Settings

Configured = Callable[..., Config]
RESOURCES = "--VoilaConfiguration.resources="
FORBIDDEN = ("STRIPE", "DATABASE", "SECRET", "GOOGLE", "COOKIE")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, configured: Configured, tmp_path: Path) -> Callable[..., HouseSpawner]:
    """A spawner after ``start``, whose process is written down instead of started."""

    async def start(self: HouseSpawner) -> tuple[str, int]:
        return "127.0.0.1", 1

    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "start", start)

    async def build(*groups: str, name: str = "ada@example.com", **wishes: Any) -> HouseSpawner:
        c = configured(isolation="one")
        user = SimpleNamespace(name=name, id=7, groups=[SimpleNamespace(name=group) for group in groups], url="/user/x")
        house = HouseSpawner(config=c)
        house.user = user
        house.user_options = wishes
        await house.start()
        return house

    return build  # type: ignore[return-value]


async def test_a_customer_gets_the_dashboard(started: Any) -> None:
    house = await started()
    assert house.cmd[-1] == "hub.voila_server"
    assert house.args[0].endswith("notebooks/pages/dashboard.ipynb")
    assert house.default_url == ""


async def test_a_power_user_gets_jupyterlab(started: Any) -> None:
    house = await started("another", POWER_USERS)
    assert house.cmd[-1] == "hub.lab_server"
    assert house.default_url == "/lab/tree/workbench"
    assert ("--allow-root" in house.args) == (os.geteuid() == 0)


@pytest.mark.parametrize(
    "wishes",
    [{"cmd": "jupyterhub-singleuser"}, {"default_url": "/lab"}, {"profile": "power"}, {"groups": [POWER_USERS]}],
    ids=lambda wishes: next(iter(wishes)),
)
async def test_wishes_change_nothing(started: Any, wishes: dict[str, Any]) -> None:
    plain, wishing = await started(), await started(**wishes)
    assert (wishing.cmd, wishing.args, wishing.default_url) == (plain.cmd, plain.args, plain.default_url)


async def test_who_leaves_the_group_gets_the_dashboard_again(started: Any) -> None:
    house = await started(POWER_USERS)
    house.user.groups = []
    await house.start()
    assert house.cmd[-1] == "hub.voila_server"
    assert house.default_url == ""


async def test_a_workbench_outlives_a_sign_out_and_a_dashboard_does_not(started: Any) -> None:
    assert (await started(POWER_USERS)).outlives_sign_out
    assert not (await started()).outlives_sign_out
    assert not (await started(door="workbench")).outlives_sign_out
    assert not (await started(POWER_USERS, door="dashboard")).outlives_sign_out


async def test_a_hub_that_was_started_again_knows_which_servers_outlive_a_sign_out(started: Any) -> None:
    for groups, outlives in (((POWER_USERS,), True), ((), False)):
        state, house = (await started(*groups)).get_state(), await started(*groups)
        house.choice = type(house).choice
        house.load_state(state)
        assert house.outlives_sign_out is outlives


async def test_the_workbench_of_somebody_who_left_the_group_ends_with_the_sign_out(started: Any) -> None:
    house = await started(POWER_USERS)
    house.user.groups = []
    assert not house.outlives_sign_out


async def test_nothing_in_the_home_folder_is_imported(started: Any) -> None:
    for groups in ((), (POWER_USERS,)):
        assert (await started(*groups)).cmd[1] == "-P"


async def test_pages_cannot_choose_their_template_or_see_tracebacks(started: Any) -> None:
    args = (await started()).args
    for option in ("allow_template_override=NO", "allow_theme_override=NO", "show_tracebacks=False"):
        assert f"--VoilaConfiguration.{option}" in args
    assert "--KernelManager.transport=ipc" in args


async def test_the_workbench_installs_nothing_and_asks_for_nothing(started: Any) -> None:
    house = await started(POWER_USERS)
    assert "--LabApp.extension_manager=readonly" in house.args
    config = Path(house.environment["JUPYTER_CONFIG_PATH"]) / "labconfig" / "page_config.json"
    assert json.loads(config.read_text())["disabledExtensions"] == {
        "@jupyterlab/apputils-extension:announcements": True
    }


@pytest.mark.parametrize("length", [20, 200], ids=["in-the-home-folder", "in-the-systems-place"])
def test_a_server_that_has_ended_leaves_no_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "user_env", lambda _self, env: env)
    house = HouseSpawner()
    house.user = SimpleNamespace(name="ada@example.com", id=7)
    house.homes = str(tmp_path / ("x" * length) / "homes")
    folder = Path(house.user_env({})["JUPYTER_RUNTIME_DIR"])
    (folder / "kernel-1-ipc-1").touch()
    house.clear_state()
    assert not folder.exists()
    house.clear_state()


@pytest.mark.parametrize("changes", [DEMO, PRODUCTION], ids=["demo", "production"])
def test_no_secret_is_in_the_environment_of_a_server(
    configured: Configured, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    c = configured(**changes)
    for name in ("STRIPE_SECRET_KEY", "TNG_DATABASE_URL", "GOOGLE_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "TNG_HOME"):
        monkeypatch.setenv(name, "a-secret")
    kept = {name: os.environ[name] for name in c.HouseSpawner.env_keep if name in os.environ}
    environment = kept | dict(c.HouseSpawner.environment)
    assert not [name for name in environment if any(word in name for word in FORBIDDEN)]
    assert "a-secret" not in environment.values()
    assert {name for name in environment if name.startswith("TNG_")} == {
        "TNG_API_URL",
        "TNG_API_PATH",
        "TNG_PRODUCT",
        "TNG_STAND_INS",
        "TNG_KERNELS_PER_CUSTOMER",
        "TNG_KERNELS_IN_ALL",
        "TNG_SLOTS",
        "TNG_IDLE_SECONDS",
    }


def test_a_kernel_finds_the_api(settings: Callable[..., Settings]) -> None:
    environment = server_environment(settings(port=9100), first_show())
    assert environment["TNG_API_URL"] == "http://127.0.0.1:9103/services/api"
    assert environment["TNG_API_PATH"] == "/services/api"


def test_the_dashboard_is_told_of_the_show(settings: Callable[..., Settings]) -> None:
    c = Config()
    configure_servers(c, settings(show=SECOND), second_show())
    assert c.HouseSpawner.environment["TNG_PRODUCT"] == second_show().product
    assert c.HouseSpawner.front == front(second_show())


async def test_what_the_template_is_told_is_read_by_voila_as_it_was_written(started: Any) -> None:
    args = (await started()).args
    told = [arg.removeprefix(RESOURCES) for arg in args if arg.startswith(RESOURCES)]
    assert VoilaConfiguration.resources.from_string(told[0]) == {"house": front(first_show())}
