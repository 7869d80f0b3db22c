"""Two releases side by side: what they were made of, how they learnt, and what both write for one premise.

With one release alone its cautious and its bold self are compared: the same network at two temperatures. Measures are
those of the quality report; how much a script shares with its training text is what the release itself says of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from IPython.display import display

from model.commands.checkpoints import DEFAULT_RELEASE
from model.quality.bands import BANDS, Sample, Yardstick, measured
from model.quality.copied_runs import CopiedRuns
from model.quality.pages import band_text
from model.workbench.reading import beside
from model.workbench.showing import lines, number_text, show_lines, show_picture, show_table
from model.writing import Writer, Written, warm, write
from tng.releases import find_release
from tng.script import Length, Premise

BOLDER: Final = 0.3
"""How much warmer the second self of a release writes."""

MEASURES: Final = (
    "parse_rate", "headings_valid", "acts_in_order", "main_cast_share", "words_per_speech", "distinct_2",
    "repeated_lines", "repeated_6grams", "worst_variety",
)  # fmt: skip
"""Of form and of repetition; of the bands' measures those that need no corpus and hold for a teaser, too."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what it is called here, its writer, and what its release remembers."""

    name: str
    writer: Writer
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sides, and what each wrote for the same premise."""

    first: Side
    second: Side
    premise: Premise
    scripts: tuple[Written, Written]

    @property
    def sides(self) -> tuple[Side, Side]:
        """From left to right."""
        return self.first, self.second


def release_in(folder: Path | str = "") -> Path:
    """The folder of a release, ``~`` understood; without one it is the release that comes along."""
    return Path(folder).expanduser() if folder else DEFAULT_RELEASE


def sides_of(first: Path | str = "", second: Path | str = "") -> tuple[Side, Side]:
    """Load both releases; the same one twice, at two temperatures, where there is no second.

    Raises ReleaseMissing or ReleaseDamaged.
    """
    left = _side(release_in(first))
    if second:
        return left, _side(release_in(second))
    sampling = left.writer.sampling
    warmer = replace(sampling, temperature=round(sampling.temperature + BOLDER, 2))
    cautious = replace(left, name=f"{left.name}, temperature {sampling.temperature:g}")
    bold = f"{left.name}, temperature {warmer.temperature:g}"
    return cautious, Side(bold, replace(left.writer, sampling=warmer), left.meta)


def _side(folder: Path) -> Side:
    return Side(folder.name, warm(folder), find_release(folder).meta)


def show_making(sides: Sequence[Side]) -> None:
    """Display what both were made of, and how surprised each is by what it never saw."""
    made = [_making(side.meta) for side in sides]
    names = list(dict.fromkeys(name for facts in made for name in facts))
    rows = [(name, *(number_text(facts.get(name)) for facts in made)) for name in names]
    show_table(("", *(side.name for side in sides)), rows)


def _making(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a release as rows; what it does not remember is None."""
    config, corpus, evaluation = (meta.get(part) or {} for part in ("config", "corpus", "evaluation"))
    network = config.get("network") or {}
    return {
        "layers × width": f"{network.get('n_layer', '?')} × {network.get('n_embd', '?')}",
        "vocabulary, tokens": network.get("n_vocab"),
        "training text, tokens": corpus.get("training_tokens"),
        "corpus": str(corpus.get("fingerprint", "unknown"))[:12],
        "the corpus is the project's own": "yes" if corpus.get("is_ours") is True else "no, or not known",
        "steps": meta.get("steps_done"),
        "training, minutes": round(meta["training_seconds"] / 60, 1) if meta.get("training_seconds") else None,
        "training loss, nats a token": meta.get("training_loss"),
        "perplexity of recombined scenes": evaluation.get("recombined_perplexity"),
        "perplexity of unseen scenes": evaluation.get("unseen_perplexity"),
        "bits per byte, held out": evaluation.get("bits_per_byte"),
    }


def show_learning(sides: Sequence[Side]) -> None:
    """Display the training losses of both; one curve where it is the same release twice."""
    curves = {
        side.meta.get("id", side.name): [(step, loss) for step, loss in side.meta.get("losses", ())] for side in sides
    }
    if any(curves.values()):
        show_picture(lines(curves, "How they learnt", "step; nats a token"), f"losses of {', '.join(curves)}")
    else:
        show_lines("Neither release remembers its losses.")


def write_both(sides: tuple[Side, Side], wish: Mapping[str, Any]) -> Pair:
    """Let both write for the same premise and seed. Raises PremiseError where one of the two shows has no such cast."""
    shows = [side.writer.show for side in sides]
    cues = tuple(cue for cue in shows[0].cues if cue in shows[1].cues)
    premise = Premise.checked({"cast": list(shows[0].leads), **wish}, cues)
    return Pair(*sides, premise, (write(premise, sides[0].writer), write(premise, sides[1].writer)))


def show_scripts(pair: Pair) -> None:
    """Display both scripts side by side."""
    scripts = {side.name: written.script for side, written in zip(pair.sides, pair.scripts, strict=True)}
    display(beside(scripts))  # type: ignore[no-untyped-call]


def show_measures(pair: Pair) -> None:
    """Display form, repetition and copying of both, with the band of each measure."""
    columns = [
        _measures(side, written, pair.premise.length) for side, written in zip(pair.sides, pair.scripts, strict=True)
    ]
    bands = {band.name: band for band in BANDS}
    rows = [
        (bands[name].meaning, *(number_text(column[name]) for column in columns), band_text(bands[name]))
        for name in MEASURES
    ]
    rows += [(name, *(_copied(written, key) for written in pair.scripts), "") for name, key in _COPIED.items()]
    again = (str(written.gates["written_again"]) for written in pair.scripts)
    rows.append(("scenes that had to be written again", *again, ""))
    show_table(("", *(side.name for side in pair.sides), "usual"), rows)


_COPIED: Final = {
    "longest run that stands in the training text, words": "longest_run_words",
    "share of the words that stand in such runs": "share",
}


def _measures(side: Side, written: Written, length: Length) -> dict[str, float]:
    """The measures of a script that need no training text."""
    show = side.writer.show
    yardstick = Yardstick(frozenset(show.cues), frozenset(show.cues), CopiedRuns(()))
    return measured(Sample(written.script, tuple(show.lengths[length])), yardstick)


def _copied(written: Written, key: str) -> str:
    copied = written.provenance["copied"]
    return number_text(copied[key]) if copied else "not known"


__all__ = [
    "Pair",
    "Side",
    "release_in",
    "show_learning",
    "show_making",
    "show_measures",
    "show_scripts",
    "sides_of",
    "write_both",
]
