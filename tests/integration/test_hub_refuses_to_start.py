"""What is wrong is said in one sentence, and nothing is left running or lying about."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.credentials import PRODUCTION, TEST_KEY
from tests.open_house import OpenHouse, free_block
from tests.shows import SECOND

BUILT = (".venv/.made", ".venv/.installed", "hub/proxy/node_modules/.installed")


def _refusal(house: OpenHouse) -> str:
    """The one sentence with which it refused."""
    assert house.wait() == 2
    assert len(house.says) == 1, house.says
    assert not house.belongings()
    return house.says[0].removeprefix("The house cannot be opened: ")


def test_a_port_in_use(tmp_path: Path) -> None:
    port = free_block()
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", port + 3))
        somebody.listen()
        sentence = _refusal(OpenHouse(tmp_path / "var", port))
    assert f"port {port + 3} on 127.0.0.1 cannot be used" in sentence


def test_a_full_disk(tmp_path: Path) -> None:
    sentence = _refusal(OpenHouse(tmp_path / "var", free_block(), TNG_FREE_DISK_MB="99999999"))
    assert "99999999 are needed" in sentence


def test_a_missing_release(tmp_path: Path) -> None:
    sentence = _refusal(OpenHouse(tmp_path / "var", free_block(), TNG_RELEASE=str(tmp_path / "no-such-release")))
    assert "manifest.json is missing" in sentence


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    assert "TNG_HOME" in _refusal(OpenHouse(tmp_path / "var", free_block()))


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        pytest.param({"TNG_PRICE_CENTS": "49"}, "no less than 50 cents", id="price-too-low"),
        pytest.param({"TNG_SHOW": "no-such-show"}, "no show in no-such-show", id="no-show"),
        pytest.param({"TNG_SHOW": str(SECOND)}, "TNG_SHOW is lantern", id="another-show-than-the-release"),
        pytest.param({"TNG_PORT": "eight"}, "TNG_PORT: ", id="port-in-words"),
        pytest.param({"TNG_PUBLIC_URL": "https://shop.example"}, "127.0.0.1 only", id="stand-ins-in-public"),
        pytest.param({"GOOGLE_CLIENT_ID": "an-id"}, "belong together", id="half-a-key"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, settings: dict[str, str], word: str) -> None:
    assert word in _refusal(OpenHouse(tmp_path / "var", free_block(), **settings))
    assert not (tmp_path / "var" / "hub.sqlite").exists()


def _many_refusals(house: OpenHouse) -> list[str]:
    """Every sentence with which it refused, below each other."""
    assert house.wait() == 2
    assert not house.belongings()
    assert not house.home.exists()
    head, *faults = house.says
    assert head == "The house cannot be opened: "
    return [fault.removeprefix("- ") for fault in faults]


def test_production_without_anything_says_all_that_is_missing(tmp_path: Path) -> None:
    house = OpenHouse(tmp_path / "var", free_block(), TNG_MODE="production", TNG_ISOLATION="one")
    named = ("GOOGLE_CLIENT_ID", "STRIPE_SECRET_KEY", "TNG_PUBLIC_URL", "TNG_ISOLATION")
    assert [next(name for name in named if name in line) for line in _many_refusals(house)] == list(named)


def test_production_with_what_the_example_said_is_refused_without_repeating_it(tmp_path: Path) -> None:
    copied = {"GOOGLE_CLIENT_SECRET": "<paste it here>", "STRIPE_SECRET_KEY": TEST_KEY, "TNG_TRUSTED_USERS": "1"}
    house = OpenHouse(tmp_path / "var", free_block(), **(PRODUCTION | copied))
    sentences = _many_refusals(house)
    assert [sentence.split()[0] for sentence in sentences] == ["GOOGLE_CLIENT_SECRET", "STRIPE_SECRET_KEY"]
    assert not [word for word in ("<paste it here>", TEST_KEY) if word in " ".join(sentences)]


def test_a_file_with_a_key_that_others_can_read(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(TEST_KEY)
    file.chmod(0o644)
    sentence = _refusal(OpenHouse(tmp_path / "var", free_block(), STRIPE_SECRET_KEY_FILE=str(file)))
    assert sentence.startswith("STRIPE_SECRET_KEY_FILE")
    assert "chmod 600" in sentence
    assert TEST_KEY not in sentence


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` sees of a fresh clone."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "hub/proxy/package-lock.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def _make(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *words], cwd=clone, env=_outside_make(), capture_output=True, text=True, timeout=60, check=False
    )


def _outside_make() -> dict[str, str]:
    """The environment of somebody's own shell: the tests themselves may have been started by `make`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def test_a_python_that_is_too_old(clone: Path) -> None:
    old = clone / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = _make(clone, "run", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr
    assert not (clone / ".venv" / ".made").exists()


def test_a_lock_that_is_missing(clone: Path) -> None:
    (clone / "requirements.lock").unlink()
    done = _make(clone, "run")
    assert done.returncode != 0
    assert "requirements.lock is missing" in done.stderr


def test_a_second_start_installs_nothing(clone: Path) -> None:
    for name in BUILT:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).touch()
    done = _make(clone, "--dry-run", "run")
    assert done.stdout.splitlines() == ["exec .venv/bin/python -m hub"]
