"""The people of the demo. None of them is real, and no mail reaches example.com."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in at the stand-in for Google. ``id`` stays theirs for ever, whatever their address is."""

    id: str
    name: str
    email: str
    role: str
    verified: bool = True
    power: bool = False
    operator: bool = False

    @property
    def userinfo(self) -> dict[str, Any]:
        """What Google's v1 userinfo says of a person."""
        return {"id": self.id, "email": self.email, "verified_email": self.verified, "name": self.name}


PEOPLE = (
    Person("100000000000000000017", "Ada Wren", "ada@example.com", "a customer"),
    Person("100000000000000000025", "Ben Okoro", "ben@example.com", "another customer"),
    Person("100000000000000000033", "Pia Lindqvist", "pia@example.com", "a power user: gets JupyterLab", power=True),
    Person("100000000000000000041", "Ola Brandt", "ola@example.com", "an operator: sees the bridge", operator=True),
    Person("100000000000000000058", "Una Marsh", "una@example.com", "refused: address not verified", verified=False),
)


def by_address(email: str) -> Person:
    """The person of the demo who has this address. Raises LookupError where nobody has."""
    for person in PEOPLE:
        if person.email == email:
            return person
    raise LookupError("nobody in the demo has this address")
