"""``python -m tng.api``: the service, as the hub starts it. The environment is read here and nowhere else."""

from __future__ import annotations

import logging
import os
import socket
import sys
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from tng.adapters.heard_gateway import HeardGateway
from tng.adapters.in_use import show_in_use
from tng.api.auth import HubAuth, HubDoor
from tng.api.service import make_api
from tng.app import build_gateway, build_lookout, build_operations, build_shop, build_store
from tng.bell import Topic
from tng.errors import TngError
from tng.log import FaultCounter, configure, write_as
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
        write_as(settings.log)
        faults = FaultCounter("api")
        logging.getLogger().addHandler(faults)
        app = _application(settings, door, faults)
        listening = listen(address.hostname or "127.0.0.1", address.port or 80)
    except KeyError as error:
        logger.error("%s is not set; let the hub start the api", error.args[0])
        return 2
    except TngError as error:
        logger.error("the api cannot be started: %s", error)
        return 2
    except OSError as error:
        logger.error("the api cannot listen at %s (%s)", address.netloc, error.strerror)
        return 2
    how = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(how).run(sockets=[listening])
    return 0


def listen(host: str, port: int) -> socket.socket:
    """The socket of the api, which shares its port with whoever holds it for the same Unix user. Raises OSError.

    The keeper holds the port while no api runs: nobody else of this machine may take it and be given tokens.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048, reuse_port=hasattr(socket, "SO_REUSEPORT"))


def _application(settings: Settings, door: HubDoor, faults: FaultCounter) -> FastAPI:
    show, store = show_in_use(settings), build_store(settings)
    gateway = HeardGateway(build_gateway(settings, show), store.clock)
    shop = build_shop(settings, show=show, store=store, gateway=gateway)
    lookout = build_lookout(settings, store=store, hub_api_url=door.api_url, more=[gateway.health])
    operations = build_operations(settings, store=store)
    topics = {"inbox": Topic.INBOX, "errands": Topic.OUTBOX, "events": Topic.EVENTS}
    bells = {name: store.bell(topic) for name, topic in topics.items()}
    return make_api(
        shop, show, HubAuth(door), settings, lookout=lookout, operations=operations, faults=faults, bells=bells
    )


if __name__ == "__main__":
    sys.exit(main())
