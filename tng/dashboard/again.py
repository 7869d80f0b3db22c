"""The premise of an order as what the form holds, so that it can be asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tng.dashboard.compose_words import OWN_RELEASE
from tng.script import MOST_GUESTS


def draft_of(premise: Mapping[str, Any]) -> dict[str, Any]:
    """A draft for ``ComposeForm.draft``, its seed included. What the premise leaves out is empty in the form, too."""
    draft = dict(premise)
    guests = [str(guest) for guest in premise.get("guests") or ()]
    draft["guests"] = [*guests, *[""] * MOST_GUESTS][:MOST_GUESTS]
    if premise.get("temperature") is None:
        draft |= {"temperature": None, "preset": OWN_RELEASE.name}
    return draft
