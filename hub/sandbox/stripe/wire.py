"""How Stripe's v1 api speaks: nested form fields going in, and the shape of its errors coming out."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

FIELD = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")
MOST_FIELDS = 1_000

Thing = dict[str, Any]
"""A Stripe object, as its JSON. Keys that begin with an underscore are ours and never leave the house."""


class Refusal(Exception):
    """The api says no. ``remembered`` tells whether an idempotency key keeps the answer, as Stripe's does."""

    def __init__(
        self, status: int, message: str, *, code: str = "", param: str = "", kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message}
        self.error |= {name: value for name, value in (("code", code), ("param", param)) if value}

    @property
    def body(self) -> str:
        """The answer that says so."""
        return json.dumps({"error": self.error}, indent=2)

    @property
    def remembered(self) -> bool:
        """Whether the operation had begun: a refused parameter is forgotten, a refused deed is not."""
        return not self.error.get("code", "").startswith("parameter_")


def missing(kind: str, thing_id: str, param: str = "id") -> Refusal:
    """The refusal for an id that nothing has."""
    return Refusal(404, f"No such {kind}: '{thing_id}'", code="resource_missing", param=param)


def invalid(param: str, message: str) -> Refusal:
    """The refusal for a parameter whose value cannot be meant."""
    return Refusal(400, message, code="parameter_invalid", param=param)


def parse_form(text: str) -> Thing:
    """Read ``a[b][0][c]=v`` into ``{"a": {"b": {"0": {"c": "v"}}}}``; the contract makes lists of what are lists.

    Raises Refusal for more than a thousand fields, or a field that is a value and a container at once.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refusal(400, f"A request may have {MOST_FIELDS} fields at most.", code="parameter_invalid") from None
    root: Thing = {}
    for name, value in pairs:
        _place(root, name, value)
    return root


def _place(root: Thing, name: str, value: str) -> None:
    parts = FIELD.findall(name) or [name]
    node = root
    for depth, part in enumerate(parts):
        key = part or str(len(node))  # a[]=v appends
        if depth == len(parts) - 1:
            node[key] = value
            return
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            raise invalid(name, f"Invalid parameter: {name}")
