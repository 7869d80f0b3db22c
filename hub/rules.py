"""What every carrier of people's servers keeps to: which door, which GPUs, with what command, in which environment.

``HouseRules`` is mixed into a spawner: processes of this machine (``hub.spawner``), containers and pods
(``hub.carriers``). What belongs to one carrier alone stands there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar

from traitlets import Bool, Dict, Instance, Unicode
from traitlets.config import Config, LoggingConfigurable

from hub.auth import POWER_USERS
from hub.busy import HOUSE_IS_FULL, HUB_PATIENCE_SECONDS, looks_ahead
from hub.doors import Choice, Door, Form, Offer, Refusal, again_query, choose, offer
from hub.front import front
from hub.gpus import GpuDesk, Hold, State
from hub.kernel_slots import KernelSlots
from hub.places import NOTEBOOKS, PYTHON
from tng.errors import StoreBusy
from tng.overview import OPERATORS
from tng.settings import ROOT, Settings
from tng.shows import Show

DASHBOARD = NOTEBOOKS / "pages" / "dashboard.ipynb"
BRIDGE = NOTEBOOKS / "pages" / "bridge.ipynb"
WORKBENCH = NOTEBOOKS / "workbench"

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
    "--ServerApp.identity_provider_class=hub.sessions.SessionIdentity",
)
"""JupyterLab asks a feed for news, an index for updates, and another for extensions, which it would install into the
Python of the house. Nothing is fetched at run time here; the config beside it has the question about news left out too.
"""


class HouseRules(LoggingConfigurable):
    """The part of a spawner that is the house's and no carrier's. Mix it in before the carrier's own spawner."""

    front = Dict(config=True, help="what the dashboard's template knows of the show")
    as_root = Bool(config=True, help="whether JupyterLab must be told that it may run as root")
    desk = Instance(GpuDesk, allow_none=True, config=True, help="where workbenches get their GPUs")
    python = Unicode(PYTHON, config=True, help="the Python of people's servers")
    project = Unicode(str(ROOT), config=True, help="where people's servers find the project")

    user: Any  # these four are the spawner's
    user_options: Any
    environment: Any
    stop: Any

    refusals: ClassVar[dict[str, Refusal]] = {}
    """By person, the last one. After a failure the hub shows its page with another spawner than the one that failed."""

    choice = Choice(Door.DASHBOARD)
    _hold: Hold | None = None
    _ending = False

    async def start(self) -> Any:
        """Choose the door, take the GPUs, prepare, start. The address, as the carrier gives it. Raises Refusal."""
        self.refuse_guess()
        self.choice = self.chosen(await self.offered(), self.user_options or {})
        self.user_options = self.choice.to_options()  # a carrier has options of its own: nobody's wishes reach it
        await self.admit()
        try:
            await self.prepare()
            self.open(self.choice.door)
            return await super().start()  # type: ignore[misc]
        except BaseException:
            await asyncio.to_thread(self.hold.give_back)
            raise

    async def admit(self) -> None:
        """Find a place for what was chosen: for a page, or on GPUs. Raises Refusal, which knows how to ask again."""
        try:
            if self.choice.door is Door.DASHBOARD:
                await self.refuse_when_full()
            await self.hold.take(self.choice)
        except Refusal as refusal:
            handler = getattr(self, "handler", None)
            refusal.again_query = again_query(self.choice, handler.get_argument("next", "") if handler else "")
            self.refusals[self.user.name] = refusal
            raise

    def refuse_guess(self) -> None:
        """Start nothing for a browser that looks ahead: nobody has asked for a server yet. Raises Refusal 503."""
        handler = getattr(self, "handler", None)
        if handler is not None and looks_ahead(handler.request.headers):
            raise Refusal("Nobody has asked for this page yet.", reason="ahead", status_code=503)

    async def refuse_when_full(self) -> None:
        """Keep a dashboard's server from starting where its page could not open. Raises Refusal 503."""
        slot = await KernelSlots.from_environment(self.environment).wait(HUB_PATIENCE_SECONDS)
        if slot is None:
            notice = HOUSE_IS_FULL
            raise Refusal(notice.sentence, reason="kernels", status_code=503, again_seconds=notice.retry_seconds)
        slot.release()

    async def prepare(self) -> None:
        """What a carrier makes ready before a start: a home folder, for one. The door is not opened yet."""

    def prepare_workbench(self) -> None:
        """What a carrier puts on the workbench before it is opened."""

    async def poll(self) -> Any:
        """Whether the server has ended; one that may not keep its GPUs is ended here."""
        status = await super().poll()  # type: ignore[misc]
        if status is not None or self._ending:
            return status
        reason = await self.hold.renew()
        if not reason:
            return None
        self._ending = True
        try:
            self._say_why(reason)
            await self.stop()
        finally:
            self._ending = False
        return await super().poll()  # type: ignore[misc]

    def _say_why(self, reason: str) -> None:
        """A carrier may tell the person, too."""
        self.log.warning("the server of account %d was stopped: %s", self.user.id, reason)

    # --- what may be chosen, and what was

    async def offered(self) -> Offer:
        """What this person may choose from. Asking for the GPUs of this machine may take a moment."""
        groups = self.groups()
        desk = self.desk if POWER_USERS in groups else None
        return offer(groups, await asyncio.to_thread(lambda: desk.most if desk else 0))

    @property
    def outlives_sign_out(self) -> bool:
        """Whether the server goes on without its owner: a workbench does, so that a training is not lost."""
        return self.choice.door is Door.WORKBENCH and self.may_stay(self.groups())

    def may_stay(self, groups: Collection[str]) -> bool:
        """Whether the server may go on for a member of these groups: a workbench is for power users alone."""
        return self.choice.door is Door.DASHBOARD or POWER_USERS in groups

    def groups(self) -> frozenset[str]:
        """The groups of the hub that this person belongs to."""
        return frozenset(group.name for group in self.user.groups)

    @property
    def is_operator(self) -> bool:
        """Whether the dashboard has the bridge beside it."""
        return OPERATORS in self.groups()

    def chosen(self, offered: Offer, wish: Mapping[str, Any]) -> Choice:
        """What is opened for a wish, whoever made it. Raises Refusal."""
        self.refusals.pop(self.user.name, None)
        try:
            return choose(offered, wish)
        except Refusal as refusal:
            self.refusals[self.user.name] = refusal
            raise

    async def get_options_form(self) -> Form | None:
        """What the page ``spawn.html`` shows; None where there is nothing to choose: then the server starts at once."""
        offered = await self.offered()
        if not offered.is_choice:
            return None
        try:
            state = await asyncio.to_thread(self.gpu_state)
        except StoreBusy:
            state = None
        return Form(offered, state, self.refusals.get(self.user.name))

    def gpu_state(self) -> State | None:
        """What the form says of GPUs. Raises StoreBusy."""
        return self.desk.state(self.user.name) if self.desk else None

    async def run_options_from_form(self, form_data: Mapping[str, Any]) -> dict[str, Any]:
        """A form as it was sent. Raises Refusal."""
        return self.chosen(await self.offered(), form_data).to_options()

    async def options_from_query(self, query_data: Mapping[str, Any]) -> dict[str, Any]:
        """The ``opt-…`` of an address. Raises Refusal."""
        return await self.run_options_from_form(query_data)

    # --- the GPUs

    @property
    def hold(self) -> Hold:
        """The GPUs of this server."""
        if self._hold is None:
            self._hold = Hold(self.desk, self.user.name)
        return self._hold

    def get_env(self) -> dict[str, str]:
        """The environment of the server: the GPUs that it has, and no others."""
        environment: dict[str, str] = super().get_env()  # type: ignore[misc]
        environment |= self.gpu_environment()
        if self.hold.hours_left is not None:
            environment["TNG_GPU_HOURS_LEFT"] = f"{self.hold.hours_left:.1f}"
        if self.is_operator:
            environment["TNG_BRIDGE"] = "bridge"
        return environment

    def gpu_environment(self) -> dict[str, str]:
        """The GPUs by their UUIDs; none is said as well, or a program would take them all."""
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(self.hold.gpus)}

    def get_state(self) -> dict[str, Any]:
        """What the hub remembers over a restart of its own."""
        state: dict[str, Any] = super().get_state()  # type: ignore[misc]
        state["door"] = self.choice.door.value
        return state | ({"gpus": list(self.hold.gpus)} if self.hold.gpus else {})

    def load_state(self, state: dict[str, Any]) -> None:
        """Remember; whether the GPUs are still ours is asked at the first look after the server."""
        super().load_state(state)  # type: ignore[misc]
        self.choice = Choice(Door(state.get("door", Door.DASHBOARD)))
        self.hold.gpus = tuple(str(gpu) for gpu in state.get("gpus", ()))

    def clear_state(self) -> None:
        """Forget a server that has ended, and give its GPUs back."""
        super().clear_state()  # type: ignore[misc]
        self.hold.give_back()

    # --- the doors

    def open(self, door: Door) -> None:
        """Set what is started."""
        if door is Door.WORKBENCH:
            self.open_workbench()
        else:
            self.open_dashboard()

    def open_dashboard(self) -> None:
        """The customer's door."""
        self.cmd = [self.python, "-P", "-m", "hub.start", "hub.voila_server"]  # -P: nothing at home is imported
        self.args = self.dashboard_arguments()
        self.default_url = ""

    def dashboard_arguments(self) -> list[str]:
        """What Voilà is told, its notebook first."""
        told = repr({"house": dict(self.front)})  # Voilà reads a dict of its command line as Python writes it
        pages = [f"--HouseVoila.pages=bridge={self.in_project(BRIDGE)}"] if self.is_operator else []
        return [self.in_project(DASHBOARD), *VOILA, f"--VoilaConfiguration.resources={told}", *pages]

    def open_workbench(self) -> None:
        """The power user's door."""
        self.prepare_workbench()
        self.cmd = [self.python, "-P", "-m", "hub.start", "hub.lab_server"]
        self.args = [*LAB, *(["--allow-root"] if self.as_root else [])]
        self.default_url = "/lab/tree/workbench"

    def in_project(self, path: Path) -> str:
        """A path of the project as people's servers see it."""
        return str(Path(self.project) / path.relative_to(ROOT))


def configure_rules(c: Config, spawner: Config, settings: Settings, show: Show) -> None:
    """What every carrier is told; ``spawner`` is the section of its class in ``c``."""
    spawner.front = front(show)
    spawner.desk = GpuDesk.of(settings)
    spawner.apply_user_options = read_at_start
    c.JupyterHub.logging_config = {
        "filters": {"refusals": {"()": "hub.doors.WithoutTraceback"}},
        "handlers": {"console": {"filters": ["refusals"]}},
    }


def read_at_start(spawner: HouseRules, user_options: Mapping[str, Any]) -> None:
    """Nothing: a person's wish is read, and checked, when the server is started."""
