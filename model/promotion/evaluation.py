"""A candidate and the champion measured, both by the same text and the same premises, and kept in one file.

The order is that of what may go wrong: first the files, then processes of their own, and only then this process reads
and writes with them. A candidate that fails so far is not measured any further, and the champion beside it neither.
What is measured of one side is kept as soon as it is there, so that an attempt that was ended is gone on with.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from model.corpus.training_text import Corpus
from model.evaluate import premises_of
from model.promotion.checks import Trial
from model.promotion.files import flaw_of
from model.promotion.held_out import Passage, Reader, passages, reading_of
from model.promotion.measured import Measured
from model.promotion.probing import Probes, probe_in_turns
from model.promotion.samples import Report, Samples, write_samples
from model.quality.comparison import is_own_text
from model.quality.texts import held_out_episodes
from model.serving import load_network
from model.tokenizer import Tokenizer
from model.writing import warm
from tng.errors import CorpusError, TngError
from tng.releases import MANIFEST, digest, find_release
from tng.script import Length, Premise
from tng.shows import Show, read_show

logger = logging.getLogger(__name__)

EVALUATION_FILE: Final = "evaluation.json"
VERSION: Final = 1
LEAST_SAMPLE_SECONDS: Final = 20.0
TIMES_THE_CHAMPION: Final = 10.0
MOST_SAMPLE_SECONDS: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of both: the corpus whose held-out episodes they read, and the premises for which they write."""

    corpus: Corpus
    samples: int
    length: Length
    seed: int
    blocked: frozenset[str]

    def premises(self, show: Show) -> tuple[Premise, ...]:
        """The premises of a show."""
        return premises_of(show, self.samples, self.length, self.seed)

    def key(self, *releases: Path) -> str:
        """What an answer is known by: the question and the releases, by the digests of their manifests."""
        asked = [self.corpus.fingerprint, self.samples, self.length.value, self.seed, sorted(self.blocked), VERSION]
        told = [digest(folder / MANIFEST) if (folder / MANIFEST).is_file() else "" for folder in releases]
        return hashlib.sha256(json.dumps([asked, told]).encode()).hexdigest()


def evaluate(candidate: Path, champion: Path, question: Question, folder: Path, report: Report) -> Trial:
    """Measure both and write ``evaluation.json`` into ``folder``; what an attempt before has measured is taken.

    ``report`` hears how many percent are done. Raises ReleaseMissing where there is no candidate, CorpusError where
    it has nothing to do with the corpus or the champion.
    """
    find_release(candidate)
    path, key = folder / EVALUATION_FILE, question.key(candidate, champion)
    if (kept := _kept(path, key)) is not None and not _was_disturbed(trial_of(kept)):
        return trial_of(kept)
    flaws = {"candidate": flaw_of(candidate), "champion": flaw_of(champion)}
    _refuse_strangers(candidate, champion, question.corpus, flaws)
    own = {"candidate": candidate, "champion": champion}
    sides = {side: Measured(place.name, flaw=flaws[side]) for side, place in own.items()}
    if not flaws["candidate"]:
        probes = probe_in_turns(None if flaws["champion"] else champion, candidate)
        sides = {side: replace(one, probes=probes.get(side, Probes())) for side, one in sides.items()}
        sides = _Desk(own, question, folder, report).measured(sides)
    trial = Trial(sides["candidate"], sides["champion"], is_own_text(question.corpus), question.samples)
    _write(path, _fields(trial, candidate, question, key))
    return trial


def read_evaluation(path: Path) -> Trial:
    """The trial of an ``evaluation.json``. Raises CorpusError where it cannot be read."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["version"] != VERSION:
            raise ValueError("another version")
        return trial_of(fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{path.name} is no evaluation ({type(error).__name__}); evaluate again") from error


def trial_of(fields: Mapping[str, Any]) -> Trial:
    """Back from JSON."""
    candidate, champion = Measured.read(fields["candidate"]), Measured.read(fields["champion"])
    return Trial(candidate, champion, fields["corpus_is_ours"], fields["samples"])


class _Desk:
    """Where two releases are asked the same."""

    def __init__(self, own: Mapping[str, Path], question: Question, folder: Path, report: Report) -> None:
        self._own, self._question, self._folder, self._report = own, question, folder, report
        self._readers: list[Reader] = []
        self._done = 0

    def measured(self, sides: Mapping[str, Measured]) -> dict[str, Measured]:
        """Both sides, the champion first: a candidate may take ten times as long."""
        askable = [side for side, one in sides.items() if not one.flaw and (not one.probes.flaw or one.probes.is_slow)]
        if "candidate" not in askable:
            return dict(sides)
        episodes = self._passages(askable)
        answers = dict(sides)
        for side in sorted(askable, reverse=True):
            answers[side] = self._asked(side, sides[side], episodes, _limit(answers["champion"]))
        return answers

    def _passages(self, askable: Sequence[str]) -> list[list[Passage]]:
        """The held-out episodes, cut to what every side can read."""
        networks = {side: load_network(self._own[side]) for side in askable}
        self._readers = [Reader(Tokenizer(self._own[side]), network.window) for side, network in networks.items()]
        return [passages(episode, self._readers) for episode in held_out_episodes(self._question.corpus)]

    def _asked(self, side: str, one: Measured, episodes: Sequence[Sequence[Passage]], limit: float) -> Measured:
        """One side's answers, kept for an attempt that comes after this one."""
        key = f"{self._question.key(*self._own.values())} of {len(self._readers)}, {one.probes.flaw}"
        path = self._folder / f"measured-{side}.json"
        if (kept := _kept(path, key)) is not None:
            logger.info("%s was measured by an attempt before", one.release_id)
            return replace(Measured.read(kept["measured"]), probes=one.probes)
        answer = self._read(side, one, episodes)
        if not one.probes.flaw:
            answer = replace(answer, samples=self._written(side, limit))
        _write(path, {"version": VERSION, "key": key, "measured": answer.to_fields()})
        return answer

    def _read(self, side: str, one: Measured, episodes: Sequence[Sequence[Passage]]) -> Measured:
        folder = self._own[side]
        try:
            network, tokenizer = load_network(folder), Tokenizer(folder)
            return replace(one, reading=tuple(reading_of(network, tokenizer, episode) for episode in episodes))
        except (TngError, ValueError, ArithmeticError) as error:
            return replace(one, reading_flaw=f"{type(error).__name__} while it read")

    def _written(self, side: str, limit: float) -> Samples:
        writer = warm(self._own[side])
        return write_samples(writer, self._question.premises(writer.show), self._question.blocked, self._tell, limit)

    def _tell(self, _done: int) -> None:
        self._done += 1
        self._report(100 * self._done // (2 * self._question.samples))


def _was_disturbed(trial: Trial) -> bool:
    """Whether a probe failed, which the machine may have been to blame for: another attempt probes again."""
    return bool(trial.candidate.probes.flaw or trial.champion.probes.flaw)


def _limit(champion: Measured) -> float:
    """The seconds that a sample may take."""
    if not champion.samples.each:
        return MOST_SAMPLE_SECONDS
    return max(LEAST_SAMPLE_SECONDS, TIMES_THE_CHAMPION * champion.samples.seconds / len(champion.samples.each))


def _refuse_strangers(candidate: Path, champion: Path, corpus: Corpus, flaws: Mapping[str, str]) -> None:
    """Both must write the same show, and the candidate must have been trained on this corpus."""
    if flaws["candidate"]:
        return
    show = read_show(candidate)
    if not flaws["champion"] and (other := read_show(champion)).id != show.id:
        raise CorpusError(f"{candidate.name} writes {show.id} and {champion.name} {other.id}: they cannot be compared")
    trained_on = find_release(candidate).meta.get("corpus", {}).get("fingerprint", corpus.fingerprint)
    if read_show(corpus.folder).id != show.id or trained_on != corpus.fingerprint:
        raise CorpusError(
            f"{candidate.name} was not trained on the corpus in {corpus.folder.name}: what is held out there may have "
            "been trained on, or is of another show; name the folder of its corpus"
        )


def _fields(trial: Trial, candidate: Path, question: Question, key: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "key": key,
        "release_folder": str(candidate),
        "corpus": question.corpus.fingerprint,
        "corpus_is_ours": trial.corpus_is_ours,
        "samples": trial.samples,
        "candidate": trial.candidate.to_fields(),
        "champion": trial.champion.to_fields(),
    }


def _kept(path: Path, key: str) -> dict[str, Any] | None:
    """What an attempt before has written for the same question; None where there is none that can be read."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(fields, dict) and fields.get("key") == key and fields.get("version") == VERSION
    return dict(fields) if same else None


def _write(path: Path, fields: Mapping[str, Any]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump(fields, file, indent=1, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


__all__ = ["EVALUATION_FILE", "Question", "evaluate", "read_evaluation", "trial_of"]
