"""Premise in, script out: the plan by code, the lines by the network, each line through the gate.

What is promised whatever the network says: the title is the premise's; only the asked cast, the story's guests and
the computer speak; everyone asked for speaks; every scene has three speeches; no line of some length stands twice;
the script reads back as it was. The same release, premise and seed give the same script, byte for byte, on the same
kind of machine.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from model.casting import recast
from model.corpus.outlines import Outlines, read_outlines, read_words
from model.corpus.slots import MARKS, Names
from model.gate import Gate, Refusal, hopeless
from model.lexicon import Lexicon
from model.pen import Pen
from model.planning import COMPUTER, Plan, PlannedScene, plan
from model.prompt import SceneBrief, cropped, header
from model.sampling import Sampling, generator
from model.serving import Network, load_network
from model.story import FAMILY_TONES
from model.tokenizer import Tokenizer
from tng.releases import MANIFEST, digest, find_release, verify
from tng.script import Act, Element, ElementKind, Premise, Scene, Script, parse_line, render_scene

logger = logging.getLogger(__name__)

FEWEST_SPEECHES: Final = 3
MOST_LINES: Final = 20
FREE_DRAWS: Final = 5
FORCED_DRAWS: Final = 4

Report = Callable[[str, Mapping[str, Any]], None]
"""Told what happens, as it happens: (``plan`` | ``scene`` | ``progress``, its fields as plain JSON values)."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A release that is loaded and warm."""

    release_id: str
    network: Network
    tokenizer: Tokenizer
    outlines: Outlines
    words: frozenset[str]
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Written:
    """A script and what it took: lines drawn, refused by reason, forced to a speaker, taken from stock."""

    script: Script
    gates: dict[str, Any]


def warm(release_folder: Path | str) -> Writer:
    """The writer of a release, verified and loaded once a process: asked again it is there.

    Raises ReleaseMissing or ReleaseDamaged. A folder whose manifest changed is another release.
    """
    release = find_release(Path(release_folder).resolve())
    return _load(release.folder, digest(release.folder / MANIFEST))


@functools.lru_cache(maxsize=2)
def _load(folder: Path, manifest_digest: str) -> Writer:
    release = verify(find_release(folder))
    logger.info("release %s verified, manifest %s", release.id, manifest_digest[:12])
    writer = Writer(release.id, load_network(folder), Tokenizer(folder), read_outlines(folder), read_words(folder))
    writer.network.feed([writer.tokenizer.end_of_text])
    return writer


def write(premise: Premise, writer: Writer, report: Report = lambda _kind, _body: None) -> Written:
    """Write a script; ``report`` hears of the plan, of every scene and of the progress while it is written."""
    planned = plan(premise, writer.outlines)
    report("plan", _plan_fields(planned))
    desk = _Desk(premise, planned, writer)
    acts: list[Act] = []
    done = 0
    for name, scenes in planned.acts.items():
        written: list[Scene] = []
        for scene in scenes:
            written.append(desk.write_scene(scene, done))
            done += 1
            report("scene", {"act": name, "number": done, "text": render_scene(written[-1])})
            report("progress", _progress_fields(name, done, len(planned.scenes)))
        acts.append(Act(name, tuple(written)))
    return Written(Script(planned.title, tuple(acts)), desk.gates())


class _Desk:
    """Everything that one script needs while it is written."""

    def __init__(self, premise: Premise, planned: Plan, writer: Writer) -> None:
        self._premise, self._plan, self._writer = premise, planned, writer
        names = (*planned.names.values(), *MARKS.values(), premise.title, premise.logline)
        self._lexicon = Lexicon(writer.words, names)
        self._gate = Gate(self._lexicon)
        self._counts: Counter[str] = Counter()
        self._last_line = {True: "", False: ""}

    def gates(self) -> dict[str, Any]:
        """What the gates counted, as plain JSON values."""
        counted = {name: self._counts[name] for name in ("lines", "drawn", "forced", "stock")}
        return {**counted, "refused": dict(sorted(self._gate.refused.items()))}

    def write_scene(self, scene: PlannedScene, number: int) -> Scene:
        """One scene, from its header to its end."""
        writer = self._writer
        pen = Pen(writer.network, writer.tokenizer, writer.sampling, generator(self._premise.seed, number))
        pen.open(self._header(scene, pen.header_tokens))
        page = _Page(scene, self._plan.names, self._premise.cast, self._lexicon)
        wants_end = False
        while not (page.is_complete and (wants_end or len(page.elements) >= MOST_LINES)):
            must_force = wants_end or len(page.elements) + len(page.missing) >= MOST_LINES
            wants_end = self._next_line(pen, page, must_force=must_force)
        self._last_line[scene.is_side_story] = page.last_line
        self._counts["lines"] += len(page.elements)
        return Scene(scene.heading, tuple(page.elements))

    def _next_line(self, pen: Pen, page: _Page, *, must_force: bool) -> bool:
        """Put the next line on the page; whether the network wants to end the scene then."""
        for _ in range(0 if must_force else FREE_DRAWS):
            drawn = pen.draw_line(lexicon=page.lexicon, is_hopeless=lambda text: hopeless(text, page.speakers))
            self._counts["drawn"] += 1
            if drawn.ended and not drawn.text.strip():
                pen.take_back()
                return True
            if self._stands(drawn.text, page, page.speakers):
                pen.keep()
                return drawn.ended
            pen.take_back()
        self._force_line(pen, page)
        return must_force

    def _force_line(self, pen: Pen, page: _Page) -> None:
        """A speech by somebody who should speak; from stock where the network has nothing fit to say."""
        cue = page.next_cue()
        self._counts["forced"] += 1
        for _ in range(FORCED_DRAWS):
            drawn = pen.draw_line(beginning=f"{cue}:", lexicon=page.lexicon)
            self._counts["drawn"] += 1
            if self._stands(drawn.text, page, (cue,)):
                pen.keep()
                return
            pen.take_back()
        self._counts["stock"] += 1
        line = f"{cue}: {STOCK_LINES[self._counts['stock'] % len(STOCK_LINES)]}"
        page.add(line, page.staged(parse_line(line)))
        pen.write(line)

    def _stands(self, line: str, page: _Page, speakers: Collection[str]) -> bool:
        """Whether the gate lets a line of the network stand; then it is on the page."""
        element = self._gate.judge(line, speakers, page.staged)
        if isinstance(element, Refusal):
            return False
        self._gate.keep(element)
        page.add(line, element)
        return True

    def _header(self, scene: PlannedScene, most_tokens: int) -> str:
        """The header, made shorter step by step where a customer's words fill too many tokens."""
        brief = self._brief(scene)
        for shorter in (
            brief,
            _replaced(brief, story=brief.story[:160]),
            _replaced(brief, story=brief.story[:80], title=brief.title[:40]),
            _replaced(brief, story="", title="", before=cropped(brief.before, 10)),
            _replaced(brief, story="", title="", before=""),
        ):
            text = header(shorter)
            if len(self._writer.tokenizer.encode(text)) < most_tokens:
                return text
        return header(SceneBrief(scene.told_heading, scene.story_act, scene.beat, scene.told[:3]))

    def _brief(self, scene: PlannedScene) -> SceneBrief:
        return SceneBrief(
            heading=scene.told_heading,
            act=scene.story_act,
            beat=scene.beat,
            cast=scene.told,
            title=self._plan.told_title,
            story="" if scene.is_side_story else self._plan.told_story,
            tone=FAMILY_TONES[scene.family].value,
            family=scene.family,
            before=self._last_line[scene.is_side_story],
        )


STOCK_LINES: Final = (
    "Go on.", "I see.", "Report.", "What now?", "Understood.", "Are you certain?", "Then we wait.",
    "Tell me more.", "Perhaps.", "I am listening.", "Let us begin.", "Very well.",
)  # fmt: skip
"""Said where the network has nothing to say that may stand. Short, so that they may be said again."""


class _Page:
    """A scene while it is written: its elements as the page has them, and the network's side of it."""

    def __init__(self, scene: PlannedScene, names: Names, asked: tuple[str, ...], lexicon: Lexicon) -> None:
        self.elements: list[Element] = []
        self.last_line = ""
        self.speakers = frozenset({*scene.told, *asked, COMPUTER})
        """Who may speak: whoever the network was told; whoever was asked for may join or walk in; the computer."""
        self.lexicon = lexicon.with_cues(self.speakers)
        self._scene, self._names = scene, names
        self._cues: list[str] = []

    def staged(self, element: Element) -> Element:
        """The page's element for one of the network's."""
        return recast(element, self._scene.roles, self._names)

    def add(self, line: str, element: Element) -> None:
        """The line stands, as this element."""
        self.elements.append(element)
        self.last_line = line
        if cue := parse_line(" ".join(line.split())).cue:
            self._cues.append(cue)

    @property
    def missing(self) -> list[str]:
        """Who of the scene has not spoken yet."""
        return [name for name in self._scene.told if name not in self._cues]

    @property
    def is_complete(self) -> bool:
        """Whether the scene may end here."""
        speeches = sum(element.kind is ElementKind.SPEECH for element in self.elements)
        return speeches >= FEWEST_SPEECHES and not self.missing

    def next_cue(self) -> str:
        """Who should speak next: someone who has not, else whoever was silent for longest."""
        if self.missing:
            return self.missing[0]
        return max(self._scene.told, key=lambda name: self._cues[::-1].index(name))


def _replaced(brief: SceneBrief, **changes: Any) -> SceneBrief:
    return SceneBrief(**{**{name: getattr(brief, name) for name in SceneBrief.__dataclass_fields__}, **changes})


def _plan_fields(planned: Plan) -> dict[str, Any]:
    acts = [{"name": name, "scenes": [scene.heading for scene in scenes]} for name, scenes in planned.acts.items()]
    return {"title": planned.title, "acts": acts}


def _progress_fields(act: str, done: int, total: int) -> dict[str, Any]:
    return {"act": act, "done": done, "total": total, "percent": 100 * done // total}


__all__ = ["STOCK_LINES", "Report", "Writer", "Written", "warm", "write"]
