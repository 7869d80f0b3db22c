"""Measures of one script, each a pure function of it and finite for any, the empty one among them.

Form (does it read as a teleplay), speech (who speaks, how much) and repetition. None of them knows what a script is
about, and none alone tells a good script: a Markov chain is more varied than any writer, a copy is as well formed.
Usual values of real teleplays stand in ``model.quality.bands``.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from model.quality.wording import ngrams, script_words, share
from tng.script import Element, ElementKind, Script, parse_line, render, render_element

DISTINCT_WORDS: Final = 7_000
"""Distinct n-grams get rarer with length, so every script is read to the same place."""
COMPRESSED_BYTES: Final = 40_000
VARIETY_WORDS: Final = 100
LONGEST_LINE_CHARACTERS: Final = 1_500
FEWEST_LINE_WORDS: Final = 4
"""A shorter line may well come twice: "Aye, sir." is nobody's loop."""

_HEADING = re.compile(r"(?:INT|EXT|INT\.?/EXT)[./ ]")
_OPENERS: Final = frozenset("\"'“‘(.…")


def parse_rate(script: Script) -> float:
    """The share of lines of a known type: headings with words, and elements that read back as they were.

    A speech must say something; an action begins with a letter, a digit or a quotation, and ends within 1,500
    characters. The form is that of ``tng.script``.
    """
    headings = [act.name for act in script.acts] + [scene.heading for scene in script.scenes]
    good = sum(bool(heading.strip()) for heading in headings) + sum(map(_is_well_formed, _elements(script)))
    return share(good, len(headings) + len(_elements(script)))


def headings_valid(script: Script) -> float:
    """The share of scene headings that begin with INT, EXT or INT/EXT, as a slug line does."""
    return share(sum(bool(_HEADING.match(scene.heading)) for scene in script.scenes), len(script.scenes))


def acts_in_order(script: Script, acts: Sequence[str]) -> float:
    """The share of acts that stand where the plan has them: 1 where all of ``acts`` do, and none is twice or empty."""
    there = [act.name if act.scenes else "" for act in script.acts]
    in_place = sum(planned == name for planned, name in zip(acts, there, strict=False))
    return share(in_place, max(len(acts), len(there)))


def speeches_by(script: Script, speakers: Collection[str]) -> float:
    """The share of speeches whose cue is one of ``speakers``.

    Of known speakers: a cue that the training text has at least twice, or a guest of the plan. Of the main cast: the
    show's own people; too few is another series, all of them leaves the story without a guest.
    """
    said = cues(script)
    return share(sum(cue in speakers for cue in said), len(said))


def speakers(script: Script) -> float:
    """How many people speak."""
    return float(len(set(cues(script))))


def one_line_speakers(script: Script) -> float:
    """The share of speakers with a single speech. The best alarm for a text that forgets whom it has on stage."""
    counts = Counter(cues(script))
    return share(sum(count == 1 for count in counts.values()), len(counts))


def dialogue_share(script: Script) -> float:
    """The share of words that are spoken, of those spoken and those of action, parted at white space."""
    spoken = _count_words(script, ElementKind.SPEECH)
    return share(spoken, spoken + _count_words(script, ElementKind.ACTION))


def words_per_speech(script: Script) -> float:
    """The mean number of words of a speech."""
    return share(_count_words(script, ElementKind.SPEECH), len(cues(script)))


def distinct(script: Script, length: int) -> float:
    """Distinct-n: different n-grams by all n-grams, in the first 7,000 words (Li and others 2016, arXiv 1510.03055)."""
    grams = ngrams(script_words(script)[:DISTINCT_WORDS], length)
    return share(len(set(grams)), len(grams))


def repeated_lines(script: Script) -> float:
    """The share of lines of four words and more that stood in the script before."""
    lines = [line for line in map(render_element, _elements(script)) if len(line.split()) >= FEWEST_LINE_WORDS]
    return share(len(lines) - len(set(lines)), len(lines))


def repeated_ngrams(script: Script, length: int = 6) -> float:
    """The share of n-grams that stood in the script before: a loop that changes a word now and then shows here."""
    grams = ngrams(script_words(script), length)
    return share(len(grams) - len(set(grams)), len(grams))


def worst_variety(script: Script) -> float:
    """The lowest type/token ratio of any whole hundred words, or of all words where there are fewer."""
    tokens = script_words(script)
    starts = range(0, max(1, len(tokens) - VARIETY_WORDS + 1), VARIETY_WORDS)
    windows = (tokens[start : start + VARIETY_WORDS] for start in starts)
    return min(share(len(set(window)), len(window)) for window in windows)


def compression(script: Script) -> float:
    """Compressed by uncompressed bytes of the first 40,000 (zlib, level 9); low where a text says the same again."""
    text = render(script).encode()[:COMPRESSED_BYTES]
    return len(zlib.compress(text, 9)) / len(text)


def _elements(script: Script) -> list[Element]:
    return [element for scene in script.scenes for element in scene.elements]


def cues(script: Script) -> list[str]:
    """The cue of every speech, in the order of the page."""
    return [element.cue for element in _elements(script) if element.kind is ElementKind.SPEECH]


def _count_words(script: Script, kind: ElementKind) -> int:
    return sum(len(element.text.split()) for element in _elements(script) if element.kind is kind)


def _is_well_formed(element: Element) -> bool:
    text = element.text
    if not text.strip() or len(text) > LONGEST_LINE_CHARACTERS or parse_line(render_element(element)) != element:
        return False
    return element.kind is not ElementKind.ACTION or text[0].isalnum() or text[0] in _OPENERS


__all__ = [
    "acts_in_order",
    "compression",
    "cues",
    "dialogue_share",
    "distinct",
    "headings_valid",
    "one_line_speakers",
    "parse_rate",
    "repeated_lines",
    "repeated_ngrams",
    "speakers",
    "speeches_by",
    "words_per_speech",
    "worst_variety",
]
