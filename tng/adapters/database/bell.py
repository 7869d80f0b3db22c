"""Bells of a database: a commit that leaves something to do wakes those who wait for it.

On PostgreSQL they are LISTEN and NOTIFY. NOTIFY is part of the transaction: nobody is woken before there is something
to find, nor where nothing was committed. SQLite tells nobody: there a bell rings for what its own process committed,
and one that must hear of other processes looks whether the file is another.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from tng.adapters.database.engine import is_postgres, own_connection
from tng.bell import Bell, Topic

LOOK_SECONDS = 1.0
"""A bell that is taken down ends its thread so soon."""
AGAIN_SECONDS = 2.0
"""A database that is away is asked again after so long."""

FILE_SECONDS = 0.1
"""How often a file is looked at; a look takes five microseconds."""

TOPICS = "tng_topics"
"""What a session remembers them under."""

logger = logging.getLogger(__name__)


class WatchingBell(Bell):
    """A bell with a thread and a connection of its own, until it is closed.

    While the database is away it is silent; once it is back it rings, for whatever was missed.
    """

    lost: ClassVar[type[Exception]]
    """What is raised where the database is away."""

    def __init__(self) -> None:
        super().__init__()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep_watching, name="bell", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take it down, and end its connection."""
        self._closed.set()
        self._thread.join()

    def _keep_watching(self) -> None:
        while not self._closed.is_set():
            try:
                self._watch()
            except self.lost as error:
                logger.info("the bell is silent, and everybody looks by themselves (%s)", type(error).__name__)
                self._closed.wait(AGAIN_SECONDS)

    def _watch(self) -> None:
        """Connect, ring once, and ring for all that happens, until it is closed. Raises ``lost``."""
        raise NotImplementedError


class PostgresBell(WatchingBell):
    """Rings for what any process commits about these topics."""

    lost = psycopg.Error

    def __init__(self, engine: Engine, *topics: Topic) -> None:
        self._engine, self._topics = engine, topics
        super().__init__()

    def _watch(self) -> None:
        with own_connection(self._engine) as connection:
            for topic in self._topics:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(topic.value)))
            self.ring()
            while not self._closed.is_set():
                for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    self.ring()


class FileBell(WatchingBell):
    """Rings for what its own store commits about its topics, and for whatever anybody else commits to the file.

    SQLite counts commits of other connections, and says nothing of what they were
    (sqlite.org/pragma.html#pragma_data_version). The thread looks at the count.
    """

    lost = sqlite3.Error

    def __init__(self, path: Path) -> None:
        self._address = f"{path.absolute().as_uri()}?mode=rw"
        super().__init__()

    def _watch(self) -> None:
        seen = None
        with closing(sqlite3.connect(self._address, uri=True, isolation_level=None)) as connection:
            while not self._closed.is_set():
                version = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    self.ring()
                self._closed.wait(FILE_SECONDS)


def rings_for(session: Session, topic: Topic) -> None:
    """This unit of work leaves something to do: its commit shall ring."""
    session.info.setdefault(TOPICS, set()).add(topic)


def topics_of(session: Session) -> frozenset[Topic]:
    """What its commit is to ring for."""
    return frozenset(session.info.get(TOPICS, ()))


def notify(session: Session) -> None:
    """Say so within the transaction, as its last word, where the database passes it on."""
    topics = topics_of(session)
    if topics and is_postgres(session):
        session.execute(select(*(func.pg_notify(topic.value, "") for topic in sorted(topics))))
