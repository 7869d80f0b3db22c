"""How the processes of the product log: one line an event, on stderr, with what it is about as ``key=value``.

    2026-11-24T12:00:00.000Z INFO tng.money.till: PLACED→PAID order=ord_1 session=cs_1 event=evt_1

``about`` names what a piece of work is about: every line from inside it says so, those of libraries too. A line about
an order carries ``order``, so that one search tells its whole story. A line about a failure carries ``fault``, the kind
of it; those are counted for the operator. ``configure`` is called once, at the edges.
"""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tng.errors import TngError
from tng.faults import Fault

QUIET = ("httpx", "httpcore", "alembic", "sqlalchemy.engine", "stripe", "asyncio")
"""Libraries that log an address, a body or a row at INFO: only their warnings are let through."""

LONGEST_LINE = 8000
"""Characters of a line that are kept: nobody may flood the log with one line."""

MOST_KINDS = 100
"""Kinds of fault that are counted apart between two visits of the database."""

KIND_CHARACTERS = 64

_FACTS: ContextVar[Mapping[str, object]] = ContextVar("facts")


class LogForm(StrEnum):
    """Plain: for people and ``grep``. JSON: an object a line, for a collector of logs."""

    PLAIN = "plain"
    JSON = "json"


def configure(level: str = "INFO") -> None:
    """Log from ``level`` on, in the plain form. Raises ValueError for a level that does not exist."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def write_as(form: LogForm) -> None:
    """Go on in this form: a process logs before it knows its settings."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Line):
            handler.setFormatter(Line(form))


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """What everything inside is about: ``about(order=order.id)``. What is None is not said; the inner one wins."""
    token = _FACTS.set(_known() | _said(facts))
    try:
        yield
    finally:
        _FACTS.reset(token)


def told(**facts: object) -> dict[str, Any]:
    """What one line says beside its words: ``logger.info("PAID→WRITING", extra=told(order=order.id))``."""
    return {"facts": _said(facts)}


def kind_of(error: BaseException) -> str:
    """The kind of a failure, as it is counted: the class of the error, or of what a notebook raised."""
    return str(getattr(error, "cause", "") or type(error).__name__)[:KIND_CHARACTERS]


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line is about: its own facts, and those of the work around it."""
    own: Mapping[str, object] = getattr(record, "facts", {})
    return {**_known(), **own}


class Line(logging.Formatter):
    """One line a record, whatever stands in it. Of an exception that is not ours its place is kept, never its words."""

    def __init__(self, form: LogForm = LogForm.PLAIN) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        words, facts = _words(record), facts_of(record)
        if self._form is LogForm.JSON:
            values = {k: v if isinstance(v, int | float) else str(v)[:LONGEST_LINE] for k, v in facts.items()}
            body = values | {"at": at, "level": record.levelname, "from": record.name, "event": words[:LONGEST_LINE]}
            return json.dumps(body, sort_keys=True)
        written = "".join(f" {key}={_written(str(value))}" for key, value in facts.items())
        return f"{at} {record.levelname} {record.name}: {_printable(words)[:LONGEST_LINE]}{written[:LONGEST_LINE]}"


class FaultCounter(logging.Handler):
    """Counts the lines that carry ``fault``, by kind, until somebody takes them to the database."""

    def __init__(self, part: str) -> None:
        """``part`` is the process: api or worker."""
        super().__init__(logging.WARNING)
        self._part = part
        self._counting = threading.Lock()
        self._kinds: dict[str, Fault] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count it, if it is a fault."""
        kind = facts_of(record).get("fault")
        if kind is not None:
            self.add([Fault(self._part, str(kind), 1, datetime.fromtimestamp(record.created, UTC))])

    def add(self, faults: Sequence[Fault]) -> None:
        """Count these too. Beyond MOST_KINDS a kind has no name any more."""
        with self._counting:
            for fault in faults:
                room = fault.kind in self._kinds or len(self._kinds) < MOST_KINDS
                kind = fault.kind if room else "Other"
                known = self._kinds.get(kind, Fault(self._part, kind, 0, fault.last_at))
                self._kinds[kind] = known.and_again(fault)

    def take(self) -> Sequence[Fault]:
        """What was counted since the last time."""
        with self._counting:
            kinds, self._kinds = self._kinds, {}
        return tuple(kinds.values())


def _known() -> dict[str, object]:
    return dict(_FACTS.get({}))


def _said(facts: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in facts.items() if value is not None}


def _words(record: logging.LogRecord) -> str:
    words = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return words
    what = f"{type(error).__name__}: {error}" if isinstance(error, TngError) else type(error).__name__
    return f"{words} ({what})\n{''.join(traceback.format_tb(error.__traceback__))}"


def _written(value: str) -> str:
    """A value that reads as one word, or else in quotes."""
    plain = bool(value) and value.isprintable() and not set(value) & set(" \"'=\\")
    return value if plain else json.dumps(value, ensure_ascii=not value.isprintable())


def _printable(text: str) -> str:
    """The text with everything written out that would begin another line, or move a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
