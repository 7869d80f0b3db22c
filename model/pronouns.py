"""Pronouns of a line when its person is played by somebody of the other sex. What is not certain stays as it is.

``her`` is the hard one: before a noun it is ``his``, else ``him``. So it is changed only before words of which the one
or the other is sure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from model.corpus.slots import MARKS
from tng.shows import Member, Show

_TO_WOMAN: Final = {"he": "she", "him": "her", "his": "her", "himself": "herself"}
_TO_MAN: Final = {"she": "he", "hers": "his", "herself": "himself"}
_OTHERS: Final = frozenset(
    str.split(
        "man men woman women boy boys girl girls child children son sons daughter father mother brother sister husband "
        "wife officer officers guard guards patient patients stranger pilot prisoner engineer crewman medic nurse "
        "couple technician somebody someone everyone lady gentleman figure captain doctor ensign ship vessel shuttle"
    )
)
"""Words for people, and for ships, which are spoken of as women: a pronoun may be theirs."""
_OWNED: Final = frozenset(
    str.split(
        "own hand hands face head eyes eye shoulder shoulders knee knees finger fingers sleeve eyebrow eyebrows feet "
        "foot hair chair seat arm arms ear ears collar voice wrist chest lip lips breath badge scanner "
        "station console cup glass desk temples palm palms throat mouth teeth thumb brow chin screen jacket uniform"
    )
)
_AFTER_WHOM: Final = frozenset(
    str.split(
        "and as that from a an the to with in on at into for by of while then through like until when where before"
    )
)
_PRONOUN: Final = re.compile(r"\b(he|him|his|himself|she|her|hers|herself)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"[\w'’-]+")
_PEOPLE_MARKS: Final = frozenset(MARKS[slot] for slot in ("guest", "guest2", "crewman", "ship"))


def turned(text: str, *, to_woman: bool) -> str:
    """A text about one person, as of a woman or as of a man; as it is where a pronoun is not certain."""
    parts: list[str] = []
    done = 0
    for match in _PRONOUN.finditer(text):
        other = _other(match[1].lower(), text[match.end() :], to_woman=to_woman)
        if not other:
            return text
        parts += [text[done : match.start()], other.capitalize() if match[1][0].isupper() else other]
        done = match.end()
    return "".join([*parts, text[done:]])


def _other(pronoun: str, rest: str, *, to_woman: bool) -> str:
    """The pronoun of the other sex; empty where it is not certain. ``rest`` is the text after it."""
    if (pronoun in _TO_WOMAN) is not to_woman:
        return ""  # somebody else is there
    following = re.match(r" ([A-Za-z]+)\b", rest)
    if pronoun == "his" and not following:
        return "hers"
    if pronoun != "her":
        return (_TO_WOMAN if to_woman else _TO_MAN)[pronoun]
    if following is None:
        return "him" if re.match(r"[.,;:!?]|$", rest) else ""
    if following[1] in _OWNED:
        return "his"
    return "him" if following[1] in _AFTER_WHOM else ""


def names_alone(text: str, member: Member, show: Show) -> bool:
    """Whether a text names that member before any pronoun, and nobody else whose the pronoun could be."""
    words = set(_WORD.findall(re.sub(r"['’]s\b", "", text)))
    if _OTHERS.intersection(word.lower() for word in words) or _PEOPLE_MARKS & words:
        return False
    others = (name for other in show.cast if other != member for name in other.names if name not in member.names)
    named, pronoun = _first(text, member.names), _PRONOUN.search(text)
    return named >= 0 and _first(text, others) < 0 and (pronoun is None or named < pronoun.start())


def _first(text: str, names: Iterable[str]) -> int:
    """Where the first of the names begins; -1 where there is none."""
    found = (re.search(rf"\b{re.escape(name)}\b", text) for name in names if name in text)
    return min((match.start() for match in found if match), default=-1)


__all__ = ["names_alone", "turned"]
