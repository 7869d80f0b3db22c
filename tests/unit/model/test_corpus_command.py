"""``tng corpus`` says what became of every file, and ends with a status that a script can ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from model.cli import main
from tests.teleplays import MARKER, invented_script, studio_pages

PAGES = studio_pages(invented_script(1, scenes=12, speeches=36, title="The Paper Sun"), 103)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TNG_SHOW", raising=False)
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["corpus", *arguments])


@pytest.mark.parametrize(
    ("texts", "status"),
    [((PAGES,), 0), (("nothing",), 1), ((PAGES, "nothing"), 2)],
    ids=["all taken", "none taken", "some refused"],
)
def test_the_status_says_whether_all_were_taken(
    texts: tuple[str, ...], status: int, home: Path, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    assert run("import", *map(str, paths)).exit_code == status


def test_a_line_a_file_says_what_was_found(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGES.replace("\t" * 9 + "FADE OUT.", "   adrift", 1), encoding="utf-8")
    result = run("import", str(tmp_path / "a.txt"))
    first, *_ = result.output.splitlines()
    assert first.startswith("taken     a.txt: episode 103, teleplay, ascii, 6 acts, 12 scenes, 36 speeches")
    assert ", 1 lines not understood: " in first
    assert MARKER not in result.output
    assert (home / "corpus" / "tng" / "103.json").is_file()


def test_a_second_import_says_that_nothing_changed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGES, encoding="utf-8")
    run("import", str(tmp_path / "a.txt"))
    result = run("import", str(tmp_path / "a.txt"))
    assert result.exit_code == 0
    assert result.output.startswith("unchanged a.txt: episode 103")


def test_episodes_are_listed_from_where_they_were_put(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGES, encoding="utf-8")
    run("import", "--into", str(tmp_path / "elsewhere"), str(tmp_path / "a.txt"))
    assert not home.exists()
    listed = run("list", "--into", str(tmp_path / "elsewhere"))
    assert listed.stdout == "103     6 acts, 12 scenes, 36 speeches  The Paper Sun\n"
    assert listed.stderr == "1 episodes\n"


def test_short_pieces_need_a_word(home: Path, tmp_path: Path) -> None:
    (tmp_path / "short.fountain").write_text("INT. HALL\n\nPICARD\nYes.\n", encoding="utf-8")
    refused = run("import", str(tmp_path / "short.fountain"))
    assert refused.exit_code == 1
    assert "--allow-short" in refused.output
    assert run("import", "--allow-short", str(tmp_path / "short.fountain")).exit_code == 0


def test_a_corpus_is_built_of_what_was_imported(home: Path, tmp_path: Path) -> None:
    for number in (103, 104, 148):
        pages = studio_pages(invented_script(number, scenes=12, speeches=36), number)
        (tmp_path / f"{number}.txt").write_text(pages, encoding="utf-8")
        run("import", str(tmp_path / f"{number}.txt"))
    result = run("build", "--preset", "tiny")
    assert result.exit_code == 0, result.output
    told = {line[:28].strip(): line[28:] for line in result.stdout.splitlines()}
    assert told["training"].startswith("1 episodes, ")
    assert (told["held-out episodes"], told["excluded episodes"]) == ("104", "148")
    assert told["records"].startswith("24, their headers ")
    assert MARKER not in result.output
    assert (home / "training" / "corpus" / "corpus.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ((), 1, "import some with `tng corpus import`"),
        (("--preset", "huge"), 2, "choose one of: tiny"),
        (("--tokenizer", "absent"), 2, "does not exist"),
    ],
    ids=["nothing imported", "no such preset", "no such base"],
)
def test_what_cannot_be_built_is_said(arguments: tuple[str, ...], status: int, sentence: str, home: Path) -> None:
    result = run("build", *arguments)
    assert result.exit_code == status
    assert sentence in result.output
