"""What counts as using JupyterLab, without a JupyterLab."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub.lab_server import (
    ASKED,
    DONE,
    PACKAGE,
    HouseLab,
    _jupyter_server_extension_points,
    count_work_alone,
    is_busy,
    noting,
)

BASE = "/user/1000/"


def answered(method: str, path: str, *, status: int = 200, **headers: str) -> dict[str, Any]:
    """The settings of a server after it has answered one call."""
    logged: list[Any] = []
    settings: dict[str, Any] = {}
    request = SimpleNamespace(method=method, path=BASE + path, headers=headers)
    handler = SimpleNamespace(request=request, get_status=lambda: status)
    noting(settings, logged.append)(handler)
    assert logged == [handler]
    return settings


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "api/contents/a.ipynb"),
        ("POST", "api/kernels"),
        ("DELETE", "api/sessions/1"),
        ("PATCH", "api/sessions/1"),
    ],
)
def test_whoever_changes_something_is_there(method: str, path: str) -> None:
    assert DONE in answered(method, path)


def test_whoever_opens_a_page_is_there() -> None:
    assert DONE in answered("GET", "lab", **{"Sec-Fetch-Mode": "navigate"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/kernels"),
        ("GET", "api/sessions"),
        ("GET", "api/terminals"),
        ("GET", "api/contents"),
        ("HEAD", "lab"),
        ("PUT", "lab/api/workspaces/default"),
    ],
)
def test_what_an_open_tab_does_by_itself_is_nobodys_doing(method: str, path: str) -> None:
    assert DONE not in answered(method, path)


def test_a_call_that_is_refused_is_nobodys_doing() -> None:
    assert DONE not in answered("POST", "api/kernels", status=403)


def kernels(*states: str) -> Any:
    """A kernel manager with kernels in these states."""
    held = {str(number): SimpleNamespace(execution_state=state) for number, state in enumerate(states)}
    return SimpleNamespace(list_kernel_ids=lambda: list(held), get_kernel=held.__getitem__)


@pytest.mark.parametrize(("states", "busy"), [((), False), (("idle",), False), (("idle", "busy"), True)])
def test_a_kernel_that_runs_something_works(states: tuple[str, ...], busy: bool) -> None:
    assert is_busy(kernels(*states)) is busy


def test_being_asked_is_no_work_and_running_something_is() -> None:
    settings = {ASKED: "just now", "terminal_last_activity": "a while ago"}
    count_work_alone(settings, kernels("idle"))
    assert settings == {"terminal_last_activity": "a while ago"}
    count_work_alone(settings, kernels("busy"))
    assert DONE in settings


def test_jupyter_finds_the_class_by_its_module() -> None:
    assert HouseLab.get_extension_package() == PACKAGE
    assert _jupyter_server_extension_points() == [{"module": PACKAGE, "app": HouseLab}]
