"""Opens the house: ``python -m hub``. Starts JupyterHub, says when it is ready, and leaves nothing behind when it ends.

The hub's own output goes to ``logs/hub.log`` in the home folder, so that the console stays readable.
Exit status: 0 after SIGINT or SIGTERM, 1 where the hub ended by itself or did not get ready, 2 where it may not start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from threading import Thread
from types import FrameType

import psutil

from hub.entrance import answers
from hub.front import stand_ins
from hub.journal import Journal
from hub.keys import own_secret
from hub.places import HARMLESS, PYTHON, settings_environment
from hub.preflight import check, open_home
from hub.processes import adopt_orphans, die_with_parent, end_descendants, is_persons
from hub.sandbox.people import PEOPLE
from hub.unix_users import describe, sole_user_ids
from tng.adapters.in_use import show_in_use
from tng.errors import TngError
from tng.settings import ROOT, Settings
from tng.shows import Show

READY_SECONDS = 120.0
STOP_SECONDS = 12.0


class House:
    """JupyterHub as a child of this process, and everything that it starts."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self.signals = 0
        self.began = time.monotonic()

    def run(self) -> int:
        """Start, wait, stop. The exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._count)
        adopt_orphans()
        try:
            hub = self._start()
            if self._wait_until_ready(hub):
                print(f"Ready after {_age_seconds():.1f} s: {self.settings.public}", flush=True)
                while not self.signals and not _ended(hub, 0.2):
                    continue
            return self._judge(hub)
        finally:
            grace_seconds = 0.0 if self.signals > 1 else 2.0
            end_descendants(grace_seconds=grace_seconds, spare=is_persons if self.settings.keep_servers else None)

    def _start(self) -> subprocess.Popen[bytes]:
        hub = subprocess.Popen(
            [PYTHON, "-m", "hub.start", "jupyterhub", "-f", str(ROOT / "jupyterhub_config.py")],
            cwd=ROOT,
            env=hub_environment(os.environ, self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(_become_hub, os.getpid()),  # this process has one thread yet
        )
        Thread(target=self.journal.keep, args=(hub.stdout,), daemon=True, name="journal").start()
        return hub

    def _wait_until_ready(self, hub: subprocess.Popen[bytes]) -> bool:
        while not self.signals and not _ended(hub, 0.3) and time.monotonic() < self.began + READY_SECONDS:
            if answers(self.settings, "/hub/login"):
                return True
        return False

    def _judge(self, hub: subprocess.Popen[bytes]) -> int:
        """Stop the hub where it still runs; say what happened where nobody asked it to stop."""
        if self.signals:
            print("Stopping…", flush=True)
            self._stop(hub)
            print("Stopped.", flush=True)
            return 0
        status = hub.poll()
        what = "was not ready in time" if status is None else f"ended by itself (status {status})"
        self._stop(hub)
        print(f"The hub {what}; {self.journal.path} says why.", file=sys.stderr, flush=True)
        return 1

    def _stop(self, hub: subprocess.Popen[bytes]) -> None:
        hub.terminate()
        until = time.monotonic() + STOP_SECONDS
        while self.signals < 2 and time.monotonic() < until and not _ended(hub, 0.1):
            continue

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1


def main() -> int:
    """Check, open, wait. The exit status."""
    os.umask(0o077)
    try:
        settings = Settings.draft()
        with sole_user_ids(settings), open_home(settings) as home:
            check(settings, home)
            show = show_in_use(settings)
            journal = Journal(home / "logs" / "hub.log", own_secret(home, "journal"))
            print(banner(settings, show, journal.path), flush=True)
            return House(settings, journal).run()
    except TngError as error:
        print(f"The house cannot be opened: {_listed(str(error))}", file=sys.stderr, flush=True)
        return 2


def banner(settings: Settings, show: Show, log: Path) -> str:
    """What a person should know before opening the page."""
    lines = [f"{show.product}: {settings.public}"]
    if replaced := stand_ins(settings):
        names = " and ".join(replaced)
        lines += [f"This is a demo. Local stand-ins take the place of {names}: no real account, no real money."]
    if settings.google_stand_in:
        lines += ["You can sign in as:"]
        lines += [f"  {person.name:<14} {person.email:<16} {person.role}" for person in PEOPLE]
    else:
        lines += ["Everybody with a Google account may sign in."]
    lines += [describe(settings)]
    return "\n".join([*lines, f"Log: {log}", "Ctrl-C stops it. Starting…"])


def hub_environment(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """What the hub inherits: the settings with their keys, and what does no harm. Nothing else of this shell."""
    aliases = {str(field.alias): name for name, field in type(settings).model_fields.items() if field.alias}
    kept = {*HARMLESS, *aliases, "HOME", "USER", "CREDENTIALS_DIRECTORY"}
    inherited = {name: value for name, value in environment.items() if name in kept}
    for alias, name in aliases.items():
        if isinstance(file := getattr(settings, name), Path):
            inherited[alias] = str(file.absolute())  # the hub stands in another folder than this shell
    return inherited | settings_environment(settings) | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _listed(faults: str) -> str:
    """One fault as it is; several below each other."""
    lines = faults.splitlines()
    return faults if len(lines) == 1 else "".join(f"\n- {line}" for line in lines)


def _age_seconds() -> float:
    return time.time() - float(psutil.Process().create_time())


def _become_hub(launcher: int) -> None:
    """Between fork and exec: be stoppable whatever the shell ignored, and do not outlive the launcher."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent(launcher)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
