"""Load a release in a process of its own and write one short script: how fast, with how much memory, and which text.

``python -m model.promotion.probe RELEASE_FOLDER`` prints one JSON object: ``tokens_a_second`` (of the quickest run of
32 tokens, drawing included: what a busy machine disturbs least), ``peak_bytes`` of memory, ``text_sha256`` and
``seconds``.
It is started by :mod:`model.promotion.probing`; whatever goes wrong here ends this process alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from model.engine.slots import has_card
from model.evaluate import premises_of
from model.serving import Logits, Network
from model.writing import warm, write
from tng.script import Length, render

RUN_TOKENS: Final = 32
SEED: Final = 20_260_101
_KIBIBYTE: Final = 1024
_STATUS: Final = Path("/proc/self/status")


class TimedNetwork:
    """A network that notes when each single token was fed; longer feeds begin a new run.

    By the processor's time, which does not go on while others have the processor; by the wall's where a card computes.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._clock = time.perf_counter if has_card() else time.process_time
        self._moments: list[float] = []
        self._best_seconds = float("inf")

    @property
    def window(self) -> int:
        """How many tokens it can hold."""
        return self._network.window

    @property
    def position(self) -> int:
        """How many tokens it holds now."""
        return self._network.position

    @property
    def tokens_a_second(self) -> float:
        """Of the quickest run; 0 where there was none."""
        return RUN_TOKENS / self._best_seconds if self._best_seconds else math.inf

    def rewind(self, position: int) -> None:
        """Forget every token from ``position`` on."""
        self._network.rewind(position)

    def feed(self, ids: Sequence[int]) -> Logits:
        """Take tokens, answer with the logits (V,) after the last."""
        if len(ids) > 1:
            self._moments.clear()
        self._moments.append(self._clock())
        if len(self._moments) > RUN_TOKENS:
            self._best_seconds = min(self._best_seconds, self._moments[-1] - self._moments.pop(0))
        return self._network.feed(ids)


def probed(release_folder: Path) -> dict[str, Any]:
    """What the probe tells of a release. Raises whatever loading and writing raise."""
    began = time.perf_counter()
    writer = warm(release_folder)
    timed = TimedNetwork(writer.network)
    (premise,) = premises_of(writer.show, 1, Length.TEASER, SEED)
    script = write(premise, replace(writer, network=timed)).script
    return {
        "tokens_a_second": round(timed.tokens_a_second, 1),
        "peak_bytes": peak_bytes(),
        "text_sha256": hashlib.sha256(render(script).encode()).hexdigest(),
        "seconds": round(time.perf_counter() - began, 2),
    }


def peak_bytes() -> int:
    """The most memory that this process had at once.

    From the kernel's own mark of this process: ``ru_maxrss`` keeps, over an exec, the mark of whoever started it.
    """
    try:
        mark = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        mark = None
    kibibytes = int(mark[1]) if mark else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes * _KIBIBYTE


def main() -> None:
    """Probe the release that is named and print what was found."""
    sys.stdout.write(json.dumps(probed(Path(sys.argv[1]))) + "\n")


__all__ = ["TimedNetwork", "main", "peak_bytes", "probed"]

if __name__ == "__main__":
    main()
