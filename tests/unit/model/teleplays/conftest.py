"""Fixtures of the import's tests: ``shelf`` (an empty one). ``show`` is that of all the writer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.corpus.teleplays.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "corpus" / "series")
