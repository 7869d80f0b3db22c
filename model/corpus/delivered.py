"""Delivered scripts that an operator allowed to be trained on: a folder of texts in the compact form, made records.

Each scene gets the header that the writer would have had for it: title, act, cast, the line before. Names stay names.
They are trained on and never held out; what a script is planned of, and the words that it may use, are none of theirs,
so that no customer's names reach another. What cannot be read is counted, and not a word of it is quoted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.corpus.episode_records import told_acts
from model.corpus.records import Record
from model.prompt import SceneBrief, header
from tng.errors import CorpusError, ScriptError
from tng.script import Script, parse, render_element
from tng.shows import Show

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The records of each delivered script, and how many files there were that are none."""

    scripts: tuple[tuple[Record, ...], ...] = ()
    left_out: int = 0

    @property
    def records(self) -> Iterator[Record]:
        """All their records."""
        return (record for script in self.scripts for record in script)

    @property
    def counts(self) -> dict[str, int]:
        """What a corpus remembers of them."""
        return {"delivered_scripts": len(self.scripts), "delivered_left_out": self.left_out}


def read_delivered(folder: Path | None, show: Show) -> Delivered:
    """The scripts of ``folder``, ``<order id>.txt`` each, in the order of their names; none where no folder is named.

    Raises CorpusError where the folder is not there or cannot be listed.
    """
    if folder is None:
        return Delivered()
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".txt" and not path.name.startswith("."))
    except OSError as error:
        raise CorpusError(
            f"the folder of delivered scripts {folder.name} cannot be read ({type(error).__name__}); "
            "name another one, or none"
        ) from error
    scripts = [script for path in paths if (script := _script(path))]
    left_out = len(paths) - len(scripts)
    if left_out:
        logger.warning("%d of %d delivered scripts cannot be read and are left out", left_out, len(paths))
    return Delivered(tuple(tuple(script_records(script, show)) for script in scripts), left_out)


def script_records(script: Script, show: Show) -> Iterator[Record]:
    """The records of a script, under the acts that the show plans with."""
    before = ""
    for name, act in zip(told_acts([act.name for act in script.acts], show), script.acts, strict=True):
        for scene in act.scenes:
            brief = SceneBrief(scene.heading, name, "", scene.speakers, title=script.title, before=before)
            yield Record(header(brief), scene)
            before = render_element(scene.elements[-1]) if scene.elements else before


def _script(path: Path) -> Script | None:
    """What a file holds; None where that is no script with a scene."""
    try:
        script = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ScriptError):
        return None  # it is counted; its words are the customer's
    return script if script.scenes else None


__all__ = ["Delivered", "read_delivered", "script_records"]
