"""Fixtures of the engine's tests: ``exports`` (the file of a kind, made once) and ``home`` (where exports are kept)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model.checkpoint import HParams
from model.engine.export import EXPORT_FILE
from model.engine.form import FORMAT, Kind, Note
from model.engine.graph import build_graph
from tests.unit.model.engine.reference import lively_weights

SHAPE = HParams(n_vocab=120, n_ctx=24, n_embd=32, n_head=4, n_layer=3)

Exports = Callable[[Kind], Path]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    folder = tmp_path_factory.mktemp("exports")

    def made(kind: Kind) -> Path:
        path = folder / kind.value / EXPORT_FILE
        if not path.exists():
            path.parent.mkdir()
            path.write_bytes(graph_of(SHAPE, kind))
        return path

    return made


def graph_of(shape: HParams, kind: Kind) -> bytes:
    notes = {Note.KEY.value: "-", Note.KIND.value: kind, Note.WINDOW.value: str(shape.n_ctx), Note.FORMAT.value: FORMAT}
    content: bytes = build_graph(shape, lively_weights(shape), kind, notes).SerializeToString()
    return content


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "exports"
