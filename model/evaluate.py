"""Measure a checkpoint: how surprised it is by held-out episodes, and how its scripts are formed. It trains nothing.

Held-out episodes hold scenes of two kinds: those whose words the training has seen with other names (*recombined*),
and the reserved ones that it has never seen (*unseen*). Both are counted apart; only the scene counts, not its header.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.corpus.training_text import CorpusConfig, Record, held_out_records
from model.serving import Gpt2, load_network
from model.tokenizer import Tokenizer
from model.writing import Writer, write
from tng.script import CAST, Length, Premise, Tone, parse, render

_PREMISES: Final = (
    Premise("The Long Watch", "", ("PICARD", "RIKER", "DATA"), Tone.MYSTERY, Length.TEASER, 1),
    Premise("A Borrowed Light", "", ("TROI", "WORF", "GUINAN"), Tone.DRAMA, Length.TEASER, 2),
    Premise("Closing Distance", "", ("BEVERLY", "GEORDI", "O'BRIEN"), Tone.ADVENTURE, Length.TEASER, 3),
    Premise("Two Left Hands", "", ("WESLEY", "DATA", "WORF"), Tone.COMEDY, Length.TEASER, 4),
)


@dataclass(frozen=True, slots=True)
class Surprise:
    """Summed loss in nats, and over how many tokens."""

    nats: float = 0.0
    tokens: int = 0

    def __add__(self, other: Surprise) -> Surprise:
        return Surprise(self.nats + other.nats, self.tokens + other.tokens)

    @property
    def perplexity(self) -> float:
        """The mean number of equally likely next tokens; not a number where there were none."""
        return math.exp(self.nats / self.tokens) if self.tokens else math.nan


def surprise(network: Gpt2, tokenizer: Tokenizer, record: Record) -> Surprise:
    """How surprised the network is by the scene of a record, its header given. What exceeds the window is not read."""
    header = tokenizer.encode(record.prompt + "\n")
    ids = [*tokenizer.encode(record.text), tokenizer.end_of_text][: network.window]
    if len(ids) <= len(header):
        return Surprise()
    logits = network.score(ids[:-1])[len(header) - 1 :].astype(np.float64)  # (T, V)
    targets = ids[len(header) :]
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1)) + top[:, 0]
    return Surprise(float((total - logits[np.arange(len(targets)), targets]).sum()), len(targets))


def held_out_perplexity(checkpoint: Path, config: CorpusConfig, bank_folder: Path) -> dict[str, Any]:
    """Perplexities of a checkpoint folder on the held-out episodes: of each, and of both kinds of scenes."""
    network, tokenizer = load_network(checkpoint), Tokenizer(checkpoint)
    episodes: list[float] = []
    kinds = {False: Surprise(), True: Surprise()}
    for records in held_out_records(config, bank_folder):
        whole = Surprise()
        for record in records:
            measured = surprise(network, tokenizer, record)
            whole, kinds[record.unseen] = whole + measured, kinds[record.unseen] + measured
        episodes.append(round(whole.perplexity, 3))
    return {
        "episode_perplexities": episodes,
        "recombined_perplexity": round(kinds[False].perplexity, 3),
        "unseen_perplexity": round(kinds[True].perplexity, 3),
        "measured_tokens": kinds[False].tokens + kinds[True].tokens,
    }


def script_measures(writer: Writer, premises: Iterable[Premise] = _PREMISES) -> dict[str, float]:
    """Write scripts and measure them: how many read back, who speaks, and what it took to fill the lines."""
    scripts = speeches = known = read_back = lines = drawn = stock = 0
    for premise in premises:
        written = write(premise, writer)
        cues = [element.cue for scene in written.script.scenes for element in scene.elements if element.cue]
        scripts += 1
        read_back += parse(render(written.script)) == written.script
        speeches += len(cues)
        known += sum(cue in CAST for cue in cues)
        lines, drawn = lines + written.gates["lines"], drawn + written.gates["drawn"]
        stock += written.gates["stock"]
    return {
        "scripts": scripts,
        "reads_back": read_back / scripts,
        "speeches_by_known_cast": round(known / speeches, 3),
        "drawn_a_line": round(drawn / lines, 3),
        "stock_lines": stock / lines,
    }


__all__ = ["Surprise", "held_out_perplexity", "script_measures", "surprise"]
