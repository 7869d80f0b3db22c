"""Scenes and scripts on the page, and a browser of scenes. All text is set as text by the reader of the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ipywidgets
from IPython.display import display

from model.workbench.exploring import Exploration, Place
from model.workbench.showing import show_lines
from tng.dashboard.reader import ScriptReader
from tng.export.layout import Block, BlockKind, scene_blocks
from tng.script import Scene, Script


class GrowingScript:
    """A script that is shown scene by scene. ``reader`` is what stands on the page."""

    def __init__(self, title: str = "") -> None:
        self.reader = ScriptReader(title=title)
        self._sections: list[list[Block]] = []
        self._act = ""

    def begin(self, title: str, waiting: str = "") -> None:
        """Forget what was shown; ``waiting`` stands below the scenes until it is changed."""
        self._sections, self._act = [], ""
        self.reader.title, self.reader.waiting = title, waiting
        self.reader.show([])

    def add(self, act: str, scene: Scene) -> None:
        """Show one scene more, below the act that it opens."""
        opening = [Block(BlockKind.ACT, act)] if act and act != self._act else []
        self._act = act
        self._sections.append([*opening, *scene_blocks(scene, len(self._sections) + 1)])
        self.reader.show(self._sections)

    def end(self) -> None:
        """Nothing more comes."""
        self.reader.waiting = ""

    @property
    def scenes(self) -> int:
        """How many are shown."""
        return len(self._sections)


def reader_of(script: Script) -> ScriptReader:
    """A whole script to read."""
    growing = GrowingScript(script.title)
    for act in script.acts:
        for scene in act.scenes:
            growing.add(act.name, scene)
    return growing.reader


def beside(scripts: Mapping[str, Script]) -> ipywidgets.HBox:
    """Scripts side by side, each below its name."""
    narrow = {"flex": "1 1 0", "min_width": "0", "margin": "0 4px"}
    columns = (
        ipywidgets.VBox([ipywidgets.Label(name), reader_of(script)], layout=narrow) for name, script in scripts.items()
    )
    return ipywidgets.HBox(list(columns))


class SceneBrowser:
    """Two lists, and the scene that is chosen in them. ``widget`` is the whole of it."""

    def __init__(self, corpus: Exploration) -> None:
        """Raises ValueError where the corpus may not be read here."""
        if not corpus.is_ours:
            raise ValueError("the scenes of an imported corpus are not shown")
        self._corpus = corpus
        self._growing = GrowingScript()
        self.group = ipywidgets.Dropdown(options=list(corpus.scenes_by_group), description="Part")
        self.place = ipywidgets.Dropdown(description="Scene", layout={"width": "36em"})
        self.widget = ipywidgets.VBox([ipywidgets.HBox([self.group, self.place]), self._growing.reader])
        self.group.observe(self._list_places, "value")
        self.place.observe(self._show_place, "value")
        self._list_places()

    @property
    def reader(self) -> ScriptReader:
        """What shows the scene."""
        return self._growing.reader

    def _list_places(self, _change: Any = None) -> None:
        self.place.options = [(place.name, number) for number, place in self._places()]
        if self.place.options:
            self.place.index = 0  # new options leave nothing chosen

    def _places(self) -> Iterator[tuple[int, Place]]:
        return ((n, place) for n, place in enumerate(self._corpus.places) if place.group == self.group.value)

    def _show_place(self, _change: Any = None) -> None:
        """Show what is chosen. The number comes from a browser, and the widget holds it to the list."""
        if self.place.value is None:
            return
        self._growing.begin("")
        self._growing.add("", self._corpus.places[self.place.value].scene)


def browse(corpus: Exploration) -> None:
    """Display a browser of the scenes; of an imported corpus the reason why there is none."""
    if corpus.is_ours:
        display(SceneBrowser(corpus).widget)  # type: ignore[no-untyped-call]
    else:
        show_lines("This corpus was imported: its scenes are for training, and are not shown here.")


__all__ = ["GrowingScript", "SceneBrowser", "beside", "browse", "reader_of"]
