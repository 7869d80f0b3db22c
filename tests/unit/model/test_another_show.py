"""Another show is a folder of data: corpus, plan and scripts are made by the same code, in words of its own."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from model.corpus.assembler import Assembler
from model.corpus.outlines import read_outlines, read_words
from model.corpus.scenebank import Bank, read_bank
from model.corpus.training_text import Corpus, CorpusConfig, build_corpus, records
from model.naming import names_in
from model.tokenizer import Tokenizer
from model.writing import Writer, write
from tests.shows import first_show, second_show
from tests.unit.model.networks import MarkovNetwork
from tng.errors import CorpusError
from tng.script import Length, Premise, Tone, parse, render
from tng.shows import Show, read_show

PREMISE = Premise("The Salt Hour", "Deacon Sorel brings the Gullmaid home.", ("MAREN", "PIP"), Tone.DRAMA, seed=3)


@pytest.fixture(scope="module")
def show() -> Show:
    return second_show()


@pytest.fixture(scope="module")
def bank(show: Show) -> Bank:
    return read_bank(show)


@pytest.fixture(scope="module")
def corpus(show: Show, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    config = CorpusConfig(episodes=12, held_out_episodes=2, vocabulary_tokens=500, tokenizer_episodes=12)
    return build_corpus(config, show, tmp_path_factory.mktemp("lantern"))


@pytest.fixture(scope="module")
def writer(corpus: Corpus, show: Show) -> Writer:
    tokenizer = Tokenizer(corpus.folder)
    with np.load(corpus.training_file) as arrays:
        network = MarkovNetwork(tokenizer.size, [arrays[name].tolist() for name in arrays.files])
    return Writer("lantern-1", network, tokenizer, read_outlines(corpus.folder), read_words(corpus.folder), show)


def words_of_the_first_show(text: str) -> list[str]:
    first = first_show()
    names = {name for member in first.cast for name in (member.cue, *member.names)}
    words = {*names, *first.ranks, "Enterprise", "Starfleet", "Federation", "stardate", "Star Trek", *first.beats}
    return [word for word in sorted(words) if re.search(rf"\b{re.escape(word)}\b", text)]


def test_the_first_show_would_be_noticed() -> None:
    assert words_of_the_first_show("PICARD: Captain's log, stardate 4.") == ["Captain", "PICARD", "stardate"]


def test_an_episode_has_the_acts_and_beats_of_its_show(bank: Bank, show: Show) -> None:
    assembler = Assembler(bank, show, seed=1)
    for number in range(8):
        episode = assembler.episode(number)
        assert [act.name for act in episode.script.acts] == list(show.acts)
        assert [part.source.beat for part in episode.parts] == ["WATCH", "POT", "SIGNAL", "ROW", "WASH", "DAWN"]
        assert parse(render(episode.script)) == episode.script
        assert not words_of_the_first_show(render(episode.script) + episode.title + episode.logline)


def test_its_names_are_put_together_from_its_own_parts(bank: Bank, show: Show) -> None:
    assembler = Assembler(bank, show, seed=1)
    for number in range(40):
        names = assembler.episode(number).names
        assert names["guest_title"] in show.invented["guest_titles"]
        assert any(names["ship"] == f"{a}{b}" for a in show.invented["ship_starts"] for b in show.invented["ship_ends"])
        assert 100 <= float(names["stardate"]) < 365


def test_its_records_tell_the_network_of_its_own_people(bank: Bank, show: Show) -> None:
    assembler = Assembler(bank, show, seed=1)
    for number in range(20):
        for record in records(assembler.episode(number), assembler, seed=1):
            assert not words_of_the_first_show(record.text)
            cast = re.search(r"^CAST: (.*)$", record.prompt, re.MULTILINE)
            cues = set(cast.group(1).split(", ")) if cast else set()
            assert cues <= {*show.cues, *show.always_aboard, "XGUEST", "XOTHER", "XENSIGN"}


def test_its_corpus_carries_it(corpus: Corpus, show: Show) -> None:
    carried = read_show(corpus.folder)
    assert (carried.id, carried.cast, carried.lengths) == (show.id, show.cast, show.lengths)
    outlines = json.loads((corpus.folder / "outlines.json").read_text(encoding="utf-8"))
    assert sorted(outlines["families"]) == ["goat", "letter", "light", "storm"]
    assert not words_of_the_first_show((corpus.folder / "words.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("length", list(Length))
def test_a_whole_script_is_of_its_show_alone(writer: Writer, show: Show, length: Length) -> None:
    script = write(replace(PREMISE, length=length), writer).script
    assert [act.name for act in script.acts] == list(show.lengths[length])
    assert len(script.scenes) == sum(map(len, show.lengths[length].values()))
    assert parse(render(script)) == script
    assert set(PREMISE.cast) <= set(script.speakers)
    assert not words_of_the_first_show(render(script))


def test_names_of_the_premise_stand_in_the_script(writer: Writer) -> None:
    script = write(replace(PREMISE, length=Length.EPISODE), writer).script
    assert "SOREL" in script.speakers


def test_a_series_own_words_are_no_guests(show: Show) -> None:
    assert names_in("We meet Picard at the Lantern.", show) == {"guest": "Picard"}
    assert names_in("We meet Holt and Maren.", show) == {}
    assert names_in("We meet Picard at the Lantern.", first_show()) == {"ship": "Lantern"}


def test_a_bank_that_is_elsewhere_is_named(corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        read_bank(read_show(corpus.folder))
