"""Units of work over the orders database: committed whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tng.adapters.database.engine import READS, busy_means_busy
from tng.adapters.database.gpus import SqlGpus
from tng.adapters.database.lookout import SqlCounts, SqlWatch
from tng.adapters.database.repositories import SqlInbox, SqlJobs, SqlOrders, SqlOutbox
from tng.adapters.database.retraining import SqlPromotions, SqlRetrainings, SqlSchedules
from tng.house_ports import Counts, Gpus, Promotions, Retrainings, Schedules, Watch
from tng.ports import Inbox, Jobs, Orders, Outbox, Work


class SqlWork:
    """One transaction. See :class:`tng.ports.Work`."""

    orders: Orders
    jobs: Jobs
    outbox: Outbox
    inbox: Inbox
    gpus: Gpus
    counts: Counts
    watch: Watch
    promotions: Promotions
    schedules: Schedules
    retrainings: Retrainings

    def __init__(self, session: Session, *, writes: bool) -> None:
        self._session = session
        self._writes = writes
        self.orders = SqlOrders(session, writes=writes)
        self.jobs = SqlJobs(session, writes=writes)
        self.outbox = SqlOutbox(session, writes=writes)
        self.inbox = SqlInbox(session, writes=writes)
        self.gpus = SqlGpus(session, writes=writes)
        self.counts = SqlCounts(session, writes=writes)
        self.watch = SqlWatch(session, writes=writes)
        self.promotions = SqlPromotions(session, writes=writes)
        self.schedules = SqlSchedules(session, writes=writes)
        self.retrainings = SqlRetrainings(session, writes=writes)

    def commit(self) -> None:
        """Save. Raises RuntimeError in a unit that only reads: that is a slip of ours, not of the database."""
        if not self._writes:
            raise RuntimeError("a unit of work that only reads has nothing to commit: use begin()")
        self._session.commit()


class SqlStore:
    """See :class:`tng.ports.Store`. Safe to use from many threads; after a fork, make another."""

    def __init__(self, engine: Engine) -> None:
        self._writing = engine
        self._reading = engine.execution_options(**{READS: True})
        if engine.dialect.name == "postgresql":  # what one unit reads is of one moment, as on SQLite
            self._reading = self._reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work that may write; on SQLite it has the write lock from here on. Raises StoreBusy."""
        with busy_means_busy(), Session(self._writing, expire_on_commit=False) as session:
            session.connection()
            yield SqlWork(session, writes=True)

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A unit of work that only reads, and waits for nobody. Raises StoreBusy."""
        with busy_means_busy(), Session(self._reading, expire_on_commit=False) as session:
            yield SqlWork(session, writes=False)

    def close(self) -> None:
        """Close the connections."""
        self._writing.dispose()
