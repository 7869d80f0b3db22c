"""Takes a person's account away: ``python -m hub.forget NAME``, whether the house is open or closed.

The account holds the address and the name at Google, encrypted; the home folder holds what a power user wrote. Orders
are the shop's: ``tng customers erase`` comes first. In an open house the hub does it, which ends the person's server
and all that they are signed in with before.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from urllib.parse import quote

import click
import httpx
from jupyterhub import orm

from hub.config import HUB_DATABASE
from hub.homes import home_of
from hub.keys import own_secret
from hub.preflight import open_home
from hub.services import FORGETTING
from tng.errors import HouseOpen, SettingsError
from tng.settings import Settings

ANSWER_SECONDS = 60.0
"""The hub answers when the person's server has ended."""

PATIENCE_SECONDS = 120.0


def forget(home: Path, name: str) -> bool:
    """Remove the account of this name from the hub's database, and its home folder; whether there was either."""
    had_home = _forget_home(home, name)
    return _forget_account(home / HUB_DATABASE, name) or had_home


def forget_in_open_house(settings: Settings, name: str) -> bool:
    """The same by the hub that runs, and first the person's server is stopped; whether there was either.

    Raises SettingsError where the hub does not answer, or the server does not end: nothing is half done that a second
    call would not finish.
    """
    home = settings.home.resolve()
    if not _is_name(home, name):
        return False
    headers = {"Authorization": f"token {own_secret(home, FORGETTING)}"}
    url = f"{settings.internal_url('hub')}/hub/api/users/{quote(name, safe='')}"
    try:
        with httpx.Client(headers=headers, timeout=ANSWER_SECONDS, trust_env=False) as hub:
            had_account = _deleted(hub, url)
    except httpx.TransportError as error:
        raise SettingsError(
            f"the house is open, and its hub does not answer ({type(error).__name__}); again"
        ) from error
    return _forget_home(home, name) or had_account


def _deleted(hub: httpx.Client, url: str) -> bool:
    """Whether there was such an account. A server that is being started or stopped is waited for."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (status := hub.delete(url).status_code) not in (204, 404):
        if time.monotonic() > until:
            raise SettingsError(f"the hub does not take the account away (status {status}); try again in a minute")
        time.sleep(1)
    return status == 204


def _is_name(home: Path, name: str) -> bool:
    return bool(name) and home_of(home / "homes", name).name == name


def _forget_home(home: Path, name: str) -> bool:
    folder = home_of(home / "homes", name)
    is_there = _is_name(home, name) and folder.is_dir() and not folder.is_symlink()
    if is_there:
        shutil.rmtree(folder)
    return is_there


def _forget_account(database: Path, name: str) -> bool:
    if not database.exists():
        return False
    with orm.new_session_factory(f"sqlite:///{database}")() as session:
        session.connection().exec_driver_sql("PRAGMA secure_delete = ON")  # zeroes, not only a mark that it is free
        user = orm.User.find(session, name)
        if user is None:
            return False
        session.delete(user)
        session.commit()
    return True


def _forget_somehow(settings: Settings, name: str) -> bool:
    try:
        with open_home(settings) as home:
            return forget(home, name)
    except HouseOpen:
        return forget_in_open_house(settings, name)


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Take away the account of NAME, the hub's name of a user, and its home folder.

    The house may be open: then their server is stopped, and nobody else notices.
    """
    try:
        found = _forget_somehow(Settings.read(), name)
    except SettingsError as error:
        click.echo(f"hub: {error}", err=True)
        sys.exit(1)
    click.echo("The account is gone." if found else "There is no account of this name.")


if __name__ == "__main__":
    main()
