"""From imported episodes to a corpus: the same files as the demonstration corpus's, so that everything goes on alike.

The vocabulary is learnt from the episodes, or is that of a checkpoint that the training will start from. The corpus is
as private as the episodes: its folder is its owner's alone. Nothing here trains.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.copies import build_copies
from model.corpus.delivered import read_delivered
from model.corpus.episode_records import episode_records, marked_scenes
from model.corpus.guests import guests_of
from model.corpus.outlines import Outline, Outlines, save_outlines
from model.corpus.records import Record
from model.corpus.slots import MARKS
from model.corpus.splits import Split, split
from model.corpus.teleplays.shelf import Shelf, StoredEpisode
from model.corpus.token_arrays import Tokens, encoded, fingerprint, save_arrays, vocabulary
from model.corpus.training_text import (
    HELD_OUT_FILE,
    SUMMARY_FILE,
    TRAINING_FILE,
    Corpus,
    CorpusConfig,
    empty_corpus_folder,
)
from model.tokenizer import Tokenizer
from tng.errors import CorpusError
from tng.script import ElementKind, Scene, render_scene
from tng.shows import SHOW_FILE, Show

logger = logging.getLogger(__name__)

FEWEST_SPEECHES: Final = 3
"""A scene of fewer is trained on, and no script is planned of it."""
MOST_SPEAKERS: Final = 6

_GUEST_CUES: Final = {MARKS[slot]: f"{{{slot}}}" for slot in ("GUEST", "GUEST2", "CREWMAN")}
_NAMES: Final = {mark: f"{{{slot}}}" for slot, mark in MARKS.items() if slot.islower()}


def build_imported_corpus(
    shelf: Shelf,
    show: Show,
    config: CorpusConfig,
    folder: Path,
    *,
    window_tokens: int,
    base: Path | None = None,
    delivered: Path | None = None,
    report: Callable[[str], None] = logger.info,
) -> Corpus:
    """Divide the episodes of ``shelf``, make their records, encode and save them in ``folder``.

    Of ``config`` the size of the vocabulary and the seed count. With ``base``, a checkpoint's folder, its vocabulary
    is taken instead of a new one. ``window_tokens`` is the network's: records that are longer are counted. The scripts
    of the folder ``delivered`` are trained on, too.
    Raises CorpusError where nothing can be trained on, ReleaseDamaged where the base has no vocabulary.
    """
    episodes = {episode.facts.key: episode for episode in shelf.episodes()}
    if not episodes:
        raise CorpusError(f"no episodes in {shelf.folder.name}; import some with `tng corpus import`")
    sides = split([episode.facts for episode in episodes.values()], show)
    records = {key: episode_records(episodes[key], show, config.seed) for key in (*sides.training, *sides.held_out)}
    training = [record for key in sides.training for record in records[key]]
    allowed = read_delivered(delivered, show)
    empty_corpus_folder(folder, private=True)
    shutil.copyfile(show.folder / SHOW_FILE, folder / SHOW_FILE)
    tokenizer = vocabulary((record.text for record in training), config.vocabulary_tokens, folder, base)
    report(f"tokenizer: {tokenizer.size:,} tokens")
    _write_outlines([episodes[key] for key in sides.training], training, show, folder)
    build_copies({render_scene(record.scene) for record in (*training, *allowed.records)}).save(folder)
    arrays = {key: encoded(its, tokenizer) for key, its in records.items()}
    more = [encoded(its, tokenizer) for its in allowed.scripts]
    save_arrays(folder / TRAINING_FILE, [*(arrays[key] for key in sides.training), *more])
    save_arrays(folder / HELD_OUT_FILE, [arrays[key] for key in sides.held_out])
    summary = {
        "config": asdict(_used(config, sides, tokenizer)),
        "is_ours": False,
        "fingerprint": fingerprint(folder, [*arrays.values(), *more]),
        **_token_counts(sides, arrays, more),
        **_record_counts(
            chain(*records.values(), allowed.records), [*arrays.values(), *more], tokenizer, window_tokens
        ),
        **allowed.counts,
    }
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    report(f"corpus: {len(sides.training):,} episodes, {summary['training_tokens']:,} tokens")
    return Corpus(folder, summary)


def _used(config: CorpusConfig, sides: Split, tokenizer: Tokenizer) -> CorpusConfig:
    """The configuration as it came out: how many episodes there were, and how large the vocabulary is."""
    count = len(sides.training)
    return CorpusConfig(count, len(sides.held_out), tokenizer.size, config.seed, tokenizer_episodes=count)


def _token_counts(sides: Split, arrays: Mapping[str, Tokens], more: Iterable[Tokens]) -> dict[str, Any]:
    return {
        "training_tokens": sum(len(arrays[key]) for key in sides.training) + sum(map(len, more)),
        "held_out_tokens": sum(len(arrays[key]) for key in sides.held_out),
        "held_out": list(sides.held_out),
        "excluded": list(sides.excluded),
    }


def _record_counts(
    records: Iterable[Record], arrays: Iterable[Tokens], tokenizer: Tokenizer, window_tokens: int
) -> dict[str, int]:
    """How long records are, their end of text included."""
    lengths = np.concatenate([np.diff(np.flatnonzero(array == tokenizer.end_of_text)) for array in arrays])
    return {
        "records": len(lengths),
        "header_tokens": sum(len(tokenizer.encode(record.prompt)) for record in records),
        "longest_record_tokens": int(lengths.max()),
        "window_tokens": window_tokens,
        "records_longer_than_window": int((lengths > window_tokens).sum()),
    }


# --- what the planning needs --------------------------------------------------------------------------------


def _write_outlines(episodes: Iterable[StoredEpisode], records: Iterable[Record], show: Show, folder: Path) -> None:
    """The scenes that scripts are planned of, by their acts: teleplays know neither families nor beats."""
    acts: defaultdict[str, list[Outline]] = defaultdict(list)
    stories: list[str] = []
    for episode in episodes:
        guests = guests_of(episode.script, show)
        for one in marked_scenes(episode, guests, show):
            if outline := _outline(one.scene, show):
                acts[one.act].append(outline)
        if episode.facts.story:
            stories.append(_with_slots(guests.marked(episode.facts.story), _NAMES))
    texts = (text for record in records for text in _words_of(record.scene))
    places = {act: tuple(acts[act]) for act in show.acts}
    save_outlines(Outlines({"": places}, (), {"": tuple(stories)}), texts, folder)


def _outline(scene: Scene, show: Show) -> Outline | None:
    """A scene that a script can be planned of: enough is said in it, by people whom every script may have."""
    speeches = sum(element.kind is ElementKind.SPEECH for element in scene.elements)
    aboard = {*show.cues, *show.always_aboard}
    cues = [_GUEST_CUES.get(cue, cue) for cue in scene.speakers if cue in aboard or cue in _GUEST_CUES]
    if speeches < FEWEST_SPEECHES or not cues:
        return None
    return Outline(_with_slots(scene.heading, _NAMES), tuple(cues[:MOST_SPEAKERS]))


def _with_slots(text: str, slots: Mapping[str, str]) -> str:
    """Slots where the marks stand; braces that were typed are none."""
    text = text.replace("{", "(").replace("}", ")")
    for mark, slot in slots.items():
        text = text.replace(mark, slot)
    return text


def _words_of(scene: Scene) -> Iterator[str]:
    """The words that a script may use; marks and strangers' cues are none."""
    for element in scene.elements:
        for text in (element.text, element.parenthetical):
            for mark in MARKS.values():
                text = text.replace(mark, " ") if "X" in text else text
            yield text


__all__ = ["build_imported_corpus"]
