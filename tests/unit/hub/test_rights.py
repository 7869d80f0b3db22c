"""Who may do what: every scope that anybody holds, in one table, and as JupyterHub itself resolves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyterhub import orm, roles, scopes
from sqlalchemy.orm import Session
from traitlets.config import Config

from hub.auth import OPERATORS, POWER_USERS
from tests.unit.hub.conftest import DEMO, PRODUCTION

Configured = Callable[..., Config]

API = "access:services!service=api"

HELD = {
    "user": {
        "read:users:name!user",
        "read:users:groups!user",
        "users:activity!user",
        "access:servers!user",
        "servers!user",
        API,
    },
    "operators": {
        "read:users:name",
        "read:users:groups",
        "read:servers",
        "delete:servers",
        "read:hub",
        "read:services",
        API,
    },
    "api": {"list:users", "read:servers", "read:users:activity"},
    "idle-culler": {"list:users", "read:users:activity", "read:servers", "delete:servers"},
    "prometheus": {"read:metrics", API},
    "forget": {"delete:users"},
}
"""Every role, and all that it may do. Whoever adds a scope writes it down here, too."""

MINE = {
    "read:users:name!user=7",
    "read:users:groups!user=7",
    "users:activity!user=7",
    "read:users:activity!user=7",
    "access:servers!user=7",
    "servers!user=7",
    "read:servers!user=7",
    "start:servers!user=7",
    "delete:servers!user=7",
    API,
}
OVER_OTHERS = {
    "read:users:name",
    "read:users:groups",
    "read:servers",
    "delete:servers",
    "read:hub",
    "read:services",
    "read:services:name",
}
MAILING = {"scheduler": {"read:users:name", "admin:auth_state"}}
"""What is held beside that where customers get mails: an address is read, and nothing of an account is changed."""

NEVER = ("self", "inherit", "tokens", "admin", "users!", "shares", "groups", "proxy", "shutdown", "read:users!")
"""What no role may begin with: what mints tokens, changes accounts, or opens somebody else's server."""


@pytest.fixture
def hub(configured: Configured) -> Iterator[Session]:
    """The hub's own database with our roles in it, as its start would leave it."""
    c = configured()
    session: Session = orm.new_session_factory("sqlite:///:memory:")()
    session.add(orm.OAuthClient(identifier="jupyterhub"))  # whose client a server's token is
    for role in [*roles.get_default_roles(), *({**role} for role in c.JupyterHub.load_roles)]:
        bearers = {kind: role.pop(kind, []) for kind in ("services", "groups")}
        roles.create_role(session, role)
        kept = orm.Role.find(session, role["name"])
        kept.services = [_added(session, orm.Service(name=name)) for name in bearers["services"]]
        kept.groups = [_added(session, orm.Group(name=name)) for name in bearers["groups"]]
    session.commit()
    yield session
    session.close()


def _added(session: Session, thing: Any) -> Any:
    session.add(thing)
    return thing


def _person(hub: Session, *groups: str) -> orm.User:
    """User 7, signed in."""
    user = _added(hub, orm.User(name="7"))
    for name in groups:
        user.groups.append(orm.Group.find(hub, name) or _added(hub, orm.Group(name=name)))
    roles.assign_default_roles(hub, user)
    hub.commit()
    return user


@pytest.mark.parametrize("changes", [DEMO, PRODUCTION], ids=["demo", "production"])
def test_every_role_holds_what_stands_in_the_table(configured: Configured, changes: dict[str, Any]) -> None:
    held = {role["name"]: set(role["scopes"]) for role in configured(**changes).JupyterHub.load_roles}
    assert held == HELD


@pytest.mark.parametrize("changes", [DEMO, PRODUCTION], ids=["demo", "production"])
def test_addresses_are_read_where_customers_get_mails_and_by_one_process(
    configured: Configured, changes: dict[str, Any]
) -> None:
    mails = {"mail_customers": True, "smtp_host": "mail.example", "notice_mail_from": "tng@example.com"}
    held = {role["name"]: set(role["scopes"]) for role in configured(**changes, **mails).JupyterHub.load_roles}
    assert held == HELD | MAILING


@pytest.mark.parametrize("role", sorted(HELD))
def test_no_role_mints_tokens_changes_accounts_or_opens_anothers_server(role: str) -> None:
    assert not [scope for scope in HELD[role] if scope.startswith(NEVER) or scope in ("access:servers", "servers")]


def test_a_service_holds_its_own_role_and_no_person_is_named(configured: Configured) -> None:
    for role in configured().JupyterHub.load_roles:
        assert "users" not in role
        if "services" in role:
            assert role["services"] == [role["name"]]


@pytest.mark.parametrize(
    ("groups", "more"),
    [
        pytest.param((), set(), id="customer"),
        pytest.param((POWER_USERS,), set(), id="power-user"),
        pytest.param((OPERATORS,), OVER_OTHERS, id="operator"),
    ],
)
def test_a_person_may_do_this_and_nothing_else(hub: Session, groups: tuple[str, ...], more: set[str]) -> None:
    own = {scope for scope in MINE if scope.partition("!")[0] not in more}
    assert set(scopes.get_scopes_for(_person(hub, *groups))) == own | more


@pytest.mark.parametrize("service", ["api", "idle-culler", "prometheus", "forget"])
def test_a_service_may_do_this_and_nothing_else(hub: Session, service: str) -> None:
    known = {"read:users:name"} if service in ("api", "idle-culler") else set()
    assert set(scopes.get_scopes_for(orm.Service.find(hub, service))) == HELD[service] | known


@pytest.mark.parametrize("service", ["worker", "google", "stripe"])
def test_a_service_that_is_not_in_the_table_may_do_nothing(hub: Session, service: str) -> None:
    worker = _added(hub, orm.Service(name=service))
    hub.commit()
    roles.assign_default_roles(hub, worker)
    assert not scopes.get_scopes_for(worker)


@pytest.mark.parametrize("groups", [(), (POWER_USERS,), (OPERATORS,)], ids=["customer", "power-user", "operator"])
def test_the_token_in_a_server_opens_the_api_and_little_else(
    hub: Session, configured: Configured, groups: tuple[str, ...]
) -> None:
    user = _person(hub, *groups)
    _added(hub, orm.Spawner(name="", user=user))
    hub.commit()
    wanted = {scope.replace("!server", "!server=7/") for scope in configured().Spawner.server_token_scopes}
    user.new_api_token(note="Server at /user/7/", scopes=sorted(wanted))
    says_whose_it_is = {"read:users:name!user=7", "read:users:groups!user=7"}
    is_alive = {"users:activity!user=7", "read:users:activity!user=7"}
    held = set(scopes.get_scopes_for(user.api_tokens[0]))
    assert held == says_whose_it_is | is_alive | {"access:servers!server=7/", API}


def test_whoever_was_an_administrator_is_none_after_the_next_sign_in(hub: Session) -> None:
    user = _person(hub)
    user.admin = True
    roles.assign_default_roles(hub, user)
    assert "admin" in {role.name for role in user.roles}, "what an earlier house left in its database"
    user.admin = False  # what our authenticator says at each sign-in, see test_auth
    roles.assign_default_roles(hub, user)
    assert {role.name for role in user.roles} == {"user"}


def test_no_group_is_filled_but_at_a_sign_in(configured: Configured) -> None:
    c = configured(power_users="x@example.com", admins="y@example.com")
    assert "load_groups" not in c.JupyterHub
    assert "admin_users" not in c.VerifiedGoogle
    assert "admin_groups" not in c.VerifiedGoogle
    assert c.VerifiedGoogle.manage_groups


def test_nothing_that_was_handed_out_is_good_for_ever(configured: Configured) -> None:
    hub = configured().JupyterHub
    assert hub.cookie_max_age_days <= 7
    assert hub.oauth_token_expires_in <= 12 * 3600
    assert 0 < hub.token_expires_in_max_seconds <= 12 * 3600
    assert hub.oauth_require_pkce
