"""What is in a corpus: how many scenes, where they play, who speaks how much, how long they are; and one to read.

The demonstration corpus is the project's own and may be read here. Of an imported one only numbers are shown: neither a
line nor a heading of it, nor the name of anybody who is not of the show.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from model.corpus.scenebank import BankScene, read_bank
from model.corpus.slots import draw_names, fill_scene
from model.corpus.training_text import open_corpus
from model.quality.comparison import is_own_text
from model.quality.texts import as_script, training_episodes, with_names
from model.train import show_in
from model.workbench.showing import bars, counts, show_lines, show_picture, show_table
from tng.script import ElementKind, Scene
from tng.shows import Show

MOST_BARS: Final = 20
GUESTS: Final = "all guests together"
_INNER, _OUTER = "INT. ", "EXT. "


@dataclass(frozen=True, slots=True)
class Place:
    """A scene and where it stands: in a plot family at a beat, or in an act of an episode; its number there, from 1."""

    group: str
    beat: str
    number: int
    scene: Scene

    @property
    def name(self) -> str:
        """How it is called in a list of its group."""
        return f"{self.beat}, {self.number}: {self.scene.heading}"


@dataclass(frozen=True, slots=True)
class Exploration:
    """A corpus that somebody looks at. ``facts`` come from its builder; ``is_ours`` says that it may be read."""

    name: str
    show: Show
    places: tuple[Place, ...]
    is_ours: bool
    facts: Mapping[str, Any]

    @property
    def words_by_speaker(self) -> dict[str, int]:
        """Spoken words by cue, the most first; whoever is not of the show counts among the guests."""
        said: Counter[str] = Counter()
        known = {*self.show.cues, *self.show.always_aboard}
        for place in self.places:
            for element in place.scene.elements:
                if element.kind is ElementKind.SPEECH:
                    said[element.cue if element.cue in known else GUESTS] += len(element.text.split())
        return dict(said.most_common())

    @property
    def scenes_by_set(self) -> dict[str, int]:
        """How many scenes play where, the most first; inside and outside are not told apart."""
        sets = (place.scene.heading.removeprefix(_INNER).removeprefix(_OUTER) for place in self.places)
        return dict(Counter(sets).most_common())

    @property
    def scenes_by_group(self) -> dict[str, int]:
        """How many scenes a plot family or an act has, in the order of the corpus."""
        return dict(Counter(place.group for place in self.places))

    @property
    def words_by_scene(self) -> list[int]:
        """The words of each scene: what is said, what happens, and the cues."""
        return [scene_words(place.scene) for place in self.places]


def scene_words(scene: Scene) -> int:
    """The words of a scene's elements, cues among them."""
    return sum(len(f"{element.cue} {element.text}".split()) for element in scene.elements)


def explore(show_folder: str = "shows/tng", corpus_folder: str = "", seed: int = 1) -> Exploration:
    """The demonstration corpus of a show, each scene of its bank once; or the corpus that was built in a folder.

    ``seed`` draws the names of guests and places. Raises ShowError, or CorpusError where there is no corpus to read.
    """
    show = show_in(show_folder)
    if corpus_folder:
        return _explore_built(show, Path(corpus_folder).expanduser(), seed)
    bank = read_bank(show)
    names = draw_names(random.Random(seed), show)  # noqa: S311 - chance for a story, no secret
    told = [scene for family in bank.families.values() for scenes in family.scenes.values() for scene in scenes]
    aside = [scene for thread in bank.threads for scene in thread]
    places = tuple(_of_bank(scene, fill_scene(scene.scene, names)) for scene in (*told, *aside))
    return Exploration(
        "the demonstration corpus", show, places, is_ours=True, facts={"plot families": len(bank.families)}
    )


def _of_bank(source: BankScene, scene: Scene) -> Place:
    return Place(source.family, source.beat, source.number + 1, scene)


def _explore_built(show: Show, folder: Path, seed: int) -> Exploration:
    corpus = open_corpus(folder)
    episodes = training_episodes(corpus)
    counted = ("training_tokens", "held_out_tokens", "records", "longest_record_tokens")
    facts = {"episodes": len(episodes)} | {
        n.replace("_", " "): corpus.summary[n] for n in counted if n in corpus.summary
    }
    scripts = (with_names(as_script(e, f"episode {n}"), seed + n, show) for n, e in enumerate(episodes, start=1))
    places = tuple(
        Place(act.name, script.title, number, scene)
        for script in scripts
        for act in script.acts
        for number, scene in enumerate(act.scenes, start=1)
    )
    return Exploration(folder.name, show, places, is_own_text(corpus), facts)


def show_overview(corpus: Exploration) -> None:
    """Display what there is, in numbers."""
    lengths = sorted(corpus.words_by_scene) or [0]
    rows = {
        **corpus.facts,
        "scenes": len(corpus.places),
        "sets": len(corpus.scenes_by_set),
        "words": sum(lengths),
        "words of the shortest scene": lengths[0],
        "words of the middle one": lengths[len(lengths) // 2],
        "words of the longest": lengths[-1],
    }
    show_table(
        ("", corpus.name), [(name, f"{value:,}" if isinstance(value, int) else value) for name, value in rows.items()]
    )


def show_families(corpus: Exploration) -> None:
    """Display how many scenes each plot family has; of a built corpus, how many each act."""
    groups = dict(list(corpus.scenes_by_group.items())[:MOST_BARS])
    show_picture(bars(groups, "Where the scenes stand", "scenes"), f"{len(corpus.scenes_by_group)} groups of scenes")


def show_sets(corpus: Exploration) -> None:
    """Display where the scenes play most; of an imported corpus only how many sets there are."""
    sets = corpus.scenes_by_set
    if not corpus.is_ours:
        show_lines(f"{len(sets):,} different sets. What they are called stays in the corpus.")
        return
    most = dict(list(sets.items())[:MOST_BARS])
    show_picture(bars(most, f"The {len(most)} sets that are used most", "scenes"), f"{len(sets)} different sets")


def show_speakers(corpus: Exploration) -> None:
    """Display who says how much."""
    said = dict(list(corpus.words_by_speaker.items())[:MOST_BARS])
    show_picture(bars(said, "Who speaks how much", "spoken words"), f"{len(said)} speakers")


def show_lengths(corpus: Exploration) -> None:
    """Display how long scenes are."""
    show_picture(counts(corpus.words_by_scene, "How long scenes are", "words"), f"{len(corpus.places)} scenes")


__all__ = [
    "Exploration",
    "Place",
    "explore",
    "scene_words",
    "show_families",
    "show_lengths",
    "show_overview",
    "show_sets",
    "show_speakers",
]
