"""A worker as a process of its own over the notebooks of a folder, for the tests that kill it.

``python -m tests.integration.worker_process FOLDER``; everything else comes from TNG_… in the environment.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from tng import log
from tng.adapters.notebook_runner import PapermillRunner
from tng.app import bell_of, build_fulfilment, build_release_ledger, build_store
from tng.bell import Topic
from tng.cli import stop_on_signals
from tng.desk import WritingDesk
from tng.settings import Settings
from tng.worker import Worker

ROOT = Path(__file__).resolve().parents[2]


def make_worker(settings: Settings, notebooks_folder: Path) -> Worker:
    """A worker like the product's, but for its notebooks."""
    runner = PapermillRunner(
        notebooks_folder,
        preload={},
        spare=0,
        cell_seconds=settings.cell_seconds,
        lease_seconds=settings.lease_seconds,
        environment=os.environ,
    )
    store = build_store(settings)
    ledger = build_release_ledger(settings, store=store)
    ledger.current()
    return Worker(
        WritingDesk(build_fulfilment(settings, store=store), ledger),
        runner,
        name=f"{socket.gethostname()}:{os.getpid()}",
        runs_folder=settings.runs_folder,
        lease_seconds=settings.lease_seconds,
        bell=bell_of(store, Topic.JOBS),
    )


def start(settings: Settings, notebooks_folder: Path) -> subprocess.Popen[bytes]:
    """Start one; what it logs goes to ``worker.log`` in its home."""
    environment = os.environ | {
        "TNG_HOME": str(settings.home),
        "TNG_LEASE_SECONDS": str(settings.lease_seconds),
        "TNG_RELEASE": str(settings.release),
        "TNG_DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(ROOT),
    }
    with (settings.home / "worker.log").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.integration.worker_process", str(notebooks_folder)],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def main() -> None:
    """Work until stopped."""
    log.configure()
    worker = make_worker(Settings.read(), Path(sys.argv[1]))
    stop_on_signals(worker.stop)
    worker.run_forever()


if __name__ == "__main__":
    main()
