"""Where people's servers run, if not as processes of this machine: containers of its Docker, or pods of a cluster.

The libraries of both are extras, imported only where they are chosen.
"""

from __future__ import annotations

import ipaddress
from importlib import import_module

from traitlets.config import Config

from tng.errors import SettingsError
from tng.settings import Carrier, Settings
from tng.shows import Show

MODULES = {Carrier.DOCKER: "hub.carriers.docker", Carrier.KUBERNETES: "hub.carriers.kubernetes"}


def configure_carrier(c: Config, settings: Settings, show: Show) -> None:
    """Set everything about people's servers on ``c``, for the carrier that the settings name.

    Raises SettingsError where its library is not installed, or containers could not reach the house.
    """
    if settings.carrier is Carrier.LOCAL:
        import_module("hub.spawner").configure_servers(c, settings, show)
        return
    check_reachable(settings)
    try:
        module = import_module(MODULES[settings.carrier])
    except ModuleNotFoundError as error:
        extra = settings.carrier.value
        raise SettingsError(f"TNG_CARRIER={extra} needs the extra of that name: pip install '.[{extra}]'") from error
    module.configure(c, settings, show)


def check_reachable(settings: Settings) -> None:
    """Raises SettingsError unless containers are told an address of this machine that is not their own loopback."""
    try:
        address = ipaddress.ip_address(settings.internal_host)
    except ValueError:
        address = None
    if address is None or address.is_loopback or address.is_unspecified:
        raise SettingsError(
            f"TNG_CARRIER={settings.carrier.value} needs TNG_INTERNAL_HOST: the address of this machine (or of the "
            f"hub's own pod) as containers see it, 172.17.0.1 for one; they cannot reach {settings.internal_host}"
        )
