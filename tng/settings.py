"""What can be configured, and what may not be. Read from the environment at the edges only, then passed on."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tng.errors import SettingsError
from tng.payments import LEAST_CENTS, LIVE_KEYS

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the project: notebooks, releases and jupyterhub_config.py stand in it."""

LOOPBACK = re.compile(r"http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|$)")


class Mode(StrEnum):
    """Demo: local stand-ins for Google and Stripe, loopback only. Production: the real ones, or no start."""

    DEMO = "demo"
    PRODUCTION = "production"


class Part(StrEnum):
    """Which process reads the settings: each is given the keys that it needs, and no others."""

    HOUSE = "house"
    API = "api"
    WORKER = "worker"


class Settings(BaseSettings):
    """Every setting, with its default. The names below are those of the environment, after ``TNG_``."""

    model_config = SettingsConfigDict(env_prefix="TNG_", env_ignore_empty=True, extra="ignore", populate_by_name=True)

    mode: Mode = Field(Mode.DEMO, description="demo or production")
    part: Part = Field(Part.HOUSE, description="house, api or worker: whose keys must be there; the house sets it")
    home: Path = Field(Path("var"), description="where all state lives; readable by its owner only")
    port: int = Field(8000, ge=1, le=65530, description="the public port on 127.0.0.1; the five after it are used too")
    public_url: str = Field("", description="the address customers see; default http://127.0.0.1:PORT")
    show: Path = Field(ROOT / "shows" / "tng", description="the folder of the show that is written")
    price_cents: int | None = Field(None, description="what a script costs, in cents; at least 50; default the show's")
    currency: str | None = Field(
        None, pattern="^[a-z]{3}$", description="ISO code of the price's currency, lower case; default the show's"
    )
    release: Path = Field(
        ROOT / "model" / "releases" / "tng-small-2", description="the folder of the release that writes"
    )
    power_users: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="addresses that get JupyterLab, separated by commas"
    )
    admins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="addresses of operators, separated by commas"
    )
    lease_seconds: float = Field(10.0, gt=0, description="how long a worker owns a job without a heartbeat")
    cell_seconds: int = Field(900, gt=0, description="how long one cell of a run may take")
    spare_kernels: int = Field(1, ge=0, le=8, description="kernels kept warm, the writer loaded")
    reconcile_seconds: float = Field(30.0, gt=0, description="how often orders are held against Stripe")
    checkout_minutes: int = Field(60, ge=31, le=1439, description="how long a checkout can be paid")
    queue_limit: int = Field(200, gt=0, description="paid orders waiting, beyond which no new one is taken")
    free_disk_mb: int = Field(200, ge=0, description="free space below which no new order is taken")
    database_url: str = Field("", description="the orders database; default SQLite in the home folder")
    google_client_id: str = Field("", alias="GOOGLE_CLIENT_ID", description="from Google's console; unset: a stand-in")
    google_client_secret: SecretStr = Field(SecretStr(""), alias="GOOGLE_CLIENT_SECRET", description="belongs to it")
    stripe_secret_key: SecretStr = Field(SecretStr(""), alias="STRIPE_SECRET_KEY", description="unset: the stand-in")
    stripe_webhook_secret: SecretStr = Field(SecretStr(""), alias="STRIPE_WEBHOOK_SECRET", description="belongs to it")
    stripe_api_base: str = Field(
        "", alias="STRIPE_API_BASE", description="another address for Stripe's api; never with a live key"
    )

    @classmethod
    def read(cls, **changes: Any) -> Settings:
        """Read the environment. Raises SettingsError with one sentence a fault, never the value of a secret."""
        try:
            return cls(**changes)
        except ValidationError as error:
            raise SettingsError("; ".join(cls._sentence(fault) for fault in error.errors())) from None

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
        for name in ("power_users", "admins"):
            if isinstance(values.get(name), str):
                values[name] = frozenset(part.strip().lower() for part in values[name].split(",") if part.strip())
        return values

    @model_validator(mode="after")
    def _fit_together(self) -> Settings:
        if self.price_cents is not None and self.price_cents < LEAST_CENTS:
            raise ValueError(f"TNG_PRICE_CENTS is {self.price_cents}; Stripe charges no less than {LEAST_CENTS} cents")
        if bool(self.google_client_id) != bool(self.google_client_secret.get_secret_value()):
            raise ValueError("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together: set both or neither")
        key, webhook = self.stripe_secret_key.get_secret_value(), self.stripe_webhook_secret.get_secret_value()
        if bool(key) != bool(webhook):
            raise ValueError("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together: set both or neither")
        if key.startswith(LIVE_KEYS) and self.mode is not Mode.PRODUCTION:
            raise ValueError("a live STRIPE_SECRET_KEY takes real money: it needs TNG_MODE=production")
        earnest = not self.google_stand_in and not self.stripe_stand_in
        if earnest and self.public_url.startswith("http://") and not LOOPBACK.match(self.public_url):
            raise ValueError(
                "TNG_PUBLIC_URL must begin with https:// unless it names this machine (http://127.0.0.1:…)"
            )
        if key.startswith(LIVE_KEYS) and self.stripe_api_base:
            raise ValueError("STRIPE_API_BASE may not be set with a live key: a live key goes to Stripe alone")
        if self.mode is Mode.PRODUCTION:
            self._fit_production(key)
        return self

    def _fit_production(self, key: str) -> None:
        if self.part is Part.HOUSE and not self.google_client_id:
            raise ValueError("TNG_MODE=production needs GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET")
        if self.part is not Part.WORKER and not key.startswith(LIVE_KEYS):
            raise ValueError("TNG_MODE=production needs a live STRIPE_SECRET_KEY (sk_live_… or rk_live_…)")
        if not self.public_url.startswith("https://"):
            raise ValueError("TNG_MODE=production needs TNG_PUBLIC_URL with https://")

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
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def orders_url(self) -> str:
        """The SQLAlchemy address of the orders database."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'orders.sqlite'}"

    @property
    def runs_folder(self) -> Path:
        """Where executed notebooks are kept: one folder an attempt."""
        return self.home.resolve() / "runs"

    def internal_url(self, service: str) -> str:
        """Where a service of ours listens on loopback, without a slash at its end.

        PORT+1 is the hub's own, PORT+2 the proxy's api, PORT+3 the api, PORT+4 the Google, PORT+5 the Stripe stand-in.
        """
        ports = {"hub": 1, "proxy": 2, "api": 3, "google": 4, "stripe": 5}
        return f"http://127.0.0.1:{self.port + ports[service]}"

    def make_home(self) -> Path:
        """Create the home folder, closed to everybody but its owner. Raises SettingsError where that cannot be."""
        home = self.home.resolve()
        try:
            home.mkdir(parents=True, exist_ok=True)
            home.chmod(stat.S_IRWXU)
            self.runs_folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"TNG_HOME {home} cannot be used ({error.strerror}); name a folder that you own"
            ) from error
        return home
