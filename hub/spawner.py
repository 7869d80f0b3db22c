"""What is started for a person: the dashboard for a customer, JupyterLab for a power user. By group, never by wish."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Bool, Dict, Unicode
from traitlets.config import Config

from hub.auth import POWER_USERS
from hub.front import front, stand_ins
from hub.places import HARMLESS, NOTEBOOKS, PYTHON, TEMPLATES
from hub.processes import die_with_parent
from tng.settings import ROOT, Settings
from tng.shows import Show

DASHBOARD = NOTEBOOKS / "pages" / "dashboard.ipynb"
WORKBENCH = NOTEBOOKS / "workbench"
WORKBENCH_CONFIG = TEMPLATES / "jupyter_config"

VOILA = (
    "--VoilaConfiguration.template=tng",
    "--VoilaConfiguration.allow_template_override=NO",
    "--VoilaConfiguration.allow_theme_override=NO",
    "--VoilaConfiguration.show_tracebacks=False",
    "--VoilaConfiguration.preheat_kernel=True",
    "--VoilaConfiguration.default_pool_size=1",
    "--KernelManager.transport=ipc",
    "--MappingKernelManager.cull_interval=30",
    "--MappingKernelManager.cull_idle_timeout=120",
)
"""One kernel is kept warm; kernels without a page are ended after two minutes; no widget library asks a stranger."""

LAB = (
    "--KernelManager.transport=ipc",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)
"""JupyterLab asks a feed for news, an index for updates, and another for extensions, which it would install into the
Python of the house. Nothing is fetched at run time here; ``WORKBENCH_CONFIG`` has the question about news left out too.
"""

LONGEST_SOCKET_FOLDER = 57
"""A kernel's socket is ``kernel-<uuid>-ipc-<n>`` (49 characters), and its whole path may have 107."""


class HouseSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc]
    """Starts a person's server as a process of this machine, in a home folder of its own.

    Whatever a person asks for in spawn options is ignored. All servers run as the user of the hub.
    """

    sockets: Path | None = None
    homes = Unicode(config=True, help="the folder of people's home folders")
    front = Dict(config=True, help="what the dashboard's template knows of the show")
    as_root = Bool(config=True, help="whether JupyterLab must be told that it may run as root")

    async def start(self) -> tuple[str, int]:
        """Choose the door by group, prepare the home folder, start."""
        self.home_dir = str(make_home(Path(self.homes), self.user.name))
        if POWER_USERS in {group.name for group in self.user.groups}:
            self._open_workbench()
        else:
            self._open_dashboard()
        address: tuple[str, int] = await super().start()
        return address

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Go home, and do not outlive the hub."""
        home = self.home_dir

        def enter() -> None:
            os.umask(0o077)
            os.chdir(home)
            die_with_parent()

        return enter

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Whose server it is, and where its connection files may be: short enough for a socket's path."""
        environment: dict[str, str] = super().user_env(env)
        self.sockets = socket_folder(Path(self.homes).parent / "run" / str(self.user.id))
        environment["JUPYTER_RUNTIME_DIR"] = str(self.sockets)
        return environment

    def clear_state(self) -> None:
        """Forget a server that has ended, and remove the folder of its sockets."""
        super().clear_state()
        self.clear_sockets()

    def clear_sockets(self) -> None:
        """Remove the folder of the sockets, which may be in a place of the system's that nobody else tidies."""
        if self.sockets is not None:
            shutil.rmtree(self.sockets, ignore_errors=True)
            self.sockets = None

    def _open_dashboard(self) -> None:
        self.cmd = [PYTHON, "-P", "-m", "hub.start", "hub.voila_server"]  # -P: nothing in the home folder is imported
        told = repr({"house": dict(self.front)})  # Voilà reads a dict of its command line as Python writes it
        self.args = [str(DASHBOARD), *VOILA, f"--VoilaConfiguration.resources={told}"]
        self.default_url = ""

    def _open_workbench(self) -> None:
        stock_workbench(WORKBENCH, Path(self.home_dir) / "workbench")
        self.cmd = [PYTHON, "-P", "-m", "hub.start", "jupyterhub.singleuser"]
        self.args = [*LAB, *(["--allow-root"] if self.as_root else [])]
        self.default_url = "/lab"


def configure_servers(c: Config, settings: Settings, show: Show) -> None:
    """How people's servers are started, and the little that they are told."""
    c.JupyterHub.spawner_class = HouseSpawner
    spawner = c.HouseSpawner
    spawner.homes = str(settings.home.resolve() / "homes")
    spawner.front = front(show)
    spawner.as_root = os.geteuid() == 0
    spawner.env_keep = list(HARMLESS)
    spawner.environment = server_environment(settings, show)
    spawner.disable_user_config = True
    spawner.http_timeout = 60
    spawner.start_timeout = 60
    spawner.interrupt_timeout = 4
    spawner.term_timeout = 3


def server_environment(settings: Settings, show: Show) -> dict[str, str]:
    """What a person's server and its kernels know beside their hub token. No key, no database."""
    return {
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": str(TEMPLATES / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(WORKBENCH_CONFIG),
        "TNG_API_URL": f"{settings.internal_url('api')}/services/api",
        "TNG_API_PATH": "/services/api",
        "TNG_PRODUCT": show.product,
        "TNG_STAND_INS": ",".join(stand_ins(settings)),
    }


def make_home(homes: Path, name: str) -> Path:
    """The home folder of a person, readable by its owner only. The name is an address: no slash, not hidden."""
    home = homes / name.replace("/", "_").lstrip(".")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    return home


def stock_workbench(source: Path, target: Path) -> None:
    """Copy the notebooks of the workbench that are not there yet; what a person has changed stays as it is."""
    target.mkdir(mode=0o700, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        if not (target / notebook.name).exists():
            shutil.copyfile(notebook, target / notebook.name)


def socket_folder(wished: Path) -> Path:
    """``wished``, created; or a new folder in the system's own place where that path is too long for a socket."""
    if len(str(wished)) > LONGEST_SOCKET_FOLDER:
        return Path(tempfile.mkdtemp(prefix="tng-"))
    wished.mkdir(mode=0o700, parents=True, exist_ok=True)
    return wished
