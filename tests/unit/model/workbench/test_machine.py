"""A notebook says first what the machine has."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from model.workbench.machine import HOURS, NO_GPU, VISIBLE, gpus_of_machine, machine_lines, show_machine, visible_gpus
from tests.unit.model.workbench.shown import texts

TWO = {"GPU-a": "NVIDIA A100", "GPU-b": "NVIDIA L4"}


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        pytest.param(None, ["NVIDIA A100", "NVIDIA L4"], id="not-said"),
        pytest.param("", [], id="none"),
        pytest.param("GPU-b", ["NVIDIA L4"], id="by-id"),
        pytest.param("1,0", ["NVIDIA L4", "NVIDIA A100"], id="by-number"),
        pytest.param("GPU-z, GPU-a", ["NVIDIA A100"], id="one-that-is-not-there"),
    ],
)
def test_only_the_gpus_of_this_server_count(visible: str | None, names: list[str]) -> None:
    assert visible_gpus(visible, TWO) == names


def test_equal_gpus_are_counted() -> None:
    four = {f"GPU-{number}": "NVIDIA H100 80GB HBM3" for number in range(4)}
    assert machine_lines({}, four) == ("GPU: 4 × NVIDIA H100 80GB HBM3",)


def test_a_machine_without_any_says_that_nothing_is_missing() -> None:
    assert machine_lines({VISIBLE: ""}, TWO) == (NO_GPU,)
    assert machine_lines({}, {}) == (NO_GPU,)


@pytest.mark.parametrize(("told", "said"), [("16.52", "16.5"), ("0", "0.0"), ("-2", "0.0")])
def test_the_hours_that_are_left_are_said(told: str, said: str) -> None:
    assert machine_lines({HOURS: told}, {})[1] == f"GPU hours left of these seven days: {said}"


@pytest.mark.parametrize("told", ["", "many", "nan hours"])
def test_hours_that_nobody_counts_are_left_out(told: str) -> None:
    assert machine_lines({HOURS: told}, {}) == (NO_GPU,)


def _driver(folder: Path, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("script", "names"),
    [
        pytest.param('echo "GPU-a, NVIDIA A100, 40960 MiB"', {"GPU-a": "NVIDIA A100"}, id="one"),
        pytest.param("exit 9", {}, id="a-driver-that-fails"),
        pytest.param("echo nothing that is known", {}, id="another-answer"),
    ],
)
def test_the_driver_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, names: dict[str, str]
) -> None:
    _driver(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus_of_machine() == names


def test_a_machine_without_a_driver_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: list[dict[str, Any]]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(HOURS, raising=False)
    show_machine()
    assert texts(shown) == NO_GPU
