"""Spare kernels that have the writer loaded already: they save most of the seconds before the first scene.

One-shot, because a kernel that is reset and used again hands the next customer the environment, modules, history and
working folder of the one before, and saves no time. What is to be loaded may change: a spare one that has loaded
something else is closed, and another takes its place. This module knows no job, no order and no release.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tng.adapters.kernel import Kernel
from tng.log import kind_of

LOOK_SECONDS = 5.0
"""How often the spare ones are looked after while nothing else happens."""

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Warming:
    """A kernel on its way. It may be given up before it is there; guarded by the lock of those who share it."""

    notebook: str
    code: str | None
    kernel: Kernel | None = None
    is_given_up: bool = False

    def give_up(self) -> None:
        """End it; where it is not there yet, as soon as it is."""
        self.is_given_up = True
        if self.kernel is not None:
            self.kernel.kill()


class WarmKernels:
    """Gives a kernel for a notebook, and keeps ``spare`` warmed ones for each notebook that has something to preload.

    One thread starts every spare. It rests from ``take`` until ``refill``: the writer has both cores for itself.
    """

    def __init__(self, start: Callable[[], Kernel], preload: Mapping[str, Callable[[], str]], *, spare: int) -> None:
        """Begin to start spares. ``preload`` gives, for the name of a notebook, the code that its kernels run first.

        It is asked again and again, from any thread: what it says today counts. It may raise.
        """
        self._start, self._preload, self._spare = start, dict(preload), spare
        self._ready: dict[str, list[tuple[str, Kernel]]] = defaultdict(list)
        self._filling: _Warming | None = None
        self._on_their_way: list[_Warming] = []
        self._resting = self._closed = False
        self._changed = threading.Condition()
        self._filler = threading.Thread(target=self._fill, name="warm-kernels", daemon=True)
        if spare and preload:
            self._filler.start()

    def take(self, notebook: str) -> Kernel:
        """A kernel for one run: a spare one, or one that is being warmed, or else a new one; never one with old code.

        The caller closes it, and calls ``refill`` when the run is over. Raises KernelDied, OSError, RuntimeError.
        """
        code = self._code_of(notebook)
        with self._changed:
            self._resting = True
            while True:
                self._bury(notebook, code)
                if self._ready[notebook]:
                    return self._ready[notebook].pop(0)[1]
                if self._filling is None or self._filling.notebook != notebook:  # two at once would only be slower
                    break
                if code is not None and self._filling.code != code:  # of no use: do not wait for it
                    self._filling.give_up()
                    break
                self._changed.wait()
        return self._start_warm(_Warming(notebook, code))

    def refill(self) -> None:
        """The run is over: start what is missing."""
        with self._changed:
            self._resting = False
            self._changed.notify_all()

    def close(self) -> None:
        """End the spare ones, and the one that is being warmed now."""
        with self._changed:
            self._closed = True
            for warming in self._on_their_way:
                warming.give_up()
            self._changed.notify_all()
        if self._filler.ident is not None:
            self._filler.join()
        for _, kernel in [spare for spares in self._ready.values() for spare in spares]:
            kernel.close()
        self._ready.clear()

    def _code_of(self, notebook: str) -> str | None:
        """What its kernels run first today; None where it has nothing, or where nobody can say at the moment."""
        try:
            return self._preload[notebook]() if notebook in self._preload else None
        except Exception as error:  # noqa: BLE001  whatever a database raises: a kernel that is not warm does, too
            logger.warning("nobody says what a spare kernel for %s is to load (%s)", notebook, kind_of(error))
            return None

    def _start_warm(self, warming: _Warming) -> Kernel:
        kernel = self._start()
        if warming.code is None:
            return kernel
        with self._changed:
            warming.kernel = kernel
            self._on_their_way.append(warming)
            if self._closed or warming.is_given_up:
                kernel.kill()
        try:
            kernel.warm(warming.code)
        except Exception:
            kernel.close()
            raise
        finally:
            with self._changed:
                self._on_their_way.remove(warming)
        return kernel

    def _fill(self) -> None:
        while (warming := self._next_missing()) is not None:
            kernel = None
            try:
                kernel = self._start_warm(warming)
            except Exception as error:  # noqa: BLE001  an end of this thread would leave ``take`` waiting for ever
                if not warming.is_given_up:
                    logger.warning("no spare kernel for %s (%s); trying again", warming.notebook, kind_of(error))
            with self._changed:
                if kernel is not None:
                    self._ready[warming.notebook].append((str(warming.code), kernel))
                self._filling = None
                self._changed.notify_all()
                if kernel is None and not self._closed:
                    self._changed.wait(LOOK_SECONDS)

    def _next_missing(self) -> _Warming | None:
        """Wait until a spare is missing: which one; None at the end."""
        while True:
            # Asked without the lock: a database may take its time.
            codes = {} if self._resting else {notebook: self._code_of(notebook) for notebook in self._preload}
            with self._changed:
                if self._closed:
                    return None
                for notebook, code in codes.items() if not self._resting else ():
                    self._bury(notebook, code)
                    if code is not None and len(self._ready[notebook]) < self._spare:
                        self._filling = _Warming(notebook, code)
                        return self._filling
                if codes or self._resting:  # otherwise a run has ended since
                    self._changed.wait(LOOK_SECONDS)

    def _bury(self, notebook: str, code: str | None) -> None:
        """Close the spare ones that ended by themselves, and those that have loaded what nobody wants any more."""
        kept = []
        for loaded, kernel in self._ready[notebook]:
            is_alive = kernel.is_alive()
            if is_alive and code in (None, loaded):
                kept.append((loaded, kernel))
                continue
            if not is_alive:
                logger.warning("a spare kernel for %s ended by itself", notebook)
            kernel.close()
        self._ready[notebook] = kept
