"""A power user's server: JupyterLab under the hub's sign-in, and what counts as using it.

A tab of JupyterLab that is left open asks for its kernels, sessions and terminals for ever, which Jupyter and the proxy
take for a person at work. Here a server is used while somebody opens it, changes something, runs something, or while
something runs. The hub is told of that and of nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from jupyterhub.singleuser.extension import JupyterHubSingleUser
from traitlets.config import Config

from hub.headers import on_every_answer, secure_cookies, workbench_headers
from hub.kernel_slots import IDLE

PACKAGE: Final = "hub.lab_server"
DONE: Final = "house_last_activity"
"""The setting of what somebody did: jupyter_server takes the newest of all that end so."""

ASKED: Final = "api_last_activity"
"""Jupyter's own setting of any answered call: an open tab's too."""

BY_ITSELF: Final = "/lab/api/"
"""JupyterLab keeps its layout and its settings here: a tab that is left open writes its layout every ten seconds."""

LOOKS_ONLY: Final = ("GET", "HEAD", "OPTIONS")


class HouseLab(JupyterHubSingleUser):  # type: ignore[misc]
    """The hub's server of one person, which tells deeds from a tab that is open."""

    @classmethod
    def get_extension_package(cls) -> str:
        """Where Jupyter finds this class again."""
        return PACKAGE

    def load_config_file(self) -> None:
        """The hub's configuration, and the end of kernels that nobody uses. A busy one is never ended."""
        super().load_config_file()
        idle = {"cull_idle_timeout": int(os.environ.get(IDLE, "0")), "cull_connected": True, "cull_busy": False}
        idle["cull_interval"] = max(1, min(60, idle["cull_idle_timeout"] // 4))
        self.serverapp.update_config(Config({"MappingKernelManager": idle}))

    def initialize(self, args: Any = None) -> None:
        """Start to note what is done, and give every answer the headers of the house."""
        super().initialize(args)
        application = self.serverapp.web_app
        settings, public_url = application.settings, os.environ.get("JUPYTERHUB_PUBLIC_URL", "")
        headers = workbench_headers(public_url)
        settings["headers"] |= headers
        settings |= secure_cookies(public_url)
        application.add_transform(on_every_answer(headers))
        settings["log_function"] = noting(settings, settings["log_function"])

    async def notify_activity(self) -> None:
        """Tell the hub when somebody last did something; a kernel that is busy does something now."""
        count_work_alone(self.serverapp.web_app.settings, self.serverapp.kernel_manager)
        await super().notify_activity()


def noting(settings: dict[str, Any], log: Callable[[Any], None]) -> Callable[[Any], None]:
    """``log``, called for each answer, which notes as well whether that was for a deed of the person's."""

    def log_and_note(handler: Any) -> None:
        request = handler.request
        opened = request.headers.get("Sec-Fetch-Mode") == "navigate"
        changed = request.method not in LOOKS_ONLY and BY_ITSELF not in request.path
        if handler.get_status() < 400 and (opened or changed):
            settings[DONE] = datetime.now(UTC)
        log(handler)

    return log_and_note


def count_work_alone(settings: dict[str, Any], kernels: Any) -> None:
    """Forget that somebody was answered, and note that something runs, where it does."""
    settings.pop(ASKED, None)
    if is_busy(kernels):
        settings[DONE] = datetime.now(UTC)


def is_busy(kernels: Any) -> bool:
    """Whether any kernel runs something: a training that prints nothing for an hour, too."""
    return any(getattr(kernels.get_kernel(key), "execution_state", "") == "busy" for key in kernels.list_kernel_ids())


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """How Jupyter loads an application that starts a server of its own."""
    return [{"module": PACKAGE, "app": HouseLab}]


def main() -> None:
    """Serve until told to stop."""
    HouseLab.launch_instance()


if __name__ == "__main__":
    from hub import lab_server

    lab_server.main()  # the class of the module that Jupyter imports by name, not of this one
