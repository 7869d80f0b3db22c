"""Several threads that do something in the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable


def at_once(*calls: Callable[[], object]) -> list[Exception]:
    """Run the calls in threads that start together; what they raised."""
    barrier, raised = threading.Barrier(len(calls)), list[Exception]()

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except Exception as error:  # noqa: BLE001  the test looks at what it was
            raised.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised
