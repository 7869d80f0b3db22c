"""The header of a record: what the network is told before it writes a scene. It builds text and decides nothing.

    TITLE: The Silent Threshold
    STORY: The Enterprise answers a distress call and finds a crew asleep.
    TONE: mystery / anomaly
    ACT: ACT TWO / TURN
    CAST: PICARD, DATA, XGUEST
    BEFORE: RIKER: On screen.
    # INT. MAIN BRIDGE

The same header stands in the training text and steers the writing, so every line of it may be missing, but for the
act and the cast: the network has seen such headers too. Names are marks here (see ``model.corpus.slots``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BEFORE_WORDS: Final = 30
STORY_WORDS: Final = 45


@dataclass(frozen=True, slots=True)
class SceneBrief:
    """What is known of a scene before it is written. Empty parts are left out."""

    heading: str
    act: str
    beat: str
    cast: tuple[str, ...]
    title: str = ""
    story: str = ""
    tone: str = ""
    family: str = ""
    before: str = ""


def header(brief: SceneBrief) -> str:
    """The header as text; it ends with the scene's heading, without a newline."""
    tone = " / ".join(part for part in (brief.tone, brief.family) if part)
    lines = {
        "TITLE": brief.title,
        "STORY": cropped(brief.story, STORY_WORDS),
        "TONE": tone,
        "ACT": " / ".join(part for part in (brief.act, brief.beat) if part),
        "CAST": ", ".join(brief.cast),
        "BEFORE": cropped(brief.before, BEFORE_WORDS),
    }
    return "".join(f"{name}: {text}\n" for name, text in lines.items() if text) + f"# {brief.heading}"


def cropped(text: str, most_words: int) -> str:
    """The first ``most_words`` words of a text on one line."""
    return " ".join(text.split()[:most_words])


__all__ = ["SceneBrief", "cropped", "header"]
