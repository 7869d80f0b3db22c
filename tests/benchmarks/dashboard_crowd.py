"""Many customers of one house, each with a server and a warm kernel, who all open their dashboard at the same instant.

They came by an earlier sign-in: their accounts and tokens are written into the hub's database before the house is
opened, as a sign-in would have left them. Real is all the rest: proxy, hub, api, a server and kernels for each. Their
browsers are stood in for by what a browser says to the house: it fetches the page and asks for the widgets. What a
browser does by itself, drawing them, is not in it, for it would be done on twenty machines.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import httpx
from cryptography.fernet import Fernet
from jupyterhub import orm, roles
from jupyterhub.crypto import CryptKeeper
from traitlets.config import Config
from websockets.sync.client import connect

from hub.config import HUB_DATABASE
from hub.keys import own_secret
from tests.hostile.tab import Tab, channels, kernel_of
from tests.open_house import NOTHING_WRITTEN, OpenHouse, opened

FIRST_NUMBER = 200000000000000000000
WARM = "is filled with 1 kernel"
WARM_SECONDS = 180.0
AT_A_TIME = 4
DEMO = {"TNG_KERNELS_PER_CUSTOMER": "2"}
"""As in ``make run``: the tests' houses let a person have more pages."""


@dataclass(frozen=True)
class Regular:
    """Somebody who was here before: the name in the hub, and a token."""

    name: str
    token: str

    def browser(self, house: OpenHouse) -> httpx.Client:
        """What they ask the house with."""
        headers = {"authorization": f"token {self.token}", "accept": "text/html"}
        return httpx.Client(base_url=house.url, headers=headers, follow_redirects=True, timeout=120, trust_env=False)


def register(home: Path, count: int) -> list[Regular]:
    """Write so many people into the database of a closed house."""
    keeper = CryptKeeper(config=Config(CryptKeeper={"keys": [bytes.fromhex(own_secret(home, "account"))]}))
    with orm.new_session_factory(f"sqlite:///{home / HUB_DATABASE}")() as session:
        return [_register(session, keeper.fernet, FIRST_NUMBER + number) for number in range(count)]


def _register(session: object, lock: Fernet, number: int) -> Regular:
    person = {"email": f"regular-{number}@example.com", "name": "A Regular", "hd": "", "verified_email": True}
    sealed = lock.encrypt(json.dumps({"google_user": person}).encode())
    user = orm.User(name=str(number), encrypted_auth_state=sealed)
    session.add(user)  # type: ignore[attr-defined]  # the hub has no types
    roles.assign_default_roles(session, user)
    session.commit()  # type: ignore[attr-defined]
    return Regular(user.name, user.new_api_token(note="a browser", roles=["user"]))


@contextmanager
def crowded_house(home: Path, count: int) -> Iterator[tuple[OpenHouse, list[Regular]]]:
    """A house in which so many people have their server, each with a kernel that is warm."""
    with opened(home, **DEMO, **NOTHING_WRITTEN):
        pass
    people = register(home, count)
    with opened(home, **DEMO, **NOTHING_WRITTEN) as house:
        with ThreadPoolExecutor(AT_A_TIME) as few:
            list(few.map(lambda person: _start(house, person), people))
        until_warm(house, count)
        yield house, people


def _start(house: OpenHouse, person: Regular) -> None:
    """The hub answers when the server is there, or after ten seconds."""
    with person.browser(house) as browser:
        browser.post(f"/hub/api/users/{person.name}/server").raise_for_status()


def until_warm(house: OpenHouse, count: int) -> None:
    """Wait until so many kernels have been made warm since the house was opened."""
    until = time.monotonic() + WARM_SECONDS
    while house.log.count(WARM) < count:
        assert time.monotonic() < until, f"{house.log.count(WARM)} of {count} kernels are warm"
        time.sleep(0.2)


def all_at_once(house: OpenHouse, people: Sequence[Regular]) -> list[float]:
    """Everybody opens their page at the same instant: how long each waited until it could be used, in seconds."""
    start = Barrier(len(people))
    with ThreadPoolExecutor(len(people)) as crowd:
        return list(crowd.map(lambda person: _visit(house, person, start), people))


def _visit(house: OpenHouse, person: Regular, start: Barrier) -> float:
    """Usable: every widget of the page has come, and the form has the price that it can be ordered for."""
    with person.browser(house) as browser:
        start.wait()
        began = time.perf_counter()
        page = browser.get(f"/user/{person.name}/").raise_for_status()
        address = house.url.replace("http", "ws", 1) + channels(page)
        headers = {"authorization": f"token {person.token}"}
        with connect(address, additional_headers=headers, max_size=None, proxy=None, open_timeout=60) as socket:
            Tab(socket, kernel_of(page), page).wait_until_filled()
        return time.perf_counter() - began
