"""The report is numbers, whole, and right about what is outside."""

from __future__ import annotations

import json
import math
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.events import RESULT_MIME
from model.quality import pages
from model.quality.bands import BANDS, Sample, Yardstick
from model.quality.copied_runs import CopiedRuns
from model.quality.plots import by_episode
from model.quality.report import REPORT_FILE, Column, Report, column
from tests.unit.model.quality.scripts import EMPTY, SMALL
from tng.errors import CorpusError
from tng.script import parse, render

SECRET = "zanzibar"
PNG = b"\x89PNG"
PERPLEXITY = {
    "episode_perplexities": [10.5, 12.0],
    "kinds": {"dialogue": {"perplexity": 9.0, "bits_per_byte": 1.1, "tokens": 40}, "end": {"perplexity": 2.0}},
}
INSIDE = {
    "parse_rate": 1.0, "headings_valid": 1.0, "acts_in_order": 1.0, "known_speakers": 0.9, "main_cast_share": 0.7,
    "speakers": 12.0, "one_line_speakers": 0.1, "dialogue_share": 0.6, "words_per_speech": 12.0, "distinct_2": 0.8,
    "distinct_4": 0.98, "repeated_lines": 0.02, "repeated_6grams": 0.01, "worst_variety": 0.6, "compression": 0.4,
    "longest_run": 12.0, "copied_share": 0.004, "seen_8grams": 0.003, "seen_13grams": 0.0, "self_bleu": 12.0,
}  # fmt: skip
"""Real held-out teleplays, in the mean."""


def column_of(name: str = "release", *, judges_copying: bool = True, is_whole: bool = True, **changed: float) -> Column:
    return Column(name, {k: (v, v) for k, v in {**INSIDE, **changed}.items()}, judges_copying, is_whole)


def report_of(release: Column, *controls: Column) -> Report:
    bad = controls or (column_of("loop", repeated_lines=0.9), column_of("copy", copied_share=1.0))
    return Report(release, column_of("held_out"), bad, {"release": "tng-test-1"}, PERPLEXITY)


@pytest.fixture
def measured_report() -> Report:
    """Of real measures, on scripts that all say a word that no report may hold."""
    script = parse(render(SMALL).replace("window", SECRET).replace("The Test", SECRET))
    yardstick = Yardstick(frozenset({"PICARD"}), frozenset({"PICARD"}), CopiedRuns([SECRET]))
    samples = [Sample(script, ("TEASER", "ACT ONE")), Sample(EMPTY, ("TEASER",))]
    names = ("release", "held_out", "markov", "loop", "copy")
    release, held_out, *controls = (column(name, samples, yardstick) for name in names)
    return Report(release, held_out, tuple(controls), {"release": "tng-test-1"}, PERPLEXITY)


def test_what_real_teleplays_are_is_inside() -> None:
    assert column_of().outside == ()
    assert report_of(column_of()).verdict.is_good


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("parse_rate", 0.9), ("headings_valid", 0.9), ("acts_in_order", 0.99), ("known_speakers", 0.5),
        ("main_cast_share", 1.0), ("main_cast_share", 0.3), ("speakers", 26), ("speakers", 5),
        ("one_line_speakers", 0.4), ("dialogue_share", 0.9), ("words_per_speech", 6), ("distinct_2", 0.5),
        ("distinct_4", 0.8), ("repeated_lines", 0.2), ("repeated_6grams", 0.1), ("worst_variety", 0.3),
        ("compression", 0.5), ("compression", 0.3), ("longest_run", 21), ("copied_share", 0.04), ("self_bleu", 31),
    ],
)  # fmt: skip
def test_what_is_not_usual_is_outside(measure: str, value: float) -> None:
    report = report_of(column_of(**{measure: value}))
    assert report.verdict.outside == (measure,)
    assert not report.verdict.is_good


def test_one_script_that_copies_is_enough() -> None:
    values = {**column_of().values, "longest_run": (8.0, 64.0)}
    assert replace(column_of(), values=values).outside == ("longest_run",)
    assert replace(column_of(), values={**values, "longest_run": (8.0, 16.0)}).outside == (), "the control"


def test_copying_is_judged_where_the_text_is_somebody_elses() -> None:
    copied = {"longest_run": 64.0, "copied_share": 0.9}
    assert set(column_of(**copied).outside) == set(copied)
    assert column_of(judges_copying=False, **copied).outside == ()


def test_what_depends_on_length_is_judged_on_whole_episodes() -> None:
    short = {"speakers": 4.0, "compression": 0.5}
    assert set(column_of(**short).outside) == set(short)
    assert column_of(is_whole=False, **short).outside == ()


def test_a_control_that_nobody_notices_spoils_the_report() -> None:
    report = report_of(column_of(), column_of("loop"))
    assert report.verdict.unnoticed == ("loop",)
    assert not report.verdict.is_good
    assert "says nothing" in pages.verdict_text(report)


def test_there_must_be_a_script() -> None:
    with pytest.raises(CorpusError, match="no script"):
        column("release", [], Yardstick(frozenset(), frozenset(), CopiedRuns(())))


def test_the_file_has_its_parts(measured_report: Report, tmp_path: Path) -> None:
    path = measured_report.save(tmp_path / "new")
    fields = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(name))
    assert set(fields) == {"version", "facts", "perplexity", "measures", "verdict"}
    assert set(fields["verdict"]) == {"is_good", "outside", "held_out_outside", "controls", "unnoticed"}
    assert [row["name"] for row in fields["measures"]] == [band.name for band in BANDS]
    for row in fields["measures"]:
        assert set(row) == {"name", "meaning", "judged", "band", "columns"}
        assert set(row["columns"]) == {"release", "held_out", "markov", "loop", "copy"}
        for cell in row["columns"].values():
            assert cell["least"] <= cell["mean"] <= cell["most"]
            assert len(cell["values"]) == 2
            assert cell["passes"] in (True, False, None)


def test_the_file_is_replaced_whole(measured_report: Report, tmp_path: Path) -> None:
    (tmp_path / REPORT_FILE).write_text("an older one", encoding="utf-8")
    measured_report.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [REPORT_FILE]
    spoilt = replace(measured_report, facts={"not a number": math.nan})
    with pytest.raises(ValueError, match="JSON"):
        spoilt.save(tmp_path)
    assert json.loads((tmp_path / REPORT_FILE).read_text(encoding="utf-8"))["version"] == 1


def test_the_report_is_shown_without_a_word_of_a_script(
    measured_report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(pages, "display", lambda bundle, *, raw: shown.append(bundle))
    pages.show_table(measured_report)
    pages.show_plots(measured_report)
    pages.show_verdict(measured_report)
    pictures = [b64decode(bundle["image/png"]) for bundle in shown if "image/png" in bundle]
    assert len(pictures) == 2
    assert all(picture.startswith(PNG) for picture in pictures)
    said = json.dumps([measured_report.to_fields(), *shown]).lower()
    assert SECRET not in said
    assert "dialogue share" in said, "the control: it is about the scripts"
    assert [bundle[RESULT_MIME]["verdict"] for bundle in shown if RESULT_MIME in bundle] == [
        measured_report.to_fields()["verdict"]
    ]


def test_the_table_has_a_row_a_measure_and_escapes_names(measured_report: Report) -> None:
    odd = replace(measured_report, release=replace(measured_report.release, name="<b>&"))
    html = pages.table_html(odd)
    assert html.count("<tr>") == len(BANDS) + 1
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html
    assert len(pages.table_text(odd).splitlines()) == len(BANDS) + 1


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("dialogue_share", "0.35 to 0.85"),
        ("parse_rate", "0.97 to 1, lowest"),
        ("longest_run", "0 to 20, highest"),
        ("distinct_2", "≥ 0.6"),
        ("self_bleu", "≤ 30"),
        ("seen_8grams", "reported only"),
    ],
)
def test_a_band_reads_as_what_it_is(measure: str, words: str) -> None:
    (band,) = (band for band in BANDS if band.name == measure)
    assert pages.band_text(band) == words


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (column_of(), "Everything that is judged is inside its band."),
        (column_of(self_bleu=50.0), "Outside their bands: self_bleu."),
        (column_of(judges_copying=False), "Copying is measured and not judged"),
        (column_of(is_whole=False), "shorter than an episode"),
    ],
)
def test_the_verdict_says_what_it_means(column: Column, words: str) -> None:
    assert words in pages.verdict_text(report_of(column))


def test_perplexity_is_drawn_with_and_without_episodes() -> None:
    for picture in (by_episode(PERPLEXITY), by_episode({})):
        assert picture.startswith(PNG)
        assert len(picture) > 3_000
