"""What a browser may send, without a browser: kinds, sizes, pace, and what is no message at all."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from hub import channel
from hub.channel import BURST_SECONDS, BYTES_A_SECOND, MESSAGES_A_SECOND, MOST_BYTES, V1, HouseChannel, Pace, kind_of


def message(kind: Any, *, v1: bool = True) -> bytes | str:
    header = {"msg_id": "1", "msg_type": kind, "session": "s", "username": "", "version": "5.3", "date": ""}
    if not v1:
        return json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": {}})
    parts = [json.dumps(part).encode() for part in (header, {}, {}, {})]
    written: bytes = serialize_msg_to_ws_v1(parts, "shell")
    return written


class Browser(HouseChannel):
    """A channel without a socket: what was passed on, and with which code it was cut."""

    subprotocol = V1

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[Any] = []
        self.codes: list[int] = []
        self.touched = 0
        self.kernel = SimpleNamespace()

    @property
    def kernel_manager(self) -> Any:
        return self.kernel

    @property
    def multi_kernel_manager(self) -> Any:
        return SimpleNamespace(touch=self.touch)

    @property
    def kernel_id(self) -> str:
        return "a-kernel"

    def touch(self) -> None:
        self.touched += 1

    def _cut(self, code: int, why: str) -> None:
        self.codes.append(code)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    passed: list[Any] = []
    monkeypatch.setattr(
        ZMQChannelsWebsocketConnection, "handle_incoming_message", lambda self, sent: passed.append(sent)
    )
    made = Browser()
    made.passed = passed
    return made


@pytest.mark.parametrize("v1", [True, False])
def test_the_kind_of_a_message_is_read_in_both_protocols(v1: bool) -> None:
    assert kind_of(message("comm_msg", v1=v1), v1=v1) == "comm_msg"


@pytest.mark.parametrize("kind", ["comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request"])
def test_what_widgets_need_is_passed_on(browser: Browser, kind: str) -> None:
    browser.handle_incoming_message(message(kind))
    assert len(browser.passed) == 1


FORBIDDEN = ["execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request"]
FORBIDDEN += ["debug_request", "interrupt_request", "shutdown_request", "input_reply", "create_subshell_request", "x"]


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_everything_else_is_dropped(browser: Browser, kind: str) -> None:
    browser.handle_incoming_message(message(kind))
    assert not browser.passed
    assert not browser.codes


def test_what_a_page_says_is_not_in_the_log(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser.handle_incoming_message(message("a line\nand another"))
    assert caplog.records
    assert "another" not in caplog.text


UNREADABLE: list[bytes | str] = [
    b"",
    b"\xff" * 40,
    (2**63).to_bytes(8, "little") + b"x" * 100,
    b"\x02" + b"\0" * 7,
    "text where bytes belong",
    message(7),
    message({"a": "word"}),
]


@pytest.mark.parametrize("sent", UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_is_no_message_ends_the_connection_and_nothing_else(browser: Browser, sent: bytes | str) -> None:
    browser.handle_incoming_message(sent)
    assert browser.codes == [channel.UNREADABLE]
    assert not browser.passed


@pytest.mark.parametrize("sent", ["", "[]", "7", '{"header": 7}', "{" * 5000, b"\0\0\0\x7f" + b"\0" * 60])
def test_the_older_protocol_is_no_way_around(browser: Browser, sent: bytes | str) -> None:
    browser.subprotocol = ""
    browser.handle_incoming_message(sent)
    assert browser.codes == [channel.UNREADABLE]


def test_a_flood_is_cut_off(browser: Browser) -> None:
    most = int(MESSAGES_A_SECOND * BURST_SECONDS)
    for _ in range(most + 200):
        browser.handle_incoming_message(message("comm_msg"))
    assert most <= len(browser.passed) < most + 200
    assert set(browser.codes) == {channel.TOO_MUCH}


def test_who_is_cut_off_does_not_begin_anew_by_connecting_again(browser: Browser) -> None:
    browser.kernel.house_pace = Pace(seconds=0.0)
    browser.handle_incoming_message(message("comm_msg"))
    assert browser.codes == [channel.TOO_MUCH]


def test_many_large_messages_are_a_flood_sooner() -> None:
    pace = Pace()
    allowed = sum(pace.allows(MOST_BYTES) for _ in range(100))
    assert allowed == pytest.approx(BURST_SECONDS * BYTES_A_SECOND / MOST_BYTES, abs=2)


def test_a_pace_recovers() -> None:
    pace = Pace(seconds=0.0)
    assert not pace.allows(1)
    pace.at -= 1.0
    assert pace.allows(1)


def test_deeds_count_as_use_and_questions_do_not(browser: Browser) -> None:
    for kind in ("kernel_info_request", "comm_info_request", "execute_request"):
        browser.handle_incoming_message(message(kind))
    assert browser.touched == 0
    browser.handle_incoming_message(message("comm_msg"))
    assert browser.touched == 1
