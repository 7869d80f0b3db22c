"""Spare kernels that have the writer loaded already: they save most of the seconds before the first scene.

One-shot, because a kernel that is reset and used again hands the next customer the environment, modules, history and
working folder of the one before, and saves no time. This module knows no job and no order.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping

from tng.adapters.kernel import Kernel

LOOK_SECONDS = 5.0
"""How often the spare ones are looked after while nothing else happens."""

logger = logging.getLogger(__name__)


class WarmKernels:
    """Gives a kernel for a notebook, and keeps ``spare`` warmed ones for each notebook that has something to preload.

    One thread starts every spare. It rests from ``take`` until ``refill``: the writer has both cores for itself.
    """

    def __init__(self, start: Callable[[], Kernel], preload: Mapping[str, str], *, spare: int) -> None:
        """Begin to start spares. ``preload`` maps the name of a notebook to the code that its kernels run first."""
        self._start, self._preload, self._spare = start, dict(preload), spare
        self._ready: dict[str, list[Kernel]] = defaultdict(list)
        self._warming: str | None = None
        self._half_warm: Kernel | None = None
        self._resting = self._closed = False
        self._changed = threading.Condition()
        self._filler = threading.Thread(target=self._fill, name="warm-kernels", daemon=True)
        if spare and preload:
            self._filler.start()

    def take(self, notebook: str) -> Kernel:
        """A kernel for one run: a spare one, or one that is being warmed, or else a new one.

        The caller closes it, and calls ``refill`` when the run is over. Raises KernelDied, OSError, RuntimeError.
        """
        with self._changed:
            self._resting = True
            while True:
                while self._ready[notebook]:
                    kernel = self._ready[notebook].pop(0)
                    if kernel.is_alive():
                        return kernel
                    kernel.close()
                if self._warming != notebook:  # two at once would only be slower
                    break
                self._changed.wait()
        return self._start_warm(notebook)

    def refill(self) -> None:
        """The run is over: start what is missing."""
        with self._changed:
            self._resting = False
            self._changed.notify_all()

    def close(self) -> None:
        """End the spare ones, and the one that is being warmed now."""
        with self._changed:
            self._closed = True
            if self._half_warm is not None:
                self._half_warm.kill()
            self._changed.notify_all()
        if self._filler.ident is not None:
            self._filler.join()
        for kernel in [kernel for spares in self._ready.values() for kernel in spares]:
            kernel.close()
        self._ready.clear()

    def _start_warm(self, notebook: str) -> Kernel:
        kernel = self._start()
        if notebook in self._preload:
            with self._changed:
                self._half_warm = kernel
                if self._closed:
                    kernel.kill()
            try:
                kernel.warm(self._preload[notebook])
            except Exception:
                kernel.close()
                raise
            finally:
                with self._changed:
                    self._half_warm = None
        return kernel

    def _fill(self) -> None:
        while (notebook := self._next_missing()) is not None:
            kernel = None
            try:
                kernel = self._start_warm(notebook)
            except Exception as error:  # noqa: BLE001  an end of this thread would leave ``take`` waiting for ever
                if not self._closed:
                    logger.warning("no spare kernel for %s (%s); trying again", notebook, type(error).__name__)
            with self._changed:
                if kernel is not None:
                    self._ready[notebook].append(kernel)
                self._warming = None
                self._changed.notify_all()
                if kernel is None and not self._closed:
                    self._changed.wait(LOOK_SECONDS)

    def _next_missing(self) -> str | None:
        """Wait until a spare is missing: for which notebook; None at the end."""
        with self._changed:
            while not self._closed:
                for notebook in self._preload if not self._resting else ():
                    self._bury_dead(notebook)
                    if len(self._ready[notebook]) < self._spare:
                        self._warming = notebook
                        return notebook
                self._changed.wait(LOOK_SECONDS)
            return None

    def _bury_dead(self, notebook: str) -> None:
        for kernel in [kernel for kernel in self._ready[notebook] if not kernel.is_alive()]:
            logger.warning("a spare kernel for %s ended by itself", notebook)
            self._ready[notebook].remove(kernel)
            kernel.close()
