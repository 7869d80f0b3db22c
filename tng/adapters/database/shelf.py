"""What customers did to their orders beside the orders' story, of one unit of work, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, select, update

from tng.adapters.database.records import OrderRecord, ShareRecord, ShelfRecord
from tng.adapters.database.table import Table
from tng.library.shelf import ORDINARY, SHARES_KEPT, Share, Shelved
from tng.orders import ENDS


class SqlShelf(Table):
    """See :class:`tng.ports.Shelf`. Whoever writes here holds the row of the order, and so is alone with it."""

    def get(self, order_id: str) -> Shelved:
        """What is noted of an order."""
        row = self._session.get(ShelfRecord, order_id)
        shared_at = self._session.scalar(_living().where(ShareRecord.order_id == order_id))
        return (row or ShelfRecord()).to_shelved(shared_at)

    def of(self, customer: str) -> Mapping[str, Shelved]:
        """What is noted of a customer's orders, by their ids; ordinary ones are left out."""
        living = _living().where(ShareRecord.order_id == OrderRecord.id).scalar_subquery()
        notes = select(OrderRecord.id, ShelfRecord.title, ShelfRecord.binned_at, living.label("shared_at"))
        notes = notes.outerjoin(ShelfRecord, ShelfRecord.order_id == OrderRecord.id)
        rows = self._session.execute(notes.where(OrderRecord.customer == customer))
        noted = {order_id: Shelved(title, binned_at, shared_at) for order_id, title, binned_at, shared_at in rows}
        return {order_id: shelved for order_id, shelved in noted.items() if shelved != ORDINARY}

    def save(self, order_id: str, shelved: Shelved) -> None:
        """Note its name and whether it is in the bin."""
        row = self._session.get(ShelfRecord, order_id) or ShelfRecord(order_id=order_id)
        row.title, row.binned_at = shelved.title, shelved.binned_at
        self._session.add(row)
        self._session.flush()

    def binned_before(self, moment: datetime, limit: int = 100) -> Sequence[str]:
        """Orders that lie in the bin since before ``moment`` and have their words still."""
        binned = select(ShelfRecord.order_id).join(OrderRecord, OrderRecord.id == ShelfRecord.order_id)
        binned = binned.where(ShelfRecord.binned_at < moment, ShelfRecord.binned_at >= OrderRecord.ended_at)
        binned = binned.where(OrderRecord.erased_at.is_(None), OrderRecord.state.in_([end.value for end in ENDS]))
        return list(self._session.scalars(binned.order_by(ShelfRecord.binned_at, ShelfRecord.order_id).limit(limit)))

    def share(self, share: Share) -> None:
        """Add a link; those that were made before end with it."""
        self.unshare(share.order_id, share.made_at)
        self._session.add(ShareRecord(order_id=share.order_id, token_sha256=share.token_sha256, made_at=share.made_at))
        self._session.flush()
        of_it = select(ShareRecord.id).where(ShareRecord.order_id == share.order_id).order_by(ShareRecord.id.desc())
        old = list(self._session.scalars(of_it.offset(SHARES_KEPT)))
        self._session.execute(delete(ShareRecord).where(ShareRecord.id.in_(old)))

    def unshare(self, order_id: str, now: datetime) -> None:
        """No link leads there any more."""
        living = (ShareRecord.order_id == order_id, ShareRecord.revoked_at.is_(None))
        self._session.execute(update(ShareRecord).where(*living).values(revoked_at=now))

    def shares(self, order_id: str) -> Sequence[Share]:
        """The links of an order, the oldest first."""
        query = select(ShareRecord).where(ShareRecord.order_id == order_id).order_by(ShareRecord.id)
        return [record.to_share() for record in self._session.scalars(query)]

    def shared(self, token_sha256: str) -> str | None:
        """The id of the order to which this token leads, or None."""
        living = (ShareRecord.token_sha256 == token_sha256, ShareRecord.revoked_at.is_(None))
        return self._session.scalar(select(ShareRecord.order_id).where(*living))

    def forget(self, order_id: str) -> None:
        """Take the customer's name for it away, and every link."""
        self._session.execute(update(ShelfRecord).where(ShelfRecord.order_id == order_id).values(title=None))
        self._session.execute(delete(ShareRecord).where(ShareRecord.order_id == order_id))


def _living() -> Select[datetime]:
    return select(func.max(ShareRecord.made_at)).where(ShareRecord.revoked_at.is_(None))
