"""A worker's GPUs: claimed for as long as the worker runs, renewed beside its work, waited for where they are held.

Meanwhile it writes on the processor. A kernel sees the GPUs that are held when it is started, and no others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from types import TracebackType

from tng.errors import TngError
from tng.gpus.ledger import GpuLedger
from tng.gpus.rules import Claim, ClaimKind

RENEW_SECONDS = 30.0
ASK_SECONDS = 5.0
"""How often a worker that waits asks again."""

DEVICES = "CUDA_VISIBLE_DEVICES"

logger = logging.getLogger(__name__)


class GpuKeeper:
    """``with`` it around the work. ``environment`` is what kernels started now are told of GPUs.

    On a machine without GPUs it says nothing, asks nobody, and changes nothing.
    """

    def __init__(
        self, ledger: GpuLedger, name: str, gpus: Sequence[str], count: int, *, ask_seconds: float = ASK_SECONDS
    ) -> None:
        self._ledger, self._name, self._gpus = ledger, name, gpus
        self._count, self._ask_seconds = min(count, len(gpus)), ask_seconds
        self.environment: dict[str, str] = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", DEVICES: ""} if gpus else {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="gpus", daemon=True)

    @property
    def held(self) -> tuple[str, ...]:
        """The GPUs that are held now."""
        return tuple(filter(None, self.environment.get(DEVICES, "").split(",")))

    def __enter__(self) -> GpuKeeper:
        if self._count:
            self._try()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if not self._count:
            return
        self._thread.join()
        try:
            self._ledger.release(self._name, ClaimKind.ORDER)
        except TngError as busy:
            logger.warning("the GPUs are not given back (%s); their lease runs out by itself", type(busy).__name__)

    def ask(self) -> bool:
        """Claim, or renew, or wait in the queue: whether the GPUs are held now."""
        before = self.held
        answer = self._ledger.claim(self._name, ClaimKind.ORDER, self._count, self._gpus)
        held = answer.gpus if isinstance(answer, Claim) else ()
        if held != before:
            logger.info("scripts are written on %s from now on", f"{len(held)} GPUs" if held else "the processor")
        self.environment[DEVICES] = ",".join(held)
        return bool(held)

    def _keep(self) -> None:
        while not self._ended.wait(RENEW_SECONDS if self.held else self._ask_seconds):
            self._try()

    def _try(self) -> None:
        try:
            self.ask()
        except Exception as error:  # noqa: BLE001  whatever a database raises: the lease lasts longer than this
            logger.warning("the GPUs could not be asked for (%s); trying again", type(error).__name__)
