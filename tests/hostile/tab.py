"""An open dashboard in the hands of a script: whatever its browser could say to the page's kernel, said over a socket.

    with tab_of(house, ada.client) as tab:
        states = tab.states()
        tab.set(tab.find(states, "ButtonModel", description="Order & pay"), disabled=False)
        tab.press(button)

Nothing here is part of the page's own code: it speaks Jupyter's messages (jupyter-client.readthedocs.io, messaging) and
those of ipywidgets (its ``messages.md``), as anybody can who has the page's cookies.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.open_house import OpenHouse, arrive

ANSWER_SECONDS = 60.0
WIDGET, CONTROL = "jupyter.widget", "jupyter.widget.control"
WIDGETS_SPEAK, CONTROL_SPEAKS = {"version": "2.1.0"}, {"version": "1.0.0"}

Message = dict[str, Any]
States = dict[str, dict[str, Any]]


class Tab:
    """A page of the dashboard that is open, and the socket of its kernel. ``heard`` is all that the kernel said."""

    def __init__(self, socket: ClientConnection, kernel_id: str, page: httpx.Response) -> None:
        self.socket = socket
        self.kernel_id = kernel_id
        self.page = page
        self.heard: list[Message] = []

    # --- messages -----------------------------------------------------------------------------------------------

    def send(self, kind: str, content: Message, *, channel: str = "shell", metadata: Message | None = None) -> str:
        """Send any message at all; its id."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "tab", "version": "5.4"}
        header["date"] = "2026-11-24T12:00:00Z"
        message = {"header": header, "parent_header": {}, "metadata": metadata or {}, "content": content}
        self.socket.send(json.dumps(message | {"channel": channel, "buffers": []}))
        return header["msg_id"]

    def answers_to(self, message_id: str) -> list[Message]:
        """All that came back because of this message: waits for the kernel to be idle again."""
        self.until(lambda m: _parent(m) == message_id and m["content"].get("execution_state") == "idle")
        return [message for message in self.heard if _parent(message) == message_id]

    def settle(self) -> list[Message]:
        """Wait until the kernel has dealt with everything that was sent before; what it said meanwhile.

        Its messages are taken in order: once it has told its own name, nothing sent earlier is still to come.
        """
        before = len(self.heard)
        self.answers_to(self.send("kernel_info_request", {}))
        return self.heard[before:]

    def until(self, wanted: Callable[[Message], bool], *, seconds: float = ANSWER_SECONDS) -> Message:
        """Listen until this message comes."""
        end = time.monotonic() + seconds
        while True:
            message = _message(self.socket.recv(timeout=max(end - time.monotonic(), 0.01)))
            self.heard.append(message)
            if wanted(message):
                return message

    # --- widgets ------------------------------------------------------------------------------------------------

    def states(self) -> States:
        """Every widget of the kernel, shown or not: widget id → its whole state."""
        comm = self.open(CONTROL, {})
        self.say(comm, {"method": "request_states"})
        dump = self.until(
            lambda m: m["msg_type"] == "comm_msg" and m["content"]["data"].get("method") == "update_states"
        )
        return {key: model["state"] for key, model in dump["content"]["data"]["states"].items()}

    def open(self, target: str, data: Message) -> str:
        """Open a comm; its id."""
        comm = uuid.uuid4().hex
        speaks = CONTROL_SPEAKS if target == CONTROL else WIDGETS_SPEAK
        self.send("comm_open", {"comm_id": comm, "target_name": target, "data": data}, metadata=speaks)
        return comm

    def make(self, state: Message) -> str:
        """Make a widget in the kernel, of a class and with values of the browser's choosing; its id."""
        return self.open(WIDGET, {"state": state, "buffer_paths": []})

    def say(self, comm: str, data: Message) -> str:
        """Say something on a comm."""
        return self.send("comm_msg", {"comm_id": comm, "data": data})

    def set(self, widget: str, **values: Any) -> None:
        """Set values of a widget, whatever they are and whether or not they may be."""
        self.say(widget, {"method": "update", "state": values, "buffer_paths": []})

    def tell(self, widget: str, content: object) -> None:
        """Say to a widget of the page what its own part in the browser could say, or anything else."""
        self.say(widget, {"method": "custom", "content": content})

    def press(self, button: str) -> None:
        """Press a button, seen or not, asleep or not; returns when the kernel has done what it does then."""
        self.tell(button, {"event": "click"})
        self.settle()

    def wait_until_filled(self) -> States:
        """The widgets, once the page has heard from the api."""
        end = time.monotonic() + ANSWER_SECONDS
        while True:
            states = self.states()
            if "tng-price" in json.dumps(states):
                return states
            assert time.monotonic() < end, "the page does not fill itself"


def find(states: States, model: str, **values: Any) -> str:
    """The id of the only widget of this class with these values."""
    found = [
        key
        for key, state in states.items()
        if state.get("_model_name") == model and all(state.get(name) == value for name, value in values.items())
    ]
    assert len(found) == 1, f"{len(found)} widgets are {model} with {values}"
    return found[0]


def kernel_of(page: httpx.Response) -> str:
    """The id of the kernel that serves a page of Voilà."""
    match = re.search(r'"kernelId":\s*"([0-9a-f-]{36})"', page.text)
    assert match, page.text[:500]
    return match[1]


def cookies_for(client: httpx.Client, path: str) -> str:
    """The Cookie header that a browser would send to this path."""
    return "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar if path.startswith(c.path))


def socket_to(house: OpenHouse, path: str, cookie: str, *, origin: str = "") -> ClientConnection:
    """A websocket to a path of the house. Raises InvalidStatus where it is refused."""
    headers = {"Cookie": cookie} if cookie else {}
    return connect(
        f"ws://127.0.0.1:{house.port}{path}",
        origin=origin or house.url,  # type: ignore[arg-type]  # a NewType of str
        additional_headers=headers,
        max_size=None,
        proxy=None,
        ping_interval=None,  # a script that is busy answers nobody
        open_timeout=30,
    )


def status_of(house: OpenHouse, path: str, cookie: str, *, origin: str = "") -> int:
    """How a websocket is answered: 101 where it opens."""
    try:
        with socket_to(house, path, cookie, origin=origin):
            return 101
    except InvalidStatus as refused:
        return int(refused.response.status_code)


def channels(page: httpx.Response) -> str:
    """The path of the socket of a page's kernel."""
    return f"{page.url.path}api/kernels/{kernel_of(page)}/channels"


@contextmanager
def tab_of(house: OpenHouse, client: httpx.Client, query: str = "") -> Iterator[Tab]:
    """The dashboard of somebody who is signed in; afterwards the page is left, and its kernel ends."""
    page = arrive(client, f"/hub/user-redirect/{query}")
    path = channels(page)
    try:
        with socket_to(house, path, cookies_for(client, path)) as socket:
            yield Tab(socket, kernel_of(page), page)
    finally:
        leave(client, page)


def leave(client: httpx.Client, page: httpx.Response) -> httpx.Response:
    """End the kernel of a page, as Voilà's own page does when its window closes."""
    return client.post(f"{page.url.path}voila/api/shutdown/{kernel_of(page)}", headers=xsrf(client, page.url.path))


def xsrf(client: httpx.Client, path: str) -> dict[str, str]:
    """The header with which a page at this path writes: the value of the cookie that belongs to it."""
    tokens = [str(c.value) for c in client.cookies.jar if c.name == "_xsrf" and path.startswith(c.path)]
    return {"X-XSRFToken": tokens[0]} if tokens else {}


def _message(frame: str | bytes) -> Message:
    """A message as Jupyter's server sends it: JSON, or with buffers behind it and where they begin before it."""
    if isinstance(frame, bytes):
        start, end = (int.from_bytes(frame[place : place + 4]) for place in (4, 8))
        frame = frame[start:end].decode()
    message: Message = json.loads(frame)
    return message


def _parent(message: Message) -> str:
    return str(message.get("parent_header", {}).get("msg_id", ""))
