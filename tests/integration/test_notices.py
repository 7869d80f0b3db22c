"""Notices over real connections: to a web server and to a mail server, in good times and bad."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.architecture.sources import ROOT
from tests.certificates import Certificate, make_certificate
from tests.fakes import START, FakeClock, FakeMessenger
from tests.log_lines import logged
from tests.notice_ends import HookEnd, MailEnd, free_port, hook_end, mail_end
from tng.adapters.clock import SystemClock
from tng.adapters.mail_server import MailServer
from tng.adapters.messengers import MailMessenger, WebhookMessenger
from tng.app import build_notice_pump, build_store, messengers_of
from tng.cli import main
from tng.errors import NoticeUndelivered
from tng.notice_settings import SmtpSecurity, notice_environment
from tng.notices import Messenger, Notice, NoticeKind, NoticePump, tell
from tng.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

NOTICE = Notice(
    NoticeKind.ROLLED_BACK, "Zurück: tng-6 is current", "It reads badly.", START, {"release": "tng-6", "ratio": 1.5}
)
KEY = f"notice:{NOTICE.id}:mail"
SENDER, OLA, PIA = "tng@example.com", "ola@example.com", "pia@example.com"
SOON_SECONDS = 20


def mailer(end: MailEnd, security: SmtpSecurity = SmtpSecurity.NONE, **changes: Any) -> MailMessenger:
    options: dict[str, Any] = {"host": "localhost", "sender": SENDER, **changes}
    server = MailServer(options.pop("host"), end.port, security=security, timeout_seconds=5, **options)
    return MailMessenger(server, [OLA, PIA])


@pytest.fixture
def hook() -> Iterator[HookEnd]:
    with hook_end() as end:
        yield end


@pytest.fixture
def mail() -> Iterator[MailEnd]:
    with mail_end() as end:
        yield end


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """One that is trusted here."""
    made = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.chain))
    return made


class TestEveryMessenger:
    """What the pump relies on, over the fake and the real ones."""

    @pytest.fixture(params=["fake", "webhook", "mail"])
    def messenger(self, request: pytest.FixtureRequest) -> tuple[Messenger, Callable[[], int], Callable[[], None]]:
        """(what sends, how much arrived, what makes the other side refuse)."""
        if request.param == "fake":
            fake = FakeMessenger()
            return fake.send, lambda: len(fake.sent), lambda: setattr(fake, "down", True)
        if request.param == "webhook":
            hook: HookEnd = request.getfixturevalue("hook")
            send = WebhookMessenger(hook.url).send
            return send, lambda: len(hook.heard), lambda: setattr(hook, "status", 503)
        mail: MailEnd = request.getfixturevalue("mail")
        return mailer(mail).send, lambda: len(mail.letters), lambda: setattr(mail, "answer", "451 later")

    def test_sends_and_sends_again(self, messenger: Any) -> None:
        send, arrived, _ = messenger
        send(KEY, NOTICE)
        send(KEY, NOTICE)
        assert arrived() == 2

    def test_says_when_it_was_not_taken(self, messenger: Any) -> None:
        send, _, refuse = messenger
        refuse()
        with pytest.raises(NoticeUndelivered) as error:
            send(KEY, NOTICE)
        assert error.value.retryable


class TestWebhook:
    def test_posts_the_notice_and_its_key(self, hook: HookEnd) -> None:
        WebhookMessenger(hook.url).send("notice:1:webhook", NOTICE)
        ((path, headers, body),) = hook.heard
        assert path == "/hooks/s3cr3t-part"
        assert headers["Content-Type"] == "application/json"
        assert headers["Idempotency-Key"] == "notice:1:webhook"
        assert body == {
            "kind": "rolled_back",
            "title": "Zurück: tng-6 is current",
            "text": "It reads badly.",
            "at": "2026-11-24T12:00:00+00:00",
            "facts": {"release": "tng-6", "ratio": 1.5},
        }

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_any_success_is_one(self, hook: HookEnd, status: int) -> None:
        hook.status = status
        WebhookMessenger(hook.url).send(KEY, NOTICE)

    @pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 429, 500, 503])
    def test_all_else_is_none_and_the_secret_part_of_the_address_is_never_said(
        self, hook: HookEnd, status: int
    ) -> None:
        hook.status, hook.headers = status, {"Location": f"{hook.url}/elsewhere", "X-Told": "s3cr3t-part"}
        with pytest.raises(NoticeUndelivered) as error:
            WebhookMessenger(hook.url).send(KEY, NOTICE)
        assert str(error.value) == f"webhook: http://127.0.0.1 answered {status}"
        assert len(hook.heard) == 1, "a redirect is not followed"

    def test_nobody_there_is_said_without_the_address(self) -> None:
        with pytest.raises(NoticeUndelivered) as error:
            WebhookMessenger(f"http://127.0.0.1:{free_port()}/s3cr3t-part").send(KEY, NOTICE)
        assert str(error.value) == "webhook: http://127.0.0.1 did not answer (ConnectError)"
        assert error.value.__cause__ is None

    def test_waits_no_longer_than_it_may(self, hook: HookEnd) -> None:
        hook.silent = True
        with pytest.raises(NoticeUndelivered, match="ReadTimeout"):
            WebhookMessenger(hook.url, timeout_seconds=0.2).send(KEY, NOTICE)

    def test_does_not_wait_for_what_is_said_beside_the_status(self, hook: HookEnd) -> None:
        hook.stalls = True
        WebhookMessenger(hook.url, timeout_seconds=5).send(KEY, NOTICE)

    def test_goes_where_it_was_told_whatever_proxy_the_shell_names(
        self, hook: HookEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        WebhookMessenger(hook.url).send(KEY, NOTICE)
        assert len(hook.heard) == 1


class TestMail:
    def test_is_a_plain_letter_to_everybody(self, mail: MailEnd) -> None:
        mailer(mail).send(KEY, NOTICE)
        (letter,) = mail.letters
        assert mail.recipients == [[OLA, PIA]]
        assert (letter["From"], letter["To"]) == (SENDER, f"{OLA}, {PIA}")
        assert str(make_header(decode_header(letter["Subject"]))) == NOTICE.title
        assert letter["Message-ID"] == f"<notice.{NOTICE.id}.mail@example.com>"
        assert letter.get_content_type() == "text/plain"
        payload = letter.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode().split() == ["It", "reads", "badly.", "release:", "tng-6", "ratio:", "1.5"]

    def test_no_title_reaches_further_than_its_line(self, mail: MailEnd) -> None:
        title = "Fine\r\nBcc: eve@example.com\r\nSubject: Other\r\n\r\nHello\r\n.\r\nMAIL FROM:<eve@example.com>"
        mailer(mail).send(KEY, replace(NOTICE, title=title, text="One.\n.\nQUIT\n..\nTwo."))
        (letter,) = mail.letters
        assert mail.recipients == [[OLA, PIA]]
        assert letter["Bcc"] is None
        assert len(letter.get_all("Subject") or []) == 1
        payload = letter.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert b"One.\r\n.\r\nQUIT\r\n..\r\nTwo." in payload.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")

    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_is_encrypted_and_logs_in(self, certificate: Certificate, security: SmtpSecurity) -> None:
        implicit = security is SmtpSecurity.TLS
        with mail_end(certificate=certificate, implicit=implicit, login=True) as end:
            mailer(end, security, login=("tng", "pass-word")).send(KEY, NOTICE)
        assert len(end.letters) == 1
        assert end.logins == [("tng", True)]

    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_a_server_that_cannot_prove_itself_gets_neither_letter_nor_password(
        self, tmp_path: Path, security: SmtpSecurity
    ) -> None:
        implicit = security is SmtpSecurity.TLS
        with (
            mail_end(certificate=make_certificate(tmp_path), implicit=implicit, login=True) as end,
            pytest.raises(NoticeUndelivered, match="SSLCertVerificationError"),
        ):
            mailer(end, security, login=("tng", "pass-word")).send(KEY, NOTICE)
        assert end.letters == end.logins == []

    def test_a_certificate_of_another_host_proves_nothing(self, certificate: Certificate) -> None:
        with (
            mail_end(certificate=certificate, host="127.0.0.2") as end,
            pytest.raises(NoticeUndelivered, match="SSLCertVerificationError"),
        ):
            mailer(end, SmtpSecurity.STARTTLS, host="127.0.0.2").send(KEY, NOTICE)

    def test_nothing_is_said_in_the_clear_where_encryption_was_asked_for(self, mail: MailEnd) -> None:
        with pytest.raises(NoticeUndelivered, match="SMTPNotSupportedError"):
            mailer(mail, SmtpSecurity.STARTTLS, login=("tng", "pass-word")).send(KEY, NOTICE)
        assert mail.letters == mail.logins == []

    def test_a_wrong_password_is_said_and_not_repeated(self) -> None:
        with mail_end(login=True) as end, pytest.raises(NoticeUndelivered) as error:
            mailer(end, login=("tng", "wrong-word")).send(KEY, NOTICE)
        assert str(error.value) == "mail: localhost did not take it (SMTPAuthenticationError, 535)"
        assert "wrong-word" not in str(error.value)
        assert error.value.__cause__ is None

    def test_a_password_that_cannot_be_said_is_a_refusal(self) -> None:
        with mail_end(login=True) as end, pytest.raises(NoticeUndelivered, match="Error"):
            mailer(end, login=("tng", "pässword")).send(KEY, NOTICE)

    def test_nobody_there_is_said(self) -> None:
        with pytest.raises(NoticeUndelivered, match=r"mail: localhost did not take it \(ConnectionRefusedError\)"):
            mailer(MailEnd(free_port())).send(KEY, NOTICE)

    def test_whoever_is_known_there_gets_it_and_the_log_says_that_one_was_refused(self, mail: MailEnd) -> None:
        mail.unknown = {PIA}
        with logged() as lines:
            mailer(mail).send(KEY, NOTICE)
        assert mail.recipients == [[OLA]]
        assert len(lines.about("1 of 2 addresses were refused fault=NoticeUndelivered")) == 1
        assert "@" not in "".join(lines.about("refused"))

    def test_a_letter_that_nobody_gets_is_not_delivered(self, mail: MailEnd) -> None:
        mail.unknown = {OLA, PIA}
        with pytest.raises(NoticeUndelivered, match=r"\(SMTPRecipientsRefused\)"):
            mailer(mail).send(KEY, NOTICE)


class TestOutbox:
    """The pump over a real database and real connections."""

    @pytest.fixture
    def settings(self, tmp_path: Path, hook: HookEnd, mail: MailEnd) -> Settings:
        return settings_of(tmp_path, hook, mail)

    def test_what_was_down_is_told_once_it_is_up(self, settings: Settings, hook: HookEnd, mail: MailEnd) -> None:
        clock, store = FakeClock(), build_store(settings)
        pump = build_notice_pump(settings, store=store, clock=clock)
        owe(settings, clock)
        hook.status, mail.answer = 500, "451 later"
        assert pump.run() == 1, "the log"
        hook.status, mail.answer = 200, "250 taken"
        assert pump.run() == 0
        clock.advance(minutes=1)
        assert pump.run() == 2
        clock.advance(days=30)
        assert pump.run() == 0
        assert [len(hook.heard), len(mail.letters)] == [2, 1]
        store.close()

    def test_many_pumps_at_once_tell_each_notice_once(self, settings: Settings, hook: HookEnd, mail: MailEnd) -> None:
        clock, store = FakeClock(), build_store(settings)
        for number in range(5):
            owe(settings, clock, replace(NOTICE, title=f"Number {number}"))
        done: list[int] = []
        pumps = [NoticePump(store, clock, messengers_of(settings)) for _ in range(4)]
        threads = [threading.Thread(target=lambda pump=pump: done.append(pump.run())) for pump in pumps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done.append(pumps[0].run())
        assert sum(done) == 15
        assert len({body["title"] for _, _, body in hook.heard}) == len(hook.heard) == len(mail.letters) == 5
        store.close()

    def test_a_pump_that_is_killed_after_sending_sends_it_again_with_the_same_message_id(
        self, settings: Settings, mail: MailEnd
    ) -> None:
        clock = FakeClock(SystemClock().now())
        owe(settings, clock)
        dying = subprocess.Popen([sys.executable, "-c", PUMP], cwd=ROOT, env=environment_of(settings))
        mail.before_answer = lambda: os.kill(dying.pid, signal.SIGKILL)  # it has sent, and is not told so
        assert dying.wait(SOON_SECONDS) == -signal.SIGKILL
        mail.before_answer = lambda: None
        clock.advance(minutes=4)
        store = build_store(settings)
        pump = build_notice_pump(settings, store=store, clock=clock)
        pump.run()
        assert len(mail.letters) == 1, "it may still be in hand"
        clock.advance(minutes=2)
        assert pump.run() == 1
        assert len(mail.letters) == 2
        assert len({letter["Message-ID"] for letter in mail.letters}) == 1
        clock.advance(days=1)
        assert pump.run() == 0
        store.close()


class TestCommand:
    @pytest.fixture(autouse=True)
    def _quiet(self, quiet_again: None) -> None:
        """The command configures logging."""

    def tng(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Result:
        for name, value in environment_of(settings).items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(main, ["--log-level", "DEBUG", "notices", "test"])

    def test_says_what_became_of_every_channel(
        self, tmp_path: Path, hook: HookEnd, mail: MailEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = settings_of(tmp_path, hook, mail)
        done = self.tng(settings, monkeypatch)
        assert (done.exit_code, done.stdout) == (0, "told by webhook\ntold by mail\n")
        assert hook.heard[0][2]["kind"] == "test"
        assert len(mail.letters) == 1
        assert not (tmp_path / "home").exists(), "it needs no house"

    def test_fails_where_one_does_and_tries_the_others(
        self, tmp_path: Path, hook: HookEnd, mail: MailEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hook.status = 404
        done = self.tng(settings_of(tmp_path, hook, mail), monkeypatch)
        assert done.exit_code == 1
        assert done.stdout == "not told by webhook: http://127.0.0.1 answered 404\ntold by mail\n"
        assert "s3cr3t-part" not in done.output

    def test_says_so_where_there_is_no_channel(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        done = self.tng(Settings.read(home=tmp_path / "home"), monkeypatch)
        assert done.exit_code == 0
        assert "No channel is set" in done.stdout

    def test_the_list_of_settings_hides_where_notices_are_posted(
        self, tmp_path: Path, hook: HookEnd, mail: MailEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment_of(settings_of(tmp_path, hook, mail)).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TNG_SMTP_USER", "tng")
        monkeypatch.setenv("TNG_SMTP_PASSWORD", "pass-word")
        shown = CliRunner().invoke(main, ["settings"]).output
        assert "TNG_NOTICE_WEBHOOK" in shown
        assert "s3cr3t-part" not in shown
        assert "pass-word" not in shown


PUMP = """
from tng.app import build_notice_pump
from tng.settings import Settings
build_notice_pump(Settings.read()).run()
"""


def settings_of(folder: Path, hook: HookEnd, mail: MailEnd) -> Settings:
    """A house whose operators are reached at both ends."""
    return Settings.read(
        home=folder / "home",
        notice_webhook=hook.url,
        notice_mail_to=OLA,
        notice_mail_from=SENDER,
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_security="none",
    )


def environment_of(settings: Settings) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TNG_HOME": str(settings.home), **notice_environment(settings)}


def owe(settings: Settings, clock: FakeClock, notice: Notice = NOTICE) -> None:
    """What it tells of is committed."""
    store = build_store(settings)
    with store.begin() as work:
        tell(work, notice, (), clock.now())
        work.commit()
    store.close()
