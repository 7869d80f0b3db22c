"""The operator's routes to schedules and retrainings, and to the notebooks that these left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from tng.api.operator_door import TheOperations, TheOperator, actor_of, told_why
from tng.api.shared import ThePrefix
from tng.errors import RetrainingError, ScheduleError
from tng.operations import Operations
from tng.training.lookout import ID
from tng.training.retrainings import Retraining
from tng.training.schedules import NAME, Schedule
from tng.training.view import SchedulesView

CHUNK_BYTES: Final = 64 * 1024

SANDBOXED: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A notebook's page may look as it likes. It runs nothing, asks for nothing, and is nobody's origin."""

FILES: Final[Mapping[str, Mapping[str, str]]] = {
    "html": {"Content-Security-Policy": SANDBOXED, "Content-Type": "text/html; charset=utf-8"},
    "ipynb": {"Content-Type": "application/x-ipynb+json"},
}


def retraining_routes() -> APIRouter:
    """Schedules, retrainings and notebooks."""
    router = APIRouter()
    router.add_api_route("/schedules", schedules, methods=["GET"])
    router.add_api_route("/schedules/{name}/pause", pause, methods=["POST"])
    router.add_api_route("/schedules/{name}/resume", resume, methods=["POST"])
    router.add_api_route("/schedules/{name}/run", run_now, methods=["POST"])
    router.add_api_route("/retrainings/{retraining_id}/cancel", cancel, methods=["POST"])
    router.add_api_route("/retrainings/{retraining_id}/retry", retry, methods=["POST"])
    router.add_api_route(
        "/retrainings/{retraining_id}/{run}/notebook.{ending}",
        notebook,
        methods=["GET"],
        response_class=StreamingResponse,
    )
    return router


def schedules(_operator: TheOperator, operations: TheOperations, prefix: ThePrefix) -> SchedulesView:
    """Schedules and retrainings at this moment."""
    return operations.runs.look(f"{prefix}/open?to={prefix}/operator/retrainings")


def pause(_operator: TheOperator, operations: TheOperations, name: str) -> Schedule:
    """The schedule, which is due no more."""
    with told_why():
        return operations.timetable.pause(_schedule(name))


def resume(_operator: TheOperator, operations: TheOperations, name: str) -> Schedule:
    """The schedule, which is due again."""
    with told_why():
        return operations.timetable.resume(_schedule(name))


def run_now(operator: TheOperator, operations: TheOperations, name: str) -> Retraining:
    """The retraining that was begun."""
    with told_why():
        return replace(operations.timetable.run_now(_schedule(name), actor=actor_of(operator)), notes={})


def cancel(operator: TheOperator, operations: TheOperations, retraining_id: str) -> Retraining:
    """The retraining, which has ended."""
    with told_why():
        return replace(operations.retrainings.cancel(_retraining(retraining_id), actor=actor_of(operator)), notes={})


def retry(operator: TheOperator, operations: TheOperations, retraining_id: str) -> Retraining:
    """The retraining, which goes on with the step that failed."""
    with told_why():
        return replace(operations.retrainings.retry(_retraining(retraining_id), actor=actor_of(operator)), notes={})


def notebook(
    _operator: TheOperator, operations: TheOperations, retraining_id: str, run: str, ending: str
) -> StreamingResponse:
    """The notebook of an attempt: as a page, or as the file that it is."""
    file = _opened(operations, retraining_id, run, ending)
    headers = dict(FILES[ending])
    if ending == "ipynb":
        headers["Content-Disposition"] = f'attachment; filename="{retraining_id}-{run}.ipynb"'
    return StreamingResponse(_chunks(file), headers=headers)


def _schedule(name: str) -> str:
    """A name that a schedule may have: what is none is not looked for. Raises ScheduleError."""
    if not NAME.fullmatch(name):
        raise ScheduleError(f"there is no schedule {name!r}")
    return name


def _retraining(name: str) -> str:
    """An id that a retraining may have. Raises RetrainingError."""
    if not ID.fullmatch(name):
        raise RetrainingError(f"there is no retraining {name!r}")
    return name


def _opened(operations: Operations, retraining_id: str, run: str, ending: str) -> IO[bytes]:
    file = operations.runs.open_notebook(retraining_id, run, ending)
    if file is None:
        raise HTTPException(404)
    return file


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
