"""Stripe on a bad day: slow, failing, cut off before or after it acted. Set by the control surface, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import ClassVar

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.sandbox.stripe.wire import Refusal, Thing, invalid

MOST_SECONDS, MOST_TIMES = 120.0, 1_000_000
MESSAGES = {429: ("Too many requests hit the API too quickly.", "rate_limit")}


class Kind(StrEnum):
    """What goes wrong, and when."""

    SLOW = "slow"  # the answer is right and comes late
    ERROR = "error"  # an error before anything was done, or kept for an idempotency key
    ERROR_AFTER = "error_after"  # done, and the error is the answer that an idempotency key repeats
    ANSWER_LOST = "answer_lost"  # done, then the connection is cut
    DOWN = "down"  # the connection is cut, and nothing was done


@dataclass
class Fault:
    """One thing that goes wrong with some calls, so many times."""

    calls: str  # "refunds.create", "checkout.sessions.*", "*"
    kind: Kind
    seconds: float = 0.0
    status: int = 500
    times: int = 1

    @property
    def refusal(self) -> Refusal:
        """The error, in Stripe's shape."""
        message, code = MESSAGES.get(self.status, ("An unknown error occurred", ""))
        kind = "api_error" if self.status >= 500 else "invalid_request_error"
        return Refusal(self.status, message, code=code, kind=kind)


class Faults:
    """The faults that are set. ``cut`` ends the connection of a request without an answer."""

    def __init__(self, cut: Callable[[Request], None]) -> None:
        self.cut = cut
        self._set: list[Fault] = []

    def add(self, wish: Thing, names: Iterable[str]) -> None:
        """Set a fault. Raises Refusal for one that would never come."""
        try:
            fault = Fault(
                calls=str(wish.get("calls", "*")),
                kind=Kind(wish.get("kind", "")),
                seconds=float(wish.get("seconds", 0)),
                status=int(wish.get("status", 500)),
                times=int(wish.get("times", 1)),
            )
        except (TypeError, ValueError) as error:
            raise invalid("faults", f"A fault is not written so: {error}") from None
        if not (0 <= fault.seconds <= MOST_SECONDS and 1 <= fault.times <= MOST_TIMES and 400 <= fault.status <= 599):
            raise invalid("faults", "A fault's seconds, times or status are out of all reason.")
        if not any(fnmatchcase(name, fault.calls) for name in names):
            raise invalid("calls", f"There is no call {fault.calls}.")
        self._set.append(fault)

    def clear(self) -> None:
        """Mend everything."""
        self._set.clear()

    def take(self, call: str) -> Fault | None:
        """What goes wrong with this call: the first fault that is meant for it, which is then one time less."""
        for fault in self._set:
            if fnmatchcase(call, fault.calls):
                fault.times -= 1
                if fault.times == 0:
                    self._set.remove(fault)
                return fault
        return None

    async def before(self, fault: Fault | None, request: Request) -> None:
        """What goes wrong before the deed. Raises Refusal."""
        if fault is None:
            return
        await asyncio.sleep(fault.seconds)
        if fault.kind == Kind.DOWN:
            self.cut(request)
        if fault.kind in (Kind.ERROR, Kind.DOWN):
            raise fault.refusal

    def after(self, fault: Fault | None, request: Request) -> None:
        """What goes wrong when the deed is done."""
        if fault is not None and fault.kind == Kind.ANSWER_LOST:
            self.cut(request)


class Lines(H11Protocol):
    """uvicorn's own protocol, whose connections can be cut: whoever waits there gets no answer at all."""

    _open: ClassVar[dict[tuple[str, int], Lines]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the line."""
        super().connection_made(transport)
        if self.client is not None:
            self._open[self.client] = self

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the line."""
        if self.client is not None:
            self._open.pop(self.client, None)
        super().connection_lost(exc)

    @classmethod
    def cut(cls, request: Request) -> None:
        """Cut the line on which a request came."""
        line = cls._open.get((request.client.host, request.client.port)) if request.client else None
        if line is not None:
            line.transport.abort()
