"""Start probes of two releases in turns, and read what they tell: a release that crashes ends its own probe alone."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

logger = logging.getLogger(__name__)

ROUNDS: Final = 3
MOST_SECONDS: Final = 600.0
LEAST_SECONDS: Final = 30.0
TIMES_THE_CHAMPION: Final = 10
"""A candidate gets so many times what the champion took: a network that says nothing of use takes for ever."""

PROBE: Final = ("-m", "model.promotion.probe")
"""What Python is told to run."""

ROOT: Final = Path(__file__).parents[2]
HANDED_ON: Final = ("PATH", "LANG", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True)
class Probes:
    """What the probes of one release told. ``flaw`` says why there are no more of them; then nothing else counts.

    ``is_slow``: it did not end in time, so that writing with it is no use, though it may be asked how surprised it is.
    """

    flaw: str = ""
    is_slow: bool = False
    tokens_a_second: tuple[float, ...] = ()
    peak_bytes: tuple[int, ...] = ()
    text_sha256: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Probes:
        """Back from JSON."""
        return cls(
            fields["flaw"],
            fields["is_slow"],
            tuple(fields["tokens_a_second"]),
            tuple(fields["peak_bytes"]),
            tuple(fields["text_sha256"]),
            tuple(fields["seconds"]),
        )


@dataclass(slots=True)
class _Told:
    """The answers of one release so far."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    flaw: str = ""
    is_slow: bool = False

    def probes(self) -> Probes:
        """All of them together."""
        return Probes(
            self.flaw,
            self.is_slow,
            tuple(answer["tokens_a_second"] for answer in self.answers),
            tuple(answer["peak_bytes"] for answer in self.answers),
            tuple(answer["text_sha256"] for answer in self.answers),
            tuple(answer["seconds"] for answer in self.answers),
        )


def probe_in_turns(champion: Path | None, candidate: Path, most_seconds: float = MOST_SECONDS) -> dict[str, Probes]:
    """Probe both, one after the other, three times: what slows the machine down meets both. A flaw ends its turns.

    Keys are ``champion`` and ``candidate``; without a champion only the latter.
    """
    sides = {**({"champion": champion} if champion else {}), "candidate": candidate}
    told = {side: _Told() for side in sides}
    for _ in range(ROUNDS):
        for side, folder in sides.items():
            if not told[side].flaw:
                limit = most_seconds if side == "champion" else _limit(told.get("champion"), most_seconds)
                _probe(folder, told[side], limit)
    return {side: heard.probes() for side, heard in told.items()}


def _limit(champion: _Told | None, most_seconds: float) -> float:
    """How long a candidate may take."""
    if not champion or not champion.answers:
        return most_seconds
    taken = max(answer["seconds"] for answer in champion.answers)
    return min(most_seconds, max(LEAST_SECONDS, TIMES_THE_CHAMPION * float(taken)))


def _probe(folder: Path, told: _Told, limit_seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="tng-probe-") as home:
        try:
            done = subprocess.run(
                [sys.executable, *PROBE, str(folder.resolve())],
                cwd=home, env=_environment(home), stdin=subprocess.DEVNULL, capture_output=True,
                timeout=limit_seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            told.flaw, told.is_slow = f"it had not loaded and written a short script after {limit_seconds:.0f} s", True
            return
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        told.flaw = f"its process ended with {how}"
        logger.warning("probe of %s ended with %s", folder.name, how)
        return
    try:
        told.answers.append(json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError):
        told.flaw = "its process told nothing"


def _environment(home: str) -> dict[str, str]:
    """As little as a process needs: no secret, no setting, and a home that is gone afterwards."""
    handed_on = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return {**handed_on, "PYTHONPATH": str(ROOT), "HOME": home, "XDG_CACHE_HOME": home}


__all__ = ["Probes", "probe_in_turns"]
