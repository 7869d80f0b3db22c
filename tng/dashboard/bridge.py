"""The operator's page: the house, its releases, its schedules. Everything it knows comes from the api.

One part is open at a time, and seen anew every few seconds. To a person who is no operator the api answers that there
is nothing here, and so does the page.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from urllib.parse import parse_qs

import ipywidgets as widgets

from tng.dashboard.bridge_house import HousePart
from tng.dashboard.bridge_releases import ReleasesPart
from tng.dashboard.bridge_schedules import SchedulesPart
from tng.dashboard.client import ApiClient
from tng.dashboard.markup import Html, link, tag
from tng.dashboard.masthead import Masthead
from tng.errors import ApiError

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 3.0
AWAY = "The api does not answer: what stands below is from before. Trying again…"
BUSY = "The api answers, but cannot look at the moment: what stands below is from before. Trying again…"
SIGN_IN = "You have been signed out. Please sign in again."
NOT_FOR_YOU = "There is nothing here. This page is for operators of the house."
HOUSE, RELEASES, SCHEDULES = "House", "Releases", "Schedules"

Part = HousePart | ReleasesPart | SchedulesPart


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
        self._hub_path = hub_path
        self._refresh_seconds = refresh_seconds
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._keep, name="bridge", daemon=True)
        self.house = HousePart(client)
        self.releases = ReleasesPart(client, self._changed)
        self.schedules = SchedulesPart(client, self._changed)
        self.parts: Mapping[str, Part] = {HOUSE: self.house, RELEASES: self.releases, SCHEDULES: self.schedules}
        self.opened = HOUSE
        name = f"The bridge · {product}" if product else "The bridge"
        self.header = Masthead(product=name, account=account, leave=hub_path + "logout")
        self.header.link("Dashboard", dashboard_path)
        self.connection = widgets.HTML()
        self.place = widgets.HTML()
        self.buttons = {name: self._button(name) for name in self.parts}
        self.navigation = widgets.HBox([*self.buttons.values(), self.place])
        self.navigation.add_class("tng-views")
        self.body = widgets.VBox()
        self.page = widgets.VBox([self.header, self.connection, self.navigation, self.body])
        self.page.add_class("tng-dashboard")
        self._turn_to(HOUSE)

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

    def open(self, query: str = "") -> None:
        """Fill the page now, and again every few seconds. ``query`` may name the part: ``part=releases``."""
        asked = parse_qs(query).get("part", [""])[0].capitalize()
        if asked in self.parts:
            self._turn_to(asked)
        if self.refresh():
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def show(self, name: str) -> None:
        """Open a part, and fill it."""
        with self._lock:
            self._turn_to(name)
            self.refresh()

    def refresh(self) -> bool:
        """Look once at the part that is open; whether there is any use in looking again."""
        with self._lock:
            try:
                self.parts[self.opened].refresh()
            except ApiError as error:
                logger.info("the api: %s", error)
                return self._refused(error)
            self._say()
            return True

    def _changed(self) -> None:
        """An operator has changed something: show what it is now."""
        self.refresh()

    def _button(self, name: str) -> widgets.Button:
        button = widgets.Button(description=name)
        button.on_click(lambda _button: self.show(name))
        return button

    def _turn_to(self, name: str) -> None:
        self.opened = name
        for other, button in self.buttons.items():
            button.tooltip = f"{other}, open now" if other == name else f"Show {other.lower()}"
            (button.add_class if other == name else button.remove_class)("tng-opened")
        here = tag("b", name, aria_current="page")
        self.place.value = tag("nav", tag("span", "You see: "), here, aria_label="Where you are", class_="tng-place")
        self.body.children = [self.parts[name].box]

    def _refused(self, error: ApiError) -> bool:
        if error.status not in (401, 403, 404):
            self._say(AWAY if error.status == 0 else BUSY)
            return True
        for part in self.parts.values():
            part.clear()
        self.navigation.children = []
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
