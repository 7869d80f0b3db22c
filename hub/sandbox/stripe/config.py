"""How one stand-in is set up. It reads nothing; ``__main__`` reads the command line and the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

LEAST_SECRET = 16


class ConfigError(ValueError):
    """A stand-in that may not be started so; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Config:
    """A stand-in's address and secrets. Raises ConfigError for anything that could be more than a test."""

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8555
    prefix: str = ""  # "/services/stripe": where the routes begin
    public_url: str = ""  # where browsers find the routes, prefix included
    webhook_url: str | None = None
    webhook_events: tuple[str, ...] = ("*",)  # what is sent there; an endpoint at Stripe names its types, too
    db: str = ":memory:"
    retries: tuple[float, ...] = (1.0, 5.0, 30.0)  # seconds before the second, third, … attempt
    clear_seconds: float = 20.0  # how long a bank takes for a debit, and for a refund that takes long
    hold_seconds: float = 10.0  # how long a paid buyer waits for the webhook before the way back

    def __post_init__(self) -> None:
        _secret(self.key, "STRIPE_STAND_IN_KEY", "sk_test_")
        _secret(self.webhook_secret, "STRIPE_STAND_IN_WEBHOOK_SECRET", "whsec_")
        if not is_loopback(self.host):
            raise ConfigError(f"the stand-in listens on this machine alone: {self.host} is not a loopback address")
        if self.webhook_url is not None and not is_loopback_url(self.webhook_url):
            raise ConfigError("the webhook's address must be http:// on this machine")
        if self.prefix and (not self.prefix.startswith("/") or self.prefix.endswith("/")):
            raise ConfigError(f"the prefix must begin with a slash and not end with one: {self.prefix}")
        if any(delay < 0 for delay in self.retries):
            raise ConfigError("a retry's delay cannot be negative")
        if self.clear_seconds < 0:
            raise ConfigError("a bank cannot decide before it is asked")

    @property
    def page_base(self) -> str:
        """The address under which a browser finds the payment pages, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}{self.prefix}").rstrip("/")


def _secret(value: str, name: str, beginning: str) -> None:
    if not value.startswith(beginning) or len(value) < LEAST_SECRET:
        raise ConfigError(f"{name} must begin with {beginning} and have {LEAST_SECRET} characters or more")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and can be reached from no other."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_loopback_url(url: str) -> bool:
    """Whether an address is http on this machine: a stand-in's webhooks go nowhere else."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False
