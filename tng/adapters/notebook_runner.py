"""Runs a notebook by papermill in a kernel of its own, and gives back what it displayed as its result.

The real side of ``tng.ports.NotebookRunner``. Papermill changes the working folder and keeps state in its modules, so
that a process runs one notebook at a time. Nothing that a notebook prints or raises reaches the log: it may be the
customer's text.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.inspection import inspect_notebook

import tng.errors
from tng.adapters.kernel import LOG, Kernel, KernelFolders
from tng.adapters.run_engine import ENGINE, Recording, register
from tng.adapters.warm_kernels import WarmKernels
from tng.errors import KernelDied, RunFailed, RunTimedOut, TngError, UnknownParameter
from tng.ports import RunGuard

RECORD = "notebook.ipynb"
PROJECT = Path(__file__).resolve().parents[2]
PASSED_ON = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "CUDA_DEVICE_ORDER",
        "CUDA_VISIBLE_DEVICES",
        "NVIDIA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "XLA_FLAGS",
        "TF_XLA_FLAGS",
        "TF_CPP_MIN_LOG_LEVEL",
        "TF_FORCE_GPU_ALLOW_GROWTH",
        "TF_ENABLE_ONEDNN_OPTS",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    }
)
"""The only variables that a kernel gets. Each is named: TF_* would let Terraform's tokens through."""
NAME = re.compile(r"[a-z][a-z0-9_]*")
MOST_MESSAGE_CHARACTERS = 500

logger = logging.getLogger(__name__)


class PapermillRunner:
    """Runs notebooks of one folder. ``close`` it at the end: spare kernels are processes."""

    def __init__(
        self,
        notebooks_folder: Path,
        *,
        preload: Mapping[str, Callable[[], str]],
        spare: int,
        cell_seconds: int,
        lease_seconds: float,
        environment: Mapping[str, str],
        alike: Mapping[str, str] | None = None,
    ) -> None:
        """``preload`` gives the code that a notebook's kernels run ahead; of ``environment`` only PASSED_ON is used.

        Both are asked whenever a kernel is started: what they say of releases and GPUs may change. ``alike`` says of a
        notebook whose kernels it takes, because what they have loaded is what it needs, too.
        """
        # Both log the source of cells, in which the injected parameters stand.
        for name in ("papermill", "traitlets", "nbclient"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        register()
        self._notebooks_folder, self._cell_seconds = notebooks_folder, cell_seconds
        self._one_at_a_time, self._alike = threading.Lock(), dict(alike or {})
        self._folders = KernelFolders()
        start = partial(_start_kernel, self._folders, environment, lease_seconds)
        self._kernels = WarmKernels(start, preload, spare=spare)

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        """The result that ``notebook`` displayed; the executed notebook is in ``run_folder``, however it ended.

        Raises UnknownParameter, RunFailed, RunTimedOut, KernelDied; OSError where the disk refuses.
        """
        source = self._read(notebook)
        _check_parameters(notebook, source, parameters)
        run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        recording = Recording(guard.say)
        with self._one_at_a_time, self._kernel(notebook) as kernel:
            guard.started(kernel.pid, kernel.alive_file)
            try:
                with _as_run_errors(notebook, kernel):
                    execute_notebook(
                        source,
                        None,  # saved below: papermill writes in place, and not at all where the kernel died
                        parameters=parameters,
                        engine_name=ENGINE,
                        kernel_name="python3",
                        request_save_on_cell_execute=False,
                        autosave_cell_every=0,
                        progress_bar=False,
                        execution_timeout=self._cell_seconds,
                        kernel=kernel,
                        recording=recording,
                    )
            finally:
                _save(recording.notebook, notebook, run_folder, kernel)
        if recording.result is None:
            raise RunFailed(f"{notebook} ended without displaying a result", cause="NoResult")
        return recording.result

    def close(self) -> None:
        """End the spare kernels and remove their folders."""
        self._kernels.close()
        self._folders.close()

    @contextmanager
    def _kernel(self, notebook: str) -> Iterator[Kernel]:
        try:
            try:
                kernel = self._kernels.take(self._alike.get(notebook, notebook))
            except RuntimeError as error:
                raise KernelDied(f"{notebook}: no kernel could be started ({type(error).__name__})") from None
            try:
                yield kernel
            finally:
                kernel.close()
        finally:
            self._kernels.refill()

    def _read(self, notebook: str) -> NotebookNode:
        """The notebook, as an object: papermill would take a path for a template and fill values into it."""
        path = self._notebooks_folder / f"{notebook}.ipynb"
        if not NAME.fullmatch(notebook) or not path.is_file():
            raise RunFailed(f"there is no notebook {notebook!r} in {path.parent}", cause="NoNotebook", retryable=False)
        source: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        return source


def kernel_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of ``environment`` that a kernel may see, and the project on its import path."""
    passed = {name: value for name, value in environment.items() if name in PASSED_ON}
    passed["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PROJECT), passed.get("PYTHONPATH", "")]))
    return passed


def _start_kernel(folders: KernelFolders, environment: Mapping[str, str], lease_seconds: float) -> Kernel:
    return Kernel(folders.make(), kernel_environment(environment), lease_seconds=lease_seconds)


def _check_parameters(notebook: str, source: NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Papermill only warns of an unknown name, and puts it into code as it is: a name can be any statement.

    A parameter is needed where the comment behind it begins with "required". Raises UnknownParameter.
    """
    named = inspect_notebook(source)
    unknown = [name for name in parameters if name not in named]
    if unknown:
        raise UnknownParameter(
            f"{notebook} names no parameter {', '.join(repr(name[:40]) for name in unknown)}; "
            f"it names {', '.join(named) or 'none'}"
        )
    missing = [name for name, about in named.items() if about["help"].startswith("required") and name not in parameters]
    if missing:
        raise UnknownParameter(f"{notebook} needs the parameter {', '.join(missing)}")


@contextmanager
def _as_run_errors(notebook: str, kernel: Kernel) -> Iterator[None]:
    """``from None`` throughout: the errors of papermill and nbclient carry the source of the cell."""
    try:
        yield
    except PapermillExecutionError as error:
        raise _run_failed(notebook, error) from None
    except CellTimeoutError:
        raise RunTimedOut(f"{notebook}: a cell took longer than it may") from None
    except DeadKernelError:
        raise KernelDied(f"{notebook}: the kernel ended in mid-run") from None
    except RuntimeError as error:
        if kernel.is_alive():
            raise
        raise KernelDied(f"{notebook}: the kernel ended before the first cell ({type(error).__name__})") from None


def _run_failed(notebook: str, error: PapermillExecutionError) -> RunFailed:
    """An error keeps its text only where it is one of ours: those are written for the log, others quote anything."""
    ours = getattr(tng.errors, error.ename, None)
    if isinstance(ours, type) and issubclass(ours, TngError):
        cause, text, retryable = error.ename, f": {error.evalue[:MOST_MESSAGE_CHARACTERS]}", ours.retryable
    else:
        cause, text, retryable = error.ename if error.ename.isidentifier() else "Exception", "", True
    return RunFailed(f"{notebook}: cell {error.cell_index} raised {cause}{text}", cause=cause, retryable=retryable)


def _save(record: NotebookNode | None, notebook: str, run_folder: Path, kernel: Kernel) -> None:
    """Write the executed notebook, whole or not at all, and beside it what a kernel that died said outside of cells."""
    if not kernel.is_alive() and (kernel.folder / LOG).stat().st_size:
        shutil.copyfile(kernel.folder / LOG, run_folder / LOG)
    if record is None:
        return
    record.metadata.papermill.update(input_path=f"{notebook}.ipynb", output_path=RECORD)
    partial_file = run_folder / f"{RECORD}.partial"
    with partial_file.open("w", encoding="utf-8") as file:
        nbformat.write(record, file)  # type: ignore[no-untyped-call]
        file.flush()
        os.fsync(file.fileno())
    partial_file.replace(run_folder / RECORD)
