"""What a request may contain: Stripe's own words, taken from the parameter types of the installed SDK.

``stripe.params`` is generated from Stripe's OpenAPI description, so pinning the SDK pins this contract too:
upgrade the one and the other follows. This module reads a form by such a type, and refuses with Stripe's codes
whatever Stripe would refuse: unknown, missing, ill-typed or out of range. It does not know what a parameter does.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NotRequired, Required, Union

from stripe._request_options import RequestOptions
from typing_extensions import get_type_hints, is_typeddict

from hub.sandbox.stripe.wire import Refusal, Thing, invalid

SDK_OPTIONS = frozenset(RequestOptions.__annotations__)
"""Options of the SDK's call that its types list beside the parameters; they travel as headers."""

NAMES = {"StripeContext": str, "Mapping": Mapping}
UNIONS = (Union, type(int | None))


def read(shape: type, form: Thing, path: str = "") -> Thing:
    """Read a form as ``shape``, a TypedDict of the SDK: numbers, truth values and lists as what they are.

    Raises Refusal for the first fault; its ``param`` is the path, as in ``line_items[0][price_data]``.
    """
    hints = _hints(shape)
    result: Thing = {}
    for key, value in form.items():
        name = _join(path, key)
        if key not in hints or (not path and key in SDK_OPTIONS):
            raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        result[key] = _value(hints[key], value, name)
    for key in sorted(getattr(shape, "__required_keys__", frozenset()) - SDK_OPTIONS - form.keys()):
        raise required(_join(path, key))
    return result


def required(name: str) -> Refusal:
    """The refusal for a parameter that must be there."""
    return Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


@functools.cache
def _hints(shape: type) -> dict[str, Any]:
    return get_type_hints(shape, localns=NAMES)


def _join(path: str, key: str) -> str:
    return f"{path}[{key}]" if path else key


def _arms(hint: Any) -> list[Any]:
    """The alternatives of a type. Where the SDK says ``Literal[…] | str``, the words count and the str does not."""
    origin = typing.get_origin(hint)
    if origin in (NotRequired, Required):
        return _arms(typing.get_args(hint)[0])
    if origin not in UNIONS:
        return [hint]
    arms = [arm for part in typing.get_args(hint) if part is not type(None) for arm in _arms(part)]
    if any(typing.get_origin(arm) is typing.Literal and typing.get_args(arm) != ("",) for arm in arms):
        arms = [arm for arm in arms if arm is not str]
    return sorted(arms, key=_is_scalar)


def _is_scalar(hint: Any) -> bool:
    return not (is_typeddict(hint) or typing.get_origin(hint) in (list, dict))


def _value(hint: Any, value: Any, name: str) -> Any:
    faults: list[Refusal] = []
    for arm in _arms(hint):
        try:
            return _read_arm(arm, value, name)
        except Refusal as fault:
            faults.append(fault)
    raise faults[-1] if isinstance(value, str) else faults[0]  # the arm that this value came closest to


def _read_arm(hint: Any, value: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_typeddict(hint):
        return read(hint, _container(value, name, "object"), name)
    if origin is list:
        items = _container(value, name, "array")
        if not all(key.isdecimal() for key in items):
            raise invalid(name, f"Invalid array: {name}")
        return [_value(arguments[0], items[key], _join(name, key)) for key in sorted(items, key=int)]
    if origin is dict:
        items = _container(value, name, "object")
        return {key: _value(arguments[1], item, _join(name, key)) for key, item in items.items()}
    if not isinstance(value, str):
        raise invalid(name, f"Invalid value: {name}")
    if origin is typing.Literal:
        return _word(value, arguments, name)
    return _scalar(hint, value, name)


def _container(value: Any, name: str, noun: str) -> Thing:
    if not isinstance(value, dict):
        raise invalid(name, f"Invalid {noun}: {name}")
    return value


def _word(value: str, words: tuple[Any, ...], name: str) -> str:
    if value not in words:
        raise invalid(name, f"Invalid {name}: must be one of {', '.join(map(str, words))}")
    return value


def _scalar(hint: Any, value: str, name: str) -> Any:
    if hint is int:
        if not value.removeprefix("-").isascii() or not value.removeprefix("-").isdecimal() or len(value) > 18:
            raise Refusal(400, f"Invalid integer: {value[:40]}", code="parameter_invalid_integer", param=name)
        return int(value)
    if hint is bool:
        return _word(value, ("false", "true"), name) == "true"
    if hint in (float, Decimal):
        try:
            return str(Decimal(value))
        except InvalidOperation:
            raise invalid(name, f"Invalid decimal: {name}") from None
    if hint is not str:
        raise invalid(name, f"Invalid value: {name}")
    return value
