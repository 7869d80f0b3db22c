"""A customer's server: Voilà alone, under the hub's sign-in. It serves one notebook and is no Jupyter server.

Voilà's own application lets pages send six kinds of message to their kernel and run nothing; it has no contents, no
terminals, no way to start a kernel of one's own. The hub's identity provider lets in the owner of the server only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.utils import run_sync
from jupyter_server.utils import url_path_join
from jupyterhub import __version__ as hub_version
from jupyterhub.httpclient import fetch
from jupyterhub.log import log_request
from jupyterhub.singleuser.extension import JupyterHubAuthorizer, JupyterHubIdentityProvider
from tornado.ioloop import IOLoop
from traitlets import default
from voila.app import Voila

logger = logging.getLogger(__name__)


class HouseIdentity(JupyterHubIdentityProvider):  # type: ignore[misc]
    """The hub's sign-in, at the addresses of this server: Voilà does not put them below its own by itself."""

    def get_handlers(self) -> list[tuple[Any, ...]]:
        """The pages of the sign-in."""
        prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
        return [(url_path_join(prefix, route), *rest) for route, *rest in super().get_handlers()]


class HouseVoila(Voila):  # type: ignore[misc]
    """Voilà as the hub expects a person's server to be."""

    name = "voila"

    @default("config_file_paths")
    def _no_config_files(self) -> list[str]:
        return []  # the home folder is the customer's: nothing in it configures the server

    def initialize(self, argv: list[str] | None = None) -> None:
        """Take the address and the sign-in from the hub; the rest comes from the command line."""
        super().initialize(argv)
        address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
        self.ip, self.port, self.port_retries = address.hostname or "127.0.0.1", address.port, 0
        self.base_url = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
        self.open_browser = False
        self.auto_token = True  # the token is a property of the hub's identity provider, and may not be given
        self.identity_provider_class = HouseIdentity
        self.authorizer_class = JupyterHubAuthorizer

    def init_settings(self) -> dict[str, Any]:
        """Voilà's settings and ours."""
        settings: dict[str, Any] = super().init_settings()
        settings["log_function"] = log_request
        settings["headers"] = {
            "X-JupyterHub-Version": hub_version,
            "Content-Security-Policy": "frame-ancestors 'none'",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        settings["ws_ping_interval"] = 0  # the proxy counts pings as activity: a tab left open would never be idle
        return settings

    def listen(self) -> None:
        """Serve until told to stop, and tell the hub when somebody did something."""
        IOLoop.current().add_callback(self.report_activity)
        super().listen()

    def stop(self) -> None:
        """End the kernels, then remove their connection files: Voilà's own order leaves the kernels unreachable."""
        run_sync(self.kernel_manager.shutdown_all)()
        shutil.rmtree(self.connection_dir, ignore_errors=True)

    async def report_activity(self) -> None:
        """Tell the hub every few minutes when a kernel was last used."""
        seconds = int(os.environ.get("JUPYTERHUB_ACTIVITY_INTERVAL") or 300)
        while True:
            kernels = [self.kernel_manager.get_kernel(key) for key in self.kernel_manager.list_kernel_ids()]
            used = max((kernel.last_activity for kernel in kernels if kernel.last_activity), default=None)
            if used is not None:
                await report(used)
            await asyncio.sleep(seconds)


async def report(used: datetime) -> None:
    """Say to the hub that this server was used at ``used``, aware UTC. An unanswered report is logged, never raised."""
    server = {"last_activity": used.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    try:
        await fetch(
            os.environ["JUPYTERHUB_ACTIVITY_URL"],
            method="POST",
            headers={"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"},
            json={"servers": {os.environ.get("JUPYTERHUB_SERVER_NAME", ""): server}, **server},
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the customer's page goes on, and the next report tries again
        logger.warning("the hub did not take the report of activity: %s", type(error).__name__)


if __name__ == "__main__":
    HouseVoila.launch_instance()
