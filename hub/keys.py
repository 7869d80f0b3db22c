"""Secrets that the house makes for itself, once: a file each, readable by its owner only. Not for others' keys."""

from __future__ import annotations

import os
import secrets
import threading
from pathlib import Path

from tng.errors import SettingsError


def own_secret(home: Path, name: str) -> str:
    """The secret of this name: 64 hex digits, the same at every start. Raises SettingsError where it cannot be kept.

    Two processes that ask for a new one at once are given the same: the first link wins, and no file is half there.
    """
    path = home / "keys" / name
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"the key {path} cannot be kept ({error.strerror}); TNG_HOME must be a folder that you own"
        ) from error


def _create(path: Path, secret: str) -> None:
    written = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    try:
        os.link(written, path)
    except FileExistsError:
        return
    finally:
        written.unlink()
