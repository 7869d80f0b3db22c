"""The real clock."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's own time. See :class:`tng.ports.Clock`."""

    def now(self) -> datetime:
        """The time now, aware UTC."""
        return datetime.now(UTC)
