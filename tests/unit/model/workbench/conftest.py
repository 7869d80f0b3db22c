"""``shown`` is what a notebook's cells displayed."""

from __future__ import annotations

from tests.unit.model.workbench.shown import shown

__all__ = ["shown"]
