"""From episodes to what gpt-2-simple trains on: records of text, and one array of tokens an episode.

A record is a header (see ``model.prompt``) and its scene, both with marks for names. Headers vary: lines are left out,
the cast is shuffled, so that the network copes with whatever a customer gives. Between records stands the real
end-of-text id, which gpt-2-simple itself would never write. Nothing here trains.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from model.copies import build_copies
from model.corpus.assembler import Assembler, Episode, Part
from model.corpus.delivered import read_delivered
from model.corpus.outlines import write_outlines
from model.corpus.records import Record, listed_cast
from model.corpus.scenebank import read_bank
from model.corpus.token_arrays import encoded, fingerprint, save_arrays, vocabulary
from model.prompt import SceneBrief, header
from tng.errors import CorpusError
from tng.script import render_element, render_scene
from tng.shows import SHOW_FILE, Show

logger = logging.getLogger(__name__)

TRAINING_FILE = "training.npz"
HELD_OUT_FILE = "held_out.npz"
SUMMARY_FILE = "corpus.json"
STRANGE = 0.4
"""The share of headers whose title and story are those of another episode; and of those whose line before is."""


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """How a corpus is made: how many episodes for training and held out, the seed, the size of the vocabulary."""

    episodes: int
    held_out_episodes: int
    vocabulary_tokens: int
    seed: int = 1
    tokenizer_episodes: int = 60


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus on disk: token arrays, the tokenizer's files, and its summary."""

    folder: Path
    summary: dict[str, Any]

    @property
    def training_file(self) -> Path:
        """One array of int32 tokens an episode, for gpt-2-simple."""
        return self.folder / TRAINING_FILE

    @property
    def held_out_file(self) -> Path:
        """The same for the held-out episodes."""
        return self.folder / HELD_OUT_FILE

    @property
    def fingerprint(self) -> str:
        """The sha256 of all token arrays and both tokenizer files."""
        return str(self.summary["fingerprint"])


def records(episode: Episode, assembler: Assembler, seed: int) -> Iterator[Record]:
    """The records of an episode in the order of its scenes; headers vary by (seed, episode)."""
    rng = random.Random(f"{seed}/{episode.number}/headers")  # noqa: S311 - chance for a story, no secret
    stranger = assembler.episode(episode.number + rng.randrange(1, 10))
    last_line = {True: "", False: ""}
    for part in episode.parts:
        told = stranger if rng.random() < STRANGE else episode
        before = _last_line(rng.choice(stranger.parts)) if rng.random() < STRANGE else last_line[part.is_side_story]
        brief = _brief(rng, told, part, before, assembler.show)
        last_line[part.is_side_story] = _last_line(part)
        yield Record(header(brief), part.scene, assembler.is_reserved(part.source))


def _last_line(part: Part) -> str:
    return render_element(part.scene.elements[-1]) if part.scene.elements else ""


def _brief(rng: random.Random, told: Episode, part: Part, before: str, show: Show) -> SceneBrief:
    """The header's parts, some left out, some of a stranger: a customer's title fits no scene of the bank either."""
    family = part.source.family
    tone = show.tone_of(family)
    return SceneBrief(
        heading=part.scene.heading,
        act=part.act,
        beat=part.source.beat,
        cast=listed_cast(rng, part.scene.speakers, show),
        title=told.title if rng.random() < 0.7 else "",
        story=told.logline if not part.is_side_story and rng.random() < 0.5 else "",
        tone=tone.value if tone else "",
        family=family if rng.random() < 0.95 else "",
        before=before if rng.random() < 0.7 else "",
    )


def build_corpus(
    config: CorpusConfig,
    show: Show,
    folder: Path,
    report: Callable[[str], None] = logger.info,
    *,
    base: Path | None = None,
    delivered: Path | None = None,
) -> Corpus:
    """Assemble, learn the vocabulary or take that of the checkpoint ``base``, encode and save.

    The scripts of the folder ``delivered`` are trained on, too; with them the corpus is its owner's alone.
    Raises CorpusError where bank or folder cannot be read, ReleaseDamaged where the base has no vocabulary.
    ``folder`` receives show.toml, encoder.json, vocab.bpe, outlines.json, words.txt, copies.npz, training.npz,
    held_out.npz and, as the last, corpus.json.
    """
    bank, allowed = read_bank(show), read_delivered(delivered, show)
    assembler = Assembler(bank, show, config.seed)
    empty_corpus_folder(folder, private=delivered is not None)
    shutil.copyfile(show.folder / SHOW_FILE, folder / SHOW_FILE)
    write_outlines(bank, assembler, folder)
    episodes = [list(records(assembler.episode(n), assembler, config.seed)) for n in range(config.episodes)]
    first = (record.text for episode in episodes[: config.tokenizer_episodes] for record in episode)
    tokenizer = vocabulary(first, config.vocabulary_tokens, folder, base)
    report(f"tokenizer: {tokenizer.size:,} tokens")
    build_copies({render_scene(r.scene) for r in (*chain.from_iterable(episodes), *allowed.records)}).save(folder)
    training = [encoded(records_of_one, tokenizer) for records_of_one in (*episodes, *allowed.scripts)]
    held_out = [encoded(episode, tokenizer) for episode in held_out_records(config, show)]
    save_arrays(folder / TRAINING_FILE, training)
    save_arrays(folder / HELD_OUT_FILE, held_out)
    summary = {
        "config": {**asdict(config), "vocabulary_tokens": tokenizer.size},
        "is_ours": True,
        "fingerprint": fingerprint(folder, [*training, *held_out]),
        "training_tokens": sum(len(array) for array in training),
        "held_out_tokens": sum(len(array) for array in held_out),
        **allowed.counts,
    }
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    report(f"corpus: {config.episodes:,} episodes, {summary['training_tokens']:,} tokens")
    return Corpus(folder, summary)


def empty_corpus_folder(folder: Path, *, private: bool) -> None:
    """A folder in which no corpus stands until the summary does; its owner's alone where it is to be private."""
    folder.mkdir(parents=True, exist_ok=True)
    if private:
        folder.chmod(stat.S_IRWXU)
    (folder / SUMMARY_FILE).unlink(missing_ok=True)


def open_corpus(folder: Path) -> Corpus:
    """A corpus that was built before. Raises CorpusError where ``folder`` holds none."""
    try:
        summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"no corpus in {folder.name}: {SUMMARY_FILE} cannot be read. Build the corpus first."
        ) from error
    return Corpus(folder, summary)


def held_out_records(config: CorpusConfig, show: Show) -> list[list[Record]]:
    """The records of each held-out episode, as text. Raises CorpusError where the bank cannot be read."""
    assembler = Assembler(read_bank(show), show, config.seed)
    numbers = range(config.episodes, config.episodes + config.held_out_episodes)
    return [list(records(assembler.episode(n, held_out=True), assembler, config.seed)) for n in numbers]


__all__ = [
    "Corpus",
    "CorpusConfig",
    "Record",
    "build_corpus",
    "empty_corpus_folder",
    "held_out_records",
    "open_corpus",
    "records",
]
