"""A reader of Fountain for tests, written from the syntax page (fountain.io/syntax), as strict about markup."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADING = re.compile(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]", re.IGNORECASE)
NUMBER = re.compile(r"\s*#([A-Za-z0-9.-]+)#\s*$")
EMPHASIS = re.compile(r"(?<!\\)[*_]")


@dataclass(frozen=True)
class Found:
    """One element: its kind, its words without escapes, and a heading's number."""

    kind: str
    text: str
    number: str = ""


def read_fountain(text: str) -> tuple[dict[str, str], list[Found]]:
    """(title page, elements). Fails on a boneyard, a note, or emphasis inside an element's words."""
    assert "/*" not in text
    assert "[[" not in text
    head, _, body = text.partition("\n\n")
    title_page = dict(line.split(": ", 1) for line in head.splitlines())
    found: list[Found] = []
    for paragraph in body.strip("\n").split("\n\n"):
        found += _paragraph(paragraph.split("\n"))
    return title_page, found


def _paragraph(lines: list[str]) -> list[Found]:
    first = lines[0]
    if re.fullmatch("={3,}", first):
        return [Found("page break", "")]
    if first.startswith("#"):
        return [Found("section", _words(first.lstrip("# ")))]
    if first.startswith("="):
        return [Found("synopsis", _words(first[1:].strip()))]
    if first.startswith("~"):
        return [Found("lyric", _words(first[1:]))]
    if first.startswith("!"):
        return [Found("action", _words(line.removeprefix("!"))) for line in lines]
    if first.startswith(">"):
        if first.endswith("<"):
            return [Found("centred", _words(first[1:-1].strip().strip("*")))]
        return [Found("transition", _words(first[1:].strip()))]
    if (first.startswith(".") and not first.startswith("..")) or HEADING.match(first):
        number = NUMBER.search(first)
        return [Found("heading", _words(NUMBER.sub("", first).removeprefix(".")), number[1] if number else "")]
    forced = first.startswith("@")
    bare = re.sub(r"\([^()]*\)", "", first)
    if len(lines) == 1 and re.fullmatch(r"[^a-z]+TO:", first):
        return [Found("transition", _words(first))]
    if len(lines) > 1 and (forced or (bare.upper() == bare and re.search("[A-Z]", bare))):
        return [Found("cue", _words(first.removeprefix("@"))), *(_below_a_cue(line) for line in lines[1:])]
    return [Found("action", _words(line)) for line in lines]


def _below_a_cue(line: str) -> Found:
    if line.startswith("(") and line.endswith(")"):
        return Found("parenthetical", _words(line[1:-1]))
    assert not line.startswith(tuple("#=~!@>.&")), "some readers take this line for something else"
    return Found("dialogue", _words(line))


def _words(text: str) -> str:
    assert not EMPHASIS.search(text), "emphasis that nobody meant"
    return re.sub(r"\\([*_])", r"\1", text)
