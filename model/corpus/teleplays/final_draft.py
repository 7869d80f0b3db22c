"""Read Final Draft's FDX. The XML comes from anybody, so it is opened by defusedxml: entities are refused.

screenplay-tools reads only the first run of text of a paragraph and knows no shots; so the paragraphs are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element as XmlElement

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from model.corpus.teleplays.composer import Composer, squeezed
from model.corpus.teleplays.cues import mended, read_cue
from model.corpus.teleplays.imported import Dialect, Imported, TitlePage
from model.corpus.teleplays.lines import act_name
from tng.errors import CorpusError
from tng.shows import Show

ROOT: Final = "FinalDraft"

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ACT_ENDS = re.compile(r"\W*(?:END OF\b.*|THE END|TO BE CONTINUED)\W*$", re.IGNORECASE)
_CREDIT = re.compile(r"(?:written|teleplay) by\b:?", re.IGNORECASE)


def read_final_draft(text: str, show: Show) -> Imported:
    """Read a Final Draft file. Raises CorpusError where it is no XML, unsafe XML, or no script."""
    root = _root(text)
    content = root.find("Content")
    if content is None:
        raise CorpusError("the Final Draft file has no Content")
    page = _title_page(root)
    composer, count = Composer(), 0
    for paragraph in _paragraphs(content):
        words = _text(paragraph)
        count += bool(words)
        if words:
            _add(composer, paragraph.get("Type", "Action"), words, show)
    script, mended_cues = mended(composer.script(page.title), show.cues)
    return Imported(Dialect.FINAL_DRAFT, page, script, count, mended_cues=mended_cues)


def _root(text: str) -> XmlElement:
    try:
        root: XmlElement = fromstring(_DECLARATION.sub("", text).strip(), forbid_dtd=True)
    except DefusedXmlException as error:
        raise CorpusError("the Final Draft file defines entities or a document type; such files are refused") from error
    except (ParseError, ValueError, RecursionError) as error:
        raise CorpusError(f"the Final Draft file is not well-formed XML ({type(error).__name__})") from error
    if root.tag != ROOT:
        raise CorpusError("the XML is not a Final Draft file")
    return root


def _paragraphs(parent: XmlElement) -> Iterator[XmlElement]:
    """Paragraphs in their order; those of simultaneous speech stand inside another."""
    for paragraph in parent.iterfind("Paragraph"):
        dual = paragraph.find("DualDialogue")
        if dual is None:
            yield paragraph
        else:
            yield from dual.iterfind("Paragraph")


def _text(paragraph: XmlElement) -> str:
    return squeezed("".join(run for part in paragraph.iterfind("Text") for run in part.itertext()))


def _add(composer: Composer, kind: str, text: str, show: Show) -> None:
    match kind:
        case "New Act":
            composer.act(act_name(text.upper()))
        case "Scene Heading" | "Scene Heading (Top of Page)":
            composer.scene(text)
        case "Shot":
            composer.shot(text)
        case "Character":
            cue = read_cue(text, show.teleplays.aliases)
            composer.cue(cue.name or "VOICE", cue.extension)
        case "Parenthetical":
            composer.aside(text)
        case "Dialogue" | "Singing" | "Lyrics":
            composer.words(text)
        case "Transition":
            composer.transition(text)
        case "End of Act" | "Cast List":
            pass
        case _ if not _ACT_ENDS.match(text):
            composer.action(text)


def _title_page(root: XmlElement) -> TitlePage:
    content = root.find("TitlePage/Content")
    texts = [*filter(None, map(_text, content.iterfind("Paragraph")))] if content is not None else []
    credit = next((place for place, text in enumerate(texts) if _CREDIT.match(text)), None)
    below = texts[credit + 1 : credit + 2] if credit is not None else []
    return TitlePage(title=texts[0].strip('"“” ') if texts else "", writer="".join(below))


__all__ = ["ROOT", "read_final_draft"]
