"""People's servers as containers of this machine's Docker. GPUs are claimed here, and handed over by their UUIDs.

The Docker socket is root's key to the machine: it is the hub's alone, and in no container.
"""

from __future__ import annotations

from typing import Any

from docker.types import DeviceRequest
from dockerspawner import DockerSpawner
from traitlets import Integer
from traitlets.config import Config

from hub.carriers.containers import HOME, UID, ContainerRules, configure_containers
from tng.settings import Settings
from tng.shows import Show

NETWORK = "tng"
"""A network of its own, made once by the operator, in which containers do not reach each other (see docs/gpus.md)."""

DASHBOARD_PROCESSES = 256


class HouseDocker(ContainerRules, DockerSpawner):  # type: ignore[misc]
    """A person's server in a container that is gone when the server ends; the home is a volume that stays."""

    workbench_processes = Integer(512, config=True, help="processes and threads that a power user may have")

    async def prepare(self) -> None:
        """As much memory as the door has."""
        self.mem_limit = f"{self.memory_mb}M"

    def closed(self) -> dict[str, Any]:
        """The limits of the container, as Docker's ``HostConfig`` names them."""
        is_workbench = self.memory_mb == self.workbench_memory_mb
        config: dict[str, Any] = {
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "read_only": True,
            "tmpfs": {"/tmp": "rw,nosuid,nodev,size=1g,mode=1777"},  # noqa: S108 - the container's own
            "pids_limit": self.workbench_processes if is_workbench else DASHBOARD_PROCESSES,
            "memswap_limit": self.mem_limit,
            "privileged": False,
            "init": True,
        }
        if self.hold.gpus:
            config["device_requests"] = [DeviceRequest(device_ids=list(self.hold.gpus), capabilities=[["gpu"]])]
        return config


def configure(c: Config, settings: Settings, show: Show) -> None:
    """Set everything about people's servers."""
    c.JupyterHub.spawner_class = HouseDocker
    spawner = c.HouseDocker
    configure_containers(c, spawner, settings, show)
    spawner.workbench_processes = settings.workbench_processes
    spawner.network_name = NETWORK
    spawner.use_internal_ip = True
    spawner.remove = True
    spawner.prefix = "tng"
    spawner.volumes = {"tng-home-{username}": HOME}
    spawner.extra_create_kwargs = {"user": f"{UID}:{UID}", "working_dir": HOME}
    spawner.extra_host_config = closed_container


def closed_container(spawner: HouseDocker) -> dict[str, Any]:
    """Asked by DockerSpawner when it makes the container."""
    return spawner.closed()
