"""Which page the browser asked for. A preheated kernel is asked before there is a browser: it waits here for one."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

logger = logging.getLogger(__name__)

VIEWS = ("new", "library")
"""Those that an address names by themselves; the view of an order is named by the order."""

ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Visit:
    """What the address says: an order to open and whether its payment was called off, or a view; "" for none.

    ``returned``: from the payment page, and Stripe had not said yet that it is paid.
    """

    order_id: str = ""
    cancelled: bool = False
    view: str = ""
    returned: bool = False

    @classmethod
    def read(cls, query: str) -> Visit:
        """From the address's query. Anything that is no order's id and no view is ignored."""
        fields = parse_qs(query.lstrip("?"))
        order_id = fields.get("order", [""])[0]
        known = bool(ORDER_ID.fullmatch(order_id))
        if known:
            cancelled, returned = (fields.get(name, [""])[0] == "1" for name in ("cancelled", "returned"))
            return cls(order_id, cancelled, returned=returned)
        view = fields.get("view", [""])[0]
        return cls(view=view if view in VIEWS else "")


def query_string(environ: MutableMapping[str, str] = os.environ) -> str:
    """The query of the page's address. Blocks in a preheated kernel until the kernel is given to a page.

    This is what ``voila.utils.get_query_string`` does, without importing Voilà: 2 s and 40 MB a kernel.
    """
    if environ.get("VOILA_PREHEAT") == "True":
        port, base, kernel = environ["VOILA_APP_PORT"], environ["VOILA_SERVER_URL"], environ["VOILA_KERNEL_ID"]
        address = f"ws://127.0.0.1:{port}{base}voila/query/{kernel}"
        key = {"Authorization": f"Bearer {environ.get('TNG_VISIT_KEY', '')}"}  # the server answers its own kernels only
        try:
            with connect(address, additional_headers=key, proxy=None, ping_interval=None) as waiting:
                environ.update({key: str(value) for key, value in json.loads(waiting.recv()).items()})
        except (OSError, WebSocketException, ValueError) as error:
            logger.warning("the page's address did not come (%s): opening without it", type(error).__name__)
    return environ.get("QUERY_STRING", "")
