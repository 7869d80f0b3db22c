"""Reworking a delivered script on the page: lines, takes of a scene, a guest's name, and the versions before.

The reader and a panel below it say what a customer wants; the api does it, or says in a sentence why not. What is shown
is always what the api has: a change of another tab is seen when this one is looked at again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

import anywidget
import traitlets

from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.reader import STATIC, ScriptReader
from tng.dashboard.rework_desk import BY_HAND, ORIGINAL, Desk, SceneTake
from tng.dashboard.toasts import Act, Toast
from tng.errors import ApiError
from tng.orders import OrderState

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often the api is asked about a take that is being written."""

NAME_CHARACTERS = 200
OVERTAKEN = 409
TAKEN_OUT, PUT_BACK = "The line was taken out.", "Put it back"
KEEP_OLD, UNDO = "Keep the old one", "Undo"
NOT_WRITTEN = "The scene could not be written again. Nothing is lost: please try once more."


class ReworkPanel(anywidget.AnyWidget):
    """The list of versions, and the form in which a guest is given another name. Drawn by ``static/rework.js``.

    ``shown`` is what there is; empty, nothing is drawn. A browser can set it, and say anything: the api decides.
    """

    _esm = STATIC / "rework.js"
    shown = traitlets.Dict().tag(sync=True)

    def __init__(self, *, back: Callable[[int], None], rename: Callable[[str, str], None], look: Act) -> None:
        super().__init__()
        self._back, self._rename, self._look = back, rename, look
        self.on_msg(self._asked)

    def show(self, desk: Desk, edition: int) -> None:
        """Show these versions, of which the reader shows ``edition``, and these guests."""
        versions = [asdict(version) for version in desk.versions]
        self.shown = {"edition": edition, "versions": versions, "guests": list(desk.guests)}

    def hide(self) -> None:
        """Show nothing."""
        self.shown = {}

    def refuse(self, sentence: str) -> None:
        """Say below the form why a name was not given. What was typed stays."""
        self.send({"kind": "refused", "sentence": sentence})

    def renamed(self) -> None:
        """Empty the form: it is done."""
        self.send({"kind": "renamed"})

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        match content:
            case {"kind": "back", "number": int(number)} if not isinstance(number, bool):
                self._back(number)
            case {"kind": "rename", "old": str(old), "new": str(new)} if len(old) + len(new) <= NAME_CHARACTERS:
                self._rename(old, new)
            case {"kind": "look"}:
                self._look()


class Rework:
    """Listens to a reader and to its own panel, for one order at a time.

    ``show`` is given the order as it is after each change, with ``turn`` held. What is asked of the api is asked one
    after the other, and never with ``turn`` held: an api that takes its time holds up nobody who opens another order.
    """

    def __init__(
        self,
        client: ApiClient,
        reader: ScriptReader,
        *,
        show: Callable[[OrderCard], None],
        turn: AbstractContextManager[Any],
        toast: Toast | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._client, self._reader, self._show, self._turn = client, reader, show, turn
        self._toast, self._look_seconds = toast, look_seconds
        self._asking = threading.RLock()
        self._order_id, self._edition = "", ORIGINAL
        self._desk = Desk()
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None
        self.panel = ReworkPanel(back=self._go_back, rename=self._rename, look=self._look_again)
        reader.on_scene(self._scene_asked)
        reader.on_line(self._line_saved)
        reader.on_take(self._take_chosen)

    def open(self, order: OrderCard) -> None:
        """Offer what can be done with this order: nothing before it is delivered."""
        self.close()
        with self._turn:
            self._order_id, self._edition, self._desk = order.id, order.edition, Desk()
            self._closed = threading.Event()
            self._reader.editable = is_open = _is_open(order)
            self._draw(self._desk)
        if is_open:
            self._look_again(whole=False)

    def close(self) -> None:
        """Watch nothing any more. What is shown stays."""
        self._closed.set()

    # --- what the customer asks for ----------------------------------------------------------------------------

    def _scene_asked(self, scene: int, what: str) -> None:
        if what == "again":  # the fields of a scene open in the browser by themselves
            self._change(f"scenes/{scene}/again", {}, refuse=self._say)

    def _line_saved(self, scene: int, block: int, text: str) -> None:
        before, line = self._edition, {"scene": scene, "block": block, "text": text}
        if not self._change("lines", line, refuse=lambda sentence: self._reader.refuse_line(scene, block, sentence)):
            return
        self._reader.line_saved(scene, block)
        if not text:
            self._say(TAKEN_OUT, PUT_BACK, lambda: self._go_back(before))

    def _take_chosen(self, scene: int, take: int) -> None:
        self._change(f"scenes/{scene}/take", {"take": take}, refuse=self._say)

    def _go_back(self, number: int) -> None:
        if self._change(f"editions/{number}/choose", {}, refuse=self._say):
            self._say(f"You see {name_of(number)} again.")

    def _rename(self, old: str, new: str) -> None:
        before = self._edition
        if self._change("rename", {"old": old, "new": new}, refuse=self.panel.refuse):
            self.panel.renamed()
            self._say(f"{old} is called {new} now, everywhere.", UNDO, lambda: self._go_back(before))

    # --- what the api says -------------------------------------------------------------------------------------

    def _change(self, path: str, body: dict[str, Any], *, refuse: Callable[[str], None]) -> bool:
        """Change something, and show what is there then: where another tab was quicker, what that made of it."""
        try:
            with self._asking:
                told = {**body, "seen": self._edition}
                self._edition = self._client.change(f"orders/{self._order_id}/{path}", told, self._edition_in)
        except ApiError as error:
            logger.info("order %s: %s", self._order_id, error)
            if error.status == OVERTAKEN:
                self._look_again()
            refuse(error.user_message)
            return False
        self._look_again()
        return True

    def _edition_in(self, answer: Any) -> int:
        return int(answer.get("edition", self._edition))

    def _look_again(self, *, whole: bool = True) -> None:
        """Show the order as it is by now, wherever it was changed. What does not answer is shown by a later look."""
        try:
            with self._asking:
                self._look(whole=whole)
        except ApiError as error:
            logger.info("order %s: %s", self._order_id, error)

    def _look(self, *, whole: bool) -> None:
        """``whole`` asks for the script too; else only where another edition than the one that is shown is there."""
        order_id = self._order_id
        if not order_id:
            return
        desk = self._desk_of(order_id, may_be_closed=whole)
        order = self._client.order(order_id) if whole or desk.edition != self._edition else None
        with self._turn:
            if order_id != self._order_id:
                return  # another one was opened meanwhile
            if order is not None:
                self._edition = order.edition
                self._show(order)
                self._reader.editable = _is_open(order)
            before, self._desk = self._desk, desk
            self._draw(desk)
        self._tell(before, desk)
        if desk.pending is not None:
            self._keep_watch()

    def _desk_of(self, order_id: str, *, may_be_closed: bool) -> Desk:
        """What there is to rework: nothing where it was closed meanwhile, as that of an order that was given back."""
        try:
            return self._client.ask(f"orders/{order_id}/editions", Desk.read)
        except ApiError as error:
            if not may_be_closed or error.retryable:
                raise
            return Desk()

    def _draw(self, desk: Desk) -> None:
        self._reader.scene_takes = desk.bars()
        self._reader.scene_notes = desk.notes()
        self._reader.most_takes = desk.most_takes
        self._reader.busy_scene = desk.pending.scene if desk.pending else 0
        if self._reader.editable:
            self.panel.show(desk, self._edition)
        else:
            self.panel.hide()

    # --- a take that is being written -----------------------------------------------------------------------------

    def _keep_watch(self) -> None:
        """Look every few seconds, in a thread, until the take is there or given back."""
        with self._turn:
            if self._closed.is_set() or (self._watch is not None and self._watch.is_alive()):
                return
            closed, name = self._closed, f"take {self._order_id}"
            self._watch = threading.Thread(target=self._watch_take, args=(closed,), name=name, daemon=True)
            self._watch.start()

    def _watch_take(self, closed: threading.Event) -> None:
        while not closed.wait(self._look_seconds):
            self._look_again(whole=False)
            if self._desk.pending is None:
                return

    def _tell(self, before: Desk, after: Desk) -> None:
        """Say that a take is there, or that it did not come about, once: when it was under way at the last look."""
        take = before.pending
        if take is None or after.pending == take:
            return
        if take not in after.takes:
            self._say(after.why_failed or NOT_WRITTEN)
            return
        stood = dict(before.stands).get(take.scene, ORIGINAL)
        self._reader.point_out(take.scene)
        done = f"Scene {take.scene} was written again."
        self._say(done, KEEP_OLD, lambda: self._keep_old(take, stood, before.edition))

    def _keep_old(self, take: SceneTake, stood: int, edition: int) -> None:
        """What stood before: a take, or what its customer had made of the scene by hand."""
        if stood == BY_HAND:
            self._go_back(edition)
        else:
            self._take_chosen(take.scene, stood)

    def _say(self, text: str, action: str = "", on_action: Act | None = None) -> None:
        if self._toast is not None:
            self._toast(text, action, on_action)


def name_of(edition: int) -> str:
    """What an edition is called on the page."""
    return f"version {edition}" if edition else "the original"


def _is_open(order: OrderCard) -> bool:
    """Whether the page offers to rework it; the api decides again."""
    return order.state is OrderState.DELIVERED and bool(order.script_text)
