"""The papermill engine ``tng``: runs a notebook in a kernel that is given, and listens to what it displays.

A notebook speaks by displaying bundles, one MIME type for events and one for the result. It is no scheduler: who runs
what, and for how long the run may go on, is decided elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from tng.adapters.kernel import START_SECONDS, Kernel
from tng.jobs import EventKind

ENGINE = "tng"
EVENT_MIME = "application/vnd.tng.event+json"
RESULT_MIME = "application/vnd.tng.result+json"
SPOKEN = frozenset({EventKind.PLAN, EventKind.PROGRESS, EventKind.SCENE})
"""What a notebook may say; the other kinds are said about it."""
OUTPUT_SECONDS = 60
"""How long the last outputs of a cell may take to arrive on a busy machine, before the cell counts as timed out."""

logger = logging.getLogger(__name__)


class Recording:
    """What is kept of one run: the notebook as far as it came, and the result that it displayed, if any."""

    def __init__(self, say: Callable[[EventKind, dict[str, Any]], None]) -> None:
        """``say`` is called for every event, in order, on the thread of the run."""
        self._say = say
        self.notebook: NotebookNode | None = None
        self.result: dict[str, Any] | None = None

    def hear(self, bundle: dict[str, Any]) -> None:
        """Take a displayed bundle. What is no event and no result is only an output."""
        result, event = bundle.get(RESULT_MIME), bundle.get(EVENT_MIME)
        if isinstance(result, dict):
            self.result = result
        if not isinstance(event, dict):
            return
        body = dict(event)
        kind = body.pop("kind", None)
        if kind in SPOKEN:
            self._say(EventKind(kind), body)
        else:
            logger.warning("the notebook displayed an event of an unknown kind; it is left out")


class ListeningClient(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """Papermill's client, which also hands what is displayed to a Recording."""

    recording: Recording

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Called for every output of a cell, as it arrives."""
        if msg["msg_type"] == "display_data":
            self.recording.hear(msg["content"].get("data", {}))
        output: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
        return output


class RunEngine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Runs in ``kernel`` and leaves everything in ``recording``; it saves nothing."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        kernel: Kernel,
        recording: Recording,
        execution_timeout: int,
        **_: Any,
    ) -> None:
        """Execute the cells, until one fails. Raises CellTimeoutError, DeadKernelError or RuntimeError."""
        client = ListeningClient(
            nb_man,
            km=kernel.manager,
            kernel_name=kernel_name,
            timeout=execution_timeout,
            startup_timeout=START_SECONDS,
            iopub_timeout=OUTPUT_SECONDS,
            coalesce_streams=True,
        )
        client.recording = recording
        recording.notebook = nb_man.nb
        try:
            client.execute()
        except Exception as error:
            _mark_failed(nb_man, error)
            raise
        finally:
            if client.kc is not None:
                client.kc.stop_channels()


def register() -> None:
    """Make papermill know the engine; twice is fine."""
    papermill_engines.register(ENGINE, RunEngine)


def _mark_failed(nb_man: NotebookExecutionManager, error: Exception) -> None:
    """Papermill records a cell that timed out or lost its kernel as completed, and the notebook as without a fault."""
    begun = [cell for cell in nb_man.nb.cells if cell.metadata.papermill.get("start_time")]
    for cell in begun[-1:]:
        cell.metadata.papermill.update(status=nb_man.FAILED, exception=True)
    what = "timed out" if isinstance(error, CellTimeoutError) else "the kernel ended"
    nb_man.nb.metadata.papermill["exception"] = f"{type(error).__name__}: {what}"
