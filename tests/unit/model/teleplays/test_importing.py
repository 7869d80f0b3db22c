"""An import takes what it can, says what became of the rest, changes nothing twice, and tells no word of a script."""

from __future__ import annotations

import json
import logging
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from model.corpus.teleplays import shelf as shelf_module
from model.corpus.teleplays.importing import ImportReport, Outcome, import_teleplays, summary_lines
from model.corpus.teleplays.shelf import Shelf
from tests.teleplays import EVERY_ANOMALY, MARKER, invented_script, studio_pages, transcript, zipped
from tng.errors import CorpusError
from tng.script import render
from tng.shows import Show

SCRIPT = invented_script(1, scenes=12, speeches=36, title="The Paper Sun")
PAGES = studio_pages(SCRIPT, 103)


def put(folder: Path, **texts: str) -> Path:
    """A folder with a ``.txt`` of each."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def outcomes(report: ImportReport) -> list[str]:
    return [file.outcome.value for file in report.files]


def snapshot(shelf: Shelf) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(shelf.folder.iterdir())}


def test_an_episode_is_kept_as_it_was_typed(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    report = import_teleplays([put(tmp_path / "in", anything=PAGES)], show, shelf)
    assert outcomes(report) == ["taken"]
    (episode,) = shelf.episodes()
    assert episode.script == SCRIPT
    facts = episode.facts
    assert (facts.key, facts.number, facts.season, facts.title) == ("103", 103, 1, "The Paper Sun")
    assert (facts.writer, facts.dialect, facts.encoding) == ("A. N. Nobody", "teleplay", "ascii")
    assert (facts.acts, facts.scenes, facts.speeches) == (6, 12, 36)


def test_nobody_else_can_read_what_is_kept(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    import_teleplays([put(tmp_path / "in", a=PAGES)], show, shelf)
    assert stat.S_IMODE(shelf.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in shelf.folder.iterdir()} == {0o600}


def test_importing_twice_changes_nothing_and_says_so(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", a=PAGES, b=transcript(replace(SCRIPT, title="Another")))
    assert outcomes(import_teleplays([folder], show, shelf)) == ["taken", "taken"]
    before = snapshot(shelf)
    again = import_teleplays([folder], show, shelf)
    assert outcomes(again) == ["unchanged", "unchanged"]
    assert snapshot(shelf) == before


def test_the_same_text_in_another_encoding_is_the_same_episode(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_bytes(PAGES.encode("utf-8"))
    import_teleplays([folder], show, shelf)
    (folder / "a.txt").write_bytes(PAGES.replace("\n", "\r\n").encode("utf-8-sig"))
    assert outcomes(import_teleplays([folder], show, shelf)) == ["unchanged"]


def test_a_changed_file_of_the_same_number_replaces_the_episode(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    import_teleplays([put(tmp_path / "in", a=PAGES)], show, shelf)
    other = invented_script(2, scenes=13, speeches=39)
    report = import_teleplays([put(tmp_path / "in", a=studio_pages(other, 103))], show, shelf)
    assert outcomes(report) == ["replaced"]
    assert [episode.script for episode in shelf.episodes()] == [other]
    assert len(list(shelf.folder.iterdir())) == 2


def test_two_files_of_one_number_in_one_import_are_told_apart(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    other = studio_pages(invented_script(2, scenes=13, speeches=39), 103)
    folder = put(tmp_path / "in", a=PAGES, b=other)
    first = import_teleplays([folder], show, shelf)
    assert outcomes(first) == ["taken", "refused"]
    assert first.files[1].reason == "is episode 103, as a.txt is"
    assert outcomes(import_teleplays([folder], show, shelf)) == ["unchanged", "refused"]


def test_a_newer_reader_reads_again(show: Show, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path / "in", a=PAGES)
    import_teleplays([folder], show, shelf)
    monkeypatch.setattr("model.corpus.teleplays.importing.READER_VERSION", shelf_module.READER_VERSION + 1)
    assert outcomes(import_teleplays([folder], show, shelf)) == ["replaced"]


def test_one_bad_file_does_not_keep_the_others_out(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", a=PAGES, b=f"A novel of {MARKER}.", c="")
    report = import_teleplays([tmp_path / "absent.zip", folder], show, shelf)
    assert outcomes(report) == ["refused", "taken", "refused", "refused"]
    assert (report.accepted, report.refused) == (1, 3)
    assert report.files[0].reason == "absent.zip: there is no such file or folder"


def test_an_episode_without_a_number_is_known_by_its_title(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    titles = ["Das Öl & Er", "東京", ""]
    texts = {f"f{n}": transcript(replace(SCRIPT, title=title)) + "\n" * n for n, title in enumerate(titles)}
    import_teleplays([put(tmp_path / "in", **texts)], show, shelf)
    keys = list(shelf.facts())
    assert len(keys) == 3
    assert "t-das-ol-er" in keys
    assert "t-f2" in keys, "where no title is found, the file's name is the title"
    assert all(key.isascii() and "/" not in key for key in keys)


def test_no_word_of_a_script_is_told(
    show: Show, shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "z.zip").write_bytes(
        zipped({"103.txt": EVERY_ANOMALY, "104.txt": PAGES.encode(), "n.txt": b"glimmerfrost"})
    )
    folder = put(tmp_path / "in", a=PAGES.replace("\t\t\t\t\t", "  "), b=PAGES.replace("\t\t\t", "\t\t \t"))
    report = import_teleplays([tmp_path / "z.zip", folder], show, shelf, allow_short=True)
    told = json.dumps([asdict(file) for file in report.files]) + "".join(summary_lines(report)) + caplog.text
    assert MARKER in PAGES
    assert MARKER not in told
    assert "Paper Sun" not in "".join(file.reason for file in report.files)


def test_a_crash_before_the_last_step_leaves_the_older_episode(
    show: Show, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_teleplays([put(tmp_path / "in", a=PAGES)], show, shelf)
    real = Path.replace

    def crash(path: Path, target: Path) -> Path:
        if target.suffix == ".json":
            raise OSError("no space left")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", crash)
    other = invented_script(2, scenes=13, speeches=39)
    with pytest.raises(CorpusError, match="cannot be written"):
        import_teleplays([put(tmp_path / "in", a=studio_pages(other, 103))], show, shelf)
    monkeypatch.undo()
    assert [episode.script for episode in shelf.episodes()] == [SCRIPT]
    assert outcomes(import_teleplays([tmp_path / "in"], show, shelf)) == ["replaced"]
    assert len([path for path in shelf.folder.iterdir() if not path.name.startswith(".")]) == 2


@pytest.mark.parametrize("damage", ["facts", "script", "text gone"])
def test_a_damaged_shelf_says_which_episode_to_import_again(
    damage: str, show: Show, shelf: Shelf, tmp_path: Path
) -> None:
    import_teleplays([put(tmp_path / "in", a=PAGES)], show, shelf)
    (text,) = shelf.folder.glob("*.txt")
    if damage == "facts":
        (shelf.folder / "103.json").write_text("{")
    elif damage == "script":
        text.write_text("no script")
    else:
        text.unlink()
    with pytest.raises(CorpusError, match=r"103.*import it again"):
        list(shelf.episodes())


def test_what_was_not_read_is_counted(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", a=PAGES)
    (folder / "page.pdf").write_bytes(b"%PDF")
    report = import_teleplays([folder], show, shelf)
    lines = summary_lines(report)
    assert lines[0].startswith("1 files: 1 taken; ")
    assert lines[1].startswith("0 of ")
    assert lines[2] == "not read: 1 .pdf"
    assert report.count(Outcome.TAKEN) == 1


@pytest.mark.slow
def test_a_quarter_of_a_series_comes_in_within_seconds(show: Show, shelf: Shelf, tmp_path: Path) -> None:
    members = {f"{n}.txt": studio_pages(invented_script(n), n).encode() for n in range(102, 146)}
    (tmp_path / "all.zip").write_bytes(zipped(members))
    report = import_teleplays([tmp_path / "all.zip"], show, shelf)
    assert (report.accepted, report.refused) == (44, 0)
    assert report.lines > 100_000
    assert report.unknown_lines <= 0.0005 * report.lines
    assert report.seconds < 25, "ten times what it takes on a machine that does nothing else"
    assert render(next(iter(shelf.episodes())).script) == render(invented_script(102))
