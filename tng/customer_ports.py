"""The parts of a unit of work that hold what customers do to their orders beside the orders' story.

They belong to the Store, one of the four seams of ``tng.ports``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tng.library.editions import Edition, Take
from tng.library.shelf import Share, Shelved


class Shelf(Protocol):
    """What customers did to their orders beside the orders' story. An order of which nothing is noted is ORDINARY."""

    def get(self, order_id: str) -> Shelved:
        """What is noted of an order."""
        ...

    def of(self, customer: str) -> Mapping[str, Shelved]:
        """What is noted of a customer's orders, by their ids; ordinary ones are left out."""
        ...

    def save(self, order_id: str, shelved: Shelved) -> None:
        """Note its name and whether it is in the bin. Its link is not changed by this."""
        ...

    def binned_before(self, moment: datetime, limit: int = 100) -> Sequence[str]:
        """Orders that lie in the bin since before ``moment`` and have their words still, those first that wait long."""
        ...

    def share(self, share: Share) -> None:
        """Add a link; those that were made before end with it."""
        ...

    def unshare(self, order_id: str, now: datetime) -> None:
        """No link leads there any more; none before is fine."""
        ...

    def shares(self, order_id: str) -> Sequence[Share]:
        """The links of an order, the oldest first: the newest SHARES_KEPT of them."""
        ...

    def shared(self, token_sha256: str) -> str | None:
        """The id of the order to which this token leads, or None."""
        ...

    def forget(self, order_id: str) -> None:
        """Take the customer's name for it away, and every link; that it lies in the bin stays."""
        ...


class Editions(Protocol):
    """What customers made of their delivered scripts. Rows are added, and never changed.

    Whoever adds some holds the row of the order, and so is alone with it.
    """

    def add(self, edition: Edition) -> None:
        """Keep an edition. Raises StoreBusy where its number is taken."""
        ...

    def get(self, order_id: str, number: int) -> Edition | None:
        """The edition of this number, or None."""
        ...

    def last(self, order_id: str) -> Edition | None:
        """The one with the greatest number, or None."""
        ...

    def count(self, order_id: str) -> int:
        """How many there are."""
        ...

    def listed(self, order_id: str) -> Sequence[Edition]:
        """All of them, the first one first. Their texts are ``LeftOut``."""
        ...

    def keep(self, take: Take) -> None:
        """Keep a take. Raises StoreBusy where its number is taken."""
        ...

    def takes(self, order_id: str) -> Sequence[Take]:
        """The takes of an order, by scene and number."""
        ...

    def forget(self, order_id: str) -> None:
        """Take all of it away, for good."""
        ...
