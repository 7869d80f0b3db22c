"""Real tiny releases for the gate, trained in a process of its own because TensorFlow stays in one.

``python -m tests.unit.model.promotion.lab FOLDER`` leaves in FOLDER the corpora ``ours`` (the demonstration corpus) and
``theirs`` (invented teleplays that are somebody else's), and releases of checkpoints: ``half`` and ``full`` of ours,
the second trained for longer, and ``parrot``, which knows theirs by heart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from model.corpus.imported_text import build_imported_corpus
from model.corpus.teleplays.importing import import_teleplays
from model.corpus.teleplays.shelf import Shelf
from model.corpus.training_text import Corpus, build_corpus
from model.presets import FinetuneConfig, preset
from model.train import release_of, train
from tests.shows import first_show
from tests.teleplays import ACTS, invented_script, studio_pages
from tng.script import Act, Element, ElementKind, Scene, Script

TINY = preset("tiny")
HALF_STEPS, MORE_STEPS = 150, 100
PARROT_STEPS = 500
NUMBERS = {103: 12, 104: 36}
"""Numbers of a series and their scenes: the second is held out."""
SPEAKERS = ("PICARD", "DATA", "RIKER")
PLACES = ("MAIN BRIDGE", "READY ROOM", "SICKBAY", "CORRIDOR", "ENGINEERING", "TEN-FORWARD")
FEWEST_WORDS, MOST_WORDS = 56, 66


def ours(folder: Path) -> Corpus:
    """The demonstration corpus of the tiny preset."""
    return build_corpus(TINY.corpus, first_show(), folder)


def theirs(folder: Path) -> Corpus:
    """One short teleplay to train on and one that is held out, both of somebody else's words."""
    typed = folder.with_name("typed")
    typed.mkdir()
    for number, scenes in NUMBERS.items():
        pages = studio_pages(long_speeches(number, scenes), number)
        (typed / f"{number}.txt").write_text(pages, encoding="utf-8")
    shelf = Shelf(folder.with_name("shelf"))
    import_teleplays([typed], first_show(), shelf)
    config = replace(TINY.corpus, vocabulary_tokens=500)
    return build_imported_corpus(shelf, first_show(), config, folder, window_tokens=TINY.network.n_ctx)


def long_speeches(seed: int, scenes: int) -> Script:
    """A teleplay in which three people make speeches of some sixty words and nothing else happens."""
    said = (
        e.text
        for scene in invented_script(seed, speeches=1500).scenes
        for e in scene.elements
        if e.kind is ElementKind.SPEECH
    )
    sentences = (text.split() for text in said if "(" not in text)
    acts = [
        Act(act, tuple(_scene(f"INT. {place}", sentences) for _ in range(scenes // len(ACTS))))
        for act, place in zip(ACTS, PLACES, strict=True)
    ]
    return Script(f"The Long Speech {seed}", tuple(acts))


def _scene(heading: str, sentences: Iterator[list[str]]) -> Scene:
    return Scene(heading, tuple(Element(ElementKind.SPEECH, _speech(sentences), cue) for cue in SPEAKERS))


def _speech(sentences: Iterator[list[str]]) -> str:
    said: list[str] = []
    while len(said) < FEWEST_WORDS:
        said += next(sentences)
    return " ".join(said[:MOST_WORDS]).rstrip(".!?") + "."


def main(folder: Path) -> None:
    """Train everything."""
    corpus = ours(folder / "ours")
    half = named(folder, "half", corpus, TINY.with_steps(HALF_STEPS))
    named(folder, "full", corpus, TINY.with_steps(MORE_STEPS), base=half)
    corpus = theirs(folder / "theirs")
    tokens = corpus.summary["config"]["vocabulary_tokens"]
    network = replace(TINY.network, n_vocab=tokens)
    parrot = replace(TINY, network=network, steps=PARROT_STEPS, batch_size=1, keeps_last=True)
    named(folder, "parrot", corpus, parrot)


def named(folder: Path, name: str, corpus: Corpus, config: FinetuneConfig, base: Path | str = "") -> Path:
    """Train a release; where its checkpoint stands."""
    checkpoint = folder / "checkpoints" / name
    train(config, corpus, checkpoint, base=base)
    release_of(config, corpus, checkpoint, folder / name, first_show())
    return checkpoint


if __name__ == "__main__":
    main(Path(sys.argv[1]))
