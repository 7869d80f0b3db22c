"""What the title page of a studio teleplay says: title, number, who wrote it, which draft. Nothing of the story.

The number is that of the page (``#40276-103``): files are often numbered by the order in which they were shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from model.corpus.teleplays.composer import squeezed
from model.corpus.teleplays.imported import TitlePage
from model.corpus.teleplays.lines import Classifier

_NUMBER = re.compile(r"#?\s*\b\d{5,6}\s*-\s*(\d{1,4})\b")
_LONE_NUMBER = re.compile(r"^\s*#?\s*(\d{3})(?:/\d{3})?\s*$")
_WRITER: Final = re.compile(r"(?:written|teleplay|screenplay)(?: and \w+)? by\b:?", re.IGNORECASE)
_DIRECTOR: Final = re.compile(r"directed by\b:?", re.IGNORECASE)
_DRAFT = re.compile(r"\b(?:DRAFT|SHOOTING SCRIPT)\b")
_DATE = re.compile(r"\b(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*\.? \d{1,2}, \d{4}\b", re.IGNORECASE)
_QUOTES: Final = '"“”'


def read_title_page(lines: Sequence[str], classifier: Classifier) -> TitlePage:
    """Read the lines before the first act. What is not there is left empty."""
    texts = [squeezed(line) for line in lines]
    draft = next((text for text in texts if _DRAFT.search(text)), "")
    date = next((found[0] for text in texts if (found := _DATE.search(text))), "")
    return TitlePage(
        title=_title(lines, classifier),
        number=_number(texts),
        writer=_named_after(_WRITER, texts),
        director=_named_after(_DIRECTOR, texts),
        draft=draft,
        date=date,
    )


def _title(lines: Sequence[str], classifier: Classifier) -> str:
    """The line below the series' own; one in quotes where the series is not named."""
    for place, line in enumerate(lines):
        if classifier.is_series(line):
            below = next((squeezed(other) for other in lines[place + 1 :] if other.strip()), "")
            return _unquoted(below)
    quoted = (squeezed(line) for line in lines if not classifier.is_page_heading(line))
    return next((_unquoted(text) for text in quoted if _unquoted(text) != text), "")


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    whole = len(text) > 2 and text[0] in _QUOTES and text[-1] in _QUOTES and not set(inner) & set(_QUOTES)
    return inner.strip() if whole else text


def _number(texts: Sequence[str]) -> int | None:
    for pattern in (_NUMBER, _LONE_NUMBER):
        for text in texts:
            if found := pattern.search(text):
                return int(found[1])
    return None


def _named_after(credit: re.Pattern[str], texts: Sequence[str]) -> str:
    """The names behind a credit, or on the lines below it, as far as they go."""
    for place, text in enumerate(texts):
        if found := credit.match(text):
            below = [*filter(None, [text[found.end() :].strip()])]
            for other in texts[place + 1 :]:
                if not other and below:
                    break
                below += [other] if other else []
            return " ".join(below[:4])
    return ""


__all__ = ["read_title_page"]
