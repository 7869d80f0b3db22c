"""The ways out of the house for a notice: a webhook, and mail. Neither says an address, a password or an answer's text.

Both verify certificates against SSL_CERT_FILE where that is set, else against httpx's own list.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from urllib.parse import urlsplit

import httpx

from tng.adapters.mail_server import SEND_SECONDS, MailServer
from tng.errors import NoticeUndelivered
from tng.log import told
from tng.notices import Notice

logger = logging.getLogger(__name__)


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
    """Sends notices by a mail server to everybody of ``to``."""

    def __init__(self, server: MailServer, to: Collection[str]) -> None:
        self._server, self._to = server, sorted(to)

    def send(self, key: str, notice: Notice) -> None:
        """Hand it to the mail server. Raises NoticeUndelivered where it takes it for nobody."""
        refused = self._server.take(key, self._to, subject=notice.title, text=text_of(notice), at=notice.at)
        if refused:  # the others have it: sending it again would give it to them twice
            fault = told(fault=NoticeUndelivered.__name__)
            logger.warning("mail: %d of %d addresses were refused", refused, len(self._to), extra=fault)


def text_of(notice: Notice) -> str:
    """The notice as the text of a letter."""
    facts = "\n".join(f"{name}: {value}" for name, value in notice.facts.items())
    return f"{notice.text}\n\n{facts}\n"
