"""A mail server, and a plain letter for it. It says no address, no password, and no answer's text.

Certificates are verified against SSL_CERT_FILE where that is set, else against httpx's own list.
"""

from __future__ import annotations

import smtplib
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

import httpx

from tng.customer_mails import Letter
from tng.errors import NoticeUndelivered, SettingsError
from tng.notice_settings import SmtpSecurity, is_here

SEND_SECONDS = 10.0
"""How long each step may wait for the other side."""


class MailServer:
    """Takes letters from ``sender``. ``login`` is a name and a password.

    Raises SettingsError where it would have to be spoken to in the clear, and is another machine.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: SmtpSecurity,
        sender: str,
        login: tuple[str, str] | None = None,
        timeout_seconds: float = SEND_SECONDS,
    ) -> None:
        if security is SmtpSecurity.NONE and not is_here(host):
            raise SettingsError("TNG_SMTP_SECURITY=none is for a TNG_SMTP_HOST on this machine only")
        self._host, self._port = host, port
        self._security = security
        self._sender = sender
        self._login = login
        self._timeout_seconds = timeout_seconds

    def take(self, key: str, to: Collection[str], *, subject: str, text: str, at: datetime) -> int:
        """Hand a letter over; how many of its addresses were refused. Raises NoticeUndelivered where all were.

        A repetition has the same Message-ID: it is made of the key.
        """
        try:
            return self._hand_over(plain_letter(key, self._sender, to, subject=subject, text=text, at=at), to)
        except (OSError, ValueError) as error:  # smtplib's are OSErrors; what a server says may quote anything
            code = getattr(error, "smtp_code", None)
            facts = ", ".join(str(fact) for fact in (type(error).__name__, code) if fact is not None)
            raise NoticeUndelivered(f"mail: {self._host} did not take it ({facts})") from None

    def write(self, key: str, address: str, letter: Letter) -> None:
        """Send a letter to one person; see :class:`tng.customer_mails.Sender`."""
        self.take(key, [address], subject=letter.subject, text=letter.text, at=letter.at)

    def _hand_over(self, message: EmailMessage, to: Collection[str]) -> int:
        server = self._connected()
        try:
            if self._security is SmtpSecurity.STARTTLS:
                server.starttls(context=httpx.create_ssl_context())
            if self._login:
                server.login(*self._login)
            refused = server.send_message(message, self._sender, list(to))
            with suppress(OSError):  # it has the letter, however it takes leave
                server.quit()
            return len(refused)
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        if self._security is not SmtpSecurity.TLS:
            return smtplib.SMTP(self._host, self._port, timeout=self._timeout_seconds)
        context = httpx.create_ssl_context()
        return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_seconds, context=context)


def plain_letter(key: str, sender: str, to: Collection[str], *, subject: str, text: str, at: datetime) -> EmailMessage:
    """The letter. A repetition has the same Message-ID. Raises ValueError for a broken address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = at
    message["Message-ID"] = f"<{key.replace(':', '.')}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is to answer
    message.set_content(text)
    return message
