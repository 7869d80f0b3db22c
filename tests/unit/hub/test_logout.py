"""What a sign-out takes away, and what it leaves: see tests/integration/test_sign_out.py for the house."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm, roles
from sqlalchemy.orm import Session

from hub.auth import VerifiedGoogle
from hub.logout import HouseLogout, forget_browsers


@pytest.fixture
def database() -> Iterator[Session]:
    session: Session = orm.new_session_factory("sqlite:///:memory:")()
    for role in roles.get_default_roles():
        roles.create_role(session, role)
    session.add_all([orm.OAuthClient(identifier=name) for name in ("jupyterhub", "service-api")])
    session.commit()
    yield session
    session.close()


def known(database: Session, name: str) -> orm.User:
    """A person with a server, two browsers, and a third that is just signing in."""
    user = orm.User(name=name)
    database.add(user)
    roles.assign_default_roles(database, user)
    database.commit()
    user.new_api_token(note=f"Server at /user/{name}/", roles=["user"])
    for session in ("one", "another"):
        user.new_api_token(note=session, roles=["user"], session_id=f"{name}-{session}")
    database.add(orm.OAuthCode(client_id="service-api", code=f"code-{name}", user=user, session_id="third"))
    database.commit()
    return user


def test_every_browser_is_forgotten_and_the_servers_token_is_not(database: Session) -> None:
    user = known(database, "7")
    cookie = user.cookie_id
    forget_browsers(database, user)
    assert [token.note for token in user.api_tokens] == ["Server at /user/7/"]
    assert not user.oauth_codes
    assert user.cookie_id != cookie
    assert len(user.cookie_id) == len(cookie)


def test_nobody_else_is_signed_out(database: Session) -> None:
    user, other = known(database, "7"), known(database, "8")
    cookie = other.cookie_id
    forget_browsers(database, user)
    assert len(other.api_tokens) == 3
    assert len(other.oauth_codes) == 1
    assert other.cookie_id == cookie


def spawner(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**({"active": True, "pending": None, "outlives_sign_out": False} | changes))


class Hub:
    """What a page of the hub can do, as far as a sign-out asks. ``failing`` is a server that cannot be stopped."""

    def __init__(self, failing: str = "") -> None:
        self.stopped: list[str] = []
        self.failing = failing
        self.log = logging.getLogger("hub")

    async def stop_single_user(self, user: Any, name: str) -> None:
        if name == self.failing:
            raise RuntimeError("a secret of hers")
        await asyncio.sleep(0)
        self.stopped.append(name)


async def test_a_dashboard_is_stopped_and_a_workbench_is_not() -> None:
    servers = {
        "dashboard": spawner(),
        "workbench": spawner(outlives_sign_out=True),
        "starting": spawner(pending="spawn"),
        "stopped": spawner(active=False),
    }
    hub = Hub()
    await HouseLogout._put_away(hub, SimpleNamespace(spawners=servers))
    assert hub.stopped == ["dashboard"]


async def test_a_server_that_cannot_be_stopped_keeps_nobody_signed_in(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(failing="one")
    await HouseLogout._put_away(hub, SimpleNamespace(spawners={"one": spawner(), "two": spawner()}))
    assert hub.stopped == ["two"]
    assert "RuntimeError" in caplog.text
    assert "secret of hers" not in caplog.text


def test_ours_is_the_page_that_signs_out() -> None:
    pages = dict(VerifiedGoogle().get_handlers(None))
    assert pages["/logout"] is HouseLogout
