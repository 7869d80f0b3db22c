"""Two releases are put side by side: what they are made of, what they write, and what can be counted of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.commands.checkpoints import DEFAULT_RELEASE
from model.workbench.comparing import (
    MEASURES,
    Pair,
    Side,
    release_in,
    show_learning,
    show_making,
    show_measures,
    show_scripts,
    sides_of,
    write_both,
)
from model.workbench.reading import beside
from model.writing import Writer, write
from tests.shows import second_show
from tests.unit.model.workbench.shown import texts
from tng.errors import PremiseError, ReleaseMissing
from tng.script import render

EVIL = "<script>alert(1)</script>"
META: dict[str, Any] = {
    "id": "test-1",
    "config": {"network": {"n_layer": 2, "n_embd": 64, "n_vocab": 1500}},
    "corpus": {"fingerprint": "f" * 64, "training_tokens": 12345, "is_ours": True},
    "steps_done": 120,
    "training_seconds": 90,
    "losses": [[1, 7.0], [120, 4.5]],
    "evaluation": {"bits_per_byte": 1.25},
}
WISH = {"title": "The Quiet Hours", "tone": "drama", "length": "teaser", "seed": 3}


@pytest.fixture
def sides(writer: Writer) -> tuple[Side, Side]:
    bolder = replace(writer, sampling=replace(writer.sampling, temperature=1.2))
    return Side("test-1", writer, META), Side("test-1, bolder", bolder, {"id": "test-2"})


@pytest.fixture
def pair(sides: tuple[Side, Side]) -> Pair:
    return write_both(sides, WISH)


def test_a_name_in_the_home_folder_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert release_in("~/releases/mine-1") == tmp_path / "releases" / "mine-1"
    assert release_in() == DEFAULT_RELEASE


def test_one_release_is_compared_with_its_bolder_self() -> None:
    first, second = sides_of()
    assert first.writer.network is second.writer.network
    assert second.writer.sampling.temperature > first.writer.sampling.temperature
    assert first.name != second.name


def test_two_folders_are_two_releases(empty_folder: Path) -> None:
    first, second = sides_of(DEFAULT_RELEASE, DEFAULT_RELEASE)
    assert first.writer.sampling == second.writer.sampling
    with pytest.raises(ReleaseMissing):
        sides_of(DEFAULT_RELEASE, empty_folder)


def test_what_is_known_stands_beside_what_is_not(sides: tuple[Side, Side], shown: list[dict[str, Any]]) -> None:
    show_making(sides)
    rows = {line.split("  ")[0]: line for line in texts(shown).splitlines()}
    assert rows["steps"].split()[1:] == ["120", "–"]
    assert rows["training, minutes"].split()[-2:] == ["1.500", "–"]
    assert rows["bits per byte, held out"].endswith("–")


def test_the_losses_are_drawn_or_said_to_be_forgotten(sides: tuple[Side, Side], shown: list[dict[str, Any]]) -> None:
    show_learning(sides)
    assert "image/png" in shown[0]
    show_learning(sides[1:])
    assert texts(shown[1:]) == "Neither release remembers its losses."


def test_both_write_for_the_same_premise_and_seed(pair: Pair, writer: Writer) -> None:
    assert pair.premise.seed == 3
    assert pair.premise.cast == writer.show.leads
    first, second = (render(written.script) for written in pair.scripts)
    assert first == render(write(pair.premise, writer).script)
    assert first != second


def test_scripts_stand_side_by_side_as_text(pair: Pair, shown: list[Any], sides: tuple[Side, Side]) -> None:
    show_scripts(pair)
    names = [column.children[0].value for column in shown[0].children]
    assert names == [side.name for side in sides]
    script = replace(pair.scripts[0].script, title=EVIL)
    reader = beside({"x": script}).children[0].children[1]
    assert reader.title == EVIL, "the reader sets it as text"
    assert len(reader.sections) == len(script.scenes)


def test_every_measure_has_both_values_and_its_band(pair: Pair, shown: list[dict[str, Any]]) -> None:
    show_measures(pair)
    rows = texts(shown).splitlines()[1:]
    assert len(rows) == len(MEASURES) + 3
    assert rows[0].split("  ")[0] == "lines of a known type"
    assert all("–" not in row for row in rows[: len(MEASURES)])
    assert sum("not known" in row for row in rows) == 2, "the test's release has no index of its corpus"


def test_shows_without_a_common_cast_are_refused_with_a_sentence(sides: tuple[Side, Side]) -> None:
    strangers = replace(sides[1], writer=replace(sides[1].writer, show=second_show()))
    with pytest.raises(PremiseError):
        write_both((sides[0], strangers), WISH)
