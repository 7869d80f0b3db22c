"""Write one scene once: lines drawn until it is whole, each through the gate, forced or from stock where nothing fits.

A draft changes nothing outside itself: whether it stands is decided elsewhere, and another may be written in its place.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from model.gate import Gate, Refusal, hopeless
from model.lexicon import Lexicon
from model.pen import Drawn, Pen
from model.scene_gate import FEWEST_SPEECHES, Draft
from tng.script import Element, ElementKind, Scene, parse_line

MOST_LINES: Final = 20
FREE_DRAWS: Final = 5
FORCED_DRAWS: Final = 4
LOST_NATS: Final = 0.2
"""Beyond what a sure line surprises by, a token: a network that knows its scenes by heart has left all of them."""

STOCK_LINES: Final = (
    "Go on.", "I see.", "Report.", "What now?", "Understood.", "Are you certain?", "Then we wait.",
    "Tell me more.", "Perhaps.", "I am listening.", "Let us begin.", "Very well.",
)  # fmt: skip
"""Said where the network has nothing to say that may stand. Short, so that they may be said again."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is settled of a scene before its first line.

    ``told`` are those whom the network was told, each of whom must speak; ``speakers`` are all who may. ``staged``
    gives the page's element for one of the network's. ``opening`` lines stand first, in the network's form.
    A line that surprises the network by more than ``sure_nats`` a token is drawn again.
    """

    heading: str
    told: Sequence[str]
    speakers: Collection[str]
    lexicon: Lexicon
    staged: Callable[[Element], Element]
    opening: Sequence[str] = ()
    sure_nats: float = math.inf


class Page:
    """A scene while it is written: its elements as the page has them, and the network's side of it."""

    def __init__(self, told: Sequence[str]) -> None:
        self.elements: list[Element] = []
        self.lines: list[str] = []
        self._told = told
        self._cues: list[str] = []

    def add(self, line: str, element: Element) -> None:
        """The line stands, as this element."""
        self.elements.append(element)
        self.lines.append(line)
        if cue := parse_line(" ".join(line.split())).cue:
            self._cues.append(cue)

    @property
    def missing(self) -> list[str]:
        """Who of the scene has not spoken yet."""
        return [name for name in self._told if name not in self._cues]

    @property
    def is_complete(self) -> bool:
        """Whether the scene may end here."""
        speeches = sum(element.kind is ElementKind.SPEECH for element in self.elements)
        return speeches >= FEWEST_SPEECHES and not self.missing

    def next_cue(self) -> str:
        """Who should speak next: someone who has not, else whoever was silent for longest."""
        if self.missing:
            return self.missing[0]
        return max(self._told, key=lambda name: self._cues[::-1].index(name))


class Drafting:
    """One draft in the making. ``gate`` is this draft's own; the pen stands below the scene's header."""

    def __init__(self, sheet: Sheet, pen: Pen, gate: Gate, *, stock_said: int = 0) -> None:
        """``stock_said`` lines of stock stand in the script: the next one follows them."""
        self._sheet, self._pen, self._gate, self._stock_said = sheet, pen, gate, stock_said
        self._page = Page(sheet.told)
        self._counts: Counter[str] = Counter()

    def write(self) -> Draft:
        """Write the scene to its end."""
        page = self._page
        self._put(self._sheet.opening)
        wants_end = False
        while not (page.is_complete and (wants_end or len(page.elements) >= MOST_LINES)):
            must_force = wants_end or len(page.elements) + len(page.missing) >= MOST_LINES
            wants_end = self._next_line(must_force=must_force)
        return Draft(
            scene=Scene(self._sheet.heading, tuple(page.elements)),
            lines=tuple(page.lines),
            drawn=self._counts["drawn"],
            forced=self._counts["forced"],
            stock=self._counts["stock"],
            log_probability=self._pen.log_probability,
        )

    def _next_line(self, *, must_force: bool) -> bool:
        """Put the next line on the page; whether the network wants to end the scene then.

        The first line stands that the network is sure of. Where it is sure of none, the surest does; but where it is
        lost, the scene ends if it may, and else somebody says little.
        """
        speakers, surest = self._sheet.speakers, None
        for _ in range(0 if must_force else FREE_DRAWS):
            drawn = self._draw(speakers)
            if drawn.ended and not drawn.text.strip():
                self._pen.take_back()
                if surest is None:
                    return True
                break
            if self._may_stand(drawn.text, speakers):
                surest = min(surest or drawn, drawn, key=lambda one: one.surprise)
                if drawn.surprise <= self._sheet.sure_nats:
                    break
            self._pen.take_back()
        if surest is not None and self._is_lost(surest):
            surest = None
            if self._page.is_complete:
                return True
        if surest is None:
            self._force_line()
            return must_force
        self._keep(surest, speakers)
        return surest.ended

    def _keep(self, drawn: Drawn, speakers: Collection[str]) -> None:
        """The line stands: as it was drawn just now, or put back."""
        if not self._stands(drawn.text, speakers):
            raise ValueError("a line that may stand does not")
        if self._pen.is_drawing:
            self._pen.keep()
        else:
            self._pen.put_back(drawn)

    def _force_line(self) -> None:
        """A speech by somebody who should speak; from stock where the network has nothing fit to say."""
        cue = self._page.next_cue()
        self._counts["forced"] += 1
        for _ in range(FORCED_DRAWS):
            drawn = self._draw((cue,), beginning=f"{cue}:")
            if not self._is_lost(drawn) and self._stands(drawn.text, (cue,)):
                self._pen.keep()
                return
            self._pen.take_back()
        self._counts["stock"] += 1
        place = (self._stock_said + self._counts["stock"]) % len(STOCK_LINES)
        self._put([f"{cue}: {STOCK_LINES[place]}"])

    def _is_lost(self, drawn: Drawn) -> bool:
        """Whether the network itself would hardly have believed the line."""
        return drawn.surprise > self._sheet.sure_nats + LOST_NATS

    def _draw(self, speakers: Collection[str], beginning: str = "") -> Drawn:
        self._counts["drawn"] += 1
        return self._pen.draw_line(
            beginning, lexicon=self._sheet.lexicon, is_hopeless=lambda text: hopeless(text, speakers)
        )

    def _stands(self, line: str, speakers: Collection[str]) -> bool:
        """Whether the gate lets a line of the network stand; then it is on the page."""
        element = self._gate.judge(line, speakers, self._sheet.staged)
        if isinstance(element, Refusal):
            return False
        self._gate.keep(element)
        self._page.add(line, element)
        return True

    def _may_stand(self, line: str, speakers: Collection[str]) -> bool:
        return not isinstance(self._gate.judge(line, speakers, self._sheet.staged), Refusal)

    def _put(self, lines: Iterable[str]) -> None:
        """Lines of the code's own: nobody drew them, nobody judges them."""
        for line in lines:
            self._pen.write(line)
            self._page.add(line, self._sheet.staged(parse_line(line)))


__all__ = ["MOST_LINES", "STOCK_LINES", "Drafting", "Page", "Sheet"]
