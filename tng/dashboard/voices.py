"""Who speaks how much in a script: counted, and drawn as a table with a bar in each row, which everybody can read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tng.dashboard.markup import Html, tag
from tng.errors import ScriptError
from tng.export.layout import plain
from tng.script import ElementKind, Script, parse

MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Voice:
    """How many words somebody says, in how many speeches."""

    cue: str
    words: int
    speeches: int


def voices_of(script: Script) -> tuple[Voice, ...]:
    """Everybody who speaks, whoever says the most words first; of equals the one who spoke earlier."""
    words: Counter[str] = Counter()
    speeches: Counter[str] = Counter()
    for scene in script.scenes:
        for element in scene.elements:
            if element.kind is ElementKind.SPEECH:
                words[element.cue] += len(element.text.split())
                speeches[element.cue] += 1
    return tuple(Voice(cue, count, speeches[cue]) for cue, count in words.most_common())


def draw_voices(script_text: str | None) -> Html:
    """The table for a script in the compact form; nothing where there is none, or nobody speaks in it."""
    try:
        voices = voices_of(parse(script_text)) if script_text else ()
    except ScriptError:
        return Html()  # the story says it in the log
    if not voices:
        return Html()
    names = ("Who", "Words", "Speeches")
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    body = tag("tbody", *(_row(voice, voices[0].words) for voice in voices[:MOST_SHOWN]))
    table = tag("table", tag("caption", "Who speaks how much"), head, body)
    return tag("section", table, *_rest(voices[MOST_SHOWN:]), class_="tng-voices")


def _row(voice: Voice, most_words: int) -> Html:
    bar = tag("meter", min="0", max=str(max(most_words, 1)), value=str(voice.words), aria_hidden="true")
    who = tag("th", tag("span", plain(voice.cue)), bar, scope="row")
    return tag("tr", who, tag("td", f"{voice.words:,}"), tag("td", f"{voice.speeches:,}"))


def _rest(others: tuple[Voice, ...]) -> list[Html]:
    if not others:
        return []
    people = "one other" if len(others) == 1 else f"{len(others):,} others"
    return [tag("p", f"And {people}, with {sum(voice.words for voice in others):,} words together.")]
