"""How a failure leaves the api: a status, the error's class and a sentence; no traceback, no word of the request."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from tng.errors import (
    ApiError,
    EditionOvertaken,
    EditionRefused,
    GatewayUnavailable,
    IllegalMove,
    OrderNotFound,
    PaymentMismatch,
    PaymentRefused,
    PremiseError,
    PromotionOvertaken,
    PromotionRefused,
    ReleaseError,
    RetrainingError,
    ScheduleError,
    ShopClosed,
    SignatureInvalid,
    StoreBusy,
    TakeUnderWay,
    TngError,
    TooManyUnpaid,
)
from tng.log import kind_of, told

logger = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[TngError], int], ...] = (
    (PremiseError, 422),
    (OrderNotFound, 404),
    (IllegalMove, 409),
    (EditionOvertaken, 409),
    (TakeUnderWay, 409),
    (EditionRefused, 422),
    (TooManyUnpaid, 409),
    (ShopClosed, 503),
    (PaymentMismatch, 409),
    (SignatureInvalid, 400),
    (PaymentRefused, 402),
    (GatewayUnavailable, 503),
    (PromotionOvertaken, 409),
    (PromotionRefused, 422),
    (RetrainingError, 409),
    (ScheduleError, 422),
    (ReleaseError, 503),
    (StoreBusy, 503),
)
RETRY_SECONDS = 2
NAME_CHARACTERS = 40

_HTTP_SENTENCES = {
    404: "There is no such page.",
    405: "That cannot be done here.",
    413: "The request is too large.",
}


def status_of(error: TngError) -> int:
    """The HTTP status of an error; 500 where none is named."""
    if isinstance(error, ApiError):
        return error.status or 500
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def refusal(name: str, sentence: str, status: int) -> JSONResponse:
    """The one form in which the api refuses."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    return JSONResponse({"error": name, "message": sentence}, status, headers=headers)


def install_refusals(app: FastAPI) -> None:
    """Translate every error of the product, of validation and of HTTP."""
    app.add_exception_handler(TngError, _product_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)


async def _product_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, TngError):
        raise error
    status = status_of(error)
    if status == 401 and wants_page(request):
        response: Response = request.app.state.auth.send_to_login(request)
        return response
    if status >= 500:
        kind = kind_of(error)
        logger.warning("%s answered %s: %s: %s", _route(request), status, kind, error, extra=told(fault=kind))
    return refusal(type(error).__name__, error.user_message, status)


async def _invalid_request(_request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    return refusal(PremiseError.__name__, sentence_of(faults), 422)


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal("HttpError", _HTTP_SENTENCES.get(status, TngError.user_message), status)


def wants_page(request: Request) -> bool:
    """Whether a person's browser opens this address as a page, so that it can be sent to sign in."""
    opened = request.headers.get("sec-fetch-dest", "document") == "document"
    return request.method == "GET" and opened and "text/html" in request.headers.get("accept", "")


def sentence_of(faults: Sequence[Mapping[str, Any]]) -> str:
    """One sentence for the first fault that validation found. It names the field, and never repeats its value."""
    if not faults:
        return PremiseError.user_message
    kind, place = str(faults[0]["type"]), [str(part) for part in faults[0]["loc"]]
    name = _printable(place[-1]) if len(place) > 1 else "request"
    if kind == "extra_forbidden":
        return f"An order has no field “{name}”: what it costs, whose it is and whether it is paid is decided here."
    if kind == "missing" and place[0] == "header":
        return f"The header {name} is missing: it names the request, so that a second click orders nothing new."
    if kind == "missing":
        return f"The {name} is missing." if len(place) > 1 else "The request has no content."
    if kind.startswith("json_") or len(place) == 1 or kind == "model_attributes_type":
        return "The request is not a JSON object."
    return f"The {name} {_WRONG.get(kind, 'cannot be used as it is')}."


_WRONG = {
    "string_type": "must be text",
    "string_unicode": "has a character that is not text",
    "string_too_long": "is too long",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "has a character that cannot be used",
    "list_type": "must be a list of names",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
}


def _printable(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[:NAME_CHARACTERS]


def _route(request: Request) -> str:
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', '?')}"
