"""``python -m tng.api``: the service, as the hub starts it. The environment is read here and nowhere else."""

from __future__ import annotations

import logging
import os
import sys
from urllib.parse import urlsplit

import uvicorn

from tng.api.auth import HubAuth, HubDoor
from tng.api.service import make_api
from tng.app import build_shop
from tng.errors import TngError
from tng.log import configure
from tng.programme import open_show
from tng.settings import Settings

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""How long open answers may go on after a SIGTERM; a stream of events is resumed by its page."""


def main() -> int:
    """Serve until stopped. 2 means that the configuration cannot be started."""
    os.umask(0o077)
    configure("INFO")
    try:
        settings = Settings.read()
        door = HubDoor.from_environment(os.environ, public_url=settings.public)
        address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
        show = open_show(settings)
        app = make_api(build_shop(settings, show=show), show, HubAuth(door), settings)
    except KeyError as error:
        logger.error("%s is not set; let the hub start the api", error.args[0])
        return 2
    except TngError as error:
        logger.error("the api cannot be started: %s", error)
        return 2
    uvicorn.run(
        app,
        host=address.hostname or "127.0.0.1",
        port=address.port or 80,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
