"""``tng corpus`` says what became of every file, and ends with a status that a script can ask."""

from __future__ import annotations

import os
import stat
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
    assert listed.stderr == "1 episodes, 0 held out\n"


def imported(folder: Path, *numbers: int, words: str = "") -> Result:
    """Import invented episodes of these numbers, one more line in each where ``words`` are given."""
    for number in numbers:
        pages = studio_pages(invented_script(number, scenes=12, speeches=36), number)
        (folder / f"{number}.txt").write_text(pages.replace("waits", words) if words else pages, encoding="utf-8")
    return run("import", *(str(folder / f"{number}.txt") for number in numbers))


def test_the_list_marks_what_is_held_out_and_what_no_training_sees(home: Path, tmp_path: Path) -> None:
    imported(tmp_path, 103, 104, 148)
    listed = run("list")
    marks = {line[:3]: line.partition("[")[2].rstrip("]") for line in listed.stdout.splitlines()}
    assert marks == {"103": "", "104": "held out", "148": "excluded"}
    assert listed.stderr == "3 episodes, 1 held out\n"


def test_what_no_training_sees_is_listed_all_the_same(home: Path, tmp_path: Path) -> None:
    imported(tmp_path, 148)
    assert run("list").stdout.endswith("[excluded]\n")


def test_an_import_says_what_the_next_retraining_will_see_that_is_new(home: Path, tmp_path: Path) -> None:
    news = [imported(tmp_path, *numbers).output.splitlines()[-1] for numbers in ((103, 104, 148), (103,), (148,))]
    changed = imported(tmp_path, 103, words="whispers").output.splitlines()[-1]
    nothing = "This import brings nothing new to the next retraining."
    assert news == ["New to the next retraining: 2 episodes, of them held out: 1.", nothing, nothing]
    assert changed == "New to the next retraining: 1 episode, of them held out: 0."


def test_a_shared_folder_is_open_to_its_group_and_to_nobody_else(home: Path, tmp_path: Path) -> None:
    imported(tmp_path, 103)
    shelf = home / "corpus" / "tng"
    assert mode(shelf) == 0o700
    shelf.parent.chmod(0o2750)
    imported(tmp_path, 104)
    assert mode(shelf) == 0o2750
    assert {mode(path) for path in shelf.iterdir()} == {0o640}, "what was there before, too"
    assert len(list(shelf.iterdir())) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to any group")
def test_what_was_kept_before_goes_to_the_group_of_the_shared_folder(home: Path, tmp_path: Path) -> None:
    imported(tmp_path, 103)
    os.chown(home / "corpus", -1, 54321)
    (home / "corpus").chmod(0o2750)
    imported(tmp_path, 104)
    shelf = home / "corpus" / "tng"
    assert {path.stat().st_gid for path in (shelf, *shelf.iterdir())} == {54321}
    assert (mode(shelf), {mode(path) for path in shelf.iterdir()}) == (0o2750, {0o640})


def test_a_folder_that_is_not_shared_is_its_owners_alone(home: Path, tmp_path: Path) -> None:
    imported(tmp_path, 103)
    assert {mode(path) for path in (home / "corpus" / "tng").iterdir()} == {0o600}


def test_no_link_in_a_shared_folder_leads_elsewhere(home: Path, tmp_path: Path) -> None:
    imported(tmp_path, 103)
    (home / "corpus").chmod(0o2750)
    (tmp_path / "private").touch(mode=0o600)
    (home / "corpus" / "tng" / "odd.txt").symlink_to(tmp_path / "private")
    assert "cannot be opened to its group" in imported(tmp_path, 104).output
    assert mode(tmp_path / "private") == 0o600


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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
