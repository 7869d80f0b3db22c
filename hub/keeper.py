"""Runs a command and starts it again when it ends: ``python -m hub.keeper [--parent=PID] COMMAND…``.

It knows nothing of the command. ``--as=UID:GID`` makes both another user, ``--hold=PORT`` keeps a port for them,
``--nice=N`` lets both stand back for everything else on the machine.

JupyterHub restarts a service that has ended too, but looks only every 30 seconds and offers no setting for that: too
long for a shop whose api is gone. And it stops services one after the other and waits up to a minute for each.
A command that ends within ``EARLY_SECONDS`` of its first start is broken, not unlucky: the keeper ends with its status,
and JupyterHub refuses to start. Later ends are followed by a new start, after 0.2 to 10 seconds; it never gives up.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from types import FrameType

from hub.processes import become, die_with_parent, gain_nothing

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
        self.process = subprocess.Popen(self.command, preexec_fn=partial(die_with_parent, os.getpid()))
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


def main(words: Sequence[str]) -> int:
    """Run the keeper as a program. With ``--parent`` it ends at once where that process has ended already.

    With ``--as`` the keeper and its command are that user of the system: only root may ask for it. With ``--hold`` no
    other user gets that port while the command is down.
    """
    parser = argparse.ArgumentParser(prog="hub.keeper")
    parser.add_argument("--parent", type=int)
    parser.add_argument("--as", type=_user, dest="user")
    parser.add_argument("--hold", type=int, metavar="PORT")
    parser.add_argument("--nice", type=int, default=0, metavar="N")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(words)
    if given.user is not None:
        become(*given.user)
        gain_nothing()
    os.nice(given.nice)
    die_with_parent(given.parent)  # after that: a change of user forgets it
    with hold(given.hold) if given.hold else nullcontext():
        return Keeper(given.command).run()


@contextmanager
def hold(port: int) -> Iterator[None]:
    """Keep a port on 127.0.0.1 from other users without listening there; the command shares it with SO_REUSEPORT.

    The system lets processes of one user share a port, and gives nobody else one that is taken.
    """
    with socket.socket() as held:
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(("127.0.0.1", port))
        except OSError as error:
            logger.warning("keeper: port %d cannot be held (%s)", port, error.strerror)
        yield


def _user(told: str) -> tuple[int, int]:
    uid, gid = told.split(":")
    return int(uid), int(gid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
