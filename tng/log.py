"""How the processes of the product log: one plain line an event, on stderr. Called once, at the edges."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("httpx", "httpcore", "alembic", "sqlalchemy.engine", "stripe", "asyncio")
"""Libraries that log an address, a body or a row at INFO: only their warnings are let through."""


def configure(level: str = "INFO") -> None:
    """Log from ``level`` on. Raises ValueError for a level that does not exist."""
    logging.basicConfig(level=level.upper(), format=FORMAT, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
