"""The operator's page: how the house is, seen anew every few seconds. Everything it knows comes from the api.

To a person who is no operator the api answers that there is nothing here, and so does the page.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping

import ipywidgets as widgets
from pydantic import TypeAdapter

from tng.dashboard import bridge_tables
from tng.dashboard.client import ApiClient
from tng.dashboard.markup import Html, link, tag
from tng.errors import ApiError
from tng.overview import Overview

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 3.0
AWAY = "The api does not answer: what stands below is from before. Trying again…"
BUSY = "The api answers, but cannot look at the moment: what stands below is from before. Trying again…"
SIGN_IN = "You have been signed out. Please sign in again."
NOT_FOR_YOU = "There is nothing here. This page is for operators of the house."


class Bridge:
    """Composes the page. ``page`` is what a notebook displays; ``open`` keeps it filled until ``close``."""

    def __init__(
        self,
        client: ApiClient,
        *,
        product: str = "",
        account: str = "",
        hub_path: str = "/hub/",
        dashboard_path: str = "/",
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self._client = client
        self._hub_path = hub_path
        self._refresh_seconds = refresh_seconds
        self._read: Callable[[object], Overview] = TypeAdapter(Overview).validate_python
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="bridge", daemon=True)
        self.header = widgets.HTML(_header(product, account, hub_path, dashboard_path))
        self.connection = widgets.HTML()
        self.sections = {name: widgets.HTML() for name, _ in bridge_tables.SECTIONS}
        body = widgets.VBox(list(self.sections.values()))
        body.add_class("tng-bridge")
        self.page = widgets.VBox([self.header, self.connection, body])
        self.page.add_class("tng-dashboard")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Bridge:
        """The page for the account of this kernel. Nothing is asked of the api yet."""
        return cls(
            ApiClient.from_environment(environ),
            product=environ.get("TNG_PRODUCT", ""),
            account=environ.get("TNG_ACCOUNT", ""),
            hub_path=environ.get("JUPYTERHUB_BASE_URL", "/") + "hub/",
            dashboard_path=environ.get("JUPYTERHUB_SERVICE_PREFIX", "/"),
        )

    def open(self) -> None:
        """Fill the page now, and again every few seconds."""
        if self.refresh():
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> bool:
        """Look once; whether there is any use in looking again."""
        try:
            seen = self._client.ask("operator/overview", self._read)
        except ApiError as error:
            logger.info("the api: %s", error)
            return self._refused(error)
        self._say()
        for name, draw in bridge_tables.SECTIONS:
            self.sections[name].value = draw(seen)
        return True

    def _refused(self, error: ApiError) -> bool:
        if error.status not in (401, 403, 404):
            self._say(AWAY if error.status == 0 else BUSY)
            return True
        for section in self.sections.values():
            section.value = ""
        if error.status == 404:
            self._say(NOT_FOR_YOU)
        else:
            self._say(SIGN_IN, " ", link("Sign in", self._hub_path + "user-redirect/bridge"))
        return False

    def _keep(self) -> None:
        while not self._stopped.wait(self._refresh_seconds):
            if not self.refresh():
                return

    def _say(self, *sentence: str) -> None:
        said = tag("p", *sentence, class_="tng-connection", role="status") if sentence else Html("")
        self.connection.value = said


def _header(product: str, account: str, hub_path: str, dashboard_path: str) -> Html:
    name = tag("span", account, class_="tng-account")
    desk = link("Dashboard", dashboard_path)
    leave = link("Sign out", hub_path + "logout", class_="tng-leave")
    title = tag("h1", "The bridge", tag("span", f" · {product}", class_="tng-account") if product else "")
    return tag("header", title, tag("nav", name, desk, leave, aria_label="Account"), class_="tng-header")
