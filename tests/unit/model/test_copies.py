"""What stands in the training text is found, whole and word for word; what does not is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.copies import COPIES_FILE, SHINGLE_WORDS, Copied, CopyIndex, build_copies, comparable, read_copies
from model.corpus.training_text import Corpus, held_out_records
from tests.unit.model.conftest import SMALL
from tng.errors import ReleaseDamaged
from tng.script import render_scene
from tng.shows import Show

TEXT = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
WORDS = TEXT.split()

some_words = st.lists(st.sampled_from([f"w{number}" for number in range(6)]), max_size=40)


@pytest.fixture(scope="module")
def index() -> CopyIndex:
    return build_copies([TEXT])


def longest_common_run(words: list[str], texts: list[list[str]]) -> int:
    """The control: the longest run that stands in one of the texts, by looking at every one."""
    held = {tuple(text[a:b]) for text in texts for a in range(len(text)) for b in range(a + 1, len(text) + 1)}
    runs = (b - a for a in range(len(words)) for b in range(a + 1, len(words) + 1) if tuple(words[a:b]) in held)
    return max(runs, default=0)


@pytest.mark.parametrize("count", range(16))
def test_a_run_of_eight_words_and_more_is_found_whole(index: CopyIndex, count: int) -> None:
    spoken = ["before", "it", *WORDS[:count], "behind", "it"]
    assert index.longest_run(spoken) == (count if count >= SHINGLE_WORDS else 0)


def test_only_runs_of_ten_words_count_for_the_share(index: CopyIndex) -> None:
    assert index.share(["x"] * 10 + WORDS[:10]) == 0.5
    assert index.share(["x"] * 10 + WORDS[:9]) == 0
    assert index.share([]) == 0


def test_no_run_crosses_from_one_text_to_the_next(index: CopyIndex) -> None:
    half, rest = " ".join(WORDS[:7]), " ".join(WORDS[7:14])
    assert index.measure([half, rest]) == Copied(0, 0)
    assert index.measure([f"{half} {rest}"]) == Copied(14, 1)
    assert build_copies([half, rest]).longest_run(WORDS) == 0


def test_several_texts_are_measured_together(index: CopyIndex) -> None:
    assert index.measure([TEXT, "x " * 15, ""]) == Copied(15, 0.5)
    assert index.measure([]) == Copied(0, 0)


@given(st.lists(some_words, max_size=4), some_words)
@settings(max_examples=60, deadline=None)
def test_no_run_is_ever_reported_shorter_than_it_is(texts: list[list[str]], words: list[str]) -> None:
    true = longest_common_run(words, texts)
    assert build_copies([" ".join(text) for text in texts]).longest_run(words) >= (true if true >= 8 else 0)


@given(some_words)
@settings(max_examples=60, deadline=None)
def test_a_text_stands_in_itself(words: list[str]) -> None:
    index = build_copies([" ".join(words)])
    assert index.longest_run(words) == (len(words) if len(words) >= SHINGLE_WORDS else 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PICARD: (tired) It’s  late, Number One!", ["picard", "tired", "it's", "late", "number", "one"]),
        ("* ANGLE ON\nXGUEST's hand.", ["angle", "on", "xguest's", "hand"]),
        ("PICARD (V.O.): Captain's log, stardate XSTARDATE. We wait.", ["picard", "v", "o", "we", "wait"]),
        ("Personal log, supplemental. Rain.", ["rain"]),
        ("Captain's Log, Star date 41153.7. Rain.", ["rain"]),
        ("The log is wet.", ["the", "log", "is", "wet"]),
    ],
)
def test_words_are_compared_without_signs_and_stock_phrases(text: str, words: list[str]) -> None:
    assert comparable(text) == words


def test_an_index_comes_back_from_its_file(index: CopyIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    again = read_copies(tmp_path)
    assert again is not None
    assert len(again) == len(index) == len(WORDS) - SHINGLE_WORDS + 1
    assert again.longest_run(WORDS) == len(WORDS)


def test_the_same_text_gives_the_same_file(tmp_path: Path) -> None:
    files = []
    for name, texts in (("a", [TEXT, "x " * 20]), ("b", ["x " * 20, TEXT, TEXT])):
        (tmp_path / name).mkdir()
        build_copies(texts).save(tmp_path / name)
        files.append((tmp_path / name / COPIES_FILE).read_bytes())
    assert files[0] == files[1]


def test_the_file_holds_no_word_of_the_text(index: CopyIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    with np.load(tmp_path / COPIES_FILE) as arrays:
        assert {name: arrays[name].dtype for name in arrays.files} == {
            "distances": np.uint32,
            "shingle_words": np.int64,
        }


def test_an_empty_text_has_an_index_too(tmp_path: Path) -> None:
    build_copies([]).save(tmp_path)
    empty = read_copies(tmp_path)
    assert empty is not None
    assert empty.measure([TEXT]) == Copied(0, 0)


def test_a_folder_without_an_index_says_so(tmp_path: Path) -> None:
    assert read_copies(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no archive"], ids=["empty", "torn", "something-else"])
def test_a_damaged_index_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / COPIES_FILE).write_bytes(content)
    with pytest.raises(ReleaseDamaged, match=COPIES_FILE):
        read_copies(tmp_path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"distances": np.ones(3, np.uint32)},
        {"distances": np.ones(3, np.uint32), "shingle_words": np.int64(5)},
        {"distances": np.ones(3, np.float32), "shingle_words": np.int64(8)},
    ],
    ids=["a-part-missing", "other-shingles", "other-numbers"],
)
def test_an_index_of_another_kind_is_damaged(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / COPIES_FILE, **arrays)
    with pytest.raises(ReleaseDamaged, match=COPIES_FILE):
        read_copies(tmp_path)


def test_a_corpus_has_its_index_and_finds_in_it_what_was_trained_on(corpus: Corpus, show: Show) -> None:
    index = read_copies(corpus.folder)
    assert index is not None
    assert (corpus.folder / COPIES_FILE).stat().st_size < 400_000
    records = [record for episode in held_out_records(SMALL, show) for record in episode]
    shares = {unseen: [] for unseen in (False, True)}
    for record in records:
        shares[record.unseen].append(index.share(comparable(render_scene(record.scene))))
    assert max(shares[False]) == 1, "scenes that training holds, too"
    assert np.mean(shares[True]) < 0.05, "scenes that it does not"
