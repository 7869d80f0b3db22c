"""Takes a person's account away: ``python -m hub.forget NAME``, while the house is closed.

The account holds the address and the name at Google, encrypted; the home folder holds what a power user wrote. Orders
are the shop's: ``tng customers erase`` comes first.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
from jupyterhub import orm

from hub.homes import home_of
from hub.preflight import open_home
from tng.errors import SettingsError
from tng.settings import Settings


def forget(home: Path, name: str) -> bool:
    """Remove the account of this name from the hub's database, and its home folder; whether there was either."""
    folder = home_of(home / "homes", name)
    is_there = bool(name) and folder.name == name and folder.is_dir() and not folder.is_symlink()
    if is_there:
        shutil.rmtree(folder)
    return _forget_account(home / "hub.sqlite", name) or is_there


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


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Take away the account of NAME, the hub's name of a user, and its home folder. The house must be closed."""
    try:
        with open_home(Settings.read()) as home:
            found = forget(home, name)
    except SettingsError as error:
        click.echo(f"hub: {error}", err=True)
        sys.exit(1)
    click.echo("The account is gone." if found else "There is no account of this name.")


if __name__ == "__main__":
    main()
