"""The api in whose house nobody rings: for tests that show what the bells are good for."""

from __future__ import annotations

import sys

from tng.adapters.database.store import SqlStore
from tng.api.__main__ import main
from tng.bell import Bell, Topic


def silent(_store: SqlStore, *_topics: Topic) -> Bell:
    """One that rings for nothing."""
    return Bell()


if __name__ == "__main__":
    SqlStore.bell = silent  # type: ignore[method-assign]
    sys.exit(main())
