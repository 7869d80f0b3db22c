"""Credentials that others gave to the operator: how one is read from a file, and what shows that one is not real.

A sentence here names the variable and the remedy, and never a value: not of a key, and not a part of one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from tng.errors import SettingsError
from tng.payments import LIVE_KEYS

LONGEST_BYTES = 2**16
"""More than any credential has, or any key of a certificate."""

LEAST_SECRET, LEAST_STRIPE = 20, 24
"""Characters that a real secret has at least; those of Stripe after what they begin with."""

WEBHOOK_SECRET = "whsec_"  # noqa: S105  how one begins
GOOGLE_CLIENT = ".apps.googleusercontent.com"
TEST_KEYS = ("sk_test_", "rk_test_")

PLACEHOLDER = re.compile(
    r"x{5}|\.{3}|…|\*{3}|<|>|change[-_ ]?me|your[-_ ]|example|placeholder|replace|insert[-_ ]|dummy|12345|abcde", re.I
)
"""What people write in the place of a secret. Long enough to be in no random one: "xxx" alone would be in some."""

LEAST_VARIETY = 6
"""Different characters that a random secret has at least."""

MOUNTED = Path("/run/secrets")
"""Where Docker and its like put secrets; systemd says it in CREDENTIALS_DIRECTORY."""


def read_secret(path: Path, variable: str) -> str:
    """The secret in a file that only its reader can read, without the white space around it.

    Raises SettingsError, which names ``variable``, where it cannot be read, others can read it, or it is no secret.
    """
    try:
        return _secret_in(read_private(path), str(path))
    except SettingsError as error:
        raise SettingsError(f"{variable}: {error}") from None


def read_private(path: Path) -> bytes:
    """What a file holds that nobody but its reader can read. Raises SettingsError where others can, or it cannot."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe without a writer would wait for ever
        try:
            fault = _file_fault(path, os.fstat(descriptor))
            content = b"" if fault else os.read(descriptor, LONGEST_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); name a file that exists") from None
    if fault:
        raise SettingsError(fault)
    return content


def google_faults(client_id: str, secret: str) -> Iterator[str]:
    """What is wrong with the credentials of Google's console, where they must be real."""
    if not client_id or not secret:
        yield (
            "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET (or GOOGLE_CLIENT_SECRET_FILE) are missing, and production has "
            "no stand-in for Google; take both from Google's console"
        )
        return
    if not client_id.endswith(GOOGLE_CLIENT) or _made_up(client_id.removesuffix(GOOGLE_CLIENT)):
        yield f"GOOGLE_CLIENT_ID is none of Google's console: one ends in {GOOGLE_CLIENT}"
    if len(secret) < LEAST_SECRET or _made_up(secret):
        yield "GOOGLE_CLIENT_SECRET is a placeholder or cut off; copy the whole secret from Google's console"


def stripe_faults(key: str, webhook: str) -> Iterator[str]:
    """What is wrong with the keys of Stripe, where they must move real money."""
    if not key or not webhook:
        yield (
            "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET (or STRIPE_SECRET_KEY_FILE and STRIPE_WEBHOOK_SECRET_FILE) "
            "are missing, and production has no stand-in for Stripe; take both from Stripe's dashboard"
        )
        return
    live = next((start for start in LIVE_KEYS if key.startswith(start)), "")
    if key.startswith(TEST_KEYS):
        yield "STRIPE_SECRET_KEY is a test key; production needs a live STRIPE_SECRET_KEY (sk_live_… or rk_live_…)"
    elif not live:
        yield (
            "STRIPE_SECRET_KEY is no secret key; production needs a live STRIPE_SECRET_KEY (sk_live_… or rk_live_…), "
            "and not the publishable one (pk_…)"
        )
    elif _no_stripe_secret(key.removeprefix(live)):
        yield "STRIPE_SECRET_KEY is a placeholder or cut off; copy the whole live key from Stripe's dashboard"
    if not webhook.startswith(WEBHOOK_SECRET):
        yield "STRIPE_WEBHOOK_SECRET does not begin with whsec_; copy it from the webhook's page in Stripe's dashboard"
    elif _no_stripe_secret(webhook.removeprefix(WEBHOOK_SECRET)):
        yield "STRIPE_WEBHOOK_SECRET is a placeholder or cut off; copy it from the webhook's page in Stripe's dashboard"


def _no_stripe_secret(body: str) -> bool:
    return len(body) < LEAST_STRIPE or _made_up(body)


def _made_up(secret: str) -> bool:
    """Whether a person wrote this in the place of a secret."""
    return PLACEHOLDER.search(secret) is not None or len(set(secret)) < LEAST_VARIETY


def _file_fault(path: Path, about: os.stat_result) -> str:
    """What is wrong with a file that holds a secret; nothing where only this process and root can read it."""
    if not stat.S_ISREG(about.st_mode):
        return f"{path} is not a file; name the file that holds the secret"
    if about.st_uid not in (0, os.geteuid()):
        return f"{path} belongs to another user; give it to the user who starts the house: chown"
    mode = stat.S_IMODE(about.st_mode)
    mounted = _is_mounted(path) and about.st_gid in (0, os.getegid(), *os.getgroups())
    if mode & (0o037 if mounted else 0o077):  # an access list of systemd's shows as the rights of the group
        return f"{path} can be read by others (mode {mode:04o}); close it: chmod 600"
    return ""


def _is_mounted(path: Path) -> bool:
    folders = [MOUNTED, *([Path(named)] if (named := os.environ.get("CREDENTIALS_DIRECTORY")) else [])]
    return any(path.absolute().is_relative_to(folder) for folder in folders)


def _secret_in(content: bytes, where: str) -> str:
    try:
        secret = content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{where} holds more than letters and digits; write the secret alone into it") from None
    if not secret:
        raise SettingsError(f"{where} is empty; write the secret into it")
    if len(content) > LONGEST_BYTES or len(secret.split()) > 1:
        raise SettingsError(f"{where} holds more than one word; write the secret alone into it")
    return secret
