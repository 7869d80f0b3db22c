"""A show is read whole, and what is missing or wrong in its file is named."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.shows import FIRST, SECOND, first_show, second_show
from tng.errors import ShowError
from tng.script import Length, Tone
from tng.shows import SHOW_FILE, Show, read_show
from tng.toml_part import Part


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder of a show that may be spoilt."""
    folder = tmp_path / "lantern"
    shutil.copytree(SECOND, folder)
    return folder


def spoil(folder: Path, old: str, new: str) -> None:
    path = folder / SHOW_FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("show", [first_show(), second_show()], ids=lambda show: show.id)
def test_a_show_has_what_the_product_asks_of_it(show: Show) -> None:
    assert set(show.lengths) == set(Length)
    assert {family.tone for family in show.main_families} == set(Tone)
    assert set(show.leads) <= set(show.cues)
    assert [show.act_of(beat) for beat in show.beats] == [act for act, beats in show.acts.items() for _ in beats]
    assert show.bank_folder.is_dir()


def test_the_two_shows_share_no_word_of_their_own() -> None:
    first, second = first_show(), second_show()
    assert not set(first.cues) & set(second.cues)
    assert not set(first.beats) & set(second.beats)
    assert not set(first.acts) & set(second.acts)
    assert {first.price_cents, first.currency}.isdisjoint({second.price_cents, second.currency})


def test_the_members_are_found_by_their_cues() -> None:
    show = second_show()
    maren = show.member("MAREN")
    assert maren is not None
    assert (maren.names, maren.formal, maren.is_woman) == (("Maren", "Holt"), "Keeper Holt", True)
    assert show.member("PICARD") is None


def test_the_side_story_stands_among_the_beats_of_its_acts() -> None:
    show = second_show()
    assert show.beats_of("PART ONE") == ("WATCH", "POT", "SIGNAL")
    assert show.act_of("WASH") == "PART TWO"
    assert show.act_of("ENCORE") == ""
    assert show.tone_of("kitchen") is Tone.COMEDY
    assert show.tone_of("opera") is None


def test_a_show_is_read_where_its_scene_bank_is_not(tmp_path: Path) -> None:
    """As in a release."""
    shutil.copyfile(FIRST / SHOW_FILE, tmp_path / SHOW_FILE)
    show = read_show(tmp_path)
    assert not show.bank_folder.exists()
    assert show.ideas == ()
    there = first_show()
    assert replace(show, folder=FIRST, bank_folder=there.bank_folder, ideas=there.ideas) == there


def required_parts() -> list[str]:
    """Every line of the second show's file without which it is no show, as it stands there."""
    text = (SECOND / SHOW_FILE).read_text(encoding="utf-8")
    optional = r'"PART|statement|always_aboard|woman|lead|called_by_rank|keywords|ranks|known|taken|night|amber'
    lines = [line for line in text.splitlines() if " = " in line and not re.match(optional, line)]
    return list(dict.fromkeys(lines))


@pytest.mark.parametrize("line", required_parts(), ids=lambda line: line.split(" = ")[0])
def test_a_part_that_is_missing_is_named(copied: Path, line: str) -> None:
    spoil(copied, f"{line}\n", "")
    name = line.split(" = ")[0].strip('"')
    with pytest.raises(ShowError) as refused:
        read_show(copied)
    assert "lantern/show.toml" in str(refused.value)
    assert name in str(refused.value)


TABLES = [
    "price",
    "side_story",
    "side_story.places",
    "acts",
    "lengths.short",
    "names",
    "invented",
    "corpus",
    "teleplays",
]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_missing_is_named(copied: Path, table: str) -> None:
    spoil(copied, f"[{table}]\n", "[nothing]\n")
    with pytest.raises(ShowError, match=rf"show\.toml: {re.escape(table)}[. a-z]* is missing"):
        read_show(copied)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param('id = "lantern"', 'id = "../etc"', "id must be", id="id"),
        pytest.param("cents = 450", "cents = 0", "price must be", id="free"),
        pytest.param("cents = 450", 'cents = "450"', "price.cents must be a whole number", id="text"),
        pytest.param("cents = 450", "cents = true", "price.cents must be a whole number", id="bool"),
        pytest.param('"eur"', '"euros"', "price must be", id="currency"),
        pytest.param('cue = "PIP"', 'cue = "Pip"', "cues in capitals", id="small-cue"),
        pytest.param('cue = "PIP"', 'cue = "OSKAR"', "each of them once", id="cue-twice"),
        pytest.param('cue = "PIP"', 'cue = "RADIO"', "each of them once", id="cue-of-a-voice"),
        pytest.param('names = ["Pip"]', "names = []", "needs a name", id="nameless"),
        pytest.param('names = ["Pip"]', "names = [3]", "each of it a text", id="number-for-name"),
        pytest.param("lead = true\n\n", "\n", "as many leads", id="one-lead"),
        pytest.param('tone = "mystery"', 'tone = "gloom"', "families.light.tone must be one of", id="unknown-tone"),
        pytest.param('tone = "mystery"', 'tone = "drama"', "one for the tone mystery", id="tone-without-family"),
        pytest.param("[families.storm]", '[families."../storm"]', "families must have names", id="family-name"),
        pytest.param('family = "kitchen"', 'family = "cellar"', "cellar is no family", id="side-family"),
        pytest.param('["POT", "WATCH"]', '["POT"]', "must be two beats", id="place-of-one"),
        pytest.param('["POT", "WATCH"]', '["POT", "DAWN"]', "side_story.places.PART ONE", id="follows-nothing"),
        pytest.param('["WASH", "ROW"]', '["POT", "ROW"]', "every beat of the side story once", id="place-twice"),
        pytest.param('["ROW", "DAWN"]\n\n[lengths', '["WATCH", "DAWN"]\n\n[lengths', "every name once", id="twice"),
        pytest.param('"PART TWO" = ["ROW", "DAWN"]\n\n', '"PART TWO" = []\n\n', "must have beats", id="empty-act"),
        pytest.param('["WATCH", "SIGNAL", "ROW"]', '["WATCH", "ENCORE"]', "no act has: ENCORE", id="unknown-beat"),
        pytest.param('["WATCH", "SIGNAL", "ROW"]', "[]", "lengths.teaser must have acts", id="empty-length"),
        pytest.param("dates = [100, 365]", "dates = [365, 100]", "the smaller first", id="dates"),
        pytest.param("dates = [100, 365]", "dates = [100]", "two numbers", id="one-date"),
        pytest.param('diseases = "{r} cough', 'diseases = "{x} cough', "{n} and {r}", id="unknown-brace"),
        pytest.param('ship_ends = "maid|wing|bride|catcher|hope"', 'ship_ends = "|"', "must have a word", id="pool"),
        pytest.param('page_heading = "THE LONG"', "page_heading = 7", "page_heading must be a text", id="kind"),
        pytest.param("[teleplays]", "[teleplays]\ntogether = [1]", "list of lists", id="together"),
        pytest.param("[teleplays]", "[teleplays]\nseasons = [[1, 2, 3]]", "the first and the last", id="seasons"),
        pytest.param("[[cast]]", "[cast]", "show.toml", id="no-list"),
    ],
)
def test_a_part_that_is_wrong_is_named(copied: Path, old: str, new: str, fault: str) -> None:
    spoil(copied, old, new)
    with pytest.raises(ShowError, match=re.escape(fault)):
        read_show(copied)


@pytest.mark.parametrize("content", [b"", b"id = ", b"\xff\xfe", b"id = 3"], ids=["empty", "broken", "no-text", "kind"])
def test_a_file_that_is_no_show_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SHOW_FILE).write_bytes(content)
    with pytest.raises(ShowError, match=SHOW_FILE):
        read_show(tmp_path)


def test_a_folder_without_a_show_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShowError, match=f"no show in {tmp_path.name}"):
        read_show(tmp_path)


def test_a_fault_says_where_it_stands() -> None:
    part = Part({"outer": {"inner": [{"name": "x"}, {"size": 1}]}}, "file.toml: ")
    first, second = part.table("outer").tables("inner")
    assert first.take("name", str) == "x"
    with pytest.raises(ShowError, match=r"^file\.toml: outer\.inner 2: name is missing; it must be a text$"):
        second.take("name", str)
    with pytest.raises(ShowError, match=r"outer\.inner must be a list of tables"):
        Part({"inner": [1]}, "outer.").tables("inner")


def test_what_is_optional_may_be_missing() -> None:
    part = Part({}, "file.toml: ")
    assert part.take("name", str, "") == ""
    assert list(part.table("look", optional=True)) == []
    assert part.each("numbers", int, []) == ()
