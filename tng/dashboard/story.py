"""What the page knows of an order, told by its events: pure, so that it can be tested without a browser or an api."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from tng.dashboard.client import OrderCard, QueuePlace, StreamEvent
from tng.errors import ScriptError
from tng.export.layout import Block, BlockKind, scene_blocks
from tng.orders import OrderState
from tng.script import Scene, parse, parse_scene

logger = logging.getLogger(__name__)

OVER = frozenset({OrderState.DELIVERED, OrderState.EXPIRED, OrderState.REFUNDED, OrderState.DISPUTED})
"""States in which nothing more happens by itself: the api's stream ends there too."""


STOPPED_HERE = "THE WRITING WAS STOPPED HERE"
"""Below the part of a script that its customer stopped."""


class News(Enum):
    """What an event changed on the page."""

    NOTHING = auto()
    ORDER = auto()
    PROGRESS = auto()
    SCENE = auto()
    RESTART = auto()
    END = auto()


@dataclass
class Story:
    """An order, and what its current attempt showed so far. ``sections`` is what the reader is given.

    ``written`` of ``planned`` scenes are there; 0 planned ones: the plan is not known yet. ``has_paid``: its customer
    comes back from the payment page, whatever is known of the payment here.
    """

    order: OrderCard
    attempt: int = 1
    act: str = ""
    percent: int = 0
    planned: int = 0
    written: int = 0
    sections: list[list[Block]] = field(default_factory=list)
    has_paid: bool = False
    _last_act: str = ""

    def hear(self, event: StreamEvent) -> News:
        """Take in one event; what it does not understand changes nothing."""
        match event.kind:
            case "state":
                self.order = OrderCard.read(event.body)
                return News.ORDER
            case "queue":
                self.order = replace(self.order, queue=QueuePlace.read(event.body))
                return News.ORDER
            case "restart":
                self._begin_again(_number(event.body, "attempt", 1))
                return News.RESTART
            case "plan":
                self.planned = sum(len(act.get("scenes", ())) for act in event.body.get("acts", ()))
                return News.PROGRESS
            case "progress":
                self.act = str(event.body.get("act", ""))
                self.percent = min(max(_number(event.body, "percent", 0), 0), 100)
                return News.PROGRESS
            case "scene":
                return self._hear_scene(event.body)
            case "end":
                return News.END
            case _:
                return News.NOTHING

    def tell(self, script_text: str) -> None:
        """Take the delivered script for the truth, whatever was shown before."""
        try:
            script = parse(script_text)
        except ScriptError:
            logger.error("order %s: the delivered script cannot be read", self.order.id)
            return
        self._begin_again(self.attempt)
        for act in script.acts:
            for scene in act.scenes:
                self._add(act.name, scene)
        self.written = len(self.sections)
        self.sections.append([Block(BlockKind.ENDING, STOPPED_HERE if self.order.is_part else "THE END")])
        self.percent = 100

    @property
    def is_confirming(self) -> bool:
        """Whether its customer has paid, as they say, and Stripe has not said so yet."""
        return self.has_paid and self.order.state is OrderState.PLACED

    @property
    def scene(self) -> int:
        """The number of the scene that is being written; 0 where that is not known."""
        return min(self.written + 1, self.planned)

    @property
    def waiting_for(self) -> str:
        """The line below the script while more is to come; empty once nothing more will."""
        match self.order.state:
            case OrderState.PAID:
                return "The writer is getting ready…"
            case OrderState.WRITING if self.sections:
                return "The next scene is being written…"
            case OrderState.WRITING:
                return "The first scene is being written…"
            case _:
                return ""

    def _begin_again(self, attempt: int) -> None:
        self.attempt = attempt
        self.act, self.percent, self.planned, self.written = "", 0, 0, 0
        self.sections, self._last_act = [], ""

    def _hear_scene(self, body: Mapping[str, Any]) -> News:
        if _number(body, "number", 0) <= len(self.sections):
            return News.NOTHING
        try:
            scene = parse_scene(str(body.get("text", "")))
        except ScriptError:
            logger.error("order %s: a scene cannot be read", self.order.id)
            return News.NOTHING
        self._add(str(body.get("act", "")), scene)
        self.written += 1
        return News.SCENE

    def _add(self, act: str, scene: Scene) -> None:
        opening = []
        if act != self._last_act:
            ending = [Block(BlockKind.ENDING, f"END OF {self._last_act}")] if self._last_act else []
            opening = [*ending, Block(BlockKind.ACT, act)]
            self._last_act = act
        self.sections.append([*opening, *scene_blocks(scene, len(self.sections) + 1)])


def _number(body: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = body.get(name, otherwise)
    return int(value) if isinstance(value, int | float) else otherwise
