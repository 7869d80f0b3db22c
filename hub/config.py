"""What JupyterHub is told. It only sets, it never appends, so that configuring twice is configuring once.

The parts: the building here, sign-in in ``hub.auth``, services and rights in ``hub.services``, people's servers in
``hub.spawner``.
"""

from __future__ import annotations

from traitlets.config import Config

from hub.auth import configure_sign_in
from hub.front import check_address, front, stand_ins
from hub.keys import own_secret
from hub.places import PROXY, TEMPLATES, find_node
from hub.services import configure_rights, configure_services
from hub.spawner import configure_servers
from tng.programme import open_show
from tng.settings import Settings
from tng.shows import Show


def configure(c: Config, settings: Settings) -> None:
    """Set everything on ``c``, a traitlets Config.

    Raises SettingsError where these settings may not be started, ShowError where their show cannot be read.
    """
    check_address(settings)
    show = open_show(settings)
    settings.make_home()
    configure_building(c, settings, show)
    configure_sign_in(c, settings)
    configure_rights(c, settings)
    configure_services(c, settings)
    configure_servers(c, settings, show)


def configure_building(c: Config, settings: Settings, show: Show) -> None:
    """Addresses, the proxy, the hub's own database and its pages."""
    home = settings.home.resolve()
    hub = c.JupyterHub
    hub.bind_url = f"http://127.0.0.1:{settings.port}"
    hub.public_url = f"{settings.public}/"
    hub.hub_bind_url = settings.internal_url("hub")
    hub.db_url = f"sqlite:///{home / 'hub.sqlite'}"
    hub.cookie_secret = bytes.fromhex(own_secret(home, "hub-cookie"))
    if settings.public.startswith("https://"):  # whatever the proxy that ends TLS tells us, or forgets to tell
        hub.tornado_settings = {"cookie_options": {"secure": True}}
    hub.cleanup_servers = True
    hub.cleanup_proxy = True
    hub.allow_named_servers = False
    hub.last_activity_interval = 60
    hub.template_paths = [str(TEMPLATES)]
    hub.template_vars = {"house": front(show), "stand_ins": stand_ins(settings)}
    c.ConfigurableHTTPProxy.api_url = settings.internal_url("proxy")
    c.ConfigurableHTTPProxy.command = [str(find_node()), str(PROXY)]
    c.ConfigurableHTTPProxy.pid_file = str(home / "proxy.pid")
