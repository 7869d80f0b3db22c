"""The other ends of an operator's channels: a small web server, and a mail server that speaks the real protocol."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import Certificate


class HookEnd:
    """A webhook's other end. ``heard`` holds (path, headers, body); it answers with ``status``."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 204
        self.headers: dict[str, str] = {}
        self.heard: list[tuple[str, dict[str, str], Any]] = []
        self.silent = False
        self.stalls = False
        self.closing = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Hear it and answer; ``silent``: never; ``stalls``: after the head no body comes."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.heard.append((request.path, dict(request.headers), json.loads(body) if body else None))
        if self.silent:
            self.closing.wait()
            return
        request.send_response(self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "100" if self.stalls else "0")
        request.end_headers()
        if self.stalls:
            self.closing.wait()


@contextmanager
def hook_end() -> Iterator[HookEnd]:
    """Listen on this machine."""
    end = HookEnd()

    class Hooks(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            end.answer(self)

        def do_POST(self) -> None:
            end.answer(self)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
    end.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/s3cr3t-part"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield end
    finally:
        end.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class MailEnd:
    """A mail server. ``letters`` came in whole; ``logins`` are the names that tried, and whether they were right."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.letters: list[Message] = []
        self.recipients: list[list[str]] = []
        self.logins: list[tuple[str, bool]] = []
        self.unknown: set[str] = set()
        self.answer = "250 taken"
        self.before_answer: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, unless it is unknown here."""
        if address in self.unknown:
            return "550 nobody of that name, and never was"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a letter."""
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.letters.append(message_from_bytes(envelope.content))
            self.recipients.append(list(envelope.rcpt_tos))
        self.before_answer()
        return self.answer

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """The right password is "pass-word"."""
        right = isinstance(data, LoginPassword) and data.password == b"pass-word"
        self.logins.append((data.login.decode(), right))
        return AuthResult(success=right, handled=False)


@contextmanager
def mail_end(
    *, host: str = "127.0.0.1", certificate: Certificate | None = None, implicit: bool = False, login: bool = False
) -> Iterator[MailEnd]:
    """Listen on this machine: in the clear, with STARTTLS where there is a certificate, or TLS from the first byte."""
    end = MailEnd(free_port())
    options: dict[str, Any] = {"authenticator": end.authenticate, "auth_required": login}
    if certificate is None:
        options["auth_require_tls"] = False
    elif implicit:
        options |= {"ssl_context": _context(certificate), "auth_require_tls": False}
    else:
        options |= {"tls_context": _context(certificate), "require_starttls": True}
    server = Controller(end, hostname=host, port=end.port, server_hostname="localhost", **options)
    server.start()
    try:
        yield end
    finally:
        server.stop()


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
