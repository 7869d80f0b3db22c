"""What a customer does with a delivered script: other words in a line, another name for a guest, back to an edition.

Each change is a new edition, made of the one that its page saw: where another was quicker it is refused. The order, its
money and its original script are never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tng.editions import (
    MOST_EDITIONS,
    Edition,
    Take,
    Why,
    renamed,
    scene_of,
    with_line,
    with_scene,
)
from tng.errors import EditionOvertaken, EditionRefused, IllegalMove, OrderNotFound
from tng.log import told
from tng.orders import Order, OrderState
from tng.ports import Clock, Store, Work
from tng.script import Script, parse, parse_scene, render

logger = logging.getLogger(__name__)

NOT_READY = "Only a script that is ready can be changed."
FULL = f"{MOST_EDITIONS} versions of this script are kept, and that is the most. Please take along what you have."
NO_EDITION = "There is no such version of the script."
NO_TAKE = "This scene was not written again that often."

Change = Callable[[Script], Script]


@dataclass(frozen=True, slots=True)
class Desktop:
    """What there is of an order to rework: its editions and takes; ``edition`` is the chosen one, 0 the original."""

    edition: int
    editions: Sequence[Edition]
    takes: Sequence[Take]


class Reworking:
    """Use it from any thread. Whoever is named as a customer must be known to be that customer.

    ``seen`` is the number of the edition that the page showed when the customer made the change.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def desktop(self, order_id: str, customer: str) -> Desktop:
        """What there is to rework. Raises OrderNotFound, StoreBusy."""
        with self._store.read() as work:
            order = _kept(work, order_id, customer)
            editions = work.editions.listed(order.id) if order.is_readable else ()
            takes = work.editions.takes(order.id) if order.is_readable else ()
        return Desktop(editions[-1].number if editions else 0, editions, takes)

    def text_of(self, order: Order, edition: int | None = None) -> str | None:
        """The script of an edition, or of the chosen one; None where there is nothing to read.

        Raises OrderNotFound where there is no such edition, StoreBusy.
        """
        with self._store.read() as work:
            return chosen_text(work, order) if edition is None else _text(work, order, edition)

    def chosen(self, order: Order) -> tuple[int, str | None]:
        """The number and the script of the chosen edition; no script where there is nothing to read."""
        with self._store.read() as work:
            last = work.editions.last(order.id) if order.is_readable else None
        if last is not None:
            return last.number, last.script_text
        return 0, order.script_text if order.is_readable else None

    def edit_line(self, order_id: str, customer: str, scene: int, block: int, text: object, seen: int) -> int:
        """Put other words in a line: the number of the edition that this made.

        Raises EditionRefused, EditionOvertaken, OrderNotFound, IllegalMove, StoreBusy, as all changes do.
        """
        return self._change(order_id, customer, seen, Why.LINE, lambda script: with_line(script, scene, block, text))

    def rename_guest(
        self, order_id: str, customer: str, old: object, new: object, seen: int, *, cues: Sequence[str]
    ) -> int:
        """Call a guest something else everywhere. ``cues`` are those of the show. Raises PremiseError, too."""
        return self._change(order_id, customer, seen, Why.RENAME, lambda script: renamed(script, old, new, cues))

    def choose_take(self, order_id: str, customer: str, scene: int, take: int, seen: int) -> int:
        """Put a take of a scene in its place; 0 is the scene of the original."""
        with self._store.read() as work:
            order = _kept(work, order_id, customer)
            takes = {(one.scene, one.number): one for one in work.editions.takes(order.id)}

        def taken(script: Script) -> Script:
            if take == 0:
                return with_scene(script, scene, scene_of(parse(str(order.script_text)), scene))
            if (scene, take) not in takes:
                raise EditionRefused("there is no such take", user_message=NO_TAKE)
            return with_scene(script, scene, parse_scene(takes[scene, take].text))

        return self._change(order_id, customer, seen, Why.SCENE, taken)

    def choose_edition(self, order_id: str, customer: str, number: int, seen: int) -> int:
        """Go back to an edition: its text is a new one, and nothing in between is lost."""
        with self._store.read() as work:
            text = _text(work, _kept(work, order_id, customer), number)
        return self._change(order_id, customer, seen, Why.BACK, lambda _script: parse(text or ""))

    def _change(self, order_id: str, customer: str, seen: int, why: Why, change: Change) -> int:
        """One commit, with the order's row held. A change that changes nothing makes no edition."""
        with self._store.begin() as work:
            order = _kept(work, order_id, customer)
            if order.state is not OrderState.DELIVERED or not order.is_readable:
                raise IllegalMove(f"order {order_id} is {order.state}: nothing to rework", user_message=NOT_READY)
            last = work.editions.last(order_id)
            number, text = (last.number, last.script_text) if last else (0, str(order.script_text))
            if number != seen:
                raise EditionOvertaken(f"order {order_id}: edition {number} is chosen by now, and not {seen}")
            changed = render(change(parse(text)))
            if changed == text:
                return number
            if work.editions.count(order_id) >= MOST_EDITIONS:
                raise EditionRefused(f"order {order_id} has {MOST_EDITIONS} editions", user_message=FULL)
            work.editions.add(Edition(order_id, number + 1, changed, why, self._clock.now()))
            work.commit()
        logger.info("edition %d: %s", number + 1, why.value, extra=told(order=order_id))
        return number + 1


def chosen_text(work: Work, order: Order) -> str | None:
    """The script of an order as its customer has it now: the last edition; None where there is nothing to read."""
    if not order.is_readable:
        return None
    last = work.editions.last(order.id)
    return last.script_text if last else order.script_text


def _text(work: Work, order: Order, number: int) -> str | None:
    if not order.is_readable or number == 0:
        return order.script_text if order.is_readable else None
    edition = work.editions.get(order.id, number)
    if edition is None:
        raise OrderNotFound(f"order {order.id} has no edition {number}", user_message=NO_EDITION)
    return edition.script_text


def _kept(work: Work, order_id: str, customer: str) -> Order:
    """The customer's order, unless it is in the bin. Raises OrderNotFound."""
    order = work.orders.get(order_id, customer)
    if work.shelf.get(order_id).hides(order):
        raise OrderNotFound(f"order {order_id} is in the bin")
    return order
