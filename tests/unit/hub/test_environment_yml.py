"""environment.yml is written from the lock, and noticed where it is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.architecture.sources import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("scripts/environment_yml.py", "requirements.lock", "pyproject.toml", "environment.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def _run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/environment_yml.py", *words]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=60, check=False)


def test_the_file_in_the_repository_fits_the_lock(copy: Path) -> None:
    assert _run(copy, "--check").returncode == 0


def test_a_lock_that_changed_is_noticed_until_it_is_written_anew(copy: Path) -> None:
    with (copy / "requirements.lock").open("a") as lock:
        lock.write("one-more==1.0 \\\n    --hash=sha256:00\n")
    assert _run(copy, "--check").returncode == 1
    assert _run(copy).returncode == 0
    assert _run(copy, "--check").returncode == 0


def test_a_missing_lock_is_a_sentence(copy: Path) -> None:
    (copy / "requirements.lock").unlink()
    done = _run(copy, "--check")
    assert done.returncode == 2
    assert "requirements.lock cannot be read" in done.stderr


def test_conda_can_read_it() -> None:
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, through_pip = content["dependencies"]
    assert python == "python=3.11"
    assert pip == "pip"
    assert through_pip == {"pip": ["--require-hashes", "-r requirements.lock"]}
