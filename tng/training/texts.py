"""Customers' scripts as files for a training, where the operator gave his word that they may be trained on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tng.orders import OrderState
from tng.ports import Store


def write_delivered(store: Store, folder: Path) -> int:
    """Write every delivered script into ``folder``, whole or not at all: how many. Raises OSError, StoreBusy.

    A file is named after its order; nothing says whose it is. Only the owner of the process may read them.
    """
    with store.read() as work:
        texts = {order.id: order.script_text for order in work.orders.having(OrderState.DELIVERED)}
    partial = folder.with_name(f"{folder.name}.partial")
    for one in (partial, folder):
        shutil.rmtree(one, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    written = {order_id: text for order_id, text in texts.items() if text}
    for order_id, text in written.items():
        descriptor = os.open(partial / f"{order_id}.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    partial.rename(folder)
    return len(written)
