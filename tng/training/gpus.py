"""When a training may run, and on what: paid orders come first, then people at their workbenches, then training.

On a machine without GPUs it has the processor while no order is owed. With GPUs it has one of its own where one is
free and nobody waits; else it borrows those of a worker of this host while no order is owed. It makes way at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from tng.errors import TngError
from tng.gpus.keeper import DEVICES, RENEW_SECONDS
from tng.gpus.ledger import GpuLedger
from tng.gpus.rules import Claim, ClaimKind, wanted_by_workbenches
from tng.jobs import JobKind
from tng.ports import Store

KIND = ClaimKind.TRAINING

logger = logging.getLogger(__name__)


def orders_are_owed(store: Store) -> bool:
    """Whether a script waits to be written, or is being written. Raises StoreBusy."""
    with store.read() as work:
        waiting, _ = work.counts.waiting()
        return waiting > 0 or any(job.kind is JobKind.WRITE_SCRIPT for job in work.counts.running())


class TrainingGpus:
    """One training's hold on the machine. ``environment`` is what its kernel is told of GPUs.

    ``gpus`` are those of the host, ``owed`` says whether orders are.
    """

    def __init__(self, ledger: GpuLedger, name: str, gpus: Sequence[str], owed: Callable[[], bool]) -> None:
        self._ledger, self._name, self._gpus, self._owed = ledger, name, gpus, owed
        self.environment: dict[str, str] = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", DEVICES: ""} if gpus else {}
        self._own = False
        self._renewed = 0.0

    def take(self) -> bool:
        """Whether a training may begin now; what it needs is held then. Raises StoreBusy."""
        if not self._gpus:
            return not self._owed()
        if self._claim():
            return True
        return not self._owed() and self._borrow()

    def must_go(self) -> bool:
        """Whether the training is to make way. Its own GPU is renewed on the way. Raises StoreBusy."""
        if not self._own:
            return self._owed()
        if time.monotonic() - self._renewed >= RENEW_SECONDS:
            if not self._ledger.renew(self._name, KIND, self._held):
                return True  # it lapsed, and somebody else has it
            self._renewed = time.monotonic()
        return wanted_by_workbenches(self._ledger.floor(self._gpus).wishes) > 0

    def give_back(self) -> None:
        """Hold nothing any more. What cannot be given back runs out by itself."""
        if not self._gpus:
            return
        self.environment[DEVICES] = ""
        own, self._own = self._own, False
        if not own:
            return
        try:
            self._ledger.release(self._name, KIND)
        except TngError as busy:
            logger.warning("the training's GPU is not given back (%s); its lease runs out", type(busy).__name__)

    @property
    def _held(self) -> tuple[str, ...]:
        return tuple(filter(None, self.environment.get(DEVICES, "").split(",")))

    def _claim(self) -> bool:
        answer = self._ledger.claim(self._name, KIND, 1, self._gpus)
        if not isinstance(answer, Claim):
            self._ledger.release(self._name, KIND)  # a training has no place in the queue
            return False
        self._own, self._renewed = True, time.monotonic()
        self.environment[DEVICES] = ",".join(answer.gpus)
        return True

    def _borrow(self) -> bool:
        """One GPU of a worker that has nothing to write."""
        claims = self._ledger.floor(self._gpus).claims
        lent = [gpu for claim in claims if claim.kind is ClaimKind.ORDER for gpu in claim.gpus if gpu in self._gpus]
        self.environment[DEVICES] = ",".join(lent[:1])
        return bool(lent)
