"""Hear Ctrl-C between steps, not wherever Python stands: no step is half taken, and what was learnt is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Hearing:
    """The handler of SIGINT while a training is heard."""

    def __init__(self) -> None:
        self.heard = threading.Event()

    def __call__(self, *_: object) -> None:
        self.heard.set()


@contextmanager
def interruptions() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C inside. Only a main thread can hear; elsewhere it is never set.

    Inside another one it is the same event: what was heard before the first step counts, too.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield threading.Event()
        return
    if isinstance(before, _Hearing):
        yield before.heard
        return
    hearing = _Hearing()
    signal.signal(signal.SIGINT, hearing)
    try:
        yield hearing.heard
    finally:
        signal.signal(signal.SIGINT, before)


__all__ = ["interruptions"]
