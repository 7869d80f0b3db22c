"""From episodes to what gpt-2-simple trains on: records of text, and one array of tokens an episode.

A record is a header (see ``model.prompt``) and its scene, both with marks for names. Headers vary: lines are left out,
the cast is shuffled, so that the network copes with whatever a customer gives. Between records stands the real
end-of-text id, which gpt-2-simple itself would never write. Nothing here trains.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.corpus.assembler import Assembler, Episode, Part
from model.corpus.outlines import write_outlines
from model.corpus.scenebank import read_bank
from model.prompt import SceneBrief, header
from model.story import FAMILY_TONES
from model.tokenizer import Tokenizer, train_tokenizer
from tng.errors import CorpusError
from tng.script import CAST, Scene, render_element, render_scene

logger = logging.getLogger(__name__)

TRAINING_FILE = "training.npz"
HELD_OUT_FILE = "held_out.npz"
SUMMARY_FILE = "corpus.json"
STRANGE = 0.2
"""The share of headers whose title and story are those of another episode."""


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """How a corpus is made: how many episodes for training and held out, the seed, the size of the vocabulary."""

    episodes: int
    held_out_episodes: int
    vocabulary_tokens: int
    seed: int = 1
    tokenizer_episodes: int = 60


@dataclass(frozen=True, slots=True)
class Record:
    """One header with its scene. ``unseen`` says that the scene was reserved: no training text holds it."""

    prompt: str
    scene: Scene
    unseen: bool = False

    @property
    def text(self) -> str:
        """The whole record, as the network reads it."""
        return self.prompt + render_scene(self.scene).removeprefix(f"# {self.scene.heading}") + "\n"


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
        brief = _brief(rng, episode, part, stranger, last_line[part.is_side_story])
        last_line[part.is_side_story] = render_element(part.scene.elements[-1]) if part.scene.elements else ""
        yield Record(header(brief), part.scene, assembler.is_reserved(part.source))


def _brief(rng: random.Random, episode: Episode, part: Part, stranger: Episode, before: str) -> SceneBrief:
    """The header's parts, some left out, some of a stranger: a customer's title fits no scene of the bank either."""
    family = part.source.family
    told = stranger if rng.random() < STRANGE else episode
    return SceneBrief(
        heading=part.scene.heading,
        act=part.act,
        beat=part.source.beat,
        cast=_listed_cast(rng, part),
        title=told.title if rng.random() < 0.7 else "",
        story=told.logline if not part.is_side_story and rng.random() < 0.5 else "",
        tone=FAMILY_TONES[family].value,
        family=family if rng.random() < 0.95 else "",
        before=before if rng.random() < 0.7 else "",
    )


def _listed_cast(rng: random.Random, part: Part) -> tuple[str, ...]:
    """Who speaks; now and then somebody is missing, is named too much, or stands elsewhere."""
    cast = list(part.scene.speakers)
    if rng.random() < 0.1 and len(cast) > 2:
        cast.remove(rng.choice(cast))
    if rng.random() < 0.1:
        cast.append(rng.choice([name for name in CAST if name not in cast]))
    if rng.random() < 0.2:
        rng.shuffle(cast)
    return tuple(cast)


def build_corpus(
    config: CorpusConfig, bank_folder: Path, folder: Path, report: Callable[[str], None] = logger.info
) -> Corpus:
    """Assemble, train the tokenizer, encode and save. Raises CorpusError where the bank cannot be read.

    ``folder`` receives encoder.json, vocab.bpe, outlines.json, words.txt, training.npz, held_out.npz and, as the last,
    corpus.json.
    """
    bank = read_bank(bank_folder)
    assembler = Assembler(bank, config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_outlines(bank, assembler, folder)
    numbers = range(config.episodes)
    first = numbers[: config.tokenizer_episodes]
    tokenizer = train_tokenizer(_texts(assembler, first, config.seed), config.vocabulary_tokens, folder)
    report(f"tokenizer: {tokenizer.size:,} tokens")
    training = [_encoded(assembler, number, config.seed, tokenizer) for number in numbers]
    held_out_numbers = range(config.episodes, config.episodes + config.held_out_episodes)
    held_out = [_encoded(assembler, n, config.seed, tokenizer, held_out=True) for n in held_out_numbers]
    _save_arrays(folder / TRAINING_FILE, training)
    _save_arrays(folder / HELD_OUT_FILE, held_out)
    summary = {
        "config": asdict(config),
        "fingerprint": _fingerprint(folder, [*training, *held_out]),
        "training_tokens": sum(len(array) for array in training),
        "held_out_tokens": sum(len(array) for array in held_out),
    }
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    report(f"corpus: {config.episodes:,} episodes, {summary['training_tokens']:,} tokens")
    return Corpus(folder, summary)


def open_corpus(folder: Path) -> Corpus:
    """A corpus that was built before. Raises CorpusError where ``folder`` holds none."""
    try:
        summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"no corpus in {folder.name}: {SUMMARY_FILE} cannot be read. Build the corpus first."
        ) from error
    return Corpus(folder, summary)


def held_out_records(config: CorpusConfig, bank_folder: Path) -> list[list[Record]]:
    """The records of each held-out episode, as text. Raises CorpusError where the bank cannot be read."""
    assembler = Assembler(read_bank(bank_folder), config.seed)
    numbers = range(config.episodes, config.episodes + config.held_out_episodes)
    return [list(records(assembler.episode(n, held_out=True), assembler, config.seed)) for n in numbers]


def _texts(assembler: Assembler, numbers: Iterable[int], seed: int) -> Iterator[str]:
    for number in numbers:
        for record in records(assembler.episode(number), assembler, seed):
            yield record.text


def _encoded(
    assembler: Assembler, number: int, seed: int, tokenizer: Tokenizer, *, held_out: bool = False
) -> NDArray[np.int32]:
    """One episode as tokens: every record between two end-of-text ids."""
    tokens = [tokenizer.end_of_text]
    for record in records(assembler.episode(number, held_out=held_out), assembler, seed):
        tokens += [*tokenizer.encode(record.text), tokenizer.end_of_text]
    return np.array(tokens, dtype=np.int32)


def _save_arrays(path: Path, arrays: Sequence[NDArray[np.int32]]) -> None:
    np.savez(path, **{f"episode_{number:05}": array for number, array in enumerate(arrays)})  # type: ignore[arg-type]


def _fingerprint(folder: Path, arrays: Sequence[NDArray[np.int32]]) -> str:
    digest = hashlib.sha256()
    for name in ("encoder.json", "vocab.bpe"):
        digest.update((folder / name).read_bytes())
    for array in arrays:
        digest.update(array.astype("<i4").tobytes())
    return digest.hexdigest()


__all__ = [
    "Corpus",
    "CorpusConfig",
    "Record",
    "build_corpus",
    "held_out_records",
    "open_corpus",
    "records",
]
