"""Four layouts are recognised by what stands in them, and read; the rest is refused, with counts and no words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from model.corpus.teleplays.dialects import dialect_of, read_teleplay
from model.corpus.teleplays.imported import Dialect
from tests.teleplays import ACTS, MARKER, invented_script, studio_pages, transcript
from tng.errors import CorpusError
from tng.export.colophon import Colophon
from tng.export.fdx import render_fdx
from tng.export.fountain import render_fountain
from tng.script import ElementKind, Script, render
from tng.shows import Show

SCRIPT = invented_script(3, scenes=14, speeches=60)


def fountain(script: Script) -> str:
    """A plain Fountain file, as any editor of them writes it."""
    blocks = [f"Title: {script.title}\nCredit: written by\nAuthor: A. N. Nobody\nLogline: A sun folds.\nEpisode: 12"]
    for act in script.acts:
        blocks.append(f"# {act.name}")
        for number, scene in enumerate(act.scenes, 1):
            blocks.append(f"{scene.heading} #{number}#")
            for e in scene.elements:
                extension, aside = (
                    f" ({e.extension})" * bool(e.extension),
                    f"({e.parenthetical})\n" * bool(e.parenthetical),
                )
                is_speech = e.kind is ElementKind.SPEECH
                blocks.append(f"{e.cue}{extension}\n{aside}{e.text}" if is_speech else f"!{e.text}")
    return "\n\n".join(blocks) + "\n"


def final_draft(script: Script) -> str:
    """A Final Draft file with styled text in several runs."""
    rows = []
    for act in script.acts:
        rows.append(("New Act", act.name))
        for scene in act.scenes:
            rows.append(("Scene Heading", scene.heading))
            for e in scene.elements:
                if e.kind is ElementKind.SPEECH:
                    rows.append(("Character", e.cue + f" ({e.extension})" * bool(e.extension)))
                    rows += [("Parenthetical", f"({e.parenthetical})")] if e.parenthetical else []
                rows.append(({"speech": "Dialogue", "shot": "Shot"}.get(e.kind.value, "Action"), e.text))
        rows.append(("End of Act", f"END OF {act.name}"))
    body = "".join(
        f'<Paragraph Type="{kind}"><Text>{text[:9]}</Text><Text Style="Bold">{text[9:]}</Text></Paragraph>'
        for kind, text in rows
    )
    title = f"<TitlePage><Content><Paragraph><Text>{script.title}</Text></Paragraph></Content></TitlePage>"
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<FinalDraft DocumentType="Script" Version="5">'
    return f"{start}<Content>{body}</Content>{title}</FinalDraft>"


LAYOUTS = {
    Dialect.STUDIO: (studio_pages(SCRIPT), ".txt"),
    Dialect.TRANSCRIPT: (transcript(SCRIPT), ".txt"),
    Dialect.FOUNTAIN: (fountain(SCRIPT), ".txt"),
    Dialect.FINAL_DRAFT: (final_draft(SCRIPT), ".txt"),
}


@pytest.mark.parametrize("dialect", LAYOUTS, ids=[dialect.value for dialect in LAYOUTS])
def test_a_layout_is_recognised_by_what_stands_in_it(dialect: Dialect, show: Show) -> None:
    text, suffix = LAYOUTS[dialect]
    assert dialect_of(text, suffix, show) is dialect
    imported = read_teleplay(text, suffix, show)
    assert imported.dialect is dialect
    assert (imported.script.title, imported.unknown_lines) == (SCRIPT.title, ())
    assert [act.name for act in imported.script.acts] == list(ACTS)


@pytest.mark.parametrize("dialect", [Dialect.STUDIO, Dialect.FINAL_DRAFT], ids=lambda dialect: dialect.value)
def test_layouts_that_know_everything_give_the_script_back(dialect: Dialect, show: Show) -> None:
    assert render(read_teleplay(*LAYOUTS[dialect], show).script) == render(SCRIPT)


def test_fountain_gives_the_script_back_with_its_title_page(show: Show) -> None:
    imported = read_teleplay(*LAYOUTS[Dialect.FOUNTAIN], show)
    # a shot has no form of its own there; as forced action it is action
    plain = render(SCRIPT).replace("\n* ", "\n")
    assert render(imported.script) == plain
    page = imported.page
    assert (page.title, page.number, page.writer, page.story) == (SCRIPT.title, 12, "A. N. Nobody", "A sun folds.")


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("PICARD\n*So* it **folds**, _sir_.", "PICARD: So it folds, sir."),
        ("PICARD\n***All*** of **it *really* folds**.", "PICARD: All of it really folds."),
        ("PICARD\nA \\*star\\* and 2 * 3 * 4.", "PICARD: A *star* and 2 * 3 * 4."),
        ("PICARD\nSo [[a note]] it folds.", "PICARD: So it folds."),
        ("PICARD\nSo /* cut */ it folds.", "PICARD: So it folds."),
        ("PICARD (V.O.) (CONT'D)\nSo.", "PICARD (V.O.): So."),
        ("@McGrath\nSo.", "MCGRATH: So."),
        ("PICARD\nSo.\n(beat)\nIt folds.", "PICARD: So. (beat) It folds."),
        ("PICARD\nSo.\n\nDATA ^\nIndeed.", "DATA: Indeed."),
        (".ANGLE ON THE DOOR", "* ANGLE ON THE DOOR"),
        ("> DISSOLVE TO:", "> DISSOLVE TO:"),
        ("DATA\n~So it folds", "DATA: So it folds"),
        ("!INT. is no heading here", "INT. is no heading here"),
    ],
    ids=[
        "emphasis",
        "emphasis in emphasis",
        "stars",
        "a note",
        "cut",
        "an extension",
        "forced",
        "a beat",
        "dual",
        "a shot",
        "a transition",
        "lyric",
        "!",
    ],
)
def test_fountain_marks_are_understood(typed: str, line: str, show: Show) -> None:
    text = f"INT. BRIDGE\n\nA door.\n\nPICARD\nYes.\n\n{typed}\n"
    imported = read_teleplay(text, ".fountain", show, allow_short=True)
    assert line in render(imported.script).splitlines()


@pytest.mark.parametrize(
    ("suffix", "exporter"), [(".fountain", render_fountain), (".fdx", render_fdx)], ids=["Fountain", "Final Draft"]
)
def test_what_the_product_exports_can_be_imported(
    suffix: str, exporter: Callable[[Script, Colophon], str | bytes], show: Show
) -> None:
    colophon = Colophon("Product", "A disclaimer.", "urn:x", datetime(2026, 1, 1, tzinfo=UTC))
    exported = exporter(SCRIPT, colophon)
    text = exported.decode() if isinstance(exported, bytes) else exported
    imported = read_teleplay(text, suffix, show)
    assert imported.script.acts == SCRIPT.acts
    assert imported.script.title.casefold() == SCRIPT.title.casefold()


def test_fountain_acts_are_sections_or_centred_and_their_ends_are_not_action(show: Show) -> None:
    text = "> TEASER <\n\n!FADE IN:\n\nINT. A\n\nPICARD\nYes.\n\n> END OF TEASER <\n\n==="
    text += "\n\n# Act One\n\nINT. B\n\nDATA\nNo.\n"
    script = read_teleplay(text, ".fountain", show, allow_short=True).script
    assert render(script) == "Title: \n## TEASER\n# INT. A\nPICARD: Yes.\n## ACT ONE\n# INT. B\nDATA: No.\n"


def test_a_transcript_calls_people_by_any_of_their_names(show: Show) -> None:
    member = next(m for m in show.cast if any(n.upper() != m.cue and m.cue != n.upper() for n in m.names[1:]))
    other = next(name for name in member.names if name.upper() not in show.cues)
    text = (
        f"[Bridge]\n\n{other.upper().replace(' ', '')}: One.\nDATA [OC]: Two.\nDATA [on viewscreen]: (quietly) Three.\n"
    )
    text += "on two lines.\n\nNobody speaks here.\n[Planet surface]\n(The door opens.)\nDATA: Four.\n"
    script = read_teleplay(text, ".txt", show, allow_short=True).script
    assert render(script).splitlines()[2:] == [
        "# INT. BRIDGE",
        f"{member.cue}: One.",
        "DATA (O.S.): Two.",
        "DATA (ON VIEWSCREEN): (quietly) Three. on two lines.",
        "Nobody speaks here.",
        "# EXT. PLANET SURFACE",
        "The door opens.",
        "DATA: Four.",
    ]


def test_a_script_without_acts_gets_them_by_the_place_of_its_scenes(show: Show) -> None:
    imported = read_teleplay(transcript(invented_script(1, scenes=44, speeches=88)), ".txt", show)
    assert [len(act.scenes) for act in imported.script.acts] == [4, 8, 8, 8, 8, 8]
    assert imported.repaired_acts == 6


@pytest.mark.parametrize(
    ("text", "suffix", "reason"),
    [
        ("", ".txt", "no known layout; seen: tabbed cues 0"),
        (f"A novel about a {MARKER}.\n" * 400, ".txt", "no known layout"),
        ("PICARD: one line alone\n", ".txt", "NAME: lines 1"),
        (f"<FinalDraft><Content>{MARKER}", ".fdx", "not well-formed XML"),
        (f"{MARKER} " * 900, ".txt", "a line of 11,700 characters"),
        ("<html/>", ".fdx", "not a Final Draft file"),
        ("<FinalDraft/>", ".fdx", "has no Content"),
        (f"INT. HALL\n\n{MARKER} and nobody.\n", ".fountain", "nobody speaks in it"),
        (studio_pages(replace(SCRIPT, acts=SCRIPT.acts[:3])), ".txt", "has 8 scenes, as a file that was cut off"),
        (re.sub(r"\n\t(?!\t)", "\n   ", studio_pages(SCRIPT)), ".txt", r"lines are not understood \(\d"),
    ],
    ids=str.split("nothing|a novel|one line|half XML|endless|HTML|no content|nobody speaks|cut off|shifted", "|"),
)
def test_what_is_no_teleplay_is_refused_with_counts_and_no_words(
    text: str, suffix: str, reason: str, show: Show
) -> None:
    with pytest.raises(CorpusError, match=reason) as refusal:
        read_teleplay(text, suffix, show)
    assert MARKER not in str(refusal.value)


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
    ],
    ids=["a bomb", "a file", "an address"],
)
def test_xml_that_defines_entities_is_refused(start: str, show: Show) -> None:
    with pytest.raises(CorpusError, match="such files are refused"):
        read_teleplay(f"{start}<FinalDraft><Content/></FinalDraft>", ".fdx", show)


def test_a_short_piece_is_taken_when_the_operator_says_so(show: Show) -> None:
    short = studio_pages(replace(SCRIPT, acts=SCRIPT.acts[:3]))
    assert len(read_teleplay(short, ".txt", show, allow_short=True).script.scenes) == 8
