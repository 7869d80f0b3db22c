"""Runs a command and starts it again when it ends: ``python -m hub.keeper COMMAND…``. It knows nothing of the command.

JupyterHub restarts a service that has ended too, but looks only every 30 seconds and offers no setting for that: too
long for a shop whose api is gone. And it stops services one after the other and waits up to a minute for each.
A command that ends within ``EARLY_SECONDS`` of its first start is broken, not unlucky: the keeper ends with its status,
and JupyterHub refuses to start. Later ends are followed by a new start, after 0.2 to 10 seconds; it never gives up.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

from hub.processes import die_with_parent

EARLY_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
GRACE_SECONDS = 3.0

logger = logging.getLogger(__name__)


class Keeper:
    """One command and the process that runs it now."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self.signals = 0
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Keep the command running until SIGTERM or SIGINT. The exit status: 0 where it was told to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause, first = FIRST_PAUSE_SECONDS, True
        while self.signals == 0:
            began = time.monotonic()
            status = self._once()
            lived = time.monotonic() - began
            if self.signals > 0:
                break
            if first and lived < EARLY_SECONDS:
                return status if status > 0 else 1
            first = False
            pause = FIRST_PAUSE_SECONDS if lived > LONGEST_PAUSE_SECONDS else min(2 * pause, LONGEST_PAUSE_SECONDS)
            logger.warning(
                "keeper: %s ended with status %d after %.0f s; started again in %.1f s",
                self.command[2:4],
                status,
                lived,
                pause,
            )
            self._wait(pause)
        return 0

    def _once(self) -> int:
        self.process = subprocess.Popen(self.command, preexec_fn=die_with_parent)
        if self.signals:  # the signal came while it was being started
            self.process.terminate()
        while True:
            try:
                return self.process.wait(timeout=GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                if self.signals:
                    self._press()

    def _press(self) -> None:
        """A worker takes a second SIGTERM as "give the job back now"; whoever does not hear that one is killed."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.signals == 0 and time.monotonic() < until:
            time.sleep(0.05)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def main(command: Sequence[str]) -> int:
    """Run the keeper as a program."""
    die_with_parent()
    return Keeper(command).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
