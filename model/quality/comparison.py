"""What a release's scripts are put beside: the held-out episodes of its corpus, and three controls made of the rest.

Everything comes from the corpus on disk, whatever its origin; no network is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from model.corpus.training_text import Corpus, build_corpus, open_corpus
from model.presets import CONFIG_FILE, config_from
from model.quality.bands import Sample, Yardstick, cues_said_twice
from model.quality.controls import MarkovChain, loop
from model.quality.copied_runs import CopiedRuns
from model.quality.report import Column, column
from model.quality.texts import (
    Episode,
    as_script,
    guests_of,
    held_out_episodes,
    scene_texts,
    training_episodes,
    with_names,
)
from model.tokenizer import ENCODER_FILE
from tng.errors import CorpusError
from tng.releases import META
from tng.script import Length, Script, render
from tng.shows import Show


class Comparison:
    """A corpus and its show, ready to measure scripts against."""

    def __init__(self, corpus: Corpus, show: Show) -> None:
        """Read the corpus. Raises CorpusError where it cannot be read, or holds no episode for training or none out."""
        self._show = show
        self._training, self._held_out = training_episodes(corpus), held_out_episodes(corpus)
        if not self._training or not self._held_out:
            raise CorpusError(f"corpus {corpus.folder.name}: nothing to compare with; it needs a held-out episode")
        self.corpus_is_ours = is_own_text(corpus)
        self._acts = tuple(show.lengths[Length.EPISODE])

    @cached_property
    def yardstick(self) -> Yardstick:
        """What scripts are measured against. A scene that episodes share is counted once."""
        known = cues_said_twice(as_script(episode, "") for episode in self._training)
        seen = CopiedRuns(dict.fromkeys(scene_texts(self._training)))
        return Yardstick(known, frozenset(self._show.cues), seen)

    def column(self, name: str, samples: Sequence[Sample], *, is_whole: bool = True) -> Column:
        """Measure scripts that may repeat the corpus as far as it is the project's own."""
        judges = not self.corpus_is_ours
        return column(name, samples, self.yardstick, judges_copying=judges, is_whole=is_whole)

    @property
    def held_out(self) -> Column:
        """The held-out episodes, each with invented names where the corpus has marks."""
        return self.column("held_out", self._samples(self._held_out))

    def controls(self, scripts: int) -> tuple[Column, ...]:
        """A Markov chain, a loop and a copy, ``scripts`` of each and as long as an episode; copying always counts."""
        real = [sample.script for sample in self._samples(self._held_out)]
        words = sum(len(render(script).split()) for script in real) // len(real)
        chain = MarkovChain([sample.script for sample in self._samples(self._training)])
        written = (chain.write(words, seed) for seed in range(scripts))
        return (
            column("markov", self._unplanned(written), self.yardstick),
            column("loop", self._unplanned([loop(real[0], words)] * scripts), self.yardstick),
            column("copy", self._samples(self._training[:scripts]), self.yardstick),
        )

    def _samples(self, episodes: Sequence[Episode]) -> list[Sample]:
        """Episodes as they would stand on the page; who is not aboard is their guest."""
        samples = []
        for number, episode in enumerate(episodes):
            marked = as_script(episode, f"Episode {number + 1}")
            script = with_names(marked, number, self._show)
            told = render(marked).partition("\n")[2]
            samples.append(Sample(script, self._acts, guests_of(script, self._show), told))
        return samples

    def _unplanned(self, scripts: Iterable[Script]) -> list[Sample]:
        """Nobody planned a guest in them, and their text is what it is."""
        return [Sample(script, self._acts) for script in scripts]


def is_own_text(corpus: Corpus) -> bool:
    """Whether the training text is the project's own, as the demonstration corpus is. Unknown is no."""
    return bool(corpus.summary.get("is_ours", "episodes" in corpus.summary.get("config", {})))


def corpus_of(trained: Path, corpus_folder: str, show: Show, into: Path) -> Corpus:
    """The corpus of a checkpoint or a release: that in ``corpus_folder``, else the demonstration corpus, built again.

    Raises CorpusError where there is none, or where it was trained on another: then what would be held out now may
    have been trained on.
    """
    if corpus_folder:
        return open_corpus(Path(corpus_folder))
    meta = _meta(trained)
    try:
        config = config_from(meta.get("config", meta)).corpus
    except (KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{trained.name} does not say what corpus it was trained on; name its folder") from error
    corpus = build_corpus(config, show, into)
    fingerprint = meta.get("corpus", {}).get("fingerprint", corpus.fingerprint)
    if fingerprint != corpus.fingerprint or not _same_vocabulary(trained, corpus):
        raise CorpusError(
            f"{trained.name} was not trained on the demonstration corpus as it is now, so that its held-out episodes "
            "cannot be built again; name the folder of its corpus"
        )
    return corpus


def _same_vocabulary(trained: Path, corpus: Corpus) -> bool:
    """Whether a checkpoint's own vocabulary, where it has one, is the corpus's. It does not know its fingerprint."""
    own = trained / ENCODER_FILE
    return not own.is_file() or own.read_bytes() == (corpus.folder / ENCODER_FILE).read_bytes()


def _meta(trained: Path) -> dict[str, Any]:
    """What a release, or a checkpoint beside its weights, says of its making; nothing where it is silent."""
    for name in (META, CONFIG_FILE):
        if (path := trained / name).is_file():
            try:
                return dict(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                raise CorpusError(f"{trained.name}/{name} cannot be read ({type(error).__name__})") from error
    return {}


__all__ = ["Comparison", "corpus_of", "is_own_text"]
