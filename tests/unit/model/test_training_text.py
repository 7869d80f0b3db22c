"""Records teach what the writing asks for, and the same configuration gives the same tokens."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.corpus.assembler import Assembler
from model.corpus.training_text import Corpus, build_corpus, held_out_records, open_corpus, records
from model.tokenizer import Tokenizer
from tests.unit.model.conftest import SMALL
from tng.errors import CorpusError
from tng.script import parse_scene
from tng.shows import Show

NAMED = ("guest", "guest2", "ship", "planet", "device", "stardate", "GUEST")
TINY = replace(SMALL, episodes=2, held_out_episodes=1, tokenizer_episodes=1, vocabulary_tokens=400)


def test_a_record_is_its_header_and_its_scene(assembler: Assembler) -> None:
    for record in records(assembler.episode(2), assembler, seed=1):
        _, scene = record.text.split(f"# {record.scene.heading}\n")
        assert parse_scene(f"# {record.scene.heading}\n{scene}") == record.scene
        assert record.prompt.endswith(f"# {record.scene.heading}")


def test_a_header_names_act_beat_and_speakers(assembler: Assembler) -> None:
    listed = 0
    for record in records(assembler.episode(2), assembler, seed=1):
        assert re.search(r"^ACT: (TEASER|ACT [A-Z]+) / [A-Z]+$", record.prompt, re.MULTILINE)
        cast = re.search(r"^CAST: (.*)$", record.prompt, re.MULTILINE)
        listed += set(cast.group(1).split(", ") if cast else ()) == set(record.scene.speakers)
    assert 12 <= listed < 21, "mostly right, and sometimes not, so that the network does not rely on it"


@pytest.mark.parametrize("line", ["TITLE: ", "STORY: ", "BEFORE: "])
def test_headers_vary_so_that_any_line_may_be_missing(assembler: Assembler, line: str) -> None:
    prompts = [record.prompt for n in range(8) for record in records(assembler.episode(n), assembler, seed=1)]
    assert 0 < sum(line in prompt for prompt in prompts) < len(prompts)


def test_no_record_holds_a_name_or_an_open_slot(assembler: Assembler) -> None:
    for number in range(10):
        episode = assembler.episode(number)
        for record in records(episode, assembler, seed=1):
            assert not [name for slot, name in episode.names.items() if slot in NAMED and name in record.text]
            assert not {"{", "}"} & set(record.text)


def test_every_record_stands_between_two_ends_of_text(corpus: Corpus, tokenizer: Tokenizer) -> None:
    with np.load(corpus.training_file) as arrays:
        episode = arrays["episode_00000"]
    ends = np.flatnonzero(episode == tokenizer.end_of_text)
    assert (ends[0], ends[-1], len(ends)) == (0, len(episode) - 1, 22)
    assert tokenizer.decode(episode[ends[3] + 1 : ends[4]].tolist()).count("\n# ") == 1


def test_the_same_configuration_gives_the_same_corpus(show: Show, tmp_path: Path) -> None:
    first = build_corpus(TINY, show, tmp_path / "first")
    second = build_corpus(TINY, show, tmp_path / "second")
    other = build_corpus(replace(TINY, seed=2), show, tmp_path / "other")
    assert first.fingerprint == second.fingerprint != other.fingerprint
    assert open_corpus(tmp_path / "first").summary == first.summary


def test_held_out_records_are_those_of_the_held_out_file(show: Show, corpus: Corpus, tokenizer: Tokenizer) -> None:
    (first, _) = held_out_records(SMALL, show)
    with np.load(corpus.held_out_file) as arrays:
        episode = arrays["episode_00000"].tolist()
    text = tokenizer.encode(first[0].text)
    assert episode[1 : len(text) + 1] == text
    assert {record.unseen for record in first} == {True, False}


def test_a_folder_without_a_corpus_is_refused(empty_folder: Path) -> None:
    with pytest.raises(CorpusError, match="Build the corpus first"):
        open_corpus(empty_folder)
