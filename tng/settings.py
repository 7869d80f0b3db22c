"""What can be configured, and what may not be. Read from the environment at the edges only, then passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tng.credentials import google_faults, read_secret, stripe_faults
from tng.errors import SettingsError
from tng.home import ORDERS, RELEASES, RUNS, SHOP, make_home
from tng.log import LogForm
from tng.notice_settings import SmtpSecurity, notice_faults
from tng.payments import LEAST_CENTS, LIVE_KEYS

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the project: notebooks, releases and jupyterhub_config.py stand in it."""

LOOPBACK = re.compile(r"http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|$)")


class Mode(StrEnum):
    """Demo: local stand-ins for Google and Stripe, loopback only. Production: the real ones, or no start."""

    DEMO = "demo"
    PRODUCTION = "production"


class Isolation(StrEnum):
    """Whose Unix user people's servers run as. Auto: a user each where the hub is root and can give them one."""

    AUTO = "auto"
    USERS = "users"
    ONE = "one"


class Carrier(StrEnum):
    """Where people's servers run: processes of this machine, containers of its Docker, or pods of a cluster."""

    LOCAL = "local"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class Part(StrEnum):
    """Which process reads the settings: each is given the keys that it needs, and no others."""

    HOUSE = "house"
    API = "api"
    WORKER = "worker"
    SCHEDULER = "scheduler"


SECRETS = ("google_client_secret", "stripe_secret_key", "stripe_webhook_secret", "notice_webhook", "smtp_password")
"""Each has another setting beside it, ``…_file``, which names a file that holds it."""


class Settings(BaseSettings):
    """Every setting, with its default. The names below are those of the environment, after ``TNG_``."""

    model_config = SettingsConfigDict(env_prefix="TNG_", env_ignore_empty=True, extra="ignore", populate_by_name=True)

    mode: Mode = Field(Mode.DEMO, description="demo or production")
    part: Part = Field(
        Part.HOUSE, description="house, api, worker or scheduler: which process it is; the house sets it"
    )
    home: Path = Field(Path("var"), description="where all state lives; readable by its owner only")
    port: int = Field(8000, ge=1, le=65530, description="the public port on 127.0.0.1; the five after it are used too")
    public_url: str = Field("", description="the address customers see; default http://127.0.0.1:PORT")
    bind: str = Field("127.0.0.1", description="the address it listens on; another one in production or with TLS")
    tls_certificate: Path | None = Field(None, description="a PEM file, the chain; unset: TLS ends before the house")
    tls_key: Path | None = Field(None, description="the PEM file of its key, readable by its owner only")
    show: Path = Field(ROOT / "shows" / "tng", description="the folder of the show that is written")
    price_cents: int | None = Field(None, description="what a script costs, in cents; at least 50; default the show's")
    currency: str | None = Field(
        None, pattern="^[a-z]{3}$", description="ISO code of the price's currency, lower case; default the show's"
    )
    release: Path = Field(
        ROOT / "model" / "releases" / "tng-small-2",
        description="the release that a new house begins with; then see `tng release`",
    )
    canary_scripts: int = Field(
        20, ge=0, le=1000, description="scripts after a promotion that are held against its proof; 0: none"
    )
    keep_days: int = Field(30, ge=1, description="days that a retraining's files are kept after its end")
    retention_days: int = Field(
        0, ge=0, description="days after its end that an order keeps its premise and script; 0: for ever"
    )
    expired_days: int = Field(30, ge=0, description="the same for an order that was never paid; 0: for ever")
    run_days: int = Field(30, ge=1, description="days that the notebook of a run which wrote for a customer is kept")
    power_users: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="addresses that get JupyterLab, separated by commas"
    )
    admins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="addresses of operators, separated by commas"
    )
    isolation: Isolation = Field(Isolation.AUTO, description="users: a Unix user a person (as root); one: one for all")
    trusted_users: bool = Field(False, description="in production: everybody who signs in may read everything here")
    uid_base: int = Field(200_000, ge=10_000, le=2_000_000_000, description="people's Unix user ids begin here")
    subdomains: bool | None = Field(None, description="a host name a person; default: in production with power users")
    carrier: Carrier = Field(Carrier.LOCAL, description="local, docker or kubernetes: where people's servers run")
    image: str = Field("", description="the image of people's containers; needed by docker and kubernetes")
    internal_host: str = Field(
        "127.0.0.1", description="where containers reach hub and api: an address of this machine"
    )
    keep_servers: bool = Field(False, description="people's servers go on while the hub is started again")
    kernels_per_customer: int = Field(2, ge=1, le=20, description="pages of the dashboard that a person may have open")
    kernels_in_all: int = Field(100, ge=1, description="pages of the dashboard that may be open in all")
    dashboard_memory_mb: int = Field(1024, ge=256, description="what a customer's server may use, kernels included")
    workbench_memory_mb: int = Field(8192, ge=1024, description="what a power user's server may use, kernels included")
    workbench_processes: int = Field(512, ge=64, description="processes and threads that a power user may have")
    idle_minutes: float = Field(30.0, gt=0, description="a server that nobody has used for so long is stopped")
    order_gpus: int = Field(1, ge=0, description="GPUs of this machine that are kept for paid orders")
    gpus_at_once: int = Field(4, ge=1, description="GPUs that one workbench may ask for, at most")
    gpu_hours_a_week: float = Field(20.0, gt=0, description="GPU hours of a power user in any seven days")
    lease_seconds: float = Field(10.0, gt=0, description="how long a worker owns a job without a heartbeat")
    cell_seconds: int = Field(900, gt=0, description="how long one cell of a run may take")
    spare_kernels: int = Field(1, ge=0, le=8, description="kernels kept warm, the writer loaded")
    reconcile_seconds: float = Field(30.0, gt=0, description="how often orders are held against Stripe")
    checkout_minutes: int = Field(60, ge=31, le=1439, description="how long a checkout can be paid")
    promotion_codes: bool = Field(False, description="the page at Stripe takes promotion codes")
    queue_limit: int = Field(200, gt=0, description="paid orders waiting, beyond which no new one is taken")
    free_disk_mb: int = Field(200, ge=0, description="free space below which no new order is taken")
    log: LogForm = Field(LogForm.PLAIN, description="plain or json: how a line of the log of api and worker is written")
    database_url: str = Field("", description="the orders database, PostgreSQL by URL; default SQLite in home")
    google_client_id: str = Field("", alias="GOOGLE_CLIENT_ID", description="from Google's console; unset: a stand-in")
    google_client_secret: SecretStr = Field(SecretStr(""), alias="GOOGLE_CLIENT_SECRET", description="belongs to it")
    google_client_secret_file: Path | None = Field(
        None, alias="GOOGLE_CLIENT_SECRET_FILE", description="a file that holds it, instead"
    )
    stripe_secret_key: SecretStr = Field(SecretStr(""), alias="STRIPE_SECRET_KEY", description="unset: the stand-in")
    stripe_secret_key_file: Path | None = Field(
        None, alias="STRIPE_SECRET_KEY_FILE", description="a file that holds it, instead"
    )
    stripe_webhook_secret: SecretStr = Field(SecretStr(""), alias="STRIPE_WEBHOOK_SECRET", description="belongs to it")
    stripe_webhook_secret_file: Path | None = Field(
        None, alias="STRIPE_WEBHOOK_SECRET_FILE", description="a file that holds it, instead"
    )
    stripe_api_base: str = Field(
        "", alias="STRIPE_API_BASE", description="another address for Stripe's api; never with a live key"
    )
    # what has an alias is given to no service but the one that needs it
    notice_webhook: SecretStr = Field(
        SecretStr(""), alias="TNG_NOTICE_WEBHOOK", description="an https address; notices to operators are posted there"
    )
    notice_webhook_file: Path | None = Field(
        None, alias="TNG_NOTICE_WEBHOOK_FILE", description="a file that holds it, instead"
    )
    notice_mail_to: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), alias="TNG_NOTICE_MAIL_TO", description="addresses that notices are mailed to, separated by commas"
    )
    notice_mail_from: str = Field("", alias="TNG_NOTICE_MAIL_FROM", description="the address that they come from")
    mail_customers: bool = Field(False, description="customers get a mail when a script is ready, or money goes back")
    smtp_host: str = Field("", alias="TNG_SMTP_HOST", description="the mail server that takes them")
    smtp_port: int = Field(587, alias="TNG_SMTP_PORT", ge=1, le=65535, description="its port")
    smtp_user: str = Field("", alias="TNG_SMTP_USER", description="the name to log in with; unset: no login")
    smtp_password: SecretStr = Field(SecretStr(""), alias="TNG_SMTP_PASSWORD", description="belongs to it")
    smtp_password_file: Path | None = Field(
        None, alias="TNG_SMTP_PASSWORD_FILE", description="a file that holds it, instead"
    )
    smtp_security: SmtpSecurity = Field(
        SmtpSecurity.STARTTLS, alias="TNG_SMTP_SECURITY", description="starttls, tls, or none on this machine"
    )

    @classmethod
    def read(cls, **changes: Any) -> Settings:
        """Read the environment. Raises SettingsError with one sentence a fault, a line each, never a secret's value."""
        settings = cls.draft(**changes)
        if faults := settings.faults():
            raise SettingsError("\n".join(faults))
        return settings

    @classmethod
    def draft(cls, **changes: Any) -> Settings:
        """Read the environment without asking whether it fits together: ``faults`` says that.

        Raises SettingsError where a value is none, or a file with a secret cannot be read.
        """
        try:
            return cls(**changes)
        except ValidationError as error:
            raise SettingsError("\n".join(cls._sentence(fault) for fault in error.errors())) from None

    @staticmethod
    def _sentence(fault: Mapping[str, Any]) -> str:
        """One fault as a person may read it: the variable by its name in the environment, never its value."""
        message = str(fault["msg"]).removeprefix("Value error, ")
        if not fault["loc"]:
            return message
        name = str(fault["loc"][0])
        return f"{name if name.isupper() else f'TNG_{name.upper()}'}: {message}"

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: Any) -> Any:
        for name in ("power_users", "admins", "notice_mail_to", "TNG_NOTICE_MAIL_TO"):
            if isinstance(values.get(name), str):
                values[name] = frozenset(part.strip().lower() for part in values[name].split(",") if part.strip())
        return values

    @model_validator(mode="after")
    def _read_secret_files(self) -> Settings:
        for name in SECRETS:
            file, variable = getattr(self, f"{name}_file"), str(type(self).model_fields[name].alias)
            if file is not None and getattr(self, name).get_secret_value():
                raise ValueError(f"{variable} and {variable}_FILE are both set; keep one of them")
            if file is not None:
                setattr(self, name, SecretStr(read_secret(file, f"{variable}_FILE")))
        return self

    def faults(self) -> list[str]:
        """What does not fit together, one sentence each; nothing where the house may be opened with this."""
        faults = [*self._price_faults(), *self._key_faults(), *self._address_faults()]
        if self.part in (Part.HOUSE, Part.SCHEDULER):
            faults += notice_faults(self)
        return faults + (list(self._production_faults()) if self.mode is Mode.PRODUCTION else [])

    def _price_faults(self) -> Iterator[str]:
        if self.price_cents is not None and self.price_cents < LEAST_CENTS:
            yield f"TNG_PRICE_CENTS is {self.price_cents}; Stripe charges no less than {LEAST_CENTS} cents"

    def _key_faults(self) -> Iterator[str]:
        key, webhook = self.stripe_secret_key.get_secret_value(), self.stripe_webhook_secret.get_secret_value()
        if bool(self.google_client_id) != bool(self.google_client_secret.get_secret_value()):
            yield "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together: set both or neither"
        if bool(key) != bool(webhook):
            yield "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together: set both or neither"
        if key.startswith(LIVE_KEYS) and self.mode is not Mode.PRODUCTION:
            yield "a live STRIPE_SECRET_KEY takes real money: it needs TNG_MODE=production"
        if key.startswith(LIVE_KEYS) and self.stripe_api_base:
            yield "STRIPE_API_BASE may not be set with a live key: a live key goes to Stripe alone"

    def _address_faults(self) -> Iterator[str]:
        earnest = not self.google_stand_in and not self.stripe_stand_in
        if earnest and self.public_url.startswith("http://") and not LOOPBACK.match(self.public_url):
            yield "TNG_PUBLIC_URL must begin with https:// unless it names this machine (http://127.0.0.1:…)"
        if bool(self.tls_certificate) != bool(self.tls_key):
            yield "TNG_TLS_CERTIFICATE and TNG_TLS_KEY belong together: set both or neither"
        if self.tls_certificate and self.public_url.startswith("http://"):
            yield "TNG_PUBLIC_URL must begin with https:// where TNG_TLS_CERTIFICATE is set"
        if self.carrier is not Carrier.LOCAL and not self.image:
            yield f"TNG_CARRIER={self.carrier.value} needs TNG_IMAGE, the image that people's servers are made of"

    def _production_faults(self) -> Iterator[str]:
        google, key, webhook = self.google_client_secret, self.stripe_secret_key, self.stripe_webhook_secret
        if self.part is Part.HOUSE:
            yield from google_faults(self.google_client_id, google.get_secret_value())
        if self.part in (Part.HOUSE, Part.API):
            yield from stripe_faults(key.get_secret_value(), webhook.get_secret_value())
        if not self.public_url.startswith("https://"):
            yield "TNG_MODE=production needs TNG_PUBLIC_URL with https://: the address that customers type"

    @property
    def google_stand_in(self) -> bool:
        """Whether people sign in at the local stand-in for Google."""
        return not self.google_client_id

    @property
    def stripe_stand_in(self) -> bool:
        """Whether orders are paid at the local stand-in for Stripe."""
        return not self.stripe_secret_key.get_secret_value()

    @property
    def public(self) -> str:
        """The address customers see, without a slash at its end."""
        scheme = "https" if self.tls_certificate else "http"
        return (self.public_url or f"{scheme}://127.0.0.1:{self.port}").rstrip("/")

    @property
    def own_hosts(self) -> bool:
        """Whether each person's server has a host name of its own, so that browsers keep their scripts apart."""
        chosen = self.subdomains
        return bool(self.power_users) and self.mode is Mode.PRODUCTION if chosen is None else chosen

    @property
    def orders_url(self) -> str:
        """The SQLAlchemy address of the orders database."""
        return self.database_url or f"sqlite:///{self.shop_folder / ORDERS}"

    @property
    def runs_folder(self) -> Path:
        """Where executed notebooks are kept: one folder an attempt."""
        return self.shop_folder / RUNS

    @property
    def releases_folder(self) -> Path:
        """Where the releases stand that are made here: candidates, and what was promoted."""
        return self.shop_folder / RELEASES

    @property
    def shop_folder(self) -> Path:
        """What the api and the worker share: the orders database, the runs and the releases that are made here."""
        return self.home.resolve() / SHOP

    def internal_url(self, service: str) -> str:
        """Where a service of ours listens, without a slash at its end: on loopback, and nowhere else.

        Where people's servers run in containers, they reach the hub's own and the api at TNG_INTERNAL_HOST.
        PORT+1 is the hub's own, PORT+2 the proxy's api, PORT+3 the api, PORT+4 the Google, PORT+5 the Stripe stand-in.
        """
        ports = {"hub": 1, "proxy": 2, "api": 3, "google": 4, "stripe": 5}
        inside = self.carrier is Carrier.LOCAL or service not in ("hub", "api")
        return f"http://{'127.0.0.1' if inside else self.internal_host}:{self.port + ports[service]}"

    def make_home(self) -> Path:
        """Create the home folder, closed to everybody but its owner. Raises SettingsError where that cannot be."""
        return make_home(self.home.resolve())
