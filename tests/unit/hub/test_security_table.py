"""docs/security.md is written from the hostile tests, and noticed where it is not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.hostile.attacks import WHO, Attack, answers

HOSTILE = """
POWER = "a power user"
STILL = "still "

@answers("guesses", "nothing", who="a stranger", threat="CVE-0000-1")
@pytest.mark.slow
@answers("asks | again", STILL + "nothing", who=POWER)
async def test_both() -> None: ...
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests" / "hostile").mkdir(parents=True)
    shutil.copyfile(ROOT / "scripts" / "security_table.py", tmp_path / "scripts" / "security_table.py")
    (tmp_path / "tests" / "hostile" / "test_it.py").write_text(HOSTILE)
    return tmp_path


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/security_table.py", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_table_in_the_repository_fits_the_tests() -> None:
    done = _run(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_an_attack_that_is_not_in_the_table_is_noticed_until_it_is_written_anew(copy: Path) -> None:
    assert _run(copy, "--check").returncode == 1
    assert _run(copy).returncode == 0
    assert _run(copy, "--check").returncode == 0
    (copy / "tests" / "hostile" / "test_it.py").write_text(HOSTILE.replace("guesses", "asks"))
    assert _run(copy, "--check").returncode == 1


def test_each_attack_stands_below_who_tries_it_with_its_test(copy: Path) -> None:
    _run(copy)
    text = (copy / "docs" / "security.md").read_text()
    power, stranger = text.split("## A power user")[1].split("## A stranger")
    assert "| asks \\| again | still nothing | `test_it.py::test_both` |" in power
    assert "| guesses (CVE-0000-1) | nothing | `test_it.py::test_both` |" in stranger
    assert "2 attacks" in text


@pytest.mark.parametrize("words", ['words(), "x"', 'UNKNOWN, "x"', '"only"', '"one", 2'])
def test_words_that_cannot_be_read_are_a_sentence(copy: Path, words: str) -> None:
    (copy / "tests" / "hostile" / "test_it.py").write_text(f"@answers({words}, who='x')\ndef test_one(): ...\n")
    done = _run(copy, "--check")
    assert done.returncode == 2
    assert "test_it.py::test_one: answers(" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_decorator_leaves_the_test_as_it_is_and_keeps_its_words() -> None:
    def test() -> None: ...

    twice = answers("a", "b", who="a stranger")(answers("c", "d", who="stored text", threat="T")(test))
    assert twice is test
    assert vars(test)["attacks"] == (Attack("a", "b", "a stranger"), Attack("c", "d", "stored text", "T"))


def test_nobody_attacks_who_is_not_on_the_list() -> None:
    with pytest.raises(ValueError, match="attacks nobody"):
        answers("a", "b", who="a martian")


def test_whoever_attacks_in_the_table_is_on_the_list() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"), re.MULTILINE)
    people = [heading for heading in headings if not heading.startswith("What is ")]
    assert {heading.lower() for heading in people} <= {who.lower() for who in WHO}
