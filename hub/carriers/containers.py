"""What Docker and Kubernetes have in common: an image with the project in it, a closed container, a home that stays.

The image has Python as ``python`` and this project in ``PROJECT``; ``docs/gpus.md`` says how it is made.
"""

from __future__ import annotations

from typing import Any

from traitlets import Integer
from traitlets.config import Config

from hub.doors import Door
from hub.rules import HouseRules, configure_rules
from hub.spawner import server_environment
from tng.settings import ROOT, Settings
from tng.shows import Show

PROJECT = "/srv/tng"
HOME = "/home/person"
UID = 1000
START_SECONDS = 300
"""An image may have to be fetched first."""

NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "NVIDIA_VISIBLE_DEVICES": "void"}
"""Many images ask for all GPUs, and the runtime of a GPU host gives them to who does not say otherwise."""


class ContainerRules(HouseRules):
    """The house's rules for a server in a container."""

    dashboard_memory_mb = Integer(1024, config=True, help="what a customer's server may use")
    workbench_memory_mb = Integer(8192, config=True, help="what a power user's server may use")

    @property
    def memory_mb(self) -> int:
        """What the server behind the chosen door may use."""
        return self.workbench_memory_mb if self.choice.door is Door.WORKBENCH else self.dashboard_memory_mb

    def open_workbench(self) -> None:
        """JupyterLab; the notebooks are laid out inside, where the home is."""
        super().open_workbench()
        self.cmd = [self.python, "-P", "-m", "hub.carriers.inside", *self.cmd[-1:]]

    def gpu_environment(self) -> dict[str, str]:
        """The same as elsewhere, and a word for the runtime of the container where there is none."""
        return super().gpu_environment() | ({} if self.hold.gpus else NO_GPU)


def configure_containers(c: Config, spawner: Any, settings: Settings, show: Show) -> None:
    """What both are told; ``spawner`` is the section of the class in ``c``."""
    configure_rules(c, spawner, settings, show)
    spawner.python, spawner.project = "python", PROJECT
    spawner.image = settings.image
    spawner.dashboard_memory_mb = settings.dashboard_memory_mb
    spawner.workbench_memory_mb = settings.workbench_memory_mb
    spawner.env_keep = []
    spawner.environment = container_environment(settings, show)
    spawner.disable_user_config = True
    spawner.start_timeout = START_SECONDS
    spawner.http_timeout = 60
    spawner.port = 8888
    spawner.ip = "0.0.0.0"  # noqa: S104 - inside the container; who reaches it still needs the hub's leave


def container_environment(settings: Settings, show: Show) -> dict[str, str]:
    """What a server is told, its paths being those of the image."""
    told = server_environment(settings, show) | {"HOME": HOME, "TMPDIR": "/tmp"}  # noqa: S108 - the container's own
    return {name: value.replace(str(ROOT), PROJECT) for name, value in told.items()}
