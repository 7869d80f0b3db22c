"""Who may use the operator's routes, and how what they ask for is read: never before it is known who asks."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from tng.api.auth import Caller
from tng.errors import (
    ApiError,
    PromotionOvertaken,
    PromotionRefused,
    ReleaseError,
    RetrainingError,
    ScheduleError,
)
from tng.operations import Operations
from tng.overview import OPERATORS

NUMBER = re.compile(r"[1-9][0-9]{0,8}")

Asked = TypeVar("Asked", bound=BaseModel)


async def the_operator(request: Request) -> Caller:
    """The operator who calls. Raises HTTPException 404 for anybody else; ApiError 503 where the hub is away."""
    try:
        caller: Caller = await request.app.state.auth.caller(request)
    except ApiError as error:
        if error.status == 503:
            raise
        raise HTTPException(404) from None
    if OPERATORS not in caller.groups:
        raise HTTPException(404)
    return caller


def _operations(request: Request) -> Operations:
    operations: Operations = request.app.state.operations
    return operations


TheOperator = Annotated[Caller, Depends(the_operator)]
TheOperations = Annotated[Operations, Depends(_operations)]


def asked(kind: type[Asked]) -> Callable[[TheOperator, Request], Awaitable[Asked]]:
    """A dependency that reads the request's JSON, for an operator alone: to others not even a wrong one is wrong."""

    async def read(_operator: TheOperator, request: Request) -> Asked:
        try:
            return kind.model_validate_json(await request.body())
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from None

    return read


def actor_of(operator: Caller) -> str:
    """What the ledger calls them: the hub's name, which nobody can choose in a request."""
    return f"hub:{operator.name}"


def number_of(text: str) -> int:
    """The number of a row. Raises HTTPException 404 where it can be none."""
    if not NUMBER.fullmatch(text):
        raise HTTPException(404)
    return int(text)


@contextmanager
def told_why() -> Iterator[None]:
    """An operator is told the sentence that others find in the log, and a wrong name is nobody's fault but theirs."""
    try:
        yield
    except PromotionOvertaken as error:
        raise PromotionOvertaken(str(error), user_message=_sentence(error)) from None
    except ReleaseError as error:
        raise PromotionRefused(str(error), user_message=_sentence(error)) from None
    except (RetrainingError, ScheduleError) as error:
        raise type(error)(str(error), user_message=_sentence(error)) from None


def _sentence(error: Exception) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '?', '!')) else '.'}"
