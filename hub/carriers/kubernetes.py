"""People's servers as pods of a cluster. The cluster's own scheduler finds the GPUs; hours are counted all the same."""

from __future__ import annotations

from typing import Any

from kubespawner import KubeSpawner
from traitlets.config import Config

from hub.carriers.containers import HOME, NO_GPU, UID, ContainerRules, configure_containers
from hub.gpus import ClusterDesk
from tng.settings import Settings
from tng.shows import Show

GPU = "nvidia.com/gpu"
"""What NVIDIA's device plugin calls a GPU."""

SCHEDULING_SECONDS = 600
"""A node with a GPU may have to be started first."""

HOME_SIZE = "10Gi"


class HouseKube(ContainerRules, KubeSpawner):  # type: ignore[misc]
    """A person's server as a pod without rights in the cluster; the home is a claim on a volume that stays."""

    async def prepare(self) -> None:
        """As much memory as the door has, and as many GPUs as were chosen."""
        self.mem_limit = f"{self.memory_mb}M"
        self.extra_resource_limits = {GPU: str(self.choice.gpus)} if self.choice.gpus else {}

    def gpu_environment(self) -> dict[str, str]:
        """The device plugin tells the pod which GPUs it has; we only say where it has none."""
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} | ({} if self.hold.gpus else NO_GPU)


def configure(c: Config, settings: Settings, show: Show) -> None:
    """Set everything about people's servers."""
    c.JupyterHub.spawner_class = HouseKube
    spawner = c.HouseKube
    configure_containers(c, spawner, settings, show)
    spawner.desk = ClusterDesk.of(settings)
    spawner.start_timeout = SCHEDULING_SECONDS
    spawner.working_dir = HOME
    spawner.storage_pvc_ensure = True
    spawner.storage_capacity = HOME_SIZE
    spawner.storage_access_modes = ["ReadWriteOnce"]
    spawner.volumes = [
        {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
    spawner.volume_mounts = [
        {"name": "home", "mountPath": HOME},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
    ]
    close_pods(spawner)


def close_pods(spawner: Any) -> None:
    """No root, no rights, no token of the cluster, no names of other services."""
    spawner.uid = spawner.gid = spawner.fs_gid = UID
    spawner.privileged = False
    spawner.allow_privilege_escalation = False
    spawner.automount_service_account_token = False
    spawner.service_account = None
    spawner.container_security_context = {
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spawner.extra_pod_config = {"enableServiceLinks": False, "hostNetwork": False, "hostPID": False, "hostIPC": False}
