"""The editions and takes of the fake store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tng.errors import StoreBusy
from tng.library.editions import Edition, Take
from tng.orders import LeftOut


class FakeEditions:
    """Keeps the promises of ``tng.customer_ports.Editions`` over two tables of the fake store."""

    def __init__(self, editions: dict[tuple[str, int], Edition], takes: dict[tuple[str, int, int], Take]) -> None:
        self._editions, self._takes = editions, takes

    def add(self, edition: Edition) -> None:
        """Keep an edition."""
        if (edition.order_id, edition.number) in self._editions:
            raise StoreBusy("there is such an edition already")
        self._editions[edition.order_id, edition.number] = edition

    def get(self, order_id: str, number: int) -> Edition | None:
        """The edition of this number, or None."""
        return self._editions.get((order_id, number))

    def last(self, order_id: str) -> Edition | None:
        """The one with the greatest number, or None."""
        return max(self._of(order_id), key=lambda edition: edition.number, default=None)

    def count(self, order_id: str) -> int:
        """How many there are."""
        return len(self._of(order_id))

    def listed(self, order_id: str) -> Sequence[Edition]:
        """All of them, without their texts."""
        light = [replace(edition, script_text=LeftOut()) for edition in self._of(order_id)]
        return sorted(light, key=lambda edition: edition.number)

    def keep(self, take: Take) -> None:
        """Keep a take."""
        key = (take.order_id, take.scene, take.number)
        if key in self._takes:
            raise StoreBusy("there is such a take already")
        self._takes[key] = take

    def takes(self, order_id: str) -> Sequence[Take]:
        """The takes of an order, by scene and number."""
        return [take for key, take in sorted(self._takes.items()) if key[0] == order_id]

    def forget(self, order_id: str) -> None:
        """Take all of it away."""
        for edition in self._of(order_id):
            del self._editions[order_id, edition.number]
        for take in self.takes(order_id):
            del self._takes[order_id, take.scene, take.number]

    def _of(self, order_id: str) -> list[Edition]:
        return [edition for edition in self._editions.values() if edition.order_id == order_id]
