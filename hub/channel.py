"""What a page's browser may send to its kernel: five kinds of message, of a bounded size, at a bounded pace.

Whoever floods is cut off: what a kernel cannot take in would pile up in the server, and take the owner's pages with it.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import WebSocketClosedError

from hub.kernels import MESSAGES

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 256 * 1024
"""The largest message: a form's fields are a few thousand characters."""

MESSAGES_A_SECOND: Final = 100.0
BYTES_A_SECOND: Final = 1_000_000.0
BURST_SECONDS: Final = 5.0
"""So many seconds' worth may come at once: a page that opens sends dozens of messages."""

UNREADABLE: Final = 1007
TOO_MUCH: Final = 1008
"""The codes of RFC 6455, 7.4.1."""

UNREADABLES: Final = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
"""What Jupyter's reading raises for a message that is none, of whatever shape."""

DEEDS: Final = ("comm_open", "comm_close", "comm_msg")
"""What comes of what a person does. Questions come from the page itself, whenever it connects."""

MOST_PARTS: Final = 64
V1: Final = "v1.kernel.websocket.jupyter.org"


@dataclass(slots=True)
class Pace:
    """A bucket that fills with time: ``seconds`` are what is left, each worth so many messages and bytes."""

    seconds: float = BURST_SECONDS
    at: float = field(default_factory=time.monotonic)

    def allows(self, size: int) -> bool:
        """Whether one more message of so many bytes is within the pace; it is counted."""
        now = time.monotonic()
        self.seconds = min(BURST_SECONDS, self.seconds + now - self.at)
        self.at = now
        self.seconds -= max(1 / MESSAGES_A_SECOND, size / BYTES_A_SECOND)
        return self.seconds >= 0


class HouseChannel(ZMQChannelsWebsocketConnection):
    """The connection between a page and its kernel."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a message on, drop it, or cut the connection."""
        if not self._pace().allows(len(incoming_msg)):
            self._cut(TOO_MUCH, "are too many")
            return
        try:
            kind = kind_of(incoming_msg, v1=self.subprotocol == V1)
            if kind not in MESSAGES:
                logger.warning("a page sent a kind of message that pages may not send; it was dropped")
                return
            super().handle_incoming_message(incoming_msg)
        except UNREADABLES:
            self._cut(UNREADABLE, "cannot be read")
            return
        if kind in DEEDS:
            self.multi_kernel_manager.touch()

    def _pace(self) -> Pace:
        """One a kernel: a browser that was cut off and comes back does not begin anew."""
        kernel = self.kernel_manager
        if not hasattr(kernel, "house_pace"):
            kernel.house_pace = Pace()
        pace: Pace = kernel.house_pace
        return pace

    def _cut(self, code: int, why: str) -> None:
        logger.warning("a page was cut off from kernel %s: its messages %s", self.kernel_id, why)
        try:
            self.websocket_handler.close(code)
        except WebSocketClosedError:
            return  # it left by itself


def kind_of(message: str | bytes, *, v1: bool) -> str:
    """The kind of a message. Raises one of ``UNREADABLES`` where it is none of Jupyter's."""
    if v1:
        if int.from_bytes(message[:8], "little") > MOST_PARTS:  # type: ignore[arg-type]  # text raises TypeError
            raise ValueError("so many parts would not end")  # the number is the sender's, and Jupyter counts to it
        _, parts = deserialize_msg_from_ws_v1(message)  # type: ignore[no-untyped-call]
        header: Any = json.loads(parts[0])
    else:
        if isinstance(message, bytes):
            raise ValueError("buffers come by the other protocol")
        header = json.loads(message)["header"]
    kind = header["msg_type"]
    if not isinstance(kind, str):
        raise TypeError("a kind of message is a word")
    return kind
