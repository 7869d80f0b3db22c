"""A table of a TOML file that somebody wrote by hand: what is missing or of the wrong kind is named where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from tng.errors import ShowError

Kind = TypeVar("Kind")
_KINDS: Final = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}


class Part:
    """A table, and where it stands: a file's name, and the way to it."""

    def __init__(self, fields: Mapping[str, Any], where: str) -> None:
        self._fields, self._where = fields, where

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def take(self, name: str, kind: type[Kind], default: Kind | None = None) -> Kind:
        """A value of that kind; without a default it must be there."""
        value = self._fields.get(name, default)
        if value is None:
            raise ShowError(f"{self._where}{name} is missing; it must be {_KINDS[kind]}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ShowError(f"{self._where}{name} must be {_KINDS[kind]}")
        return value

    def table(self, name: str, *, optional: bool = False) -> Part:
        """A table within this one."""
        return Part(self.take(name, dict, {} if optional else None), f"{self._where}{name}.")

    def tables(self, name: str) -> list[Part]:
        """A list of tables."""
        rows = self.take(name, list)
        if not all(isinstance(row, dict) for row in rows):
            raise ShowError(f"{self._where}{name} must be a list of tables")
        return [Part(row, f"{self._where}{name} {number}: ") for number, row in enumerate(rows, 1)]

    def each(self, name: str, kind: type[Kind], default: list[Kind] | None = None) -> tuple[Kind, ...]:
        """A list of values of one kind."""
        values = self.take(name, list, default)
        if not all(isinstance(value, kind) for value in values):
            raise ShowError(f"{self._where}{name} must be a list, and each of it {_KINDS[kind]}")
        return tuple(values)

    def lists(self, name: str) -> dict[str, tuple[str, ...]]:
        """A table of lists of texts."""
        lists = self.table(name)
        return {key: lists.each(key, str) for key in lists}


__all__ = ["Part"]
