"""A customer's server: Voilà alone, under the hub's sign-in. It serves one notebook and is no Jupyter server.

Voilà's own application lets pages send a few kinds of message to their kernel and run nothing; it has no contents, no
terminals, no way to start a kernel of one's own. The hub's identity provider lets in the owner of the server only. How
many pages may be open is ``hub.kernels``, what an address answers ``hub.pages``, what a page may send ``hub.channel``.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import secrets
import shutil
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from jupyter_core.utils import run_sync
from jupyter_server.utils import url_path_join
from jupyterhub import __version__ as hub_version
from jupyterhub.httpclient import fetch
from jupyterhub.log import log_request
from jupyterhub.singleuser.extension import JupyterHubAuthorizer
from tornado.ioloop import IOLoop, PeriodicCallback
from traitlets import Dict, Integer, Unicode, default
from voila.app import Voila

from hub.channel import MOST_BYTES, HouseChannel
from hub.headers import on_every_answer, secure_cookies, security_headers, written
from hub.kernel_slots import PER_CUSTOMER, KernelSlots
from hub.kernels import KEEP_SECONDS, HouseKernels
from hub.pages import VISIT_KEY, house_handlers
from hub.sessions import SessionIdentity

logger = logging.getLogger(__name__)

PING_MILLISECONDS: Final = 15_000
"""A page whose machine vanished is noticed within a minute. The hub is told of deeds alone, so that no ping counts."""

POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",  # schemas are compiled, widgets loaded from blobs
    "style-src": "'self' 'unsafe-inline' data:",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "form-action": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
}
"""What a page may load: what is the house's. Which scripts, no list can tell: Voilà writes them into the page."""

MOST_BODY_BYTES: Final = 64 * 1024
"""Nothing is uploaded here: what a browser posts is a cookie's copy, when it leaves a page."""


class HouseIdentity(SessionIdentity):
    """The hub's sign-in, at the addresses of this server: Voilà does not put them below its own by itself."""

    @default("watch_seconds")
    def _seldom(self) -> float:
        return 30.0  # a sign-out stops the whole dashboard; this is for a session that ran out

    def get_handlers(self) -> list[tuple[Any, ...]]:
        """The pages of the sign-in."""
        prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
        return [(url_path_join(prefix, route), *rest) for route, *rest in super().get_handlers()]


class HouseVoila(Voila):  # type: ignore[misc]
    """Voilà as the hub expects a person's server to be."""

    name = "voila"

    pages = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        config=True,
        help="further pages: the path below the server's address, and the notebook. Only the first page is preheated",
    )
    most_pages = Integer(config=True, help="pages that may be open at a time")

    @default("most_pages")
    def _most_pages_of_the_house(self) -> int:
        return int(os.environ.get(PER_CUSTOMER, "2"))

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
        self.kernel_websocket_connection_class = HouseChannel
        self.visit_key = secrets.token_urlsafe(32)

    def init_settings(self) -> dict[str, Any]:
        """Voilà's settings and ours."""
        voila = self.voila_configuration
        preheats, voila.preheat_kernel = voila.preheat_kernel, False  # the kernels that it makes itself are not counted
        settings: dict[str, Any] = super().init_settings()
        voila.preheat_kernel = preheats
        settings["kernel_manager"] = self.kernel_manager = self.make_kernels()
        settings["house"] = voila.resources["house"]
        settings["websocket_max_message_size"] = MOST_BYTES
        settings["log_function"] = log_request
        public_url = os.environ.get("JUPYTERHUB_PUBLIC_URL", "")
        headers = page_headers(public_url)
        settings |= secure_cookies(public_url)
        settings["headers"] = {"X-JupyterHub-Version": hub_version, **headers}
        settings["transforms"] = [on_every_answer(headers)]  # static files know no headers of ours otherwise
        settings["ws_ping_interval"] = PING_MILLISECONDS
        return settings

    def make_kernels(self) -> HouseKernels:
        """The kernels of the pages, counted. The first starts to get warm."""
        return HouseKernels(
            parent=self,
            connection_dir=self.connection_dir,
            kernel_spec_manager=self.kernel_spec_manager,
            default_env_variables={VISIT_KEY: self.visit_key},
            slots=KernelSlots.from_environment(),
            most_pages=self.most_pages,
        )

    def init_handlers(self) -> list[tuple[Any, ...]]:
        """What answers which address."""
        notebooks = {"": self.notebook_path, **self.pages}
        return house_handlers(
            super().init_handlers(),
            {path: self._page_told(notebook) for path, notebook in notebooks.items()},
            base=self.server_url,
            key=self.visit_key,
        )

    def _page_told(self, notebook: str) -> dict[str, Any]:
        """What Voilà's page handler is given, as Voilà gives it."""
        return {
            "notebook_path": os.path.relpath(notebook, self.root_dir),
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
        }

    def listen(self) -> None:
        """Serve until told to stop, and tell the hub when somebody did something."""
        self.app.listen = functools.partial(self.app.listen, max_body_size=MOST_BODY_BYTES)
        IOLoop.current().add_callback(self.report_activity)
        PeriodicCallback(self.kernel_manager.keep, 1000 * KEEP_SECONDS).start()
        super().listen()

    def stop(self) -> None:
        """End the kernels, then remove their connection files: Voilà's own order leaves the kernels unreachable."""
        run_sync(self.kernel_manager.shutdown_all)()
        shutil.rmtree(self.connection_dir, ignore_errors=True)

    async def report_activity(self) -> None:
        """Tell the hub when somebody last opened a page, or did something on one. A page left open does nothing."""
        seconds = float(os.environ.get("JUPYTERHUB_ACTIVITY_INTERVAL") or 60)
        reported: datetime | None = None
        while True:
            used = self.kernel_manager.used_at
            if used and used != reported and await report(used):
                reported = used
            await asyncio.sleep(seconds)


def page_headers(public_url: str) -> dict[str, str]:
    """The security headers of a customer's server."""
    return security_headers(public_url) | {"Content-Security-Policy": written(POLICY)}


async def report(used: datetime) -> bool:
    """Say to the hub that this server was used at ``used``, aware UTC; whether it took it. Never raises."""
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
        return False
    return True


if __name__ == "__main__":
    HouseVoila.launch_instance()
