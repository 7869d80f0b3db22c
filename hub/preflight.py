"""What must be true before the house is opened. Each failure is an error whose message is one clear sentence."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from hub.places import PROXY, find_node
from hub.processes import end
from hub.production import refuse
from tng.adapters.in_use import release_in_use
from tng.errors import HouseOpen, SettingsError
from tng.settings import Settings

MIB = 2**20


@contextmanager
def open_home(settings: Settings) -> Iterator[Path]:
    """The home folder, ours alone until the end. Raises SettingsError where it is unusable, HouseOpen where another
    house has it.
    """
    refuse(settings)
    home = settings.make_home()
    try:
        descriptor = os.open(home / "house.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(
            f"TNG_HOME {home} cannot be written ({error.strerror}); name a folder that you own"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise HouseOpen(f"another one runs in TNG_HOME {home} already; stop it, or name another folder") from None
    try:
        yield home
    finally:
        os.close(descriptor)


def check(settings: Settings, home: Path) -> None:
    """Everything else, the cheapest first. Raises SettingsError, ReleaseMissing or ReleaseDamaged."""
    check_disk(home, settings.free_disk_mb)
    check_proxy()
    release_in_use(settings)
    end_stale_proxy(home / "proxy.pid")
    street, *inside = ports(settings)
    check_ports([street], settings.bind)
    check_ports(inside)


def check_disk(home: Path, least_mb: int) -> None:
    """Raise SettingsError where less than ``least_mb`` MiB are free for the home folder."""
    free_mb = shutil.disk_usage(home).free // MIB
    if free_mb < least_mb:
        raise SettingsError(
            f"the disk of TNG_HOME {home} has {free_mb} MB free, and {least_mb} are needed; "
            "make room, or name a folder on another disk"
        )


def check_proxy() -> None:
    """Raise SettingsError where the proxy was not installed."""
    find_node()
    if not PROXY.is_file():
        raise SettingsError(
            "the proxy is not installed; run `make run`, which installs it from hub/proxy/package-lock.json"
        )


def ports(settings: Settings) -> list[int]:
    """The ports that this configuration listens on."""
    used = [0, 1, 2, 3, *([4] if settings.google_stand_in else []), *([5] if settings.stripe_stand_in else [])]
    return [settings.port + offset for offset in used]


def check_ports(wanted: list[int], host: str = "127.0.0.1") -> None:
    """Raise SettingsError for the first port of ``host``, an address, that cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in wanted:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise SettingsError(
                    f"port {port} on {host} cannot be used ({error.strerror}{_holder(port)}); "
                    "stop what uses it, or set TNG_PORT: that port and the five after it must be free"
                ) from error


def end_stale_proxy(pid_file: Path) -> None:
    """End the proxy that a killed hub left behind. Called while the home folder is ours: no living hub needs it."""
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text(encoding="ascii")))
        if str(PROXY) in process.cmdline():
            end([process], grace_seconds=2.0)


def _holder(port: int) -> str:
    """Who listens there, where the system tells."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f", by {psutil.Process(connection.pid).name()}, process {connection.pid}"
    return ""
