"""Ctrl-C is heard between steps, by whoever listens first, and by nobody afterwards."""

from __future__ import annotations

import os
import signal
import threading

from model.training.interruption import interruptions


def test_it_is_heard_and_interrupts_nothing() -> None:
    with interruptions() as heard:
        assert not heard.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert heard.wait(10)


def test_what_was_heard_outside_is_known_inside() -> None:
    with interruptions():
        os.kill(os.getpid(), signal.SIGINT)
        with interruptions() as inner:
            assert inner.wait(10)


def test_afterwards_it_interrupts_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptions():
        with interruptions():
            pass
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_hears_nothing_and_takes_nothing_over() -> None:
    found: list[object] = []

    def listen() -> None:
        with interruptions() as heard:
            found.extend((heard.is_set(), signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join(10)
    assert found == [False, before]
