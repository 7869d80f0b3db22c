"""Starts people's servers as processes of this machine: each in a home of its own and, where the house is root, as a
Unix user of its own, inside limits. What is started for whom says ``hub.rules``.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import psutil
from jupyterhub.spawner import SimpleLocalProcessSpawner, SpawnException
from traitlets import Bool, Integer, Unicode
from traitlets.config import Config

from hub.ceilings import ceilings
from hub.front import stand_ins
from hub.homes import make_home, remove_sockets, socket_folder
from hub.limits import CLEAR_SECONDS, Ceiling, Fences, GroupFence, find_fences
from hub.places import HARMLESS, TEMPLATES
from hub.processes import die_with_parent, gain_nothing, listens
from hub.rules import WORKBENCH, HouseRules, configure_rules
from hub.unix_users import UnixUser, end_all, isolates, listeners, person, signal_all
from hub.watch import processes_of, tree, until_over
from hub.workbench import stock
from tng.errors import HomeTaken
from tng.settings import ROOT, Settings
from tng.shows import Show

WORKBENCH_CONFIG = TEMPLATES / "jupyter_config"

TEMPORARY = ".tmp"

POLL_SECONDS = 5
"""How soon the hub sees that a server has ended, and takes its address away: the port is anybody's from then on."""
LOOK_SECONDS = 0.05

ENDED = "It ended while it was being set up."

DASHBOARD_PROCESSES = 256
"""Processes and threads of a dashboard: its kernels have about a dozen each."""


class HouseSpawner(HouseRules, SimpleLocalProcessSpawner):  # type: ignore[misc]
    """Starts a person's server as a process of this machine, in a home folder of its own.

    ``isolated`` decides whether that process is the person's own Unix user, or that of the hub like all the others.
    """

    endings: ClassVar[dict[int, str]] = {}

    homes = Unicode(config=True, help="the folder of people's home folders")
    isolated = Bool(config=True, help="whether each person's server runs as a Unix user of its own")
    uid_base = Integer(config=True, help="people's Unix user ids begin here")
    outlives_hub = Bool(config=True, help="whether servers go on while the hub is started again")
    dashboard_memory_mb = Integer(1024, config=True, help="what a customer's server may use")
    workbench_memory_mb = Integer(8192, config=True, help="what a power user's server may use")
    workbench_processes = Integer(512, config=True, help="processes and threads that a power user may have")

    sockets: Path | None = None
    fence: GroupFence | None = None
    is_workbench = False
    _watching: asyncio.Task[None] | None = None

    @property
    def unix_user(self) -> UnixUser | None:
        """Who the server runs as; None where it is the user of the hub."""
        return person(self.uid_base, self.user.id, may_open_slots=not self.is_workbench) if self.isolated else None

    @property
    def ceiling(self) -> Ceiling:
        """How much of the machine the server may take."""
        if self.is_workbench:
            return Ceiling(self.workbench_memory_mb, self.workbench_processes)
        return Ceiling(self.dashboard_memory_mb, DASHBOARD_PROCESSES)

    async def start(self) -> tuple[str, int]:
        """Start, watch the memory where the system does not, and wait until the server listens.

        The hub would look for it at times that grow by chance, and find it seconds after it was there.
        """
        self.endings.pop(self.user.id, None)
        address: tuple[str, int] = await super().start()
        self._keep_watch()
        await self._wait_for_own_port(address)
        return address

    async def poll(self) -> int | None:
        """Whether the server has ended; one that outlived the hub is watched again from here on."""
        status: int | None = await super().poll()
        if status is None:
            self._keep_watch()
        return status

    async def prepare(self) -> None:
        """The home folder, and nobody in it: what an earlier server left running is ended."""
        self.is_workbench = False
        owner = self.unix_user
        try:
            self.home_dir = str(make_home(Path(self.homes), self.user.name, owner))
        except HomeTaken as error:
            self.log.error("no server for account %d: %s", self.user.id, error)
            raise SpawnException(error.user_message, reason="home-taken", status_code=500) from error
        if owner is not None and not await asyncio.to_thread(end_all, owner):
            self.log.warning("processes that an earlier server of user %d left cannot be ended", owner.uid)

    def prepare_workbench(self) -> None:
        """The workbench's notebooks are laid out by the person's own process, before it becomes the server."""
        self.is_workbench = True

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Inside the limits, become the person, go home, and do not outlive the hub."""
        home, user, ceiling, hub = Path(self.home_dir), self.unix_user, self.ceiling, os.getpid()
        is_workbench, self.fence = self.is_workbench, self._raise_fence()
        fence, outlives_hub = self.fence, self.outlives_hub

        def enter() -> None:
            if fence is not None:
                fence.enter()
            ceiling.apply(alone=fence is None, counts_processes=user is not None)
            if user is not None:
                user.become()
                gain_nothing()
            os.umask(0o077)
            os.chdir(home)
            with suppress(OSError):  # whatever the person made of it, it is only theirs
                (home / TEMPORARY).mkdir(mode=0o700)
            if is_workbench:
                stock(WORKBENCH, home / "workbench")
            if not outlives_hub:
                die_with_parent(hub)

        return enter

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Whose server it is, and where its files may be; a socket's path has to be short."""
        environment: dict[str, str] = super().user_env(env)
        home, user = Path(self.home_dir), self.unix_user
        self.sockets = socket_folder(Path(self.homes).parent / "run" / str(self.user.id), user)
        if user is not None:
            environment["USER"] = environment["LOGNAME"] = f"u{user.uid}"  # a name that no account has
        if self.is_workbench:  # Voilà keeps its sockets in the temporary folder: that has to be short, and is closed
            environment["TMPDIR"] = str(home / TEMPORARY)
        # a power user's profile may run at the start of a kernel of theirs, and never of the dashboard's
        profiles = home / ".ipython" if self.is_workbench else self.sockets / "ipython"
        return environment | {"IPYTHONDIR": str(profiles), "JUPYTER_RUNTIME_DIR": str(self.sockets)}

    def get_state(self) -> dict[str, Any]:
        """The process, and when it was born: its number alone may be another's after the machine was started again."""
        state: dict[str, Any] = super().get_state()
        if not self.pid:
            return state
        groups = [str(folder) for folder in self.fence.folders] if self.fence else []
        return state | {"born": _born(self.pid), "sockets": str(self.sockets or ""), "groups": groups}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the server up again, where it is still the same process."""
        if state.get("pid") and state.get("born") != _born(state["pid"]):
            state = {name: value for name, value in state.items() if name != "pid"}
        super().load_state(state)
        self.sockets = Path(state["sockets"]) if state.get("sockets") else None
        self.fence = GroupFence(tuple(Path(folder) for folder in state["groups"])) if state.get("groups") else None

    def clear_state(self) -> None:
        """Forget a server that has ended, and leave nothing of it: no process, no limit, no socket."""
        super().clear_state()
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if self.sockets is not None:
            if self.unix_user is not None:
                signal_all(self.unix_user)
            remove_sockets(self.sockets)
            self.sockets = None
        self._lower_fence()

    async def _wait_for_own_port(self, address: tuple[str, int]) -> None:
        """Let nobody be taken for the person's server who was quicker to listen at its port. Raises SpawnException."""
        user, listening = self.unix_user, set[int]()
        while not (listens(address) and (user is None or (listening := listeners(address[1])))):
            if await self.poll() is not None:
                why = self.endings.get(self.user.id, ENDED)
                raise SpawnException(why, reason="ended", status_code=500)
            await asyncio.sleep(LOOK_SECONDS)
        if user is not None and (strangers := listening - {user.uid}):
            self.log.error("user %d listens at the port of the server of account %d", min(strangers), self.user.id)
            await self.stop(now=True)
            raise SpawnException("Its port was taken by another program. Please try again.", reason="port-taken")

    def _keep_watch(self) -> None:
        if self.fence is None and self.pid and self._watching is None:
            self._watching = asyncio.create_task(self._watch_memory())

    async def _watch_memory(self) -> None:
        """End the server when it holds more than it may. Whoever comes to its page is told."""
        most_mb = self.ceiling.memory_mb
        used_mb = await until_over(self._processes, most_mb)
        self._say_why(f"it used {used_mb} MB of memory, and may use {most_mb} MB")
        self._watching = None  # the end of the server must not cancel this
        for process in self._processes():
            with suppress(psutil.Error):
                process.kill()
        await self.wait_for_death(CLEAR_SECONDS)
        await self.poll_and_notify()

    def _processes(self) -> Iterable[psutil.Process]:
        user = self.unix_user
        return tree(self.pid) if user is None else processes_of(user.uid)

    def _raise_fence(self) -> GroupFence | None:
        fences = _fences(Path(self.homes).parent)
        if fences is None:
            return None
        try:
            return fences.raise_for(f"{self.user.id}-{secrets.token_hex(4)}", self.ceiling)
        except OSError as error:
            self.log.warning("no control group can be made (%s): limits are each process's own", error.strerror)
            return None

    def _lower_fence(self) -> None:
        if self.fence is None:
            return
        if self.fence.ended_for_memory():
            self._say_why(f"it needed more than the {self.ceiling.memory_mb} MB of memory that it may use")
        Thread(target=self.fence.clear).start()  # a large process takes its time to end; the hub waits for that
        self.fence = None

    def _say_why(self, reason: str) -> None:
        self.endings[self.user.id] = f"Your server was stopped: {reason}."
        super()._say_why(reason)


def _born(pid: int) -> str:
    """When a process began, as exactly as the system tells; "" where there is none."""
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""


@cache
def _fences(home: Path) -> Fences | None:
    return find_fences(home)


def why_ended(user: object) -> str:
    """Why a person's server was stopped, as a sentence for them; nothing where nobody stopped it. For the templates."""
    return HouseSpawner.endings.get(getattr(user, "id", 0), "")


def configure_servers(c: Config, settings: Settings, show: Show) -> None:
    """How people's servers are started, and the little that they are told."""
    c.JupyterHub.spawner_class = HouseSpawner
    spawner = c.HouseSpawner
    configure_rules(c, spawner, settings, show)
    spawner.outlives_hub = settings.keep_servers
    if settings.keep_servers:  # whoever reads the hub's output now may be gone before they are
        spawner.popen_kwargs = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    spawner.homes = str(settings.home.resolve() / "homes")
    spawner.isolated = isolates(settings)
    spawner.uid_base = settings.uid_base
    spawner.dashboard_memory_mb = settings.dashboard_memory_mb
    spawner.workbench_memory_mb = settings.workbench_memory_mb
    spawner.workbench_processes = settings.workbench_processes
    spawner.as_root = os.geteuid() == 0 and not spawner.isolated
    spawner.env_keep = list(HARMLESS)
    spawner.environment = server_environment(settings, show)
    spawner.disable_user_config = True
    spawner.poll_interval = POLL_SECONDS
    spawner.http_timeout = 60
    spawner.start_timeout = 90  # twenty that are started at once, on two cores
    spawner.interrupt_timeout = 4
    spawner.term_timeout = 3


def server_environment(settings: Settings, show: Show) -> dict[str, str]:
    """What a person's server and its kernels know beside their hub token. No key, no database."""
    return ceilings(settings) | {
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": str(TEMPLATES / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(WORKBENCH_CONFIG),
        "TNG_API_URL": f"{settings.internal_url('api')}/services/api",
        "TNG_API_PATH": "/services/api",
        "TNG_PRODUCT": show.product,
        "TNG_STAND_INS": ",".join(stand_ins(settings)),
    }
