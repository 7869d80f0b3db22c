"""What cells display, caught: the tests look at the bundles that a notebook would be sent."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every bundle or object that was displayed so far."""
    bundles: list[Any] = []
    for module in ("showing", "reading", "desk", "comparing"):
        monkeypatch.setattr(f"model.workbench.{module}.display", lambda thing, raw=False: bundles.append(thing))
    return bundles


def texts(shown: list[dict[str, Any]]) -> str:
    """All that was displayed as plain text, one below the other."""
    return "\n".join(bundle["text/plain"] for bundle in shown)


__all__ = ["shown", "texts"]
