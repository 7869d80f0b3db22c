"""``python -m hub.sandbox.stripe``: run the stand-in until it is told to stop. Secrets come from the environment."""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence

import uvicorn

from hub.headers import security_headers
from hub.sandbox.headed import Headed
from hub.sandbox.stripe.app import create_app
from hub.sandbox.stripe.config import Config, ConfigError
from hub.sandbox.stripe.faults import Lines
from hub.sandbox.stripe.page import HEADERS
from hub.sandbox.stripe.store import Store

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 3


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="python -m hub.sandbox.stripe",
        description="A local stand-in for Stripe. No real card is charged.",
        epilog="From the environment: STRIPE_STAND_IN_KEY (sk_test_…) and STRIPE_STAND_IN_WEBHOOK_SECRET (whsec_…).",
    )
    options.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    options.add_argument("--port", type=int, default=8555, help="default: %(default)s")
    options.add_argument("--prefix", default="", metavar="/PATH", help="where the routes begin, e.g. /services/stripe")
    options.add_argument("--public-url", default="", metavar="URL", help="where browsers find them, prefix included")
    options.add_argument("--db", default=":memory:", metavar="PATH", help="the SQLite file; in memory unless given")
    options.add_argument("--webhook-url", metavar="URL", help="where events are sent, on this machine")
    options.add_argument(
        "--webhook-events", nargs="+", default=["*"], metavar="TYPE", help="which events, as an endpoint names them"
    )
    options.add_argument(
        "--retries", type=float, nargs="*", default=[1, 5, 30], metavar="SECONDS", help="delays before further attempts"
    )
    options.add_argument(
        "--clear-seconds",
        type=float,
        default=20,
        metavar="SECONDS",
        help="how long a bank takes for a debit, and for a refund that takes long (default: %(default)s)",
    )
    return options


def read_config(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """Read the command line and the environment. Raises ConfigError; a wrong option ends the program with code 2."""
    given = parser().parse_args(arguments)
    return Config(
        key=environment.get("STRIPE_STAND_IN_KEY", ""),
        webhook_secret=environment.get("STRIPE_STAND_IN_WEBHOOK_SECRET", ""),
        **vars(given) | {"retries": tuple(given.retries), "webhook_events": tuple(given.webhook_events)},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Exit code 2 and one sentence when it cannot be started so."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = read_config(sys.argv[1:] if arguments is None else arguments, os.environ)
        store = Store(config.db)
    except ConfigError as error:
        parser().error(str(error))
    except (OSError, sqlite3.Error) as error:
        parser().error(f"the database {config.db} cannot be used: {error} (locked means: by another stand-in)")
    logger.info("the stand-in for Stripe is at %s", config.page_base)
    uvicorn.run(
        Headed(create_app(config, store, cut=Lines.cut), security_headers(config.public_url) | HEADERS),
        host=config.host,
        http=Lines,
        proxy_headers=False,  # a line is known by its own address
        port=config.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
