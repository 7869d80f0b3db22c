"""One kernel process: started, perhaps warmed, used for one run, ended. It knows no job, no order and no notebook."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import zmq
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_code_cell, new_notebook

from tng.errors import KernelDied

START_SECONDS = 60
PRELOAD_SECONDS = 300
ALIVE_PART = 0.8
"""The part of the lease after which a kernel that hears nothing ends itself: before another worker may begin."""
LOG = "kernel.log"
PREFIX = "tng-kernels-"

logger = logging.getLogger(__name__)


class Kernel:
    """A kernel in a folder of its own (0700), which holds its sockets, its key and what it says outside of cells."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, lease_seconds: float) -> None:
        """Start it, with ``environment`` and nothing else. Raises OSError or RuntimeError where that cannot be."""
        self.folder = folder
        self.alive_file = folder / "alive"
        # "ipc" and not TCP: nobody else on the machine can connect. Without `ip` the sockets would lie in the working
        # folder, where two workers would share them.
        self.manager = AsyncKernelManager(
            kernel_name="python3", transport="ipc", ip=str(folder / "k"), connection_file=str(folder / "kernel.json")
        )
        watch = (
            "__import__('tng.adapters.dead_man', fromlist=['watch'])"
            f".watch({str(self.alive_file)!r}, {lease_seconds * ALIVE_PART!r})"
        )
        with (folder / LOG).open("wb") as log:
            run_sync(self.manager.start_kernel)(
                env={**environment, "IPYTHONDIR": str(folder / "ipython")},
                cwd=str(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                extra_arguments=["--HistoryManager.enabled=False", f"--IPKernelApp.exec_lines={watch}"],
            )
        self.pid = int(getattr(self.manager.provisioner, "pid", 0))

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return bool(run_sync(self.manager.is_alive)())

    def warm(self, code: str) -> None:
        """Run ``code`` ahead of the notebook. Code that raises is logged: the notebook will meet and report the same.

        Raises KernelDied where the kernel ended or did not answer.
        """
        cell = new_code_cell(code)  # type: ignore[no-untyped-call]
        notebook = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
        client = NotebookClient(notebook, km=self.manager, timeout=PRELOAD_SECONDS, startup_timeout=START_SECONDS)
        try:
            # Not client.execute(): it takes over SIGTERM and leaves it at its default, which kills the worker.
            with client.setup_kernel():
                client.execute_cell(cell, 0, store_history=False)
        except CellExecutionError as error:
            logger.warning("kernel %d: what it should load beforehand raised %s", self.pid, error.ename)
        except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
            raise KernelDied(f"a spare kernel ended while it was warmed ({type(error).__name__})") from None
        finally:
            if client.kc is not None:
                client.kc.stop_channels()

    def kill(self) -> None:
        """End the process and everything it started; from any thread. ``close`` is called all the same."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # it leads a group of its own

    def close(self) -> None:
        """End the process and everything it started, and remove its folder."""
        self.kill()
        try:
            run_sync(self.manager.shutdown_kernel)(now=True)
        except (RuntimeError, OSError, zmq.ZMQError) as error:
            logger.warning("kernel %d could not be shut down in order (%s)", self.pid, type(error).__name__)
        shutil.rmtree(self.folder, ignore_errors=True)


class KernelFolders:
    """The folders of this process's kernels, locked while it lives, so that those of a killed one can be removed."""

    def __init__(self) -> None:
        """Make the folder (0700; short, because a socket's path holds 107 bytes) and remove what others left."""
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._numbers = itertools.count(1)
        fresh = self.path / "lock.new"
        self._lock = fresh.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        fresh.rename(self.path / "lock")  # only now can others see it: there is no moment at which it looks left behind
        _remove_left_behind(self.path.parent)

    def make(self) -> Path:
        """A new folder for one kernel."""
        folder = self.path / str(next(self._numbers))
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _remove_left_behind(parent: Path) -> None:
    for lock in parent.glob(f"{PREFIX}*/lock"):
        try:
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # it is in use, or another user's
