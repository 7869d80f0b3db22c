"""Which GPUs this machine has, as NVIDIA's own tool tells. No tool, no driver, no answer: no GPU."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

TOOL = ("nvidia-smi", "--query-gpu=uuid,name,memory.total", "--format=csv,noheader")
ANSWER_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: its UUID, its name, and its memory as the tool writes it ("40960 MiB")."""

    uuid: str
    name: str
    memory: str


def inventory(visible: str | None = None, *, tool: Sequence[str] = TOOL) -> list[Gpu]:
    """The GPUs of this machine, in the order of the PCI bus.

    ``visible`` is CUDA_VISIBLE_DEVICES of the house: an operator who sets it lends no other GPUs than those.
    """
    try:
        answer = subprocess.run(tool, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
    except FileNotFoundError:
        return []
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("nvidia-smi gives no answer (%s): no GPU is lent", type(error).__name__)
        return []
    return chosen(read(answer.stdout), visible)


def read(lines: str) -> list[Gpu]:
    """What the tool wrote: a line a GPU. Lines that name no UUID are none."""
    parts = [[part.strip() for part in line.split(",")] for line in lines.splitlines()]
    return [Gpu(*fields) for fields in parts if len(fields) == 3 and fields[0].startswith("GPU-")]


def chosen(gpus: Sequence[Gpu], visible: str | None) -> list[Gpu]:
    """The GPUs that CUDA_VISIBLE_DEVICES names, by number or by UUID; all where it is not set."""
    if visible is None:
        return list(gpus)
    named = {word.strip() for word in visible.split(",") if word.strip()}
    return [gpu for number, gpu in enumerate(gpus) if named & {str(number), gpu.uuid}]
