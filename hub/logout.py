"""Signing out: at once, and everywhere. What a browser was given before is good for nothing afterwards.

JupyterHub's own sign-out clears the cookies of one browser. Copies of them would go on: the hub's cookie names a person
and no session, a server's cookie is believed for minutes, and an open kernel is never asked about again. Here every
browser of the person is signed out, their dashboard is put away, and ``hub.sessions`` closes the rest.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import new_token
from oauthenticator.oauth2 import OAuthLogoutHandler
from sqlalchemy.orm import Session


class HouseLogout(OAuthLogoutHandler):  # type: ignore[misc]
    """The page that signs out. A workbench goes on without its owner, so that a training is not lost."""

    async def get(self) -> None:
        """Sign out; but not because another site's page says so, which is shown the house instead."""
        if self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            self.redirect(self.hub.base_url + "home")
            return
        await super().get()

    async def handle_logout(self) -> None:
        """After the hub has cleared the cookies of this browser: the other browsers, and the servers."""
        await super().handle_logout()
        if self.current_user:
            forget_browsers(self.db, self.current_user.orm_user)
            await self._put_away(self.current_user)

    async def _put_away(self, user: Any) -> None:
        """Stop what does not outlive a sign-out. A server that is just starting lets nobody in: it has its own end."""
        names = [name for name, spawner in user.spawners.items() if _ends_with_its_owner(spawner)]
        stopping = [self.stop_single_user(user, name) for name in names]
        for failed in await asyncio.gather(*stopping, return_exceptions=True):
            if failed is not None:
                self.log.error("a server did not stop at its owner's sign-out: %s", type(failed).__name__)


def forget_browsers(database: Session, user: orm.User) -> None:
    """Make all cookies of a person worthless, and codes that others could be had for. Servers keep their token."""
    user.cookie_id = new_token()
    for token in database.query(orm.APIToken).filter_by(user_id=user.id):
        if token.session_id is not None:
            database.delete(token)
    for code in database.query(orm.OAuthCode).filter_by(user_id=user.id):
        database.delete(code)
    database.commit()


def _ends_with_its_owner(spawner: Any) -> bool:
    return bool(spawner.active and not spawner.pending and not spawner.outlives_sign_out)
