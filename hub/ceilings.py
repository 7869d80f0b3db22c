"""What a person's server is told of the ceilings it has to keep: pages, kernels, and how long it may do nothing.

The hub's side, which knows the settings. A server reads them from its environment (``hub.kernel_slots``).
"""

from __future__ import annotations

from hub.kernel_slots import ACTIVITY, IDLE, PER_CUSTOMER, KernelSlots
from tng.settings import Carrier, Settings


def ceilings(settings: Settings) -> dict[str, str]:
    """What a person's server is told of the ceilings: kernels, and how long it may do nothing."""
    idle_seconds = settings.idle_minutes * 60
    told = {
        PER_CUSTOMER: str(settings.kernels_per_customer),
        IDLE: str(round(idle_seconds)),
        ACTIVITY: str(max(1, min(60, int(idle_seconds / 4)))),
    }
    here = settings.carrier is Carrier.LOCAL  # a container does not see the files of this machine
    return told | (KernelSlots.of(settings).environment() if here else {})
