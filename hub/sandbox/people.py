"""The people of the demo. None of them is real, and no mail reaches example.com."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in at the stand-in for Google."""

    name: str
    email: str
    role: str
    verified: bool = True
    power: bool = False

    @property
    def userinfo(self) -> dict[str, Any]:
        """What Google's v1 userinfo says of a person."""
        number = int.from_bytes(hashlib.sha256(self.email.encode()).digest()[:8])
        return {"id": str(number), "email": self.email, "verified_email": self.verified, "name": self.name}


PEOPLE = (
    Person("Ada Wren", "ada@example.com", "a customer"),
    Person("Ben Okoro", "ben@example.com", "another customer"),
    Person("Pia Lindqvist", "pia@example.com", "a power user: gets JupyterLab", power=True),
    Person("Una Marsh", "una@example.com", "refused: her address is not verified", verified=False),
)
