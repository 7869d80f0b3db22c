"""The repository speaks of the project alone, keeps no secret, and installs what it names."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".ipynb", ".js", ".css", ".j2", ".html", ".json", ".sh", ""}
SECRET = re.compile(
    r"(sk|rk)_live_[0-9A-Za-z]{8,}|whsec_[0-9A-Za-z]{24,}|AIza[0-9A-Za-z_-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
MACHINE = re.compile(r"/work/|/root/|/home/[a-z]+/|\bissue #?\d|\bthis session\b|\bhelper-\d", re.IGNORECASE)


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    paths = [ROOT / name for name in listed if name]
    return [
        p for p in paths if p.suffix in TEXT and p.is_file() and "scenebank" not in p.parts and p.stat().st_size < 2**20
    ]


def _lines(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_secret_is_in_the_repository() -> None:
    assert not _lines(SECRET)


def test_no_machine_and_no_workplace_is_in_the_repository() -> None:
    assert not _lines(MACHINE)


def test_the_secret_pattern_finds_a_secret() -> None:
    assert SECRET.search("key = 'sk_live_" + "a1B2" * 6 + "'")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_names_every_dependency_with_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + (project["dependency-groups"]["dev"] if "dev" in lock else [])
    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==", text, re.MULTILINE)}
    missing = [w for w in wanted if re.split(r"[<>=!~\[; ]", w)[0].lower() not in locked]
    assert not missing
    entries = [e for e in re.split(r"\n(?=\S)", text) if "==" in e]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_two_locks_agree() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[A-Za-z0-9._-]+==[^ \\]+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_the_release_in_the_repository_is_at_most_forty_megabytes() -> None:
    files = [path for path in (ROOT / "model" / "releases").rglob("*") if path.is_file()]
    assert files
    assert sum(path.stat().st_size for path in files) <= 50 * 10**6


def test_the_hub_configuration_is_a_call() -> None:
    assert len((ROOT / "jupyterhub_config.py").read_text(encoding="utf-8").splitlines()) <= 15
