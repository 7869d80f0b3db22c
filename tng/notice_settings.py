"""How operators and customers are reached: what may be set together, what may not, and who is told the secrets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    from tng.settings import Settings

NAMES = (
    "notice_webhook",
    "notice_mail_to",
    "notice_mail_from",
    "smtp_host",
    "smtp_port",
    "smtp_user",
    "smtp_password",
    "smtp_security",
)
"""The settings of the channels, files of secrets left out: those are read already."""

ADDRESS = re.compile(r"[\x21-\x7e]+@[\x21-\x7e]+")
NO_PART_OF_ONE = re.compile(r'[\s,;:<>()"]|@.*@')


class SmtpSecurity(StrEnum):
    """STARTTLS: encrypted after a greeting. TLS: from the first byte. None: in the clear, within this machine only."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


def notice_environment(settings: Settings) -> dict[str, str]:
    """What the process that delivers notices is given, and no other one: the hub leaves it out of everybody else's."""
    return {f"TNG_{name.upper()}": _written(getattr(settings, name)) for name in NAMES}


def notice_faults(settings: Settings) -> Iterator[str]:
    """What does not fit together, one sentence each, without a value."""
    webhook, told_by_mail = settings.notice_webhook.get_secret_value(), bool(settings.notice_mail_to)
    mails = settings.mail_customers
    if webhook and not _is_safe(webhook):
        yield "TNG_NOTICE_WEBHOOK must begin with https:// unless it names this machine (http://127.0.0.1:…)"
    if mails and not (settings.smtp_host and settings.notice_mail_from):
        yield "TNG_MAIL_CUSTOMERS needs TNG_SMTP_HOST, the mail server, and TNG_NOTICE_MAIL_FROM, whom they come from"
    elif not mails and told_by_mail != bool(settings.smtp_host):
        yield "TNG_NOTICE_MAIL_TO and TNG_SMTP_HOST belong together: set both or neither"
    elif told_by_mail and not settings.notice_mail_from:
        yield "TNG_NOTICE_MAIL_TO needs TNG_NOTICE_MAIL_FROM, the address that notices come from"
    for name, addresses in (("TO", settings.notice_mail_to), ("FROM", {settings.notice_mail_from} - {""})):
        if not all(is_address(one) for one in addresses):
            yield f"TNG_NOTICE_MAIL_{name} holds what is no address: write name@example.com"
    if bool(settings.smtp_user) != bool(settings.smtp_password.get_secret_value()):
        yield "TNG_SMTP_USER and TNG_SMTP_PASSWORD belong together: set both or neither"
    if settings.smtp_security is SmtpSecurity.NONE and settings.smtp_host and not is_here(settings.smtp_host):
        yield "TNG_SMTP_SECURITY=none sends everything in the clear: TNG_SMTP_HOST may only be this machine then"


def is_here(host: str) -> bool:
    """Whether a host is this machine, by its name or number: nothing that is sent there leaves it."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(text: str) -> bool:
    """Whether it may stand in a header as one address, and bring no second line or address along."""
    return ADDRESS.fullmatch(text) is not None and NO_PART_OF_ONE.search(text) is None


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here(host)))


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)
