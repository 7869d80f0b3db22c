"""The script on the page, laid out like a printed one, growing while it is written. Drawn by ``static/reader*.js``.

Only what is new or different is sent; a browser that missed some asks for all. Text is set as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from tng.export.layout import Block, BlockKind
from tng.library.editions import MOST_TAKES

STATIC = Path(__file__).parent / "static"
PARTS = ("reader_page", "reader_outline", "reader_find", "reader_tools", "reader_menu", "reader_lines", "reader")
"""The reader's scripts, in the order in which they stand in the one that a browser is given."""

ACTS = frozenset({"again", "edit"})
HEADING = -1
"""The block of a scene that is its heading; its elements are counted from 0."""

LINE_CHARACTERS = 1_000
CHANGED_MEANWHILE = "The script has changed in the meantime. Please look at it, and save once more."


class ScriptReader(anywidget.AnyWidget):
    """Shows sections (a scene each, with the act it opens). ``waiting`` is the line below what is there.

    Where it is ``editable``, the menu of each scene offers to rework it. ``scene_notes`` are short words for scenes by
    their number, ``scene_takes`` the takes of scenes (``takes``, the one ``chosen``, and how many are ``left``);
    ``busy_scene`` is being written again, or 0. A browser can set every one of these, and say anything: what is asked
    for, the api decides.
    """

    _esm = "\n".join((STATIC / f"{part}.js").read_text(encoding="utf-8") for part in PARTS)
    _css = STATIC / "reader.css"
    title = traitlets.Unicode("").tag(sync=True)
    waiting = traitlets.Unicode("").tag(sync=True)
    editable = traitlets.Bool(False).tag(sync=True)
    scene_notes: Any = traitlets.Dict().tag(sync=True)
    scene_takes: Any = traitlets.Dict().tag(sync=True)
    most_takes = traitlets.Int(MOST_TAKES).tag(sync=True)
    busy_scene = traitlets.Int(0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.sections: list[list[dict[str, str]]] = []
        self._drawing = 0
        self._place = ""
        self._scene_asked: list[Callable[[int, str], None]] = []
        self._line_saved: list[Callable[[int, int, str], None]] = []
        self._take_chosen: list[Callable[[int, int], None]] = []
        self.on_msg(self._asked)

    def show(self, sections: Sequence[Sequence[Block]], *, place: str = "") -> None:
        """Show this: what differs is drawn again and what is new is added; where most differs, all is shown anew.

        ``place`` is what the browser remembers the reader's position by: the order's id, a slash, and the edition.
        """
        plain = [_plain(section) for section in sections]
        before, place_before = self.sections, self._place
        same_script = place_before.split("/")[0] == place.split("/")[0]
        self.sections, self._place = plain, place
        if not plain and not before:
            return  # the first scene that comes says where it belongs
        changed = [index for index, (new, old) in enumerate(zip(plain, before, strict=False)) if new != old]
        if len(plain) < len(before) or not same_script or 2 * len(changed) > len(before):
            self._drawing += 1
            self._send_all()
            return
        self._tell("changed", changed)
        self._tell("more", range(len(before), len(plain)))
        if place != place_before and plain == before:
            self.send({"kind": "place", "place": place})

    def go_to(self, scene: int) -> None:
        """Scroll to the scene with this number."""
        self.send({"kind": "go", "scene": scene})

    def close_lines(self, scene: int) -> None:
        """Show the scene as it is read, and no longer its fields."""
        self.send({"kind": "close", "scene": scene})

    def point_out(self, scene: int) -> None:
        """Let the scene stand out for a moment: it has just become another one."""
        self.send({"kind": "fresh", "scene": scene})

    def line_saved(self, scene: int, block: int) -> None:
        """Say beside the field of a line that it is saved, and let go of what was typed there."""
        self.send({"kind": "saved", "scene": scene, "block": block})

    def refuse_line(self, scene: int, block: int, sentence: str) -> None:
        """Say below the field of a line why it was not saved. What is typed in it stays."""
        self.send({"kind": "refused", "scene": scene, "block": block, "sentence": sentence})

    def on_scene(self, act: Callable[[int, str], None]) -> None:
        """Call ``act(number, what)`` when somebody asks for something of a scene that is shown: one of ``ACTS``."""
        self._scene_asked.append(act)

    def on_line(self, act: Callable[[int, int, str], None]) -> None:
        """Call ``act(scene, block, text)`` when a line is saved. ``block`` is an element's index, or ``HEADING``."""
        self._line_saved.append(act)

    def on_take(self, act: Callable[[int, int], None]) -> None:
        """Call ``act(scene, take)`` when another take of a scene is chosen; 0 is the scene of the original."""
        self._take_chosen.append(act)

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        """A browser has just drawn the widget, missed something, or asks. What else it says is of no consequence."""
        match content:
            case {"kind": "hello"}:
                self._send_all()
            case {"kind": "scene", "number": int(number), "act": str(what)} if self.editable and what in ACTS:
                if self._lines_of(number) is not None:
                    _call(self._scene_asked, number, what)
            case {"kind": "take", "scene": int(number), "take": int(take)} if self.editable:
                if self._lines_of(number) is not None and take in range(MOST_TAKES + 1):
                    _call(self._take_chosen, number, int(take))
            case {"kind": "line", "scene": int(number), "block": int(block), "text": str(text)} if self.editable:
                lines = self._lines_of(number)
                if lines is None or not HEADING <= block < lines or len(text) > LINE_CHARACTERS:
                    return
                if content.get("place") != self._place:  # the line of that number may be another one by now
                    self.refuse_line(number, block, CHANGED_MEANWHILE)
                    return
                _call(self._line_saved, number, block, text)

    def _lines_of(self, number: int) -> int | None:
        """How many elements the scene with this number has; None where no such scene is shown."""
        if isinstance(number, bool):
            return None
        for section in self.sections:
            for index, block in enumerate(section):
                if block["kind"] == BlockKind.HEADING and block.get("number") == str(number):
                    return len(section) - index - 1
        return None

    def _tell(self, kind: str, indexes: Iterable[int]) -> None:
        for index in indexes:
            told = {"kind": kind, "drawing": self._drawing, "place": self._place, "index": index}
            self.send({**told, "section": self.sections[index]})

    def _send_all(self) -> None:
        self.send({"kind": "all", "drawing": self._drawing, "place": self._place, "sections": self.sections})


def _call(listeners: Sequence[Callable[..., None]], *told: Any) -> None:
    for listener in listeners:
        listener(*told)


def _plain(section: Sequence[Block]) -> list[dict[str, str]]:
    return [{key: str(value) for key, value in asdict(block).items() if value} for block in section]
