"""The log of the house: what the hub, its services and people's servers print, in one file, without anybody's address.

JupyterHub names people by their e-mail address, and writes that name into every other line. Here each address becomes
``person-`` and eight digits: the same for one person always, so that somebody can be followed and nobody be written to.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

LONGEST_LOG = 10 * 2**20
LONGEST_LINE = 2**16

ADDRESS = re.compile(
    r"(?P<lead>%(?:25)*[0-9A-Fa-f]{2})?(?P<name>[\w.+-]+)(?:@|%(?:25)*40)(?P<host>[\w-]+(?:\.[\w-]+)+)"
)
"""An address as it is, or quoted in a URL once or more; ``lead`` is a quoted character before it, such as a slash."""


class Journal:
    """One log file and, beside it, the one before. ``key`` makes the digits of a person unguessable."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._key = bytes.fromhex(key)[:64]
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)

    def keep(self, stream: BinaryIO) -> None:
        """Copy ``stream`` into the log until it ends. A full disk loses lines; it never stops those who print them."""
        while line := stream.readline(LONGEST_LINE):
            try:
                self._write(self.hide(line.decode("utf-8", "replace")))
            except OSError:
                continue  # nobody to tell: this is the log

    def hide(self, line: str) -> str:
        """The line without addresses."""
        return ADDRESS.sub(self._stand_in, line)

    def _stand_in(self, found: re.Match[str]) -> str:
        address = f"{found['name']}@{found['host']}".lower().encode()
        return f"{found['lead'] or ''}person-{hashlib.blake2b(address, key=self._key, digest_size=4).hexdigest()}"

    def _write(self, line: str) -> None:
        if self.path.stat().st_size > LONGEST_LOG:
            self.path.replace(self.path.with_suffix(".log.1"))
        with self.path.open("a", encoding="utf-8") as log:
            log.write(line)
