"""What a customer does with a delivered script: other words in a line, another name for a guest, a scene written again.

Each change is a new edition, made of the one that its page saw: where another was quicker it is refused. The order, its
money and its original script are never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from tng.errors import EditionOvertaken, EditionRefused, IllegalMove, OrderNotFound
from tng.library.editions import (
    MOST_EDITIONS,
    Edition,
    Take,
    Why,
    guests_of,
    in_names,
    names_with,
    plain_line,
    renamed,
    scene_of,
    with_line,
    with_scene,
)
from tng.library.takes import TakeJob, failed, may_be_reworked, owe_take, under_way
from tng.log import told
from tng.orders import Order
from tng.ports import Clock, Store, Work
from tng.script import Scene, Script, checked_guests, parse, parse_scene, render

logger = logging.getLogger(__name__)

NOT_READY = "Only a script that is ready can be changed."
FULL = f"{MOST_EDITIONS} versions of this script are kept, and that is the most. Please take along what you have."
NO_EDITION = "There is no such version of the script."
NO_TAKE = "This scene was not written again that often."

Change = Callable[[Edition], Edition]


@dataclass(frozen=True, slots=True)
class Desktop:
    """What there is of an order to rework: its editions and takes; ``edition`` is the chosen one, 0 the original.

    ``pending`` is the take that is under way, ``failed`` the one that was asked for last and came to nothing;
    ``guests`` are those who speak and can be called something else. ``release_id`` wrote the original. ``stands`` says
    of every scene that has takes which of them is in the chosen edition: 0 is the original, None one changed by hand.
    """

    edition: int = 0
    editions: Sequence[Edition] = ()
    takes: Sequence[Take] = ()
    pending: TakeJob | None = None
    failed: TakeJob | None = None
    guests: Sequence[str] = ()
    release_id: str | None = None
    stands: Mapping[int, int | None] = field(default_factory=dict)


class Reworking:
    """Use it from any thread. Whoever is named as a customer must be known to be that customer.

    ``seen`` is the number of the edition that the page showed when the customer made the change.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def desktop(self, order_id: str, customer: str, cues: Sequence[str] = ()) -> Desktop:
        """What there is to rework. ``cues`` are those of the show. Raises OrderNotFound, StoreBusy."""
        with self._store.read() as work:
            order = _kept(work, order_id, customer)
            if not order.is_readable:
                return Desktop()
            editions, takes = work.editions.listed(order.id), work.editions.takes(order.id)
            jobs, last = work.jobs.of(order.id), last_edition(work, order)
        guests, stands = guests_of(parse(last.script_text), cues), _standing(order, last, takes)
        return Desktop(last.number, editions, takes, under_way(jobs), failed(jobs), guests, order.release_id, stands)

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

        def changed(last: Edition) -> Edition:
            return _of(last, with_line(parse(last.script_text), scene, block, text))

        return self._change(order_id, customer, seen, Why.LINE, changed)

    def rename_guest(
        self, order_id: str, customer: str, old: object, new: object, seen: int, *, cues: Sequence[str]
    ) -> int:
        """Call a guest something else everywhere. ``cues`` are those of the show. Raises PremiseError, too."""

        def changed(last: Edition) -> Edition:
            script, (after,) = renamed(parse(last.script_text), old, new, cues), checked_guests([new], cues)
            return replace(_of(last, script), names=names_with(last.names, plain_line(old), after))

        return self._change(order_id, customer, seen, Why.RENAME, changed)

    def choose_take(self, order_id: str, customer: str, scene: int, take: int, seen: int) -> int:
        """Put a take of a scene in its place; 0 is the scene of the original."""
        with self._store.read() as work:
            order = _kept(work, order_id, customer)
            takes = {(one.scene, one.number): one for one in work.editions.takes(order.id)}

        def taken(last: Edition) -> Edition:
            if take == 0:
                return with_take(last, scene, scene_of(parse(str(order.script_text)), scene))
            if (scene, take) not in takes:
                raise EditionRefused("there is no such take", user_message=NO_TAKE)
            return with_take(last, scene, parse_scene(takes[scene, take].text))

        return self._change(order_id, customer, seen, Why.SCENE, taken)

    def choose_edition(self, order_id: str, customer: str, number: int, seen: int) -> int:
        """Go back to an edition: its text is a new one, and nothing in between is lost."""
        with self._store.read() as work:
            back = _edition(work, _kept(work, order_id, customer), number)

        def gone_back(last: Edition) -> Edition:
            return replace(last, script_text=back.script_text, names=back.names)

        return self._change(order_id, customer, seen, Why.BACK, gone_back)

    def write_again(self, order_id: str, customer: str, scene: int, seen: int) -> TakeJob:
        """Owe another take of a scene; asked again while it is under way, it is the same one.

        Raises TakeUnderWay where another scene is being written again, and else as all changes do.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            order, last = _reworkable(work, order_id, customer, seen)
            scene_of(parse(last.script_text), scene)
            _refuse_full(work, order)
            owed = owe_take(work, order, scene, now)
            work.commit()
        logger.info("take %d of scene %d is owed", owed.number, scene, extra=told(order=order_id))
        return owed

    def _change(self, order_id: str, customer: str, seen: int, why: Why, change: Change) -> int:
        """One commit, with the order's row held. A change that changes nothing makes no edition."""
        with self._store.begin() as work:
            order, last = _reworkable(work, order_id, customer, seen)
            number = add_edition(work, order, last, change(last), why, self._clock.now())
            work.commit()
        if number != last.number:
            logger.info("edition %d: %s", number, why.value, extra=told(order=order_id))
        return number


def last_edition(work: Work, order: Order) -> Edition:
    """The chosen edition of a readable order; where nobody reworked it the original, which has the number 0."""
    return work.editions.last(order.id) or _original(order)


def add_edition(work: Work, order: Order, last: Edition, changed: Edition, why: Why, now: datetime) -> int:
    """The number of the edition that stands now: a new one, where anything changed. The caller commits.

    Raises EditionRefused where there are as many as are kept.
    """
    if changed.script_text == last.script_text:
        return last.number
    _refuse_full(work, order)
    work.editions.add(replace(changed, number=last.number + 1, why=why, made_at=now))
    return last.number + 1


def keep_take(work: Work, order: Order, take: Take, now: datetime) -> None:
    """A take is there: it is kept, and chosen at once, where it can be. The caller commits."""
    work.editions.keep(take)
    last = last_edition(work, order)
    with suppress(EditionRefused):  # too many editions by now, or the script would become too long: it can wait
        add_edition(work, order, last, with_take(last, take.scene, parse_scene(take.text)), Why.SCENE, now)


def with_take(last: Edition, number: int, scene: Scene) -> Edition:
    """The edition with a scene of the original, or a take, in its place; guests are called as they are by now."""
    return _of(last, with_scene(parse(last.script_text), number, in_names(scene, last.names)))


def chosen_text(work: Work, order: Order) -> str | None:
    """The script of an order as its customer has it now: the last edition; None where there is nothing to read."""
    if not order.is_readable:
        return None
    last = work.editions.last(order.id)
    return last.script_text if last else order.script_text


def _standing(order: Order, last: Edition, takes: Sequence[Take]) -> dict[int, int | None]:
    """Which take of each scene is in the edition, guests called as they are by now; of equal ones the first."""
    if not takes:
        return {}
    original, script = parse(str(order.script_text)), parse(last.script_text)
    stands: dict[int, int | None] = {}
    for number in {take.scene for take in takes}:
        scenes = {0: scene_of(original, number)}
        scenes |= {take.number: parse_scene(take.text) for take in takes if take.scene == number}
        here = scene_of(script, number)
        stands[number] = next((one for one, scene in scenes.items() if in_names(scene, last.names) == here), None)
    return stands


def _of(last: Edition, script: Script) -> Edition:
    return replace(last, script_text=render(script))


def _text(work: Work, order: Order, number: int) -> str | None:
    return _edition(work, order, number).script_text if order.is_readable else None


def _edition(work: Work, order: Order, number: int) -> Edition:
    edition = work.editions.get(order.id, number) if number else _original(order)
    if edition is None:
        raise OrderNotFound(f"order {order.id} has no edition {number}", user_message=NO_EDITION)
    return edition


def _original(order: Order) -> Edition:
    return Edition(order.id, 0, order.script_text or "", Why.BACK, order.delivered_at or order.placed_at)


def _reworkable(work: Work, order_id: str, customer: str, seen: int) -> tuple[Order, Edition]:
    """The order, its row held, and its chosen edition. Raises OrderNotFound, IllegalMove, EditionOvertaken."""
    order = _kept(work, order_id, customer)
    if not may_be_reworked(order):
        raise IllegalMove(f"order {order_id} is {order.state}: nothing to rework", user_message=NOT_READY)
    last = last_edition(work, order)
    if last.number != seen:
        raise EditionOvertaken(f"order {order_id}: edition {last.number} is chosen by now, and not {seen}")
    return order, last


def _refuse_full(work: Work, order: Order) -> None:
    if work.editions.count(order.id) >= MOST_EDITIONS:
        raise EditionRefused(f"order {order.id} has {MOST_EDITIONS} editions", user_message=FULL)


def _kept(work: Work, order_id: str, customer: str) -> Order:
    """The customer's order, unless it is in the bin. Raises OrderNotFound."""
    order = work.orders.get(order_id, customer)
    if work.shelf.get(order_id).hides(order):
        raise OrderNotFound(f"order {order_id} is in the bin")
    return order
