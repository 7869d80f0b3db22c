"""A corpus on disk as text again: records, whole scripts, and scripts with names where the marks were.

Read from the token arrays, so that a corpus of any origin can be measured, and exactly what was trained on.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import numpy as np

from model.corpus.slots import MARKS, Names, draw_names, unmarked
from model.corpus.training_text import Corpus
from model.quality.perplexity import RecordText
from model.tokenizer import Tokenizer
from tng.errors import CorpusError
from tng.script import Act, Scene, Script, parse_line, render
from tng.shows import Show

Episode = tuple[RecordText, ...]

_ACT: Final = re.compile(r"^ACT: ([^/\n]*[^/\s])", re.MULTILINE)
_HEADING: Final = re.compile(r"^# ", re.MULTILINE)
_ANYWHERE: Final = frozenset({"guest_title", "deck", "hours"})
"""Slots whose fillings are words of any text: "two", "Doctor"."""


def training_episodes(corpus: Corpus) -> list[Episode]:
    """The records of every episode that was trained on. Raises CorpusError where they cannot be read."""
    return _episodes(corpus.training_file, Tokenizer(corpus.folder))


def held_out_episodes(corpus: Corpus) -> list[Episode]:
    """The records of every episode that was held out. Raises CorpusError where they cannot be read."""
    return _episodes(corpus.held_out_file, Tokenizer(corpus.folder))


def as_script(episode: Sequence[RecordText], title: str) -> Script:
    """The script of an episode: its scenes under their acts, names still marks."""
    acts = groupby(episode, key=lambda record: record.act)
    return Script(title, tuple(Act(act, tuple(_scene(record) for record in records)) for act, records in acts))


def with_names(script: Script, seed: int, show: Show) -> Script:
    """The script with invented names where the marks were, as it would stand on the page."""
    names = draw_names(random.Random(seed), show)  # noqa: S311 - chance for a story, no secret
    return _changed(script, lambda text: unmarked(text, names))


def with_marks(script: Script, names: Names) -> str:
    """The text of a script below its title with marks for the names of its plan, as near as text tells.

    In small letters, for comparing words: cues and headings write their names in capitals. A rank alone, a deck and an
    hour may be words of any text and stay as they are, so that a copied run may be found shorter than it is.
    """
    text = render(script).partition("\n")[2].lower()
    called = {slot: name.lower() for slot, name in names.items() if slot.islower() and slot in MARKS}
    text = _replaced(text, f"{called['guest_title']} {called['guest']}", "xrank xguest")
    for slot in sorted(called.keys() - _ANYWHERE, key=lambda slot: (-len(called[slot]), slot)):
        text = _replaced(text, called[slot], MARKS[slot].lower())
    return text


def guests_of(script: Script, show: Show) -> frozenset[str]:
    """Who speaks in it and is not of the show."""
    return frozenset(script.speakers) - {*show.cues, *show.always_aboard}


def scene_texts(episodes: Iterable[Episode]) -> list[str]:
    """Every scene with its heading and without its header; no copied run goes over a scene's end."""
    return [_body(record) for episode in episodes for record in episode]


def _episodes(path: Path, tokenizer: Tokenizer) -> list[Episode]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [_records(arrays[name].tolist(), tokenizer) for name in sorted(arrays.files)]
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path.name} cannot be read ({type(error).__name__}). Build the corpus again.") from error


def _records(ids: Sequence[int], tokenizer: Tokenizer) -> Episode:
    """Records stand between end-of-text ids; the last may go without."""
    ends = [place for place, token in enumerate(ids) if token == tokenizer.end_of_text]
    texts = (tokenizer.decode(ids[start + 1 : end]) for start, end in pairwise([-1, *ends, len(ids)]))
    return tuple(_record(text) for text in texts if text.strip())


def _record(text: str) -> RecordText:
    heading = _HEADING.search(text)
    if heading is None:
        raise CorpusError("a record of the corpus has no scene heading; build the corpus again")
    end = text.find("\n", heading.start()) + 1 or len(text)
    act = _ACT.search(text[: heading.start()])
    return RecordText(text[:end], text[end:], act[1].strip() if act else "")


def _body(record: RecordText) -> str:
    return record.header.removesuffix("\n").rpartition("\n")[2] + "\n" + record.scene


def _scene(record: RecordText) -> Scene:
    heading = record.header.removesuffix("\n").rpartition("\n")[2].removeprefix("# ")
    lines = (line.strip() for line in record.scene.splitlines())
    return Scene(heading, tuple(parse_line(line) for line in lines if line))


def _changed(script: Script, change: Callable[[str], str]) -> Script:
    """The script with all its text changed; headings and cues stay in capitals."""

    def scene(old: Scene) -> Scene:
        elements = tuple(
            replace(e, text=change(e.text), cue=change(e.cue).upper(), parenthetical=change(e.parenthetical))
            for e in old.elements
        )
        return Scene(change(old.heading).upper(), elements)

    return Script(script.title, tuple(Act(act.name, tuple(map(scene, act.scenes))) for act in script.acts))


def _replaced(text: str, name: str, mark: str) -> str:
    return re.sub(rf"\b{re.escape(name)}\b", mark, text)


__all__ = [
    "Episode",
    "as_script",
    "guests_of",
    "held_out_episodes",
    "scene_texts",
    "training_episodes",
    "with_marks",
    "with_names",
]
