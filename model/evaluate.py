"""Measure a checkpoint: how surprised it is by held-out episodes, and how good its scripts are. It trains nothing.

Held-out episodes hold scenes of two kinds: those whose words the training has seen with other names (*recombined*),
and those that it has never seen (*unseen*), which in a corpus of real teleplays are all. Both are counted apart; only
the scene counts, not its header. The measures themselves stand in ``model.quality``.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from model.corpus.training_text import Corpus
from model.planning import plan
from model.quality.bands import Sample
from model.quality.comparison import Comparison
from model.quality.perplexity import KINDS, Scorer, Surprise, of_scene, surprises
from model.quality.report import Report
from model.quality.texts import Episode, held_out_episodes, scene_texts, training_episodes, with_marks
from model.serving import load_network
from model.tokenizer import Tokenizer
from model.writing import Writer, Written, write
from tng.errors import CorpusError
from tng.releases import Release
from tng.script import Length, Premise, Tone, parse, render
from tng.shows import Show

logger = logging.getLogger(__name__)

CAST_SIZES: Final = {Length.TEASER: (2, 4), Length.SHORT: (3, 6), Length.EPISODE: (5, 8)}
"""How many people premises for measuring ask for, at least and at most: a usual episode has most of the cast."""
_TITLES: Final = ("The Long Watch", "A Borrowed Light", "Closing Distance", "Two Left Hands", "The Quiet Hours")


@dataclass(frozen=True, slots=True)
class Writing:
    """A premise and what was written for it."""

    premise: Premise
    written: Written


def held_out_perplexity(checkpoint: Path, corpus: Corpus) -> dict[str, Any]:
    """Perplexities of a checkpoint folder on the held-out episodes: of each, of both kinds of scenes, of each kind of
    line; and bits per byte, which compare networks with other tokens. What nothing was measured of is left out.
    """
    trained_on = set(scene_texts(training_episodes(corpus)))
    return perplexity_of(load_network(checkpoint), Tokenizer(checkpoint), held_out_episodes(corpus), trained_on)


def evaluation_of(release: Release, corpus: Corpus) -> dict[str, Any]:
    """The perplexities that a release remembers, where they are of this corpus and complete; else measured now."""
    remembered = release.meta.get("evaluation", {})
    same_corpus = release.meta.get("corpus", {}).get("fingerprint") == corpus.fingerprint
    return dict(remembered) if same_corpus and "kinds" in remembered else held_out_perplexity(release.folder, corpus)


def perplexity_of(
    network: Scorer, tokenizer: Tokenizer, episodes: Sequence[Episode], trained_on: set[str]
) -> dict[str, Any]:
    """The same of a network; ``trained_on`` holds the scenes that it has seen."""
    kinds: defaultdict[str, Surprise] = defaultdict(Surprise)
    scenes: defaultdict[str, Surprise] = defaultdict(Surprise)
    each: list[Surprise] = []
    for episode in episodes:
        whole = Surprise()
        for record, text in zip(episode, scene_texts([episode]), strict=True):
            found = surprises(network, tokenizer, record)
            for kind, surprise in found.items():
                kinds[kind] += surprise
            scenes["recombined" if text in trained_on else "unseen"] += of_scene(found)
            whole += of_scene(found)
        each.append(whole)
    total = sum(scenes.values(), Surprise())
    return {
        "episode_perplexities": [round(surprise.perplexity, 3) for surprise in each if surprise.tokens],
        "episode_bits_per_byte": [round(surprise.bits_per_byte, 4) for surprise in each if surprise.tokens],
        **{f"{seen}_perplexity": round(found.perplexity, 3) for seen, found in scenes.items() if found.tokens},
        "measured_tokens": total.tokens,
        "bits_per_byte": round(total.bits_per_byte, 4) if total.text_bytes else None,
        "kinds": {kind: _fields(kinds[kind]) for kind in KINDS if kinds[kind].tokens},
    }


def premises_of(show: Show, scripts: int = 4, length: Length = Length.TEASER, seed: int = 1) -> tuple[Premise, ...]:
    """Premises for measuring: tones and titles take turns, the cast is drawn. The same seed gives the same ones."""
    rng = random.Random(f"{seed}/premises")  # noqa: S311 - a choice of premises, no secret
    told = {family.tone for family in show.main_families}
    tones = [tone for tone in Tone if tone in told]
    premises = []
    fewest, most = (min(size, len(show.cues)) for size in CAST_SIZES[length])
    for number in range(scripts):
        people = rng.sample(show.cues, rng.randint(fewest, most))
        cast = tuple(cue for cue in show.cues if cue in people)
        title = _TITLES[number % len(_TITLES)]
        premises.append(Premise(title, "", cast, tones[number % len(tones)], length, seed + number))
    return tuple(premises)


def write_all(writer: Writer, premises: Iterable[Premise]) -> list[Writing]:
    """Write a script for each premise."""
    return [Writing(premise, write(premise, writer)) for premise in premises]


def script_measures(writer: Writer, premises: Iterable[Premise] | None = None) -> dict[str, float]:
    """Write scripts and count: how many read back, who speaks, and what it took to fill the lines."""
    return counted(write_all(writer, premises_of(writer.show) if premises is None else premises), writer.show)


def counted(writings: Sequence[Writing], show: Show) -> dict[str, float]:
    """The same of scripts that are written. Raises CorpusError where there is none."""
    if not writings:
        raise CorpusError("no script was written, so that there is nothing to count; write one at least")
    scripts = [writing.written.script for writing in writings]
    gates = [writing.written.gates for writing in writings]
    cues = [element.cue for script in scripts for scene in script.scenes for element in scene.elements if element.cue]
    lines = sum(gate["lines"] for gate in gates)
    return {
        "scripts": len(scripts),
        "reads_back": sum(parse(render(script)) == script for script in scripts) / len(scripts),
        "speeches_by_known_cast": round(sum(cue in show.cues for cue in cues) / len(cues), 3),
        "drawn_a_line": round(sum(gate["drawn"] for gate in gates) / lines, 3),
        "stock_lines": sum(gate["stock"] for gate in gates) / lines,
    }


def quality_report(
    writer: Writer, corpus: Corpus, premises: Sequence[Premise], perplexity: Mapping[str, Any] | None = None
) -> Report:
    """Write a script for each premise and measure them beside the held-out episodes and three controls.

    Raises CorpusError where the corpus cannot be read, or there is nothing to compare.
    """
    comparison = Comparison(corpus, writer.show)
    writings = write_all(writer, premises)
    facts = {
        "release": writer.release_id,
        "show": writer.show.id,
        "corpus": corpus.fingerprint,
        "corpus_is_ours": comparison.corpus_is_ours,
        "premises": [{"length": premise.length.value, "seed": premise.seed} for premise in premises],
        "script_measures": counted(writings, writer.show),
    }
    logger.info("%d scripts written by %s; measuring them", len(writings), writer.release_id)
    is_whole = all(premise.length is Length.EPISODE for premise in premises)
    samples = [_sample(writing, writer) for writing in writings]
    release = comparison.column("release", samples, is_whole=is_whole)
    return Report(release, comparison.held_out, comparison.controls(len(samples)), facts, perplexity or {})


def _fields(surprise: Surprise) -> dict[str, Any]:
    """One kind of line; the end of a text has no byte."""
    bits = {"bits_per_byte": round(surprise.bits_per_byte, 4)} if surprise.text_bytes else {}
    return {"perplexity": round(surprise.perplexity, 3), **bits, "tokens": surprise.tokens}


def _sample(writing: Writing, writer: Writer) -> Sample:
    """A written script, with the names of its plan put back to marks, as the training text has them."""
    premise, script = writing.premise, writing.written.script
    planned = plan(premise, writer.outlines, writer.show)
    guests = planned.speakers - set(premise.cast)
    return Sample(script, tuple(writer.show.lengths[premise.length]), guests, with_marks(script, planned.names))


__all__ = [
    "Writing",
    "counted",
    "evaluation_of",
    "held_out_perplexity",
    "perplexity_of",
    "premises_of",
    "quality_report",
    "script_measures",
    "write_all",
]
