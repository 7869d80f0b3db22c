"""What this machine multiplies quickest. It decides how a training computes, never what it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

_AMPERE: Final = 8
"""The first generation of graphics cards (compute capability 8.x) that multiplies bfloat16 itself."""


def has_bfloat16(cpu_facts: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere the switch would only slow it down."""
    try:
        facts = cpu_facts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in facts or "amx_bf16" in facts


def gpus(tf: Any) -> list[Any]:
    """The graphics cards that TensorFlow sees. None of this was tried on one."""
    return list(tf.config.list_physical_devices("GPU"))


def best_products(tf: Any) -> str:
    """The type of matrix products: bfloat16 where all that computes here has it, else float32."""
    cards = gpus(tf)
    if not cards:
        return "bfloat16" if has_bfloat16() else "float32"
    details = [tf.config.experimental.get_device_details(card) for card in cards]
    oldest = min(about.get("compute_capability", (0, 0))[0] for about in details)
    return "bfloat16" if oldest >= _AMPERE else "float32"


__all__ = ["best_products", "gpus", "has_bfloat16"]
