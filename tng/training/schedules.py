"""Schedules: a cron line with a time zone, and the moments at which it is due. No database and no clock of its own.

``tng.training.slots`` reads the lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a retraining is begun. Slots up to ``settled_until_at`` are dealt with: begun, coalesced, or slept through.

    ``options`` are those of the retraining; ``zone`` is a name of the IANA database.
    """

    name: str
    cron: str
    zone: str
    options: Mapping[str, Any]
    created_at: datetime
    settled_until_at: datetime
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The latest slot that is due, and how many earlier ones it stands for."""

    slot_at: datetime
    coalesced: int = field(default=0)
