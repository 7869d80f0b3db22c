"""What JupyterHub is told. It only sets, it never appends, so that configuring twice is configuring once.

The parts: the building here, sign-in in ``hub.auth``, services and rights in ``hub.services``, people's servers in
``hub.spawner``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.utils import subdomain_hook_idna
from traitlets.config import Config

from hub.accounts import Forgetful
from hub.auth import account, configure_sign_in
from hub.carriers import configure_carrier
from hub.entrance import listening_url
from hub.front import front, stand_ins
from hub.headers import hub_headers, on_every_answer, secure_cookies
from hub.kernel_slots import KernelSlots
from hub.keys import own_secret
from hub.places import PROXY, PYTHON, TEMPLATES, find_node
from hub.production import refuse
from hub.rooms import settle
from hub.services import configure_rights, configure_services
from hub.spawner import why_ended
from hub.unix_users import SLOTS_GROUP, isolates, service
from hub.unwritten import keep_environments_unwritten
from hub.welcome import welcome
from tng.adapters.in_use import show_in_use
from tng.settings import Settings
from tng.shows import Show

HUB_DATABASE = "hub.sqlite"


FIRST_FREE_PORT = 1024
"""Below it only root may listen."""


def configure(c: Config, settings: Settings) -> None:
    """Set everything on ``c``, a traitlets Config.

    Raises SettingsError where these settings may not be started, ShowError where their show cannot be read.
    """
    refuse(settings)
    show = show_in_use(settings)
    settle(settings)
    keep_environments_unwritten(settings.home.resolve() / HUB_DATABASE)
    KernelSlots.prepare(settings, settings.uid_base + SLOTS_GROUP if isolates(settings) else None)
    configure_building(c, settings, show)
    configure_sign_in(c, settings)
    configure_rights(c, settings)
    configure_services(c, settings)
    configure_carrier(c, settings, show)


def configure_building(c: Config, settings: Settings, show: Show) -> None:
    """Addresses, the proxy, the hub's own database and its pages."""
    home = settings.home.resolve()
    hub = c.JupyterHub
    hub.bind_url = listening_url(settings)
    if settings.tls_certificate and settings.tls_key:
        hub.ssl_cert, hub.ssl_key = str(settings.tls_certificate.resolve()), str(settings.tls_key.resolve())
    if settings.own_hosts:
        hub.subdomain_host, hub.subdomain_hook = settings.public, host_of
        hub.cookie_host_prefix_enabled = settings.public.startswith("https://")  # no host can set another's
    hub.public_url = f"{settings.public}/"
    hub.hub_bind_url = settings.internal_url("hub")
    hub.db_url = f"sqlite:///{home / HUB_DATABASE}"
    hub.db_kwargs = {"connect_args": {"factory": Forgetful, "check_same_thread": False}}
    hub.cookie_secret = bytes.fromhex(own_secret(home, "hub-cookie"))
    hub.tornado_settings = tornado_settings(settings)
    hub.cleanup_servers = not settings.keep_servers
    hub.cleanup_proxy = True
    hub.allow_named_servers = False
    hub.last_activity_interval = 0  # the proxy takes a tab left open for a person; servers tell what people do
    hub.template_paths = [str(TEMPLATES)]
    told = {"house": front(show), "stand_ins": stand_ins(settings), "welcome": welcome(settings, show)}
    hub.template_vars = told | {"account": account, "why_ended": why_ended}
    c.ConfigurableHTTPProxy.extra_routes = {robots_route(settings): settings.internal_url("api")}
    c.ConfigurableHTTPProxy.api_url = settings.internal_url("proxy")
    c.ConfigurableHTTPProxy.command = proxy_command(settings)
    c.ConfigurableHTTPProxy.pid_file = str(home / "proxy.pid")


def tornado_settings(settings: Settings) -> dict[str, Any]:
    """The headers of every answer, and cookies that travel by TLS alone where the house has it."""
    headers = hub_headers(settings.public, own_hosts=settings.own_hosts)
    return {"headers": headers, "transforms": [on_every_answer(headers)], **secure_cookies(settings.public)}


def robots_route(settings: Settings) -> str:
    """Where robots ask what they may do: at the root, which is the hub's; with hosts, of the house's own host."""
    host = (urlsplit(settings.public).hostname or "") if settings.own_hosts else ""
    return f"{host}/robots.txt/"


def host_of(name: str, domain: str, kind: str) -> str:
    """The host name of a person's server. Services stay in the house's own: pages and Stripe know them there."""
    return str(subdomain_hook_idna(name, domain, kind)) if kind == "user" else domain


def proxy_command(settings: Settings) -> list[str]:
    """The proxy: where people are kept apart a user that is nobody else, save where it needs what only root has."""
    command = [str(find_node()), str(PROXY)]
    needs_root = bool(settings.tls_key) or settings.port < FIRST_FREE_PORT
    if needs_root or not isolates(settings):
        return command
    user = service(settings.uid_base, "proxy")
    return [PYTHON, "-m", "hub.step_down", f"{user.uid}:{user.gid}", *command]
