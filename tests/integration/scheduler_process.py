"""The process of the schedules, over the notebooks of a folder, for the tests that kill it.

``python -m tests.integration.scheduler_process FOLDER``; everything else comes from TNG_… in the environment. It looks
more often than the product's, and is not niced: other tests run beside it. Only where MLflow is told of it, pages are
made of notebooks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tng import log
from tng.cli import stop_on_signals
from tng.settings import ROOT, Part, Settings
from tng.training import desk as training_desk
from tng.training import house as training_house
from tng.training import scheduler
from tng.training.model_records import ModelRecords

MIRRORS = "TEST_MIRRORS"
WAIT_SECONDS = 150.0


class Schedulers:
    """Those of one house: started, killed, and all ended at the end of a test."""

    def __init__(self, settings: Settings, notebooks: Path, *, mirrors: bool = False) -> None:
        self._settings, self._notebooks = settings, notebooks
        self._environment = os.environ | {
            "TNG_HOME": str(settings.home),
            "TNG_RELEASE": str(settings.release),
            "TNG_LEASE_SECONDS": str(settings.lease_seconds),
            "PYTHONPATH": str(ROOT),
            MIRRORS: "yes" if mirrors else "",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    @property
    def log(self) -> Path:
        """What they log, all into one file."""
        return self._settings.home / "scheduler.log"

    def start(self) -> subprocess.Popen[bytes]:
        """One more."""
        command = [sys.executable, "-m", "tests.integration.scheduler_process", str(self._notebooks)]
        with self.log.open("ab") as out:
            started = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=out, stderr=out, start_new_session=True
            )
        self.running.append(started)
        return started

    def kill(self) -> None:
        """Kill -9 all of them, and nothing else: their kernels are to notice."""
        for process in self.running:
            process.kill()
            process.wait()
        self.running.clear()

    def close(self) -> None:
        """End what is left, and wait."""
        for process in self.running:
            for number in (signal.SIGTERM, signal.SIGTERM):
                process.send_signal(number)
                time.sleep(0.1)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(true: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Look again and again. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.05)


def main() -> None:
    """Work until stopped."""
    os.umask(0o077)
    log.configure()
    scheduler.NICE = 0
    training_house.TICK_SECONDS = training_desk.ASK_SECONDS = 0.3
    if not os.environ[MIRRORS]:
        ModelRecords.look = lambda _: None  # type: ignore[method-assign]
        training_house._write_page = lambda _, page: page.touch()  # nbconvert is seconds of every process
    settings = Settings.read(part=Part.SCHEDULER)
    settings.make_home()
    ours = training_house.build_scheduler(settings, log.FaultCounter("scheduler"), notebooks=Path(sys.argv[1]))
    stop_on_signals(ours.stop)
    ours.run_forever()


if __name__ == "__main__":
    main()
