"""Containers and pods: the same doors, the same environment, and nothing that a stranger could use.

What DockerSpawner would hand to Docker, and KubeSpawner to its cluster, is looked at as their own code makes it.
Neither Docker nor a cluster is here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from jupyterhub import orm
from traitlets.config import Config

from hub.auth import POWER_USERS
from hub.carriers import configure_carrier
from hub.carriers.containers import HOME, NO_GPU, PROJECT
from hub.carriers.docker import HouseDocker
from hub.carriers.inside import main as begin
from hub.carriers.kubernetes import GPU, HouseKube
from hub.doors import Refusal
from hub.gpus import KIND, ClusterDesk, GpuDesk
from tests.nvidia import uuid
from tests.shows import first_show
from tng.errors import SettingsError
from tng.settings import ROOT, Carrier, Settings

DOCKER = {"carrier": "docker", "image": "registry.example/tng:1", "internal_host": "172.17.0.1"}
KUBE = DOCKER | {"carrier": "kubernetes", "internal_host": "10.0.0.7"}
FORBIDDEN = ("STRIPE", "DATABASE", "SECRET", "GOOGLE", "TNG_HOME", "TNG_KERNEL_SLOTS")
MakeSettings = Callable[..., Settings]


class FakeDaemon:
    """Docker, as far as DockerSpawner asks it: ``created`` is what it was told to make."""

    def __init__(self) -> None:
        self.created: dict[str, Any] = {}

    def inspect_container(self, name: str) -> dict[str, Any]:
        if not self.created:
            raise docker.errors.NotFound("no such container", response=SimpleNamespace(status_code=404))
        return {"Id": "c0ffee", "NetworkSettings": {"Networks": {"tng": {"IPAddress": "172.30.0.5"}}}}

    def inspect_image(self, image: str) -> dict[str, Any]:
        return {}

    def create_host_config(self, **config: Any) -> dict[str, Any]:
        made: dict[str, Any] = docker.types.HostConfig(version="1.45", **config)
        return made

    def create_container(self, **told: Any) -> dict[str, Any]:
        self.created = told
        return {"Id": "c0ffee"}

    def start(self, container: str) -> None:
        pass


def a_person(*groups: str) -> Any:
    """Somebody as a spawner sees them."""
    return SimpleNamespace(
        name="100000000000000000033",
        escaped_name="100000000000000000033",
        id=7,
        groups=[SimpleNamespace(name=group) for group in groups],
        url="/user/100000000000000000033/",
        db=SimpleNamespace(),
    )


def spawner_of(kind: type[Any], settings: Settings, *groups: str, **wishes: Any) -> Any:
    """A spawner for somebody of these groups, who wishes for this."""
    c = Config()
    configure_carrier(c, settings, first_show())
    hub = SimpleNamespace(api_url="http://172.17.0.1:8001/hub/api/", base_url="/hub/", public_host="", url="/hub/")
    house = kind(config=c, user=a_person(*groups), hub=hub, orm_spawner=orm.Spawner(name=""))
    house.api_token, house.user_options = "a-token-of-the-hub", wishes
    house._server = SimpleNamespace(base_url=house.user.url)
    return house


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """KubeSpawner looks for its cluster when a spawner is made; here is none, and none is asked."""
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda _: None)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.gpus._gpus", lambda: (uuid(0), uuid(1)))


@pytest.fixture
def contained(settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, two_gpus: None) -> Iterator[Any]:
    """Starts a container at a daemon that is none; (spawner, what the daemon was told)."""
    with ThreadPoolExecutor(1) as threads:

        async def start(*groups: str, **wishes: Any) -> tuple[HouseDocker, dict[str, Any]]:
            daemon = FakeDaemon()
            monkeypatch.setattr(HouseDocker, "_client", daemon)
            monkeypatch.setattr(HouseDocker, "_executor", threads)
            house = spawner_of(HouseDocker, settings(**DOCKER), *groups, **wishes)
            assert await house.start() == ("172.30.0.5", 8888)
            return house, daemon.created

        yield start


@pytest.fixture
def podded(settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a pod in a cluster that is none; (spawner, the manifest that the cluster would get)."""

    async def start(*groups: str, **wishes: Any) -> tuple[HouseKube, dict[str, Any]]:
        house = spawner_of(HouseKube, settings(**KUBE), *groups, **wishes)
        made: list[Any] = []

        async def create() -> str:
            made.append(await house.get_pod_manifest())
            return "http://10.0.0.9:8888"

        monkeypatch.setattr(house, "_start", create)
        await house.start()
        return house, made[0].to_dict()

    return start


class TestDocker:
    async def test_a_customer_gets_the_dashboard_whatever_is_wished_for(self, contained: Any) -> None:
        _, told = await contained(door="workbench", gpus=2, image="evil/image", profile="power")
        assert told["command"][:5] == ["python", "-P", "-m", "hub.start", "hub.voila_server"]
        assert told["command"][5] == f"{PROJECT}/notebooks/pages/dashboard.ipynb"
        assert told["image"] == "registry.example/tng:1"
        assert "DeviceRequests" not in told["host_config"]
        assert NO_GPU.items() <= told["environment"].items()
        assert told["host_config"]["Memory"] == 1024 * 2**20

    async def test_a_power_user_gets_the_workbench_and_the_claimed_gpus(self, contained: Any) -> None:
        house, told = await contained(POWER_USERS, door="workbench", gpus=1)
        assert told["command"][:5] == ["python", "-P", "-m", "hub.carriers.inside", "hub.lab_server"]
        (request,) = told["host_config"]["DeviceRequests"]
        assert (request["DeviceIDs"], request["Capabilities"], request["Count"]) == ([uuid(0)], [["gpu"]], 0)
        assert told["environment"]["CUDA_VISIBLE_DEVICES"] == uuid(0)
        assert told["host_config"]["Memory"] == 8192 * 2**20
        assert house.desk.ledger.book().claims[0].gpus == (uuid(0),)
        house.clear_state()
        assert house.desk.ledger.book().claims == []

    async def test_a_power_user_may_not_ask_for_more_than_there_is(self, contained: Any) -> None:
        with pytest.raises(Refusal, match="between 0 and 1"):
            await contained(POWER_USERS, gpus=2)

    async def test_the_container_is_closed(self, contained: Any) -> None:
        _, told = await contained(POWER_USERS)
        host = told["host_config"]
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert host["ReadonlyRootfs"]
        assert not host.get("Privileged")
        assert host["PidsLimit"] == 512
        assert host["MemorySwap"] == host["Memory"]
        assert host["AutoRemove"]
        assert host["NetworkMode"] == "tng"
        assert "PortBindings" not in host
        assert told["user"] == "1000:1000"

    async def test_only_the_own_home_is_mounted_and_no_socket_of_docker(self, contained: Any) -> None:
        _, told = await contained()
        assert told["host_config"]["Binds"] == [f"tng-home-100000000000000000033:{HOME}:rw"]
        assert not told["host_config"].get("Mounts")
        assert "docker.sock" not in repr(told)

    async def test_the_hub_and_the_api_are_told_as_the_container_sees_them(self, contained: Any) -> None:
        _, told = await contained()
        assert told["environment"]["TNG_API_URL"] == "http://172.17.0.1:8003/services/api"
        assert told["environment"]["JUPYTERHUB_API_URL"].startswith("http://172.17.0.1:8001/")
        assert told["environment"]["PYTHONPATH"] == PROJECT


class TestKubernetes:
    async def test_a_customer_gets_the_dashboard_whatever_is_wished_for(self, podded: Any) -> None:
        _, pod = await podded(door="workbench", gpus=2, profile="power")
        (container,) = pod["spec"]["containers"]
        assert container["args"][:5] == ["python", "-P", "-m", "hub.start", "hub.voila_server"]
        assert GPU not in container["resources"]["limits"]
        assert told_in(container)["NVIDIA_VISIBLE_DEVICES"] == "void"
        assert container["resources"]["limits"]["memory"] == 1024 * 2**20

    async def test_a_power_user_gets_as_many_gpus_as_were_chosen(self, podded: Any) -> None:
        house, pod = await podded(POWER_USERS, door="workbench", gpus=2)
        (container,) = pod["spec"]["containers"]
        assert container["args"][3:5] == ["hub.carriers.inside", "hub.lab_server"]
        assert container["resources"]["limits"][GPU] == "2"
        assert not {"CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"} & set(told_in(container))
        assert told_in(container)["TNG_GPU_HOURS_LEFT"] == "20.0"
        assert [len(claim.gpus) for claim in house.desk.ledger.book().claims] == [2]
        house.clear_state()

    async def test_two_people_do_not_wait_for_each_other_and_hours_are_counted(self, settings: MakeSettings) -> None:
        desk = ClusterDesk.of(settings(**KUBE))
        first, second = (desk.ledger.claim(name, KIND, 4, desk.names(name)) for name in ("ada", "bob"))
        assert {len(claim.gpus) for claim in (first, second)} == {4}  # type: ignore[union-attr]
        state = desk.state("ada")
        assert state is not None
        assert (state.free, state.in_all) == (None, 4)

    async def test_the_pod_is_closed(self, podded: Any) -> None:
        _, pod = await podded(POWER_USERS)
        spec, security = pod["spec"], pod["spec"]["containers"][0]["security_context"]
        assert not spec["automount_service_account_token"]
        assert spec["service_account_name"] is None
        assert not spec["enable_service_links"]
        assert not any(spec[name] for name in ("host_network", "host_pid", "host_ipc"))
        assert security == {
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }

    async def test_each_has_a_volume_of_their_own(self, podded: Any, settings: MakeSettings) -> None:
        house, pod = await podded()
        claims = [volume.get("persistent_volume_claim") for volume in pod["spec"]["volumes"]]
        assert [claim for claim in claims if claim] == [{"claimName": house.pvc_name}]
        assert "100000000000000000033" in house.pvc_name
        assert house.get_pvc_manifest().spec.resources.requests == {"storage": "10Gi"}


def told_in(container: dict[str, Any]) -> dict[str, str]:
    """The environment of a container of a pod."""
    return {variable["name"]: variable["value"] for variable in container["env"]}


@pytest.mark.parametrize(("kind", "changes"), [(HouseDocker, DOCKER), (HouseKube, KUBE)], ids=["docker", "kubernetes"])
class TestBoth:
    def test_no_secret_and_nothing_of_the_hubs_own_is_in_the_environment(
        self, kind: Any, changes: Any, settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house = spawner_of(kind, settings(**changes))
        home = str(settings().home)
        for name in ("STRIPE_SECRET_KEY", "TNG_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "LD_LIBRARY_PATH"):
            monkeypatch.setenv(name, "a-secret")
        environment = house.get_env()
        assert not [name for name in environment if any(word in name for word in FORBIDDEN)]
        assert "a-secret" not in environment.values()
        assert home not in repr(environment)
        assert "PATH" not in environment

    async def test_the_form_is_the_houses(
        self, kind: Any, changes: Any, settings: MakeSettings, two_gpus: None
    ) -> None:
        assert await spawner_of(kind, settings(**changes)).get_options_form() is None
        power = spawner_of(kind, settings(**changes), POWER_USERS)
        assert (await power.get_options_form()).offer.most_gpus == (1 if kind is HouseDocker else 4)
        with pytest.raises(Refusal):
            await power.run_options_from_form({"door": ["bridge"]})

    def test_configuring_twice_is_configuring_once(self, kind: Any, changes: Any, settings: MakeSettings) -> None:
        once, twice = Config(), Config()
        for c in (once, twice, twice):
            configure_carrier(c, settings(**changes), first_show())
        assert once == twice
        assert once.JupyterHub.spawner_class is kind

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "::1", ""])  # noqa: S104
    def test_an_address_that_containers_cannot_reach_is_refused(
        self, kind: Any, changes: Any, settings: MakeSettings, host: str
    ) -> None:
        with pytest.raises(SettingsError, match="TNG_INTERNAL_HOST"):
            configure_carrier(Config(), settings(**changes | {"internal_host": host}), first_show())

    def test_a_library_that_is_missing_is_named(
        self, kind: Any, changes: Any, settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = {"docker": "dockerspawner", "kubernetes": "kubespawner"}[changes["carrier"]]
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.delitem(sys.modules, f"hub.carriers.{changes['carrier']}")
        with pytest.raises(SettingsError, match=rf"'\.\[{changes['carrier']}\]'"):
            configure_carrier(Config(), settings(**changes), first_show())


def test_the_stand_ins_and_the_proxys_own_stay_on_loopback(settings: MakeSettings) -> None:
    told = settings(**DOCKER)
    assert {told.internal_url(name)[:17] for name in ("proxy", "google", "stripe")} == {"http://127.0.0.1:"}
    assert settings(internal_host="172.17.0.1").internal_url("api").startswith("http://127.0.0.1:")


def test_locally_servers_are_processes_of_this_machine(
    configured: Callable[..., Config], settings: MakeSettings
) -> None:
    assert settings().carrier is Carrier.LOCAL
    assert configured().HouseSpawner.desk == GpuDesk.of(settings())
    code = "import sys; from hub import config; print([m for m in sys.modules if 'kubespawner' in m or 'docker' in m])"
    alone = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert alone.stdout == "[]\n"


def test_a_workbench_lays_out_its_notebooks_and_becomes_the_server(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.execv", lambda _program, words: became.append(words))
    monkeypatch.setattr("os.umask", lambda _mask: 0)
    monkeypatch.chdir(tmp_path)
    begin(["hub.lab_server", "--ServerApp.ip=0.0.0.0"])
    assert list((tmp_path / "workbench").glob("*.ipynb"))
    assert became == [[sys.executable, "-P", "-m", "hub.start", "hub.lab_server", "--ServerApp.ip=0.0.0.0"]]
