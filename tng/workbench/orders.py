"""A power user's own order, asked of the api with the token of their server: what it may tell, and no more.

Whose order it is, is the api's to know: somebody else's is not found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Event, Timer

from tng.dashboard.client import ApiClient, OrderCard
from tng.errors import ApiError
from tng.workbench.account import RunAccount

PATIENCE_SECONDS = 20.0
"""How long an order that is not over is listened to."""


def told_of_order(
    order_id: str = "", *, environ: Mapping[str, str] | None = None, patience_seconds: float = PATIENCE_SECONDS
) -> tuple[RunAccount | None, str]:
    """What the run of an order told, and a sentence about it. None where there is no such order, or no shop.

    Without ``order_id`` it is the newest order. One that is still being written is listened to for a while.
    """
    client = ApiClient.from_environment(os.environ if environ is None else environ)
    try:
        orders = client.orders()
        chosen = [order for order in orders if order.id == order_id] if order_id else list(orders[:1])
        if not chosen:
            return None, "You have no such order." if order_id else "You have no order yet."
        account = listen(client, chosen[0], patience_seconds=patience_seconds)
    except ApiError as error:
        return None, error.user_message
    return account, f"The run of {chosen[0].id}."


def listen(client: ApiClient, order: OrderCard, *, patience_seconds: float = PATIENCE_SECONDS) -> RunAccount:
    """Hear the events of an order from the first on, until its end or until patience does. Raises ApiError."""
    account = RunAccount(order.title, order.state.value, order.provenance)
    gave_up = Event()
    with client.events(order.id) as stream:

        def give_up() -> None:
            gave_up.set()
            stream.close()

        impatience = Timer(patience_seconds, give_up)
        impatience.daemon = True
        impatience.start()
        try:
            for event in stream:
                account.hear(event.kind, event.body)
                if event.kind == "end":
                    break
        except ApiError:
            if not gave_up.is_set():
                raise
        finally:
            impatience.cancel()
    return account


__all__ = ["listen", "told_of_order"]
