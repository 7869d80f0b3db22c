"""What customers made of their delivered scripts, of one unit of work, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from tng.adapters.database.edition_records import EditionRecord, TakeRecord
from tng.adapters.database.table import Table
from tng.errors import StoreBusy
from tng.library.editions import Edition, Take, Why
from tng.orders import LeftOut


class SqlEditions(Table):
    """See :class:`tng.customer_ports.Editions`."""

    def add(self, edition: Edition) -> None:
        """Keep an edition. Raises StoreBusy where its number is taken."""
        self._add(EditionRecord(**asdict(edition) | {"why": edition.why.value, "names": dict(edition.names)}))

    def get(self, order_id: str, number: int) -> Edition | None:
        """The edition of this number, or None."""
        record = self._session.get(EditionRecord, (order_id, number))
        return record.to_edition() if record is not None else None

    def last(self, order_id: str) -> Edition | None:
        """The one with the greatest number, or None."""
        newest = select(EditionRecord).where(EditionRecord.order_id == order_id).order_by(EditionRecord.number.desc())
        record = self._session.scalars(newest.limit(1)).one_or_none()
        return record.to_edition() if record is not None else None

    def count(self, order_id: str) -> int:
        """How many there are."""
        mine = select(func.count()).select_from(EditionRecord).where(EditionRecord.order_id == order_id)
        return self._session.scalar(mine) or 0

    def listed(self, order_id: str) -> Sequence[Edition]:
        """All of them, without their texts."""
        light = select(EditionRecord.number, EditionRecord.why, EditionRecord.made_at, EditionRecord.names)
        rows = self._session.execute(light.where(EditionRecord.order_id == order_id).order_by(EditionRecord.number))
        return [Edition(order_id, number, LeftOut(), Why(why), *more) for number, why, *more in rows]

    def keep(self, take: Take) -> None:
        """Keep a take. Raises StoreBusy where its number is taken."""
        self._add(TakeRecord(**asdict(take)))

    def takes(self, order_id: str) -> Sequence[Take]:
        """The takes of an order, by scene and number."""
        mine = select(TakeRecord).where(TakeRecord.order_id == order_id)
        records = self._session.scalars(mine.order_by(TakeRecord.scene, TakeRecord.number))
        return [record.to_take() for record in records]

    def forget(self, order_id: str) -> None:
        """Take all of it away, for good."""
        self._session.execute(delete(EditionRecord).where(EditionRecord.order_id == order_id))
        self._session.execute(delete(TakeRecord).where(TakeRecord.order_id == order_id))

    def _add(self, record: EditionRecord | TakeRecord) -> None:
        self._session.add(record)
        try:
            self._session.flush()
        except IntegrityError:
            raise StoreBusy(f"a row of {record.__tablename__} was added by another; look again") from None
