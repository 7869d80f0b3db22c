"""The scenes that a show gives to people who have not ordered yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shows import FIRST, SECOND, first_show
from tng.errors import ShowError
from tng.sample import SAMPLE_FILE, read_sample


def test_a_show_may_have_none(tmp_path: Path) -> None:
    assert read_sample(tmp_path) is None


@pytest.mark.parametrize("folder", [FIRST, SECOND], ids=lambda folder: folder.name)
def test_every_show_here_has_a_sample_that_can_be_read(folder: Path) -> None:
    script = read_sample(folder)
    assert script is not None
    assert script.title
    assert script.speakers


def test_the_first_sample_is_of_its_show_and_one_or_two_pages_long() -> None:
    script = read_sample(FIRST)
    assert script is not None
    assert set(script.speakers) & set(first_show().cues)
    assert 2 <= len(script.scenes) <= 4
    assert 300 < sum(len(element.text.split()) for scene in script.scenes for element in scene.elements) < 700


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"# INT. NOWHERE\n", "must begin with 'Title: ", id="no-title"),
        pytest.param(b"\xff\xfe", r"cannot be read \(UnicodeDecodeError\)", id="no-text"),
    ],
)
def test_one_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / SAMPLE_FILE).write_bytes(content)
    with pytest.raises(ShowError, match=rf"/sample\.txt:? .*{why}"):
        read_sample(tmp_path)
