"""The tables of editions and takes. Rows are added, and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tng.adapters.database.records import Record
from tng.library.editions import Edition, Take, Why


class EditionRecord(Record):
    """A row of ``editions``; see :class:`tng.library.editions.Edition`."""

    __tablename__ = "editions"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    script_text: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[datetime]
    names: Mapped[dict[str, Any]]

    def to_edition(self) -> Edition:
        """The row as an edition."""
        return Edition(self.order_id, self.number, self.script_text, Why(self.why), self.made_at, self.names)


class TakeRecord(Record):
    """A row of ``takes``; see :class:`tng.library.editions.Take`."""

    __tablename__ = "takes"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    scene: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    seed: Mapped[int]
    release_id: Mapped[str] = mapped_column(String(255))
    made_at: Mapped[datetime]

    def to_take(self) -> Take:
        """The row as a take."""
        about = (self.seed, self.release_id, self.made_at)
        return Take(self.order_id, self.scene, self.number, self.text, *about)
