"""Invented teleplays for the importer: scripts of made-up words, and the layouts that the world types them in.

``invented_script`` makes a script of any size from a seed, ``studio_pages`` lays a script out as a studio does, page
headings and (MORE) and all, ``transcript`` and ``zipped`` do the rest. ``EVERY_ANOMALY`` is one short teleplay with all
that goes wrong in real ones. ``MARKER`` stands in each of their texts: no log and no report may hold it.
"""

from __future__ import annotations

import io
import random
import re
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tng.script import Act, Element, ElementKind, Scene, Script

MARKER = "glimmerfrost"
CUES = ("PICARD", "RIKER", "DATA", "WORF", "TROI", "BEVERLY", "GEORDI", "TALLAN", "COMPUTER VOICE", "OSMEK #2", "VELL")
ACTS = ("TEASER", "ACT ONE", "ACT TWO", "ACT THREE", "ACT FOUR", "ACT FIVE")

_NOUNS = str.split(
    "sun sheet paper console light star window ship signal door hand map tide lantern stone thread field"
)
_VERBS = str.split("drifts folds waits turns answers opens fades follows listens hums bends returns crosses holds")
_MORE = str.split("slowly beside beneath without a the its their this thin quiet northern second hollow and then")
_PLACES = str.split("MAIN BRIDGE|READY ROOM|SICKBAY|CORRIDOR|ENGINEERING|TALLAN'S QUARTERS|TEN-FORWARD|CARGO BAY", "|")
_SHOTS = str.split("ANGLE ON THE WINDOW|CLOSE ON THE CONSOLE|NEW ANGLE|RESUME THE ROOM|ANOTHER ANGLE - THE DOOR", "|")
_EXTENSIONS = ("", "", "", "", "", "V.O.", "O.S.", "COM VOICE")
_ASIDES = ("", "", "", "quietly", "off console", "to the door, after a long and rather careful silence")


def invented_script(seed: int, *, scenes: int = 50, speeches: int = 400, title: str = "") -> Script:
    """A script of six acts in made-up sentences. A real episode has about 50 scenes and 400 speeches."""
    rng = random.Random(seed)
    an_act = [scenes // len(ACTS) + (place < scenes % len(ACTS)) for place in range(len(ACTS))]
    each = max(1, round(speeches / scenes))
    acts = [Act(name, tuple(_scene(rng, each) for _ in range(count))) for name, count in zip(ACTS, an_act, strict=True)]
    return Script(title or f"The Paper Sun {seed}", tuple(act for act in acts if act.scenes))


def _scene(rng: random.Random, speeches: int) -> Scene:
    elements = [Element(ElementKind.ACTION, _sentences(rng, 2))]
    for number in range(speeches):
        text = _sentences(rng, rng.randrange(1, 4))
        if rng.random() < 0.1:
            text += f" (beat) {_sentences(rng, 1)}"
        cue = rng.choice(CUES)
        elements.append(Element(ElementKind.SPEECH, text, cue, rng.choice(_EXTENSIONS), rng.choice(_ASIDES)))
        if number % 3 == 2:
            elements.append(Element(ElementKind.ACTION, _sentences(rng, rng.randrange(1, 5))))
        if rng.random() < 0.07:
            elements.append(Element(ElementKind.SHOT, rng.choice(_SHOTS)))
    return Scene(f"{rng.choice(['INT', 'INT', 'EXT'])}. {rng.choice(_PLACES)}", tuple(elements))


def _sentences(rng: random.Random, count: int) -> str:
    return " ".join(_sentence(rng) for _ in range(count))


def _sentence(rng: random.Random) -> str:
    words = [rng.choice((*_NOUNS, *_VERBS, *_MORE, MARKER)) for _ in range(rng.randrange(3, 12))]
    return " ".join(words).capitalize() + rng.choice(".!?.")


# --- the studio's pages -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """One line on a page; ``speaker`` is who may be cut off after it, ``breaks`` whether a page may end after it."""

    text: str
    speaker: str = ""
    breaks: bool = True


def studio_pages(script: Script, number: int | None = 999, *, page_lines: int = 50) -> str:
    """The script as a studio types it: title pages, scene numbers, page headings, CONTINUED, (MORE) and (Cont'd)."""
    lines = [*_title_pages(script.title, number)]
    scene_number, page = 0, 0
    for act in script.acts:
        page += 1
        lines += [_page_heading(script.title, act.name, page), "", act.name.center(64), "", "\tFADE IN:", ""]
        left = page_lines
        for scene in act.scenes:
            scene_number += 1
            for row in _scene_rows(scene, scene_number):
                lines.append(row.text)
                left -= 1
                if left <= 0 and row.breaks:
                    page, left = page + 1, page_lines
                    lines += _page_break(row, _page_heading(script.title, act.name, page), scene_number)
        lines += ["", "\t" * 9 + "FADE OUT.", "", f"END OF {act.name}".center(64), ""]
    return "\n".join([*lines, "THE END".center(64), ""])


def _title_pages(title: str, number: int | None) -> Iterator[str]:
    yield from ("", "                STAR TREK: THE NEXT GENERATION ", "", f'                       "{title}" ')
    yield from (f"                          #40276-{number} ",) if number is not None else ()
    yield from ("", "                          Written by ", "                        A. N. Nobody ", "")
    yield from ("                          Directed by ", "                         Some One Else ", "")
    yield from ("                         FINAL DRAFT", "", "                      MARCH 2, 1993", "")
    yield from (
        f'        STAR TREK: "{title}" - 03/02/93 - CAST ',
        "",
        "CAST".center(64),
        "",
        "        PICARD     DATA",
        "",
    )


def _page_heading(title: str, act: str, page: int) -> str:
    return f'        STAR TREK: "{title}" - REV. 03/02/93 - {act}        {page}.'


def _page_break(row: _Row, heading: str, scene_number: int) -> list[str]:
    more = ["\t" * 5 + "(MORE)"] if row.speaker else []
    again = ["\t" * 5 + _continued(row.speaker)] if row.speaker else []
    return [*more, "", heading, "", f"{scene_number}    CONTINUED:", "", *again]


def _continued(cue: str) -> str:
    return f"{cue} (Cont'd)"


def _scene_rows(scene: Scene, number: int) -> Iterator[_Row]:
    yield from (_Row("", breaks=False), _Row(f"{number}    {scene.heading}", breaks=False), _Row("", breaks=False))
    for element in scene.elements:
        yield from _element_rows(element)
        yield _Row("", breaks=False)


def _element_rows(element: Element) -> Iterator[_Row]:
    match element.kind:
        case ElementKind.SHOT:
            yield _Row(f"7A   {element.text}", breaks=False)
        case ElementKind.TRANSITION:
            yield _Row("\t" * 9 + element.text, breaks=False)
        case ElementKind.ACTION:
            rows = textwrap.wrap(element.text, 55, break_long_words=False, break_on_hyphens=False)
            for row in rows:
                yield _Row("\t" + row, breaks=not re.search(r'(?:[.!?:)"”]|--)$', row) or row is rows[-1])
        case ElementKind.SPEECH:
            yield from _speech_rows(element)


def _speech_rows(element: Element) -> Iterator[_Row]:
    cue = element.cue + (f" ({element.extension})" if element.extension else "")
    yield _Row("\t" * 5 + cue, breaks=False)
    if element.parenthetical:
        yield from _aside_rows(element.parenthetical)
    parts = re.split(r" ?\(([^()]*)\) ?", element.text)
    for place, part in enumerate(parts):
        if place % 2:
            yield from _aside_rows(part)
            continue
        rows = textwrap.wrap(part, 35, break_long_words=False, break_on_hyphens=False)
        for row in rows:
            is_last = row is rows[-1] and place == len(parts) - 1
            yield _Row("\t" * 3 + row, speaker="" if is_last else cue)


def _aside_rows(text: str) -> Iterator[_Row]:
    rows = textwrap.wrap(f"({text})", 25, break_long_words=False, break_on_hyphens=False)
    yield from (_Row("\t" * 4 + " " * (place > 0) + row, breaks=False) for place, row in enumerate(rows))


def with_blanks_for_tabs(text: str) -> str:
    """A copy whose tabs were expanded to eight columns."""
    return "\n".join(line.expandtabs(8) for line in text.split("\n"))


# --- other layouts ------------------------------------------------------------------------------------------


def transcript(script: Script, *, places: Mapping[str, str] | None = None) -> str:
    """The script as a viewer types it: ``[Bridge]``, ``NAME: speech``, ``(action)``. Acts and shots are lost."""
    lines = [f"The Next Generation Transcripts - {script.title}", "", script.title, "Stardate: 46999.1", ""]
    for scene in script.scenes:
        place = scene.heading.split(". ", 1)[1]
        lines += [f"[{(places or {}).get(place, place.title())}]", ""]
        for element in scene.elements:
            if element.kind is ElementKind.SPEECH:
                off = " [OC]" if element.extension == "O.S." else ""
                aside = f"({element.parenthetical}) " if element.parenthetical else ""
                lines.append(f"{element.cue}{off}: {aside}{element.text}")
            elif element.kind is ElementKind.ACTION:
                lines.append(f"({element.text})")
        lines.append("")
    return "\n".join(lines)


def zipped(members: Mapping[str, bytes], **changes: object) -> bytes:
    """A ZIP archive of ``members``; ``changes`` are set on the entry of each (``external_attr``, ``flag_bits`` …)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in changes.items():
                setattr(entry, attribute, value)
            archive.writestr(entry, content)
    return buffer.getvalue()


# --- everything that goes wrong -----------------------------------------------------------------------------

_A, _D, _P, _C, _T = "\t", "\t" * 3, "\t" * 4, "\t" * 5, "\t" * 9


def _anomalous_teaser(title: str) -> Sequence[str]:
    heading = f"STAR TREK: {title} -"
    return (
        f"        {heading} 03/02/93 - TEASER        1.",
        "",
        "                            TEASER                              ",
        "",
        _A + "FADE IN:",
        _A + "(NOTE: Episode credits fall over the first two",
        _A + "or three scenes.)",
        "",
        "1    EXT. SPACE - THE LANTERN (OPTICAL)",
        "",
        _A + "The ship drifts beside a sheet of light as thin as",
        _A + "paper.",
        "",
        _C + "PICARD (V.O.)",
        _D + "Captain's log. We have found",
        _D + f"a {MARKER} one atom thick.",
        "",
        "6.\tINT. MAIN BRIDGE - BEHIND THE LONG CONSOLE AND ALL",
        "OF ITS LIGHTS",
        "",
        _C + "DATA",
        _P + "(off console)",
        _D + "The object has no far side, sir.",
        _P + "(beat)",
        _D + "I find that unsettling.",
        "",
        _A + "He looks up, and the light on his face has",
        f"        {heading} REV. 03/02/93 - TEASER        2.",
        "",
        "2    CONTINUED:",
        "",
        _A + "changed its colour.",
        "",
        _C + "TALLAN'S COM VOICE",
        _P + "(a very long aside that",
        _P + " wraps)",
        _D + "Lantern, turn back.",
        "",
        _C + "PICARD",
        _D + "Who is this? Identify yourself and",
        _C + "(MORE)",
        f"        {heading} REV. 03/02/93 - TEASER        2A.",
        "",
        "2    CONTINUED: (2)",
        "",
        _C + "PICARD (Cont'd)",
        _D + "state your intentions.",
        "",
        "            DATA                    PICARD",
        "       Sir, it is...          Is it folding?",
        "       I cannot say.          Answer me.",
        "",
        _C + "PICARD",
        _P + "(continuing)",
        _D + "And so it folds.",
        "",
        _T + "FADE OUT.",
        "",
        "                         END OF TEASER                          ",
        "",
    )


def _anomalous_acts(title: str) -> Sequence[str]:
    heading = f"        STAR TREK: {title} - 03/02/93 -"
    return (
        f"{heading} ACT ONE        3.",
        "",
        "                           PART ONE                             ",
        "",
        _A + "FADE IN:",
        "",
        "AA50\tINT. READY ROOM - CONTINUOUS",
        "4    OMITTED",
        "thru\tOMITTED",
        "6    OMMITTED",
        "6",
        "37B-A   ANGLE ON THE WINDOW",
        "(FORMERLY SCENE 12)",
        "",
        _A + "Touch\x8e. A paper star.",
        "",
        "\x00\x00\x00\x1611:[5,#b],18:[1,#b]",
        _A + "INT. TEN-FORWARD",
        "",
        _C + "PICARD (o.s.)",
        _D + "Come.",
        "",
        _C + '"Q" (JUDGE)',
        "\t\tThis line stands two tabs in,",
        "\t\tas verse does.",
        "",
        " " * 45 + "CUT TO:",
        " " * 45 + "DISSOLVE TO:",
        "",
        "                        END ACT ONE                          ",
        "",
        f"{heading} ACT TWO        9.",
        "",
        _A + "INT. CORRIDOR",
        "",
        _C + "PICARD/DATA",
        _D + "Together, then.",
        "",
        _C + "PICADR",
        _D + "Mistyped.",
        "",
        *(line for number in range(9) for line in (_C + "PICARD", _D + f"Line {number}.", "")),
        "                        END OF ACT TWO                          ",
        "",
        f"{heading} ACT THREE        19.",
        "",
        "                           ACT TWO                             ",
        "",
        "9   INT. SICKBAY",
        "",
        _A + "DISTRIBUTION: the third floor",
        "",
        _C + "DATA",
        _D + "The heading above was misprinted.",
        "",
        "                            THE END                             ",
        "",
        "From: somebody",
        "To: everybody",
        "STXT\x00\x00",
    )


def anomalous(title: str = '"The Paper Sun"', number: str = "#40276-999") -> bytes:
    """The teleplay with every anomaly, in Mac Roman with DOS line ends, as it may lie in an old archive."""
    front = [
        "",
        "                STAR TREK: THE NEXT GENERATION ",
        "",
        f"                {title} ",
        "",
        f"    {number} ",
        "",
    ]
    front += ["        Written by ", "    A. N. Nobody ", "", "THE WRITING CREDITS MAY NOT BE FINAL", ""]
    front += [f"        STAR TREK: {title} - 03/02/93 - CAST ", "", "    CAST    ", "", "    PICARD     TALLAN", ""]
    return ("\r\n".join([*front, *_anomalous_teaser(title), *_anomalous_acts(title)]) + "\r\n\x1a").encode("latin-1")


EVERY_ANOMALY = anomalous()
