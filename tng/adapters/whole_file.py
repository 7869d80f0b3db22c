"""A file that is there whole or not at all, and open to nobody but its owner. It overwrites nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

CLOSED = 0o600


@contextmanager
def written_whole(target: Path) -> Iterator[BinaryIO]:
    """A new file to write to; it gets its name when the block ends well. Raises FileExistsError, OSError."""
    if target.exists() or target.is_symlink():
        raise FileExistsError(f"{target} is there already")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, CLOSED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, target)  # unlike a rename, it does not replace what came there meanwhile
        _settle(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
