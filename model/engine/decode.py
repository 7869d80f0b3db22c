"""Draw many texts at once: each request has a slot while it is drawn, and the next one takes a slot that comes free.

What a request gives depends on its own fields alone: not on the other requests, their number or the slot, since each
has a generator of its own and a row's logits do not depend on the rows beside it (in the int8 kind; in the others the
last bits may). It knows no text: the teleplay's form comes in as ``fits``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from model.engine.slots import Engine, Logits
from model.sampling import Sampling, draw, generator, repeats


class Ending(StrEnum):
    """Why a text ends."""

    STOPPED = "stopped"
    """One of its stop ids was drawn."""
    LONG = "long"
    """It has as many tokens as it may."""
    CANCELLED = "cancelled"
    """Whoever asked for it wants it no more."""


def _anything(_drawn: Sequence[int], _token: int) -> bool:
    return True


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Request:
    """A text to draw after ``ids``, at most ``most_tokens`` more, until one of ``stop_ids``.

    The first ``pinned`` ids stay in sight when the window is full: they and the newest tokens are read in anew then, in
    half of the room. ``fits`` is asked with the ids drawn so far, and one that might follow; an id that does not fit is
    put aside. ``is_cancelled`` is asked before every step. Repeats are sought among the drawn ids.
    """

    ids: Sequence[int]
    most_tokens: int
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    stop_ids: frozenset[int] = frozenset()
    pinned: int = 0
    fits: Callable[[Sequence[int], int], bool] = _anything
    is_cancelled: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True)
class Event:
    """One token more for the request of that number, counted from 0, and whether the text ends with it.

    ``token`` is None only where a text is cancelled.
    """

    number: int
    token: int | None
    ending: Ending | None = None


def generate(engine: Engine, requests: Iterable[Request]) -> Iterator[Event]:
    """Draw the requests, as many at a time as the engine has slots, and tell of every token as it is drawn.

    What the slots held before is forgotten. Closing the iterator ends everything. Raises ValueError for a request that
    cannot be drawn, when its turn comes. Requests are taken from their iterable only when a slot is free for them.
    """
    waiting = enumerate(requests)
    free = deque(range(engine.slots))
    at_work: dict[int, _Text] = {}
    while True:
        while free and (following := next(waiting, None)) is not None:
            at_work[free.popleft()] = _Text(*following, window=engine.window)
        if not at_work:
            return
        for slot in [slot for slot, text in at_work.items() if text.request.is_cancelled()]:
            yield Event(at_work.pop(slot).number, None, Ending.CANCELLED)
            free.append(slot)
        for slot, logits in engine.feed({slot: text.due(engine, slot) for slot, text in at_work.items()}).items():
            event = at_work[slot].drawn_from(logits)
            if event.ending is not None:
                free.append(slot)
                del at_work[slot]
            yield event


class _Text:
    """A request while it is drawn."""

    def __init__(self, number: int, request: Request, window: int) -> None:
        if not request.ids or request.most_tokens < 1 or not 0 <= request.pinned < window // 2:
            raise ValueError(
                f"request {number} cannot be drawn: {len(request.ids)} ids, {request.pinned} of them pinned, "
                f"{request.most_tokens} tokens asked for, in a window of {window}"
            )
        self.number, self.request = number, request
        self._window = window
        self._rng = generator(request.seed)
        self._drawn: list[int] = []

    def due(self, engine: Engine, slot: int) -> Sequence[int]:
        """What the slot must be fed next; where the window is full, the pinned ids and the newest."""
        if self._drawn and engine.position(slot) < self._window:
            return self._drawn[-1:]
        engine.rewind(slot, 0)
        known = [*self.request.ids, *self._drawn]
        if len(known) < self._window:
            return known
        pinned = self.request.pinned
        newest = (self._window - pinned + 1) // 2
        return known[:pinned] + known[-newest:]

    def drawn_from(self, logits: Logits) -> Event:
        """The next token."""
        request, drawn = self.request, self._drawn
        token = draw(
            logits,
            request.sampling,
            self._rng,
            banned=repeats(drawn, request.sampling.repeat_tokens),
            seen=drawn if request.sampling.repeat_penalty > 1 else (),
            fits=lambda token: request.fits(drawn, token),
        )
        drawn.append(token)
        if token in request.stop_ids:
            return Event(self.number, token, Ending.STOPPED)
        return Event(self.number, token, Ending.LONG if len(drawn) >= request.most_tokens else None)


__all__ = ["Ending", "Event", "Request", "generate"]
