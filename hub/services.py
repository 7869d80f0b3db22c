"""The services that the hub runs beside people's servers, what each may know, and who may do what."""

from __future__ import annotations

from typing import Any

from traitlets.config import Config

from hub.auth import callback_url, google_client
from hub.keys import own_secret
from hub.places import PYTHON, settings_environment
from tng.settings import ROOT, Settings

API_ACCESS = "access:services!service=api"
"""The scope that opens the api: every person has it, and so has the token of a person's server."""

SERVER_SCOPES = ("users:activity!user", "access:servers!server", API_ACCESS)
"""What the token in a person's server may do: say that it is alive, let its owner in, call the api."""

USER_SCOPES = (
    "read:users:name!user",
    "read:users:groups!user",
    "users:activity!user",
    "access:servers!user",
    "servers!user",
    API_ACCESS,
)
"""What a person may do. Not ``self``: nobody mints tokens here, and nobody changes an account."""

IDLE_SECONDS = 1800
LONGEST_SECONDS = 43200


def configure_rights(c: Config, settings: Settings) -> None:
    """The roles of people and services."""
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": list(USER_SCOPES)},
        {"name": "api", "services": ["api"], "scopes": ["read:users:name", "read:users:groups", "list:users"]},
        {
            "name": "idle-culler",
            "services": ["idle-culler"],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        },
    ]
    c.Spawner.server_token_scopes = list(SERVER_SCOPES)


def configure_services(c: Config, settings: Settings) -> None:
    """The services, the stand-ins first: what others call is up before those that call."""
    services = [google_service(settings)] if settings.google_stand_in else []
    services += [stripe_service(settings)] if settings.stripe_stand_in else []
    c.JupyterHub.services = [*services, api_service(settings), worker_service(settings), culler_service()]


def api_service(settings: Settings) -> dict[str, Any]:
    """The api: the only holder of the Stripe key."""
    environment = _environment(settings, part="api")
    environment["TNG_COOKIE_SECRET"] = own_secret(settings.home.resolve(), "api-cookie")
    environment |= stripe_environment(settings)
    return _service("api", "tng.api", environment, url=settings.internal_url("api")) | {"oauth_no_confirm": True}


def worker_service(settings: Settings) -> dict[str, Any]:
    """The worker: it writes, and can neither charge nor refund."""
    return _service("worker", "tng.cli", _environment(settings, part="worker"), arguments=["worker"])


def google_service(settings: Settings) -> dict[str, Any]:
    """The stand-in for Google."""
    client_id, client_secret = google_client(settings)
    environment = {
        "PYTHONPATH": str(ROOT),
        "GOOGLE_STAND_IN_CALLBACK": callback_url(settings),
        "GOOGLE_STAND_IN_CLIENT_ID": client_id,
        "GOOGLE_STAND_IN_CLIENT_SECRET": client_secret,
    }
    return _service("google", "hub.sandbox.google", environment, url=settings.internal_url("google"))


def stripe_service(settings: Settings) -> dict[str, Any]:
    """The stand-in for Stripe. Its keys travel in the environment: a command line can be read by everybody."""
    keys = stripe_environment(settings)
    environment = {
        "PYTHONPATH": str(ROOT),
        "STRIPE_STAND_IN_KEY": keys["STRIPE_SECRET_KEY"],
        "STRIPE_STAND_IN_WEBHOOK_SECRET": keys["STRIPE_WEBHOOK_SECRET"],
    }
    arguments = [
        f"--port={settings.port + 5}",
        "--prefix=/services/stripe",
        f"--public-url={settings.public}/services/stripe",
        f"--webhook-url={settings.internal_url('api')}/services/api/stripe/webhook",
        f"--db={settings.home.resolve() / 'stripe-stand-in.sqlite'}",
    ]
    url = settings.internal_url("stripe")
    return _service("stripe", "hub.sandbox.stripe", environment, url=url, arguments=arguments)


def culler_service() -> dict[str, Any]:
    """Stops the servers of people who went away."""
    arguments = [f"--timeout={IDLE_SECONDS}", "--cull-every=60", f"--max-age={LONGEST_SECONDS}"]
    return {"name": "idle-culler", "display": False, "command": [PYTHON, "-m", "jupyterhub_idle_culler", *arguments]}


def stripe_environment(settings: Settings) -> dict[str, str]:
    """The keys of Stripe and where it is asked: the real one, or the stand-in with keys that the house made itself."""
    if not settings.stripe_stand_in:
        environment = {
            "STRIPE_SECRET_KEY": settings.stripe_secret_key.get_secret_value(),
            "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret.get_secret_value(),
        }
        return environment | ({"STRIPE_API_BASE": settings.stripe_api_base} if settings.stripe_api_base else {})
    home = settings.home.resolve()
    return {
        "STRIPE_SECRET_KEY": f"sk_test_{own_secret(home, 'stripe-stand-in')}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{own_secret(home, 'stripe-stand-in-webhook')}",
        "STRIPE_API_BASE": f"{settings.internal_url('stripe')}/services/stripe",
    }


def _environment(settings: Settings, *, part: str) -> dict[str, str]:
    return settings_environment(settings) | {"PYTHONPATH": str(ROOT), "TNG_PART": part}


def _service(
    name: str, module: str, environment: dict[str, str], *, url: str = "", arguments: list[str] | None = None
) -> dict[str, Any]:
    command = [PYTHON, "-m", "hub.keeper", PYTHON, "-m", module, *(arguments or [])]
    service = {"name": name, "display": False, "command": command, "environment": environment, "cwd": str(ROOT)}
    return service | ({"url": url} if url else {})
