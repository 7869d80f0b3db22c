"""What is around the api on its machine: the house's processes and their memory, and whether hub and proxy answer.

It reads the table of processes and asks on loopback. What it may not see is unknown, never guessed.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import httpx
import psutil

from tng.overview import Health, Machine, PartHealth, PartMemory

MEGABYTE = 1_000_000
ASK_SECONDS = 2.0
KEPT_SECONDS = 2.0
"""What was seen is shown again for so long: many may look at once."""

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("proxy", ("configurable-http-proxy",)),
    ("stand-ins", ("hub.sandbox",)),
    ("api", ("tng.api",)),
    ("scheduler", ("tng.cli scheduler",)),
    ("worker", ("tng.cli",)),
    ("servers", ("hub.voila_server", "hub.lab_server", "jupyterhub.singleuser")),
    ("culler", ("jupyterhub_idle_culler",)),
)
"""How the parts of the house are told by their command; what says nothing of itself belongs to its parent's part."""

HOUSE = ("hub", "hub.start", "jupyterhub")
"""The modules of the hub itself and of the command that keeps it: what is below them is the house."""


class Surroundings:
    """Looks around. ``hub_url`` and ``proxy_url`` answer 200 where all is well; ``folder`` is on the disk to watch."""

    def __init__(
        self,
        *,
        hub_url: str,
        proxy_url: str,
        folder: Path,
        more: Sequence[Callable[[], PartHealth]] = (),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``more`` are parts that know of themselves how they are."""
        self._urls = {"hub": hub_url, "proxy": proxy_url}
        self._folder, self._more = folder, more
        # on loopback, and only whether somebody answers: the certificate is for the world, not for 127.0.0.1
        self._client = httpx.Client(timeout=ASK_SECONDS, trust_env=False, transport=transport, verify=False)  # noqa: S501
        self._kept: tuple[float, Machine, tuple[PartHealth, ...]] | None = None

    def look(self) -> tuple[Machine, tuple[PartHealth, ...]]:
        """The machine, and how the parts are."""
        if self._kept is None or time.monotonic() >= self._kept[0]:
            asked = [self._ask(part, url) for part, url in self._urls.items()]
            health = (*asked, *(ask() for ask in self._more))
            self._kept = time.monotonic() + KEPT_SECONDS, self._machine(), health
        return self._kept[1], self._kept[2]

    def _ask(self, part: str, url: str) -> PartHealth:
        try:
            status = self._client.get(url).status_code
        except httpx.HTTPError as error:
            return PartHealth(part, Health.UNWELL, f"does not answer ({type(error).__name__})")
        return PartHealth(part, Health.WELL if status == 200 else Health.UNWELL, f"answers {status}")

    def _machine(self) -> Machine:
        processes, megabytes, kernels = Counter[str](), Counter[str](), 0
        for part, process in house_of(psutil.Process()):
            try:
                megabytes[part] += process.memory_info().rss // MEGABYTE
            except psutil.Error:
                continue  # it has ended, or is hidden from us
            processes[part] += 1
            kernels += part == "servers" and "ipykernel_launcher" in _words(process)
        parts = tuple(PartMemory(part, count, megabytes[part]) for part, count in sorted(processes.items()))
        return Machine(parts, kernels, self._free_disk())

    def _free_disk(self) -> int | None:
        try:
            return shutil.disk_usage(self._folder).free // MEGABYTE
        except OSError:
            return None


def house_of(process: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """Every process of the house that ``process`` runs in, with its part; none where it runs in no house."""
    above = [parent for parent in process.parents() if _is_house(_words(parent))]
    if not above:
        return
    children: dict[int, list[psutil.Process]] = {}
    for other in psutil.process_iter(["ppid"]):
        children.setdefault(other.info["ppid"], []).append(other)
    left = [("hub", above[-1])]
    while left:
        part, one = left.pop()
        yield part, one
        left += [(part_of(_words(child), part), child) for child in children.get(one.pid, ())]


def part_of(words: Sequence[str], parents: str) -> str:
    """The part that a command belongs to; where it says nothing, that of its parent."""
    said = " ".join(words)
    return next((part for part, marks in PARTS if any(mark in said for mark in marks)), parents)


def _words(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return words


def _is_house(words: Sequence[str]) -> bool:
    return any(flag == "-m" and name in HOUSE for flag, name in pairwise(words))
