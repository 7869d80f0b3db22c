"""Premise in, script out: the plan by code, the lines by the network, each line and each scene through its gate.

What is promised whatever the network says: the title is the premise's; only the asked cast, the story's guests and
whoever is always aboard speak; everyone asked for speaks; every scene has three speeches; no line of some length stands
twice in a scene or in the script; the guests and the names of the logline come up; the script reads back as it was.
The same release, premise and seed give the same script, byte for byte, on the same kind of machine.

A scene that fails its gate is written again with another seed and a little bolder, at most three times, and the best of
them stands. Only what stands is reported, and it never changes.
"""

from __future__ import annotations

import functools
import logging
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from model.casting import recast
from model.copies import CopyIndex, read_copies
from model.corpus.outlines import Outlines, read_outlines, read_words
from model.corpus.slots import MARKS
from model.drafting import Drafting, Sheet
from model.gate import Gate
from model.lexicon import Lexicon
from model.mentions import Mentions
from model.naming import given_names
from model.pen import Pen
from model.planning import Plan, PlannedScene, plan, plan_again, told_line
from model.promotion.script_measures import read_blocked_words, script_measures
from model.prompt import SceneBrief, cropped, header
from model.sampling import Sampling, generator
from model.scene_gate import Draft, SceneGate, Verdict
from model.serving import Network, load_network
from model.tokenizer import Tokenizer
from tng.errors import ReleaseDamaged, ShowError
from tng.releases import MANIFEST, digest, find_release, verify
from tng.script import Act, Element, Premise, Scene, Script, render_scene
from tng.shows import Show, read_show

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
TAKE_SEEDS: Final = 10
"""So many attempts lie between the seeds of two takes of a scene: no take draws what another one drew."""
BOLDER: Final = 0.05
"""How much the temperature rises with each attempt at a scene."""

SURE_MARGIN_NATS: Final = 0.1
MOST_PERPLEXITY: Final = 3.0

Report = Callable[[str, Mapping[str, Any]], None]
"""Told what happens, as it happens: (``plan`` | ``scene`` | ``progress``, its fields as plain JSON values)."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A release that is loaded and warm. ``copies`` is None where the release cannot say what its corpus held."""

    release_id: str
    network: Network
    tokenizer: Tokenizer
    outlines: Outlines
    words: frozenset[str]
    show: Show
    sampling: Sampling = field(default_factory=Sampling)
    copies: CopyIndex | None = None
    corpus_is_ours: bool = False
    sure_nats: float = math.inf
    """The mean surprise a token beyond which a line is drawn again: a little more than that of scenes it has learnt."""


@dataclass(frozen=True, slots=True)
class Written:
    """A script, and how it came about: plain JSON values that hold no word of it.

    ``provenance``: ``release``, ``seed``, ``gates`` (see :attr:`gates`), ``copied``, which is None where the release
    has no index of its corpus, else ``longest_run_words`` and ``share`` of the words as the network wrote them, and
    ``corpus_is_ours``; ``measures`` are those by which the gate judges releases (``model.promotion.script_measures``).
    """

    script: Script
    provenance: dict[str, Any]

    @property
    def gates(self) -> dict[str, Any]:
        """What the gates counted.

        Of scenes: ``scenes``, ``drafts``, ``written_again``, ``let_stand`` with a flaw, ``failed`` drafts by flaw. Of
        the lines that stand: ``lines``, ``forced``, ``stock``. Of all that was tried: ``drawn``, ``refused`` by reason.
        """
        gates: dict[str, Any] = self.provenance["gates"]
        return gates


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
    try:
        show = read_show(folder)
    except ShowError as error:
        raise ReleaseDamaged(f"release {release.id} does not say which show it writes: {error}") from error
    writer = Writer(
        release.id,
        load_network(folder),
        Tokenizer(folder),
        read_outlines(folder),
        read_words(folder),
        show,
        copies=read_copies(folder),
        corpus_is_ours=release.meta.get("corpus", {}).get("is_ours") is True,
        sure_nats=_sure_nats(release.meta.get("evaluation", {}).get("recombined_perplexity")),
    )
    writer.network.feed([writer.tokenizer.end_of_text])
    return writer


def _sure_nats(perplexity: float | None) -> float:
    """How much a line may surprise. Of a release that was not measured, or knows little by heart, none is doubted."""
    return math.log(perplexity) + SURE_MARGIN_NATS if perplexity and perplexity < MOST_PERPLEXITY else math.inf


def write(premise: Premise, writer: Writer, report: Report = lambda _kind, _body: None) -> Written:
    """Write a script; ``report`` hears of the plan, of every scene and of the progress while it is written."""
    began = time.monotonic()
    planned = plan(premise, writer.outlines, writer.show)
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
            seconds = round(time.monotonic() - began, 2)
            report("progress", {**_progress_fields(name, done, len(planned.scenes)), "seconds": seconds})
        acts.append(Act(name, tuple(written)))
    script, told = Script(planned.title, tuple(acts)), desk.provenance()
    measures = script_measures(script, told["gates"], read_blocked_words())
    return Written(script, {**told, "measures": measures})


def write_again(premise: Premise, writer: Writer, script: Script, again: Sequence[int]) -> Scene:
    """Another scene for a place of a script; the script stays as it is.

    ``again`` are the scenes that were written again so far, from 1, in their order, and at the end the one to write.
    The scene is as far in the story, with the same names, and follows what stands before it. It is made of another
    outline, because a release that knows its scenes by heart would write the same one; what the script says is said.
    The same release, premise, script and ``again`` give the same scene. Raises ValueError where there is none such.
    """
    if not again or not all(1 <= number <= len(script.scenes) for number in again):
        raise ValueError(f"a script of {len(script.scenes)} scenes has no such scene to write again")
    number = again[-1]
    planned, scene = plan_again(premise, writer.outlines, writer.show, again)
    desk = _Desk(premise, planned, writer)
    desk.recall(script, number)
    return desk.write_scene(scene, number - 1, again.count(number))


class _Desk:
    """Everything that one script needs while it is written."""

    def __init__(self, premise: Premise, planned: Plan, writer: Writer) -> None:
        self._premise, self._plan, self._writer = premise, planned, writer
        names = (*planned.names.values(), *MARKS.values(), premise.title, premise.logline)
        self._lexicon = Lexicon(writer.words, names)
        self._gate = Gate(self._lexicon)
        self._scene_gate = SceneGate(writer.copies, corpus_is_ours=writer.corpus_is_ours)
        self._mentions = Mentions(_given_names(premise, planned), premise.seed)
        self._counts: Counter[str] = Counter()
        self._last_line: defaultdict[int, str] = defaultdict(str)

    def provenance(self) -> dict[str, Any]:
        """How the script came about so far; see :class:`Written`."""
        counted = ("scenes", "drafts", "written_again", "let_stand", "lines", "drawn", "forced", "stock")
        gates: dict[str, Any] = {name: self._counts[name] for name in counted}
        gates["failed"] = dict(sorted(self._scene_gate.failed.items()))
        gates["refused"] = dict(sorted(self._gate.refused.items()))
        copied = self._scene_gate.copied()
        return {
            "release": self._writer.release_id,
            "seed": self._premise.seed,
            "gates": gates,
            "copied": copied
            and {
                "longest_run_words": copied.longest_run_words,
                "share": round(copied.share, 4),
                "corpus_is_ours": self._writer.corpus_is_ours,
            },
        }

    def recall(self, script: Script, number: int) -> None:
        """Take a script for written, in which another scene will stand in the place of this one, from 1."""
        for place, scene in enumerate(script.scenes, 1):
            self._scene_gate.hear(scene)
            self._gate.hear(scene)
            if place != number:
                self._mentions.hear(scene)
        for planned, scene in zip(self._plan.scenes, script.scenes[: number - 1], strict=False):
            if scene.elements:
                self._last_line[planned.story] = told_line(scene.elements[-1], planned, self._plan)

    def write_scene(self, scene: PlannedScene, number: int, take: int = 0) -> Scene:
        """One scene: the first draft that passes, else the best of three. It stands."""
        sheet = self._sheet(scene, number)
        allowed = {scene.roles.get(name, name) for name in sheet.speakers}
        tried: list[tuple[Verdict, Draft, Gate]] = []
        while len(tried) < MOST_ATTEMPTS and not (tried and not tried[-1][0].flaws):
            gate = self._gate.for_draft()
            draft = Drafting(
                sheet, self._pen(scene, (number, take, len(tried))), gate, stock_said=self._counts["stock"]
            ).write()
            tried.append((self._scene_gate.judge(draft, scene.cast, allowed), draft, gate))
        verdict, draft, self._gate = min(tried, key=lambda attempt: attempt[0].rank)
        self._counts.update(drafts=len(tried), written_again=len(tried) > 1, let_stand=bool(verdict.flaws))
        self._counts["drawn"] += sum(attempt.drawn for _, attempt, _ in tried)
        self._keep(scene, draft)
        return draft.scene

    def _keep(self, scene: PlannedScene, draft: Draft) -> None:
        self._scene_gate.keep(draft)
        self._mentions.hear(draft.scene)
        self._last_line[scene.story] = draft.lines[-1]
        self._counts.update(scenes=1, lines=len(draft.lines), forced=draft.forced, stock=draft.stock)

    def _pen(self, scene: PlannedScene, which: tuple[int, int, int]) -> Pen:
        """A pen below the scene's header, with the seed and the temperature of (number from 0, take, attempt)."""
        writer, seed, (number, take, attempt) = self._writer, self._premise.seed, which
        asked = self._premise.temperature
        temperature = writer.sampling.temperature if asked is None else asked
        sampling = replace(writer.sampling, temperature=temperature + BOLDER * attempt)
        pen = Pen(writer.network, writer.tokenizer, sampling, generator(seed, number, TAKE_SEEDS * take + attempt))
        pen.open(self._header(scene, pen.header_tokens))
        return pen

    def _sheet(self, scene: PlannedScene, number: int) -> Sheet:
        """Whoever the network was told may speak, whoever was asked for, who may walk in, and who is always there."""
        planned = self._plan
        speakers = frozenset({*scene.told, *self._premise.cast, *planned.show.always_aboard})

        def staged(element: Element) -> Element:
            return recast(element, scene.roles, planned.names, planned.show)

        aboard = [name for name in scene.told if name in planned.show.cues] or scene.told
        asked = self._mentions.questions(aboard, scene.cast) if number == self._last_to_mention() else ()
        return Sheet(
            scene.heading,
            scene.told,
            speakers,
            self._lexicon.with_cues(speakers),
            staged,
            opening=[*([scene.opening] if scene.opening else []), *asked],
            sure_nats=self._writer.sure_nats,
        )

    def _last_to_mention(self) -> int:
        """The scene that asks after names which have not come up: the last of the first act that is no side story's."""
        first_act = next(iter(self._plan.acts.values()))
        return max((number for number, scene in enumerate(first_act) if not scene.is_side_story), default=0)

    def _header(self, scene: PlannedScene, most_tokens: int) -> str:
        """The header, made shorter step by step where a customer's words fill too many tokens."""
        brief = self._brief(scene)
        for shorter in (
            brief,
            replace(brief, story=brief.story[:160]),
            replace(brief, story=brief.story[:80], title=brief.title[:40]),
            replace(brief, story="", title="", before=cropped(brief.before, 10)),
            replace(brief, story="", title="", before=""),
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
            tone=scene.tone,
            family=scene.family,
            before=self._last_line[scene.story],
        )


def _given_names(premise: Premise, planned: Plan) -> dict[str, str]:
    """The names of the premise that the plan has taken up, by their slots."""
    found = given_names(premise, planned.show)
    return {slot: name for slot, name in found.items() if planned.names.get(slot) == name}


def _plan_fields(planned: Plan) -> dict[str, Any]:
    acts = [{"name": name, "scenes": [scene.heading for scene in scenes]} for name, scenes in planned.acts.items()]
    return {"title": planned.title, "acts": acts}


def _progress_fields(act: str, done: int, total: int) -> dict[str, Any]:
    return {"act": act, "done": done, "total": total, "percent": 100 * done // total}


__all__ = ["Report", "Writer", "Written", "warm", "write", "write_again"]
