"""The ways out of the house for a notice: a webhook, and mail. Neither says an address, a password or an answer's text.

Both verify certificates against SSL_CERT_FILE where that is set, else against httpx's own list.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Collection
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import urlsplit

import httpx

from tng.errors import NoticeUndelivered, SettingsError
from tng.log import told
from tng.notice_settings import SmtpSecurity, is_here
from tng.notices import Notice

logger = logging.getLogger(__name__)

SEND_SECONDS = 10.0
"""How long each step may wait for the other side."""


class WebhookMessenger:
    """Posts notices as JSON. Whoever knows ``url`` may post there: only its scheme and host are ever said."""

    def __init__(self, url: str, *, timeout_seconds: float = SEND_SECONDS) -> None:
        parts = urlsplit(url)
        self._url = url
        self._where = f"{parts.scheme}://{parts.hostname}"
        self._timeout_seconds = timeout_seconds

    def send(self, key: str, notice: Notice) -> None:
        """Post it; the key stands in ``Idempotency-Key``. Any 2xx is success. Raises NoticeUndelivered."""
        try:
            status = self._post(key, notice)
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # their words name the address
            raise NoticeUndelivered(f"webhook: {self._where} did not answer ({type(error).__name__})") from None
        if not 200 <= status < 300:
            raise NoticeUndelivered(f"webhook: {self._where} answered {status}")

    def _post(self, key: str, notice: Notice) -> int:
        """The status; what is said beside it is not read."""
        trusted = httpx.create_ssl_context()
        headers = {"Idempotency-Key": key}
        with (
            httpx.Client(timeout=self._timeout_seconds, trust_env=False, verify=trusted) as client,
            client.stream("POST", self._url, json=notice.to_fields(), headers=headers) as response,
        ):
            return response.status_code


class MailMessenger:
    """Sends notices by mail, as ``sender``, to everybody of ``to``.

    Raises SettingsError where it would have to speak in the clear with another machine.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: SmtpSecurity,
        sender: str,
        to: Collection[str],
        login: tuple[str, str] | None = None,
        timeout_seconds: float = SEND_SECONDS,
    ) -> None:
        """``login`` is a name and a password."""
        if security is SmtpSecurity.NONE and not is_here(host):
            raise SettingsError("TNG_SMTP_SECURITY=none is for a TNG_SMTP_HOST on this machine only")
        self._host, self._port = host, port
        self._security = security
        self._sender, self._to = sender, sorted(to)
        self._login = login
        self._timeout_seconds = timeout_seconds

    def send(self, key: str, notice: Notice) -> None:
        """Hand it to the mail server. Raises NoticeUndelivered where it takes it for nobody."""
        try:
            refused = self._hand_over(letter(key, notice, self._sender, self._to))
        except (OSError, ValueError) as error:  # smtplib's are OSErrors; what a server says may quote anything
            code = getattr(error, "smtp_code", None)
            facts = ", ".join(str(fact) for fact in (type(error).__name__, code) if fact is not None)
            raise NoticeUndelivered(f"mail: {self._host} did not take it ({facts})") from None
        if refused:  # the others have it: sending it again would give it to them twice
            fault = told(fault=NoticeUndelivered.__name__)
            logger.warning("mail: %d of %d addresses were refused", refused, len(self._to), extra=fault)

    def _hand_over(self, message: EmailMessage) -> int:
        """How many addresses were refused."""
        server = self._connected()
        try:
            if self._security is SmtpSecurity.STARTTLS:
                server.starttls(context=httpx.create_ssl_context())
            if self._login:
                server.login(*self._login)
            refused = server.send_message(message, self._sender, self._to)
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


def letter(key: str, notice: Notice, sender: str, to: Collection[str]) -> EmailMessage:
    """The notice as a plain letter. A repetition has the same Message-ID. Raises ValueError for a broken address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = notice.title
    message["Date"] = notice.at
    message["Message-ID"] = f"<{key.replace(':', '.')}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is to answer
    facts = "\n".join(f"{name}: {value}" for name, value in notice.facts.items())
    message.set_content(f"{notice.text}\n\n{facts}\n")
    return message
