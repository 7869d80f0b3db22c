"""Mails to customers over real connections: a mail server, the hub's own api, and processes that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.header import decode_header, make_header
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub.sandbox.people import by_address
from tests.architecture.sources import ROOT
from tests.fakes import START, FakeClock
from tests.notice_ends import MailEnd, free_port, mail_end
from tests.open_house import NOTHING_WRITTEN, opened, sign_in, visitor
from tests.samples import a_paid_order, forced, keep
from tng.adapters.clock import SystemClock
from tng.adapters.hub_accounts import HubAccounts
from tng.adapters.mail_server import MailServer
from tng.app import build_store
from tng.customer_mails import Letter, MailKind, owe_mail
from tng.errors import NoticeUndelivered, SettingsError
from tng.notice_settings import SmtpSecurity, notice_environment
from tng.orders import Order, OrderState
from tng.ports import Store
from tng.settings import Settings
from tng.training.house import build_mail_pump

ADA, SENDER = "ada@example.com", "tng@example.com"
SOON_SECONDS = 60
LETTER = Letter("Ready: Zurück", "Your script is ready.\n.\nQUIT\n", START)
VERIFIED = {"google_user": {"email": ADA, "verified_email": True, "name": "Ada"}}


@pytest.fixture
def mail() -> Iterator[MailEnd]:
    with mail_end() as end:
        yield end


class HubEnd:
    """What answers as the hub would: ``status``, and this ``person``. ``heard`` are (path, token)."""

    def __init__(self) -> None:
        self.url, self.status = "", 200
        self.person: Any = {"name": "7", "auth_state": VERIFIED}
        self.heard: list[tuple[str, str]] = []


@contextmanager
def hub_end() -> Iterator[HubEnd]:
    end = HubEnd()

    class Users(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            end.heard.append((self.path, self.headers["Authorization"]))
            body = json.dumps(end.person).encode() if end.person is not None else b"<html>"
            self.send_response(end.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Users)
    end.url = f"http://127.0.0.1:{server.server_address[1]}/hub/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield end
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hub() -> Iterator[HubEnd]:
    with hub_end() as end:
        yield end


class TestAddress:
    def test_is_the_verified_one_of_the_account(self, hub: HubEnd) -> None:
        assert HubAccounts(hub.url, "t0ken").address_of("104/../x") == ADA
        assert hub.heard == [("/hub/api/users/104%2F..%2Fx", "token t0ken")]

    def test_a_name_that_is_one_is_its_own(self, hub: HubEnd) -> None:
        assert HubAccounts(hub.url, "t0ken").address_of(ADA) == ADA
        assert hub.heard == []

    @pytest.mark.parametrize(
        "auth_state",
        [
            None,
            {},
            {"google_user": None},
            {"google_user": {"email": ADA}},
            {"google_user": {"email": ADA, "verified_email": "true"}},
            {"google_user": {"email": "", "verified_email": True}},
            {"google_user": {"email": f"{ADA}\r\nBcc: eve@example.com", "verified_email": True}},
            {"google_user": {"email": f"{ADA}, eve@example.com", "verified_email": True}},
        ],
    )
    def test_whatever_is_not_one_verified_address_is_none(self, hub: HubEnd, auth_state: Any) -> None:
        hub.person = {"name": "7", "auth_state": auth_state}
        assert HubAccounts(hub.url, "t0ken").address_of("7") is None

    def test_an_account_that_is_gone_has_none(self, hub: HubEnd) -> None:
        hub.status = 404
        assert HubAccounts(hub.url, "t0ken").address_of("7") is None

    @pytest.mark.parametrize(("status", "person"), [(403, {}), (500, {}), (302, {}), (200, {"name": "7"}), (200, None)])
    def test_a_hub_that_does_not_say_is_asked_again_and_not_quoted(self, hub: HubEnd, status: int, person: Any) -> None:
        hub.status, hub.person = status, person
        with pytest.raises(NoticeUndelivered, match="the hub did not say an address") as error:
            HubAccounts(hub.url, "t0ken").address_of("7")
        assert error.value.__cause__ is None
        assert "users" not in str(error.value)

    def test_nobody_there_is_asked_again(self) -> None:
        with pytest.raises(NoticeUndelivered, match="ConnectError"):
            HubAccounts(f"http://127.0.0.1:{free_port()}/hub/api", "t0ken").address_of("7")

    def test_where_the_hub_did_not_start_the_process_it_says_so(self) -> None:
        with pytest.raises(SettingsError, match="JUPYTERHUB_API_TOKEN"):
            HubAccounts.from_environment({"JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api"})


class TestLetter:
    def test_goes_to_one_person_and_a_repetition_is_known_as_one(self, mail: MailEnd) -> None:
        server = server_of(mail)
        for _ in range(2):
            server.write("mail:ord_1:delivered", ADA, LETTER)
        assert mail.recipients == [[ADA]] * 2
        first, second = mail.letters
        assert first["Message-ID"] == second["Message-ID"] == "<mail.ord_1.delivered@example.com>"
        assert (first["From"], first["To"], first["Auto-Submitted"]) == (SENDER, ADA, "auto-generated")
        assert str(make_header(decode_header(first["Subject"]))) == "Ready: Zurück"
        assert text_of(first).splitlines() == ["Your script is ready.", ".", "QUIT"]

    def test_what_is_refused_is_said_without_the_address(self, mail: MailEnd) -> None:
        mail.unknown = {ADA}
        with pytest.raises(NoticeUndelivered) as error:
            server_of(mail).write("mail:ord_1:delivered", ADA, LETTER)
        assert str(error.value) == "mail: localhost did not take it (SMTPRecipientsRefused)"
        assert error.value.__cause__ is None


class TestPump:
    def test_killed_after_sending_it_sends_the_same_once_more(self, tmp_path: Path, mail: MailEnd) -> None:
        settings, store = a_house(tmp_path, mail)
        now = SystemClock().now()
        order = a_delivered_order(store, customer=ADA)
        owe(store, order, FakeClock(now))
        told = {"PATH": os.environ["PATH"], "TNG_HOME": str(settings.home), "TNG_MAIL_CUSTOMERS": "true"}
        environment = told | notice_environment(settings)
        dying = subprocess.Popen([sys.executable, "-c", PUMP], cwd=ROOT, env=environment)
        mail.before_answer = lambda: os.kill(dying.pid, signal.SIGKILL)  # it has sent, and is not told so
        assert dying.wait(SOON_SECONDS) == -signal.SIGKILL
        mail.before_answer = lambda: None
        clock = FakeClock(now)
        pump = build_mail_pump(settings, lambda name: name, store=store, clock=clock)
        clock.advance(minutes=4)
        assert (pump.run(), len(mail.letters)) == (0, 1), "it may still be in hand"
        clock.advance(minutes=2)
        assert (pump.run(), len(mail.letters)) == (1, 2)
        assert len({letter["Message-ID"] for letter in mail.letters}) == 1
        clock.advance(hours=12)
        assert pump.run() == 0
        store.close()

    def test_many_at_once_send_each_mail_once(self, tmp_path: Path, mail: MailEnd) -> None:
        settings, store = a_house(tmp_path, mail)
        clock = FakeClock()
        for number in range(1, 6):
            owe(store, a_delivered_order(store, number, customer=ADA), clock)
        pumps = [build_mail_pump(settings, lambda name: name, store=store, clock=clock) for _ in range(4)]
        threads = [threading.Thread(target=pump.run) for pump in pumps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pumps[0].run()
        assert len(mail.letters) == len({letter["Message-ID"] for letter in mail.letters}) == 5
        store.close()


@pytest.mark.slow
def test_a_house_writes_to_the_address_of_the_account_and_its_log_names_none(tmp_path: Path, mail: MailEnd) -> None:
    told = {"TNG_MAIL_CUSTOMERS": "true", "TNG_NOTICE_MAIL_FROM": SENDER, "TNG_SMTP_HOST": "127.0.0.1"}
    there = {"TNG_SMTP_PORT": str(mail.port), "TNG_SMTP_SECURITY": "none"}
    arrived = threading.Event()
    mail.before_answer = arrived.set
    with opened(tmp_path / "var", **told, **there, **NOTHING_WRITTEN) as house:
        with visitor(house) as ada:
            sign_in(ada, ADA)
        store = build_store(Settings(home=house.home))
        order = a_delivered_order(store, customer=by_address(ADA).id)
        owe(store, order, FakeClock(SystemClock().now()))
        assert arrived.wait(SOON_SECONDS), house.log[-3000:]
        store.close()
        assert mail.recipients == [[ADA]]
        assert f"{house.url}/hub/user-redirect/?order={order.id}" in text_of(mail.letters[0])
        assert ADA not in house.log


PUMP = """
from tng.settings import Settings
from tng.training.house import build_mail_pump
build_mail_pump(Settings.read(), lambda name: name).run()
"""


def server_of(end: MailEnd) -> MailServer:
    return MailServer("localhost", end.port, security=SmtpSecurity.NONE, sender=SENDER, timeout_seconds=5)


def a_house(folder: Path, mail: MailEnd) -> tuple[Settings, Any]:
    """Its settings and its database."""
    settings = Settings.read(
        home=folder / "home",
        mail_customers=True,
        notice_mail_from=SENDER,
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_security="none",
    )
    return settings, build_store(settings)


def a_delivered_order(store: Store, number: int = 1, *, customer: str) -> Order:
    order = forced(a_paid_order(number), OrderState.DELIVERED, customer=customer, delivered_at=START)
    keep(store, order)
    return order


def owe(store: Store, order: Order, clock: FakeClock) -> None:
    with store.begin() as work:
        owe_mail(work, order, MailKind.DELIVERED, clock.now())
        work.commit()


def text_of(letter: Message) -> str:
    payload = letter.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()
