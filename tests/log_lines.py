"""The log as it would stand in the file: every line of a block, written by the product's own form."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from tng.log import Line, LogForm


class Lines:
    """The lines so far."""

    def __init__(self) -> None:
        self.stream = StringIO()

    def __iter__(self) -> Iterator[str]:
        return iter(self.getvalue().splitlines())

    def getvalue(self) -> str:
        """All of them."""
        return self.stream.getvalue()

    def about(self, words: str) -> list[str]:
        """The lines that hold these words."""
        return [line for line in self if words in line]


@contextmanager
def logged(level: int = logging.DEBUG, form: LogForm = LogForm.PLAIN) -> Iterator[Lines]:
    """Hear everything that is logged from ``level`` on."""
    lines, root = Lines(), logging.getLogger()
    handler, before = logging.StreamHandler(lines.stream), root.level
    handler.setFormatter(Line(form))
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
