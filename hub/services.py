"""The services that the hub runs beside people's servers, what each may know, and who may do what."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from traitlets.config import Config

from hub.auth import callback_url, google_client
from hub.keys import own_secret
from hub.places import PYTHON, settings_environment, written
from hub.rooms import SERVICES, STRIPE_STAND_IN, room
from hub.unix_users import isolates, service
from tng.overview import OPERATORS
from tng.payments import EVENT_TYPES
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

OPERATOR_SCOPES = (
    "read:users:name",
    "read:users:groups",
    "read:servers",
    "delete:servers",
    "read:hub",
    "read:services",
    API_ACCESS,
)
"""What an operator may do beside that: see who is here and stop a server. Not enter it, and not administer the hub."""

FORGETTING = "forget"
"""Who takes accounts away while the house is open; see ``hub.forget``."""

SERVICE_SCOPES = {
    "api": ("list:users", "read:servers", "read:users:activity"),
    "idle-culler": ("list:users", "read:users:activity", "read:servers", "delete:servers"),
    "prometheus": ("read:metrics", API_ACCESS),
    FORGETTING: ("delete:users",),
}
"""What each service may do; one that is not named here, nothing. The api asks about a caller by the caller's token."""

MAIL_SCOPES = ("read:users:name", "admin:auth_state")
"""What the process of the schedules may do where customers get mails: read the address of an account, and no more."""

LODGERS = {"scheduler": "worker"}
"""Services that are the Unix user of another one, and live in its room: one writes with what the other trains."""

NICE = 10
"""How far the process of the schedules stands back."""

NOTICES = ("notice_", "smtp_")
"""How the settings begin that say how operators are reached."""

COOKIE_DAYS = 7.0
"""How long a browser is signed in to the hub."""

BROWSER_TOKEN_SECONDS = 12 * 3600
"""How long a browser is let in by a server or a service before that asks the hub again, which it does unseen."""

LONGEST_SECONDS = 172800
"""A server is stopped after two days, used or not. No training is as long: a week's GPU hours are fewer."""


def configure_rights(c: Config, settings: Settings) -> None:
    """The roles of people and services, and how long what they hold is good for.

    A group's role is given by name, its members are counted at each sign-in. The token of a server ends with it.
    """
    hub = c.JupyterHub
    people = [
        {"name": "user", "scopes": list(USER_SCOPES)},
        {"name": OPERATORS, "groups": [OPERATORS], "scopes": list(OPERATOR_SCOPES)},
    ]
    held_by = SERVICE_SCOPES | ({"scheduler": MAIL_SCOPES} if settings.mail_customers else {})
    services = [{"name": name, "services": [name], "scopes": list(held)} for name, held in held_by.items()]
    hub.load_roles = people + services
    hub.cookie_max_age_days = COOKIE_DAYS
    hub.oauth_token_expires_in = BROWSER_TOKEN_SECONDS
    hub.token_expires_in_max_seconds = BROWSER_TOKEN_SECONDS
    hub.oauth_require_pkce = True
    c.Spawner.server_token_scopes = list(SERVER_SCOPES)


def configure_services(c: Config, settings: Settings) -> None:
    """The services, the stand-ins first: what others call is up before those that call."""
    services = [google_service(settings)] if settings.google_stand_in else []
    services += [stripe_service(settings)] if settings.stripe_stand_in else []
    services += [
        api_service(settings),
        worker_service(settings),
        scheduler_service(settings),
        culler_service(settings),
        bearer(settings, "prometheus"),
        bearer(settings, FORGETTING),
    ]
    c.JupyterHub.services = [as_own_user(settings, one) for one in services] if isolates(settings) else services


def api_service(settings: Settings) -> dict[str, Any]:
    """The api: the only holder of the Stripe key."""
    environment = _environment(settings, part="api")
    environment["TNG_COOKIE_SECRET"] = own_secret(settings.home.resolve(), "api-cookie")
    environment |= stripe_environment(settings)
    return _service("api", "tng.api", environment, url=settings.internal_url("api")) | {"oauth_no_confirm": True}


def worker_service(settings: Settings) -> dict[str, Any]:
    """The worker: it writes, and can neither charge nor refund."""
    return _service("worker", "tng.cli", _environment(settings, part="worker"), arguments=["worker"])


def scheduler_service(settings: Settings) -> dict[str, Any]:
    """The process of the schedules: it retrains, and is the only one that can reach operators by mail or webhook.

    It stands back for all others from its first moment on, so that nobody waits for it when the house is opened.
    """
    environment = _environment(settings, part="scheduler") | notice_environment(settings)
    service = _service("scheduler", "tng.cli", environment, arguments=["scheduler"])
    return service | {"command": [*service["command"][:3], f"--nice={NICE}", *service["command"][3:]]}


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
        "--webhook-events",
        *sorted(EVENT_TYPES),
        f"--db={room(settings, 'stand-ins') / STRIPE_STAND_IN}",
    ]
    url = settings.internal_url("stripe")
    return _service("stripe", "hub.sandbox.stripe", environment, url=url, arguments=arguments)


def culler_service(settings: Settings) -> dict[str, Any]:
    """Stops the servers of people who went away."""
    idle_seconds = max(1, round(settings.idle_minutes * 60))
    every_seconds = max(1, min(60, idle_seconds // 4))
    arguments = [f"--timeout={idle_seconds}", f"--cull-every={every_seconds}", f"--max-age={LONGEST_SECONDS}"]
    environment = {"PYTHONPATH": str(ROOT)}
    command = kept("jupyterhub_idle_culler", *arguments)  # it would outlive a hub that is killed, for ever
    return {"name": "idle-culler", "display": False, "command": command, "environment": environment, "cwd": str(ROOT)}


def bearer(settings: Settings, name: str) -> dict[str, Any]:
    """Whoever reads the figures, or forgets people: no process of ours, but a token, which is kept in ``keys``."""
    return {"name": name, "display": False, "api_token": own_secret(settings.home.resolve(), name)}


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


def notice_environment(settings: Settings) -> dict[str, str]:
    """How operators are reached: what of it is set, passwords by their value and not by their file."""
    names = [name for name in type(settings).model_fields if name.startswith(NOTICES) and not name.endswith("_file")]
    told = {str(type(settings).model_fields[name].alias): written(getattr(settings, name)) for name in names}
    return {variable: value for variable, value in told.items() if value}


def as_own_user(settings: Settings, one: dict[str, Any]) -> dict[str, Any]:
    """A service as a Unix user that is not the house's, at home in a room of its own."""
    if "command" not in one:
        return one
    name = LODGERS.get(one["name"], one["name"])
    name = name if name in SERVICES else "stand-ins"
    user = service(settings.uid_base, name)
    at_home = {"HOME": str(room(settings, name)), "USER": name, "LOGNAME": name}
    options = [f"--as={user.uid}:{user.gid}"]
    if name == "api":  # whoever listened there while it is down would be told everybody's tokens
        options.append(f"--hold={urlsplit(settings.internal_url(name)).port}")
    command = [*one["command"][:3], *options, *one["command"][3:]]
    return one | {"command": command, "environment": one["environment"] | at_home}


def kept(module: str, *arguments: str) -> list[str]:
    """The command that runs a module for as long as this process, the hub, lives, and again where it ends before."""
    return [PYTHON, "-m", "hub.keeper", f"--parent={os.getpid()}", PYTHON, "-m", module, *arguments]


def _environment(settings: Settings, *, part: str) -> dict[str, str]:
    return settings_environment(settings) | {"PYTHONPATH": str(ROOT), "TNG_PART": part}


def _service(
    name: str, module: str, environment: dict[str, str], *, url: str = "", arguments: list[str] | None = None
) -> dict[str, Any]:
    command = kept(module, *(arguments or []))
    service = {"name": name, "display": False, "command": command, "environment": environment, "cwd": str(ROOT)}
    return service | ({"url": url} if url else {})
