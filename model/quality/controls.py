"""Bad scripts on purpose: a Markov chain, a loop, a copy. A report that does not notice them measures nothing.

Each looks good to some measures. The chain is more varied than any writer and nobody in it is twice; the loop copies
nothing; the copy is perfect, and somebody else's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from tng.errors import CorpusError
from tng.script import Act, Scene, Script, parse, render, render_scene

ORDER: Final = 3
LOOP_LINES: Final = 6

_LINE_END: Final = "\ue000"
"""Stands for a line's end among the chain's tokens; no text has it."""


class MarkovChain:
    """Writes scripts as Shannon did (1948): find a place where the last three tokens stand, go on with what follows.

    A token is what stands between two blanks, or a line's end. The text is kept as one array, and its places sorted by
    the three tokens that begin there, so that a chain over millions of words needs no table of contexts.
    """

    def __init__(self, scripts: Sequence[Script]) -> None:
        """Read scripts. Raises CorpusError where they are too short to learn from."""
        tokens = [token for script in scripts for token in _tokens(script)]
        if len(tokens) <= ORDER:
            raise CorpusError("the training text is too short for a Markov chain")
        self._names = list(dict.fromkeys(tokens))
        numbers = {name: number for number, name in enumerate(self._names)}
        self._ids = np.array([numbers[token] for token in tokens], dtype=np.int64)
        contexts = self._code(self._ids[:-3], self._ids[1:-2], self._ids[2:-1])
        self._places = np.argsort(contexts, kind="stable")
        self._contexts = contexts[self._places]

    def write(self, most_words: int, seed: int) -> Script:
        """A script of about so many words; the same seed gives the same one."""
        rng = random.Random(seed)  # noqa: S311 - chance for a story, no secret
        written: list[int] = []
        while len(written) < most_words:
            written += self._following(written[-ORDER:], rng)
        lines = " ".join(self._names[number] for number in written).split(_LINE_END)
        return parse("\n".join(["Title: A Chain", *_below_headings(lines)]))

    def _following(self, last: Sequence[int], rng: random.Random) -> list[int]:
        """A token that follows these three somewhere; the text's beginning where nothing does."""
        context = self._code(*last) if len(last) == ORDER else -1
        first, end = np.searchsorted(self._contexts, [context, context + 1])
        if first == end:
            return [int(number) for number in self._ids[:ORDER]]
        return [int(self._ids[self._places[rng.randrange(first, end)] + ORDER])]

    def _code(self, first: Any, second: Any, third: Any) -> Any:
        """Three tokens as one number, of arrays or of one place."""
        return (first * len(self._names) + second) * len(self._names) + third


def loop(script: Script, most_words: int) -> Script:
    """A script that says the same six lines over and over: the acts of another one, all of them one short scene."""
    scene = max(script.scenes, key=lambda scene: len(scene.elements), default=Scene("INT. NOWHERE"))
    short = replace(scene, elements=scene.elements[:LOOP_LINES])
    words = max(1, len(render_scene(short).split()))
    scenes = (short,) * max(1, most_words // words // max(1, len(script.acts)))
    return Script("A Loop", tuple(Act(act.name, scenes) for act in script.acts))


def _tokens(script: Script) -> list[str]:
    text = render(script).partition("\n")[2]
    return text.replace("\n", f" {_LINE_END} ").split()


def _below_headings(lines: Sequence[str]) -> list[str]:
    """The lines that have a place: behind an act's name comes a scene's heading, whatever the chain says."""
    kept: list[str] = []
    for line in map(str.strip, lines):
        is_act, is_scene = line.startswith("## "), line.startswith("# ")
        if is_act or (kept and (is_scene or not kept[-1].startswith("## "))):
            kept.append(line)
    return kept


__all__ = ["LOOP_LINES", "ORDER", "MarkovChain", "loop"]
