"""Which scenes may stand. A scene that the line gate let pass line by line is judged here as a whole.

A scene that fails is written again with another seed, and of those that failed the best one stands: so verdicts can be
compared, too. The gate remembers what the script says already; it draws nothing and writes nothing. The bounds are
those of held-out teleplays and of the scene bank, with room on both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from model.copies import Copied, CopyIndex
from model.corpus.outlines import words_of
from model.gate import REPEATABLE_WORDS
from tng.errors import ScriptError
from tng.script import Act, Element, ElementKind, Scene, Script, parse, render

FEWEST_SPEECHES: Final = 3
FEWEST_WORDS, MOST_WORDS = 25, 700
LEAST_DIALOGUE, MOST_DIALOGUE = 0.15, 0.97
MOST_REPEATED_LINES: Final = 0.15
MOST_REPEATED_RUNS: Final = 0.06
MOST_STOCK_LINES: Final = 0.2
MOST_FORCED_LINES: Final = 0.5
MOST_COPIED_WORDS: Final = 20
"""The longest run of words that a scene may share with a corpus that is not ours."""

RUN_WORDS: Final = 6

Run = tuple[str, ...]


class Flaw(StrEnum):
    """Why a scene may not stand, or only for want of a better one."""

    FORM = "form"
    STRANGER = "stranger"
    SILENT = "silent"
    SPEECHES = "speeches"
    LENGTH = "length"
    DIALOGUE = "dialogue"
    LOOP = "loop"
    STOCK = "stock"
    FORCED = "forced"
    COPIED = "copied"


@dataclass(frozen=True, slots=True)
class Draft:
    """A scene as it was written once. ``lines`` are the network's side of it, with its marks.

    ``drawn`` lines it took; ``forced`` of those that stand were asked of a speaker, ``stock`` are the code's own.
    ``log_probability`` is the mean of what the network drew and kept, in nats a token, 0 where that is nothing.
    """

    scene: Scene
    lines: tuple[str, ...]
    drawn: int
    forced: int
    stock: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a draft, nothing where it may stand, and how it compares with others of the same scene."""

    flaws: tuple[Flaw, ...]
    rank: tuple[float, ...]
    """The smaller the better: flaws, stock lines, forced lines, repetition, surprise."""


class SceneGate:
    """The rules for the scenes of one script.

    ``copies`` is the index of the training text, None where there is none: then copying goes unmeasured. It is
    forbidden only where the corpus is not ours.
    """

    def __init__(self, copies: CopyIndex | None = None, *, corpus_is_ours: bool = False) -> None:
        self._copies, self._is_ours = copies, corpus_is_ours
        self._said: set[Run] = set()
        self._written: list[str] = []
        self.failed: Counter[str] = Counter()

    def judge(self, draft: Draft, expected: Collection[str], allowed: Collection[str]) -> Verdict:
        """Judge a draft in which everybody ``expected`` must speak and nobody but those ``allowed`` may."""
        lines, runs = repeated_lines(draft.scene), self._repeated_runs(draft.scene)
        flaws = tuple(
            flaw
            for flaw, applies in (
                (Flaw.FORM, not reads_back(draft.scene)),
                (Flaw.STRANGER, not set(draft.scene.speakers) <= set(allowed)),
                (Flaw.SILENT, not set(expected) <= set(draft.scene.speakers)),
                (Flaw.SPEECHES, len(_speeches(draft.scene)) < FEWEST_SPEECHES),
                (Flaw.LENGTH, not FEWEST_WORDS <= _count_words(draft.scene.elements) <= MOST_WORDS),
                (Flaw.DIALOGUE, not LEAST_DIALOGUE <= dialogue_share(draft.scene) <= MOST_DIALOGUE),
                (Flaw.LOOP, lines > MOST_REPEATED_LINES or runs > MOST_REPEATED_RUNS),
                (Flaw.STOCK, draft.stock > MOST_STOCK_LINES * len(draft.lines)),
                (Flaw.FORCED, draft.forced > MOST_FORCED_LINES * len(draft.lines)),
                (Flaw.COPIED, self._copies_too_much(draft)),
            )
            if applies
        )
        self.failed.update(flaw.value for flaw in flaws)
        return Verdict(flaws, (len(flaws), draft.stock, draft.forced, lines + runs, -draft.log_probability))

    def keep(self, draft: Draft) -> None:
        """The draft stands: what it says is said."""
        self._said.update(_runs(draft.scene))
        self._written.append("\n".join(draft.lines))

    def hear(self, scene: Scene) -> None:
        """The scene stands in the script, whoever wrote it: what it says is said."""
        self._said.update(_runs(scene))

    def copied(self) -> Copied | None:
        """How much of all that stands is in the training text; None where it cannot be said."""
        return self._copies.measure(self._written) if self._copies is not None else None

    def _repeated_runs(self, scene: Scene) -> float:
        """The share of its runs of six words that were said before, in the scene or in the script."""
        runs = list(_runs(scene))
        fresh = set(runs) - self._said
        return 1 - len(fresh) / len(runs) if runs else 0.0

    def _copies_too_much(self, draft: Draft) -> bool:
        if self._copies is None or self._is_ours:
            return False
        return self._copies.measure(["\n".join(draft.lines)]).longest_run_words > MOST_COPIED_WORDS


def reads_back(scene: Scene) -> bool:
    """Whether the scene is the same when it was written down and read again."""
    script = Script("X", (Act("X", (scene,)),))
    try:
        return parse(render(script)) == script
    except ScriptError:
        return False


def repeated_lines(scene: Scene) -> float:
    """The share of the scene's lines that stand in it before; lines of three words and fewer do not count."""
    lines = [" ".join(words_of(e.text)) for e in scene.elements if len(e.text.split()) > REPEATABLE_WORDS]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def dialogue_share(scene: Scene) -> float:
    """The share of the scene's words that are spoken, from 0 to 1."""
    words = _count_words(scene.elements)
    return _count_words(_speeches(scene)) / words if words else 0.0


def _speeches(scene: Scene) -> list[Element]:
    return [element for element in scene.elements if element.kind is ElementKind.SPEECH]


def _count_words(elements: Sequence[Element]) -> int:
    return sum(len(element.text.split()) for element in elements)


def _runs(scene: Scene) -> Iterator[Run]:
    """Every run of six words within a line."""
    for element in scene.elements:
        words = words_of(element.text)
        yield from (tuple(words[place : place + RUN_WORDS]) for place in range(len(words) - RUN_WORDS + 1))


__all__ = [
    "FEWEST_SPEECHES",
    "MOST_COPIED_WORDS",
    "Draft",
    "Flaw",
    "SceneGate",
    "Verdict",
    "dialogue_share",
    "reads_back",
    "repeated_lines",
]
