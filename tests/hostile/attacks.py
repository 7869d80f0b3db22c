"""Names the attack that a test answers; ``scripts/security_table.py`` writes docs/security.md from these names.

    @answers("reads the hub's cookie secret", "a Unix user each, and a closed folder", who="a power user")
    def test_a_power_user_cannot_read_the_cookie_secret(): ...

The script reads the calls and never runs them: every argument is a text that is written out, or that the test's own
file names, or such texts added. The decorator must be the one of that name, on a test in this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

WHO = ("a customer's browser", "a power user", "a stranger", "stored text")
"""The kinds of people, and the one kind of thing, that attack the house."""

Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Attack:
    """What is tried, what answers it, who tries it; ``threat`` is a public advisory of the kind, where there is one."""

    attack: str
    answer: str
    who: str
    threat: str = ""


def answers(attack: str, answer: str, *, who: str, threat: str = "") -> Callable[[Test], Test]:
    """Say of a test which attack it tries and what answers it. It only sets ``attacks`` on the test.

    Raises ValueError for a ``who`` that is not in WHO.
    """
    if who not in WHO:
        raise ValueError(f"{who!r} attacks nobody here; who is one of {WHO}")

    def name(test: Test) -> Test:
        earlier: tuple[Attack, ...] = getattr(test, "attacks", ())
        test.attacks = (Attack(attack, answer, who, threat), *earlier)  # type: ignore[attr-defined]
        return test

    return name
