"""Units of work over the orders database: committed whole, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, QueuePool
from sqlalchemy.orm import Session

from tng.adapters.clock import SystemClock
from tng.adapters.database.bell import FileBell, PostgresBell, notify, topics_of
from tng.adapters.database.boxes import SqlInbox, SqlOutbox
from tng.adapters.database.clock import DatabaseClock
from tng.adapters.database.editions import SqlEditions
from tng.adapters.database.engine import READS, busy_means_busy
from tng.adapters.database.gpus import SqlGpus
from tng.adapters.database.lookout import SqlCounts, SqlWatch
from tng.adapters.database.repositories import SqlJobs, SqlOrders
from tng.adapters.database.retraining import SqlPromotions, SqlRetrainings, SqlSchedules
from tng.adapters.database.shelf import SqlShelf
from tng.bell import Bell, Topic
from tng.customer_ports import Editions, Shelf
from tng.errors import StoreBusy
from tng.house_ports import Counts, Gpus, Promotions, Retrainings, Schedules, Watch
from tng.ports import Clock, Inbox, Jobs, Orders, Outbox, Work

PATIENCE_SECONDS = 10.0

Told = Callable[[frozenset[Topic]], None]
"""Is told what a commit leaves to do."""


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
    shelf: Shelf
    editions: Editions

    def __init__(self, session: Session, *, writes: bool, told: Told | None = None) -> None:
        self._session = session
        self._writes, self._told = writes, told
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
        self.shelf = SqlShelf(session, writes=writes)
        self.editions = SqlEditions(session, writes=writes)

    def commit(self) -> None:
        """Save. Raises RuntimeError in a unit that only reads: that is a slip of ours, not of the database."""
        if not self._writes:
            raise RuntimeError("a unit of work that only reads has nothing to commit: use begin()")
        notify(self._session)
        self._session.commit()
        if self._told is not None:
            self._told(topics_of(self._session))


class SqlStore:
    """See :class:`tng.ports.Store`. Safe to use from many threads; after a fork, make another.

    ``clock`` is the time that counts in it: the database's on PostgreSQL, the machine's where it is a file.
    """

    def __init__(self, engine: Engine) -> None:
        self._writing = engine
        self._is_postgres = engine.dialect.name == "postgresql"
        self._writers = threading.Lock()
        pool = engine.pool
        self._patience_seconds = pool.timeout() if isinstance(pool, QueuePool) else PATIENCE_SECONDS
        self.clock: Clock = DatabaseClock(engine) if self._is_postgres else SystemClock()
        self._bells: list[tuple[frozenset[Topic], Bell]] = []
        self._reading = engine.execution_options(**{READS: True})
        if self._is_postgres:  # what one unit reads is of one moment, as on SQLite
            self._reading = self._reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work that may write; on SQLite it has the write lock from here on. Raises StoreBusy."""
        with self._turn(), busy_means_busy(), Session(self._writing, expire_on_commit=False) as session:
            session.connection()
            yield SqlWork(session, writes=True, told=self._ring)

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A unit of work that only reads, and waits for nobody. Raises StoreBusy."""
        with busy_means_busy(), Session(self._reading, expire_on_commit=False) as session:
            yield SqlWork(session, writes=False)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The threads of a process queue up here: SQLite's own waiting is a sleep of up to 100 ms between looks."""
        if self._is_postgres:
            yield
            return
        if not self._writers.acquire(timeout=self._patience_seconds):
            raise StoreBusy("the orders database is busy with this process's own units of work; try again")
        try:
            yield
        finally:
            self._writers.release()

    def bell(self, *topics: Topic) -> Bell:
        """Rings when something of these topics was committed: by whomever; on SQLite by this store alone.

        One for EVENTS, which come from other processes, rings on SQLite for whatever those commit, too. One for work
        does not: to look for work there takes the lock of whoever writes.
        """
        if self._is_postgres:
            return PostgresBell(self._writing, *topics)
        path = self._writing.url.database
        bell = FileBell(Path(path)) if path and Topic.EVENTS in topics else Bell()
        self._bells.append((frozenset(topics), bell))
        return bell

    def close(self) -> None:
        """Close the connections, and the bells on a file."""
        for _, bell in self._bells:
            bell.close()
        self._writing.dispose()

    def _ring(self, topics: frozenset[Topic]) -> None:
        for wanted, bell in self._bells:
            if wanted & topics:
                bell.ring()
