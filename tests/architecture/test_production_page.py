"""docs/production.md names every setting, and none that is not there; the house would start from its unit."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import ROOT
from tng.settings import Part, Settings

PAGE = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
NAMES = {field.alias or f"TNG_{name.upper()}" for name, field in Settings.model_fields.items()}
THE_HOUSES_OWN = {"TNG_PART"}
NEVER_WITH_LIVE_KEYS = {"STRIPE_API_BASE"}


def _named(text: str) -> set[str]:
    return set(re.findall(r"\b(?:TNG|GOOGLE|STRIPE)_[A-Z_]+\b", text))


def test_it_names_no_setting_that_is_not_there() -> None:
    assert not _named(PAGE) - NAMES


def test_it_explains_every_setting() -> None:
    assert NAMES - _named(PAGE) == THE_HOUSES_OWN | NEVER_WITH_LIVE_KEYS


def test_each_setting_has_one_row_in_its_tables() -> None:
    rows = [name for line in PAGE.splitlines() if line.startswith("| `") for name in _named(line.split("|")[1])]
    assert len(rows) == len(set(rows))


def test_the_unit_sets_what_production_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = {name: value for line in _unit() for name, value in re.findall(r"([A-Z_]+)=(\S+)", line)}
    assert {name.removesuffix("_FILE") for name in unit if not name.startswith("TNG_")} == {
        "GOOGLE_CLIENT_ID",
        "GOOGLE_CLIENT_SECRET",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
    }
    loaded = set(re.findall(r"LoadCredential=([\w-]+):", PAGE))
    assert {value.removeprefix("%d/") for value in unit.values() if value.startswith("%d/")} == loaded
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in unit.items():
        if name.startswith("TNG_"):
            monkeypatch.setenv(name, value)
    assert not Settings.draft(part=Part.WORKER).faults()


def _unit() -> list[str]:
    return [line.strip().removeprefix("Environment=") for line in PAGE.splitlines() if "    Environment=" in line]


def test_the_folders_and_files_that_it_names_are_there() -> None:
    for path in re.findall(r"`(docs/[\w./-]+)`", PAGE):
        assert (ROOT / path).is_file(), path
