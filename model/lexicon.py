"""Which words may stand in a script, known letter by letter: so that a word that is none is never begun.

A word is known as the corpus writes it: one that stands there in small letters may have a capital where a sentence
begins, one that has a capital there keeps it. The names of a story are added to the words of the corpus. It knows no
grammar, and it draws nothing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

LETTERS: Final = r"[^\W\d_]"

_WORD = re.compile(rf"{LETTERS}+(?:['’]{LETTERS}+)*")
_OPEN = re.compile(rf"{LETTERS}(?:{LETTERS}|['’])*\Z")
_BEGINS_SENTENCE = re.compile(r"(?:^|[.!?:…)\]\"“”‘(—-])\s*[\"“‘'(]*\Z")
_OF_CUES: Final = frozenset({"V", "O", "S", "COM"})


class Lexicon:
    """The words of a corpus and the names of a story. Without words of a corpus, every word is known."""

    def __init__(self, words: Collection[str], names: Iterable[str] = ()) -> None:
        """``words`` as the corpus writes them, ``names`` as texts."""
        self._knows_all = not words
        self._words = frozenset(words) | {word for name in names for word in spelled(name)}
        self._beginnings = frozenset(_beginnings(self._words))
        self._capitals = self._capital_beginnings = frozenset[str]()

    def with_cues(self, cues: Iterable[str]) -> Lexicon:
        """The same, and the cues of a scene in their capitals."""
        other = copy.copy(self)
        other._capitals = _OF_CUES | {word for cue in cues for word in spelled(cue)}
        other._capital_beginnings = frozenset(_beginnings(other._capitals))
        return other

    def knows(self, text: str) -> bool:
        """Whether every word of a text is known where it stands."""
        return self._knows_all or all(
            self._is_word(match.group(), _begins_sentence(text, match.start())) for match in _WORD.finditer(text)
        )

    def may_go_on(self, line: str, more: str) -> bool:
        """Whether ``line``, known so far, can still become a line of known words when ``more`` is added."""
        if self._knows_all:
            return True
        start = max(line.rfind(" ") + 1, 0)
        text = line + more
        opened = _OPEN.search(text, start)
        closed_end = opened.start() if opened else len(text)
        for match in _WORD.finditer(text, start, closed_end):
            if not self._is_word(match.group(), _begins_sentence(text, match.start())):
                return False
        return opened is None or self._may_begin(opened.group(), _begins_sentence(text, opened.start()))

    def _is_word(self, word: str, begins_sentence: bool) -> bool:
        plain = _plain(word)
        if plain in self._words or plain in self._capitals:
            return True
        return begins_sentence and (plain[:1].lower() + plain[1:]) in self._words

    def _may_begin(self, letters: str, begins_sentence: bool) -> bool:
        letters = letters.replace("’", "'")
        if letters in self._beginnings or letters in self._capital_beginnings:
            return True
        if begins_sentence and (letters[:1].lower() + letters[1:]) in self._beginnings:
            return True
        stem = letters.removesuffix("'s").removesuffix("'")
        return stem != letters and self._is_word(stem, begins_sentence)


def spelled(text: str) -> list[str]:
    """The words of a text as they are written, a genitive's ``'s`` taken off."""
    return [_plain(word) for word in _WORD.findall(text)]


def corpus_words(texts: Iterable[str]) -> set[str]:
    """The words of texts: with a capital only where one stands within a sentence, too."""
    words: set[str] = set()
    at_beginnings: set[str] = set()
    for text in texts:
        for match in _WORD.finditer(text):
            word = _plain(match.group())
            (at_beginnings if _begins_sentence(text, match.start()) else words).add(word)
    return words | {word[:1].lower() + word[1:] for word in at_beginnings if word not in words}


def _begins_sentence(text: str, place: int) -> bool:
    return bool(_BEGINS_SENTENCE.search(text, max(0, place - 8), place)) if place else True


def _plain(word: str) -> str:
    return word.replace("’", "'").removesuffix("'s")


def _beginnings(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        for end in range(1, len(word) + 1):
            yield word[:end]


__all__ = ["LETTERS", "Lexicon", "corpus_words", "spelled"]
