"""Scripts written for measuring: what the gate keeps of each, and a scene of a few to be read side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from model.promotion.script_measures import script_measures
from model.writing import Writer, Written, write
from tng.errors import TngError
from tng.script import Premise, render_scene

MOST_STOCK_SHARE: Final = 0.2
"""The lines of a script that may be the code's own: our code enforces the form, so that a network that has nothing to
say shows in them."""
MOST_COPIED_WORDS: Final = 50
EXCERPTS: Final = 3

Report = Callable[[int], None]
"""Told after each sample how many there are."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured of one script, by the names of ``script_measures``. ``copied_words``: the longest run of words
    that it shares with its network's corpus; None where the release has no index of that."""

    reads_back: bool
    stock_share: float
    distinct_3: float
    longest_repeat: int
    blocked_words: int
    words: int
    copied_words: int | None

    @property
    def has_form(self) -> bool:
        """Whether it counts as a script of the network's."""
        return self.reads_back and self.stock_share <= MOST_STOCK_SHARE


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first scene of a sample, and of what premise: it is for the operator alone."""

    premise: str
    text: str


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of a release. ``flaw`` says why there are fewer than were asked for."""

    each: tuple[Sample, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    flaw: str = ""
    seconds: float = 0.0

    def to_fields(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "each": list(map(asdict, self.each)), "excerpts": list(map(asdict, self.excerpts))}

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Samples:
        """Back from JSON."""
        each = tuple(Sample(**one) for one in fields["each"])
        return cls(each, tuple(Excerpt(**one) for one in fields["excerpts"]), fields["flaw"], fields["seconds"])


class _Late(Exception):
    """A script takes too long."""


def write_samples(
    writer: Writer, premises: Sequence[Premise], blocked: frozenset[str], report: Report, most_seconds: float
) -> Samples:
    """Write a script for each premise and measure it. One that fails, or takes longer than it may, is the last."""
    began = time.monotonic()
    each: list[Sample] = []
    excerpts: list[Excerpt] = []
    flaw = ""
    for premise in premises:
        try:
            written = write(premise, writer, _until(time.monotonic() + most_seconds))
        except _Late:
            flaw = f"a script was not written after {most_seconds:.0f} s"
            break
        except (TngError, ValueError, LookupError, ArithmeticError) as error:
            flaw = f"a script could not be written ({type(error).__name__})"
            break
        each.append(_sample(written, blocked))
        if len(excerpts) < EXCERPTS:
            excerpts.append(_excerpt(premise, written))
        report(len(each))
    return Samples(tuple(each), tuple(excerpts), flaw, round(time.monotonic() - began, 2))


def _until(deadline: float) -> Callable[[str, Mapping[str, Any]], None]:
    """A report that ends a script which is late, at its next scene."""

    def report(_kind: str, _body: Mapping[str, Any]) -> None:
        if time.monotonic() > deadline:
            raise _Late

    return report


def _sample(written: Written, blocked: frozenset[str]) -> Sample:
    copied = written.provenance["copied"]
    measures = script_measures(written.script, written.gates, blocked)
    return Sample(**measures, copied_words=copied and copied["longest_run_words"])


def _excerpt(premise: Premise, written: Written) -> Excerpt:
    """A scene; where the script repeats a corpus that is not ours, its words stay where they are."""
    asked = f"{premise.title}: {premise.tone.value}, {premise.length.value}, with {', '.join(premise.cast)}"
    copied = written.provenance["copied"]
    if copied and not copied["corpus_is_ours"] and copied["longest_run_words"] > MOST_COPIED_WORDS:
        return Excerpt(asked, f"(withheld: {copied['longest_run_words']} words in a row stand in the training text)")
    return Excerpt(asked, render_scene(written.script.scenes[0]))


__all__ = ["MOST_COPIED_WORDS", "MOST_STOCK_SHARE", "Excerpt", "Sample", "Samples", "write_samples"]
