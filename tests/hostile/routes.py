"""The routes of an order, as the api itself describes them, each with a body that fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BODIES: Mapping[str, Any] = {
    "seen": 0,
    "scene": 1,
    "block": 0,
    "text": "Other words.",
    "old": "Nobody",
    "new": "Somebody",
    "take": 0,
    "title": "Mine",
}
"""What the fields of a request's body are called, and a value that fits. A field that is missing here stops a test."""


@dataclass(frozen=True)
class Route:
    """A route of an order's: ``path``, below the service's prefix, with its order still to be named."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    tags: frozenset[str]

    def of(self, order_id: str) -> dict[str, Any]:
        """The request, for this order."""
        asked: dict[str, Any] = {"method": self.method, "url": self.path.replace("{order_id}", order_id)}
        return asked if self.body is None else asked | {"json": dict(self.body)}


def order_routes(described: Mapping[str, Any], prefix: str) -> list[Route]:
    """Every route that names an order, but those of operators. ``described`` is the api's own description."""
    return [
        Route(
            method.upper(),
            path.removeprefix(prefix).replace("{number}", "1"),
            _body(operation, described),
            frozenset(operation["tags"]),
        )
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if "{order_id}" in path and "/operator/" not in path
    ]


def _body(operation: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any] | None:
    if "requestBody" not in operation:
        return None
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return {field: BODIES[field] for field in described["components"]["schemas"][name]["properties"]}
