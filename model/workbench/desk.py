"""A desk to write at: a form for the premise, a button that writes and one that stops, and the scenes as they come.

The premise is checked as an order's is. Writing goes on in a thread of its own when a button began it, so that the
other button is heard; called from a cell it keeps the cell, and the kernel's own interruption stops it.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from threading import Event, Lock, Thread
from typing import Any

import ipywidgets
from IPython.display import display

from model.workbench.reading import GrowingScript
from model.workbench.showing import show_lines
from model.writing import Writer, Written, write
from tng.errors import TngError
from tng.script import LOGLINE_CHARACTERS, SEED_LIMIT, TITLE_CHARACTERS, Length, Premise, Tone, parse_scene, render
from tng.shows import Show

NOTHING = "No script was written to its end."
FAILED = "Something went wrong while this was written; the log of the kernel says what."


class _Stopped(Exception):
    """Somebody pressed Stop. It goes through the writer, which keeps nothing of a script that is not whole."""


class PremiseForm:
    """The parts of a premise as widgets. Whatever a browser makes of them is checked when it is read."""

    def __init__(self, show: Show, wish: Mapping[str, Any]) -> None:
        wide = {"width": "36em"}
        names = [(member.names[0], member.cue) for member in show.cast]
        self.title = ipywidgets.Text(str(wish.get("title", "")), description="Title", layout=wide)
        self.logline = ipywidgets.Textarea(str(wish.get("logline", "")), description="Logline", layout=wide)
        cast = tuple(cue for cue in wish.get("cast") or show.leads if cue in show.cues)
        self.cast = ipywidgets.SelectMultiple(options=names, value=cast, rows=min(8, len(names)), description="Cast")
        self.tone = ipywidgets.Dropdown(options=list(map(str, Tone)), description="Tone")
        self.length = ipywidgets.Dropdown(options=list(map(str, Length)), description="Length")
        self.tone.value = str(Tone(wish.get("tone", Tone.MYSTERY)))
        self.length.value = str(Length(wish.get("length", Length.TEASER)))
        self.seed = ipywidgets.BoundedIntText(int(wish.get("seed", 0)), min=0, max=SEED_LIMIT - 1, description="Seed")
        self.another = ipywidgets.Button(description="Another seed")
        self.another.on_click(self._draw_seed)
        self.title.placeholder = f"at most {TITLE_CHARACTERS} characters"
        self.logline.placeholder = f"what it is about, at most {LOGLINE_CHARACTERS} characters; may stay empty"
        self._show = show
        short = ipywidgets.VBox([self.tone, self.length, ipywidgets.HBox([self.seed, self.another])])
        self.widget = ipywidgets.VBox([self.title, self.logline, ipywidgets.HBox([self.cast, short])])

    def premise(self) -> Premise:
        """What is asked for now. Raises PremiseError, whose ``user_message`` says what to change."""
        return Premise.checked(
            {
                "title": self.title.value,
                "logline": self.logline.value,
                "cast": list(self.cast.value),
                "tone": self.tone.value,
                "length": self.length.value,
                "seed": self.seed.value,
            },
            self._show.cues,
        )

    def _draw_seed(self, _button: Any) -> None:
        self.seed.value = random.randrange(SEED_LIMIT)  # noqa: S311 - another story, no secret


class WritingDesk:
    """The form, the buttons and the script. ``written`` is the last script that became whole, else None."""

    def __init__(self, writer: Writer, wish: Mapping[str, Any] | None = None) -> None:
        self._writer = writer
        self._stop = Event()
        self._thread: Thread | None = None
        self.written: Written | None = None
        self.form = PremiseForm(writer.show, wish or {})
        self.write_button = ipywidgets.Button(description="Write", button_style="primary", icon="pencil")
        self.stop_button = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self.bar = ipywidgets.IntProgress(0, 0, 100)
        self.status = ipywidgets.Label("")
        self.script = GrowingScript()
        self.write_button.on_click(self._pressed_write)
        self.stop_button.on_click(self._pressed_stop)
        buttons = ipywidgets.HBox([self.write_button, self.stop_button, self.bar])
        self.widget = ipywidgets.VBox([self.form.widget, buttons, self.status, self.script.reader])

    def show(self) -> None:
        """Display the desk."""
        display(self.widget)  # type: ignore[no-untyped-call]

    def write(self) -> None:
        """Write what the form asks for, and wait for it; ``written`` is None where it was stopped or refused."""
        if premise := self._begun():
            self._write(premise)

    def show_text(self) -> None:
        """Display the last script in the compact form; a sentence where there is none."""
        show_lines(render(self.written.script) if self.written else NOTHING)

    @property
    def provenance(self) -> dict[str, Any]:
        """How the last script came about; see :class:`model.writing.Written`. Empty where there is none."""
        return self.written.provenance if self.written else {}

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait for what a button began; whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        return self._thread is None or not self._thread.is_alive()

    def _pressed_write(self, _button: Any) -> None:
        """A browser may press a button that is disabled: then something is being written already."""
        if self.join(0) and (premise := self._begun()):
            self._thread = Thread(target=self._write, args=(premise,), name="write", daemon=True)
            self._thread.start()

    def _pressed_stop(self, _button: Any) -> None:
        self._stop.set()

    def _begun(self) -> Premise | None:
        """The premise, and the page ready for it; None, and the reason on the page, where it is none."""
        self.written = None
        try:
            premise = self.form.premise()
        except TngError as error:
            self.status.value = error.user_message
            return None
        self._stop.clear()
        self.write_button.disabled, self.stop_button.disabled = True, False
        self.bar.value, self.status.value = 0, ""
        self.script.begin(premise.title, "The first scene is being written…")
        return premise

    def _write(self, premise: Premise) -> None:
        said = FAILED
        try:
            with _turn():
                self.written = write(premise, self._writer, self._hear)
            said = f"Written: {self._scenes}, seed {premise.seed}, release {self._writer.release_id}."
        except (_Stopped, KeyboardInterrupt):
            said = f"Stopped after {self._scenes}."
        except TngError as error:
            said = error.user_message
        finally:
            self.script.end()
            self.status.value = said
            self.write_button.disabled, self.stop_button.disabled = False, True

    @property
    def _scenes(self) -> str:
        count = self.script.scenes
        return f"{count} scene{'s' * (count != 1)}"

    def _hear(self, kind: str, body: Mapping[str, Any]) -> None:
        """Show what the writer tells. Raises _Stopped, which ends the writing, where somebody asked for that."""
        if self._stop.is_set():
            raise _Stopped
        if kind == "scene":
            self.script.add(str(body["act"]), parse_scene(str(body["text"])))
        elif kind == "progress":
            self.bar.value = int(body["percent"])
            self.script.reader.waiting = "The next scene is being written…" if body["percent"] < 100 else ""


@functools.cache
def _turn() -> Lock:
    """A release has one network a process, and that writes one script at a time, whoever's desk it is."""
    return Lock()


__all__ = ["PremiseForm", "WritingDesk"]
