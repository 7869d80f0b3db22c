"""The log of the house: what the hub, its services and people's servers print, in one file, without anybody's name.

JupyterHub names people by Google's number of their account, and writes that name into every other line. Here each such
number, and each e-mail address, becomes ``person-`` and eight digits: the same for one name always, so that somebody
can be followed and nobody be found.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

LONGEST_LOG = 10 * 2**20
LONGEST_LINE = 2**16

ADDRESS = re.compile(
    r"(?P<lead>%(?:25)*[0-9A-Fa-f]{2})?(?P<name>[\w.+-]{1,64})(?:@|%(?:25)*40)(?P<host>[\w-]+(?:\.[\w-]+)+)"
)
"""An address as it is, or quoted in a URL once or more; ``lead`` is a quoted character before it, such as a slash.

A name has 64 characters at most (RFC 5321, 4.5.3.1.1). Without that bound a long line of letters, which anybody can
have logged, would be searched in the square of its length, and the house would wait for its log.
"""

NUMBER = re.compile(r"(?<![0-9])[0-9]{15,64}(?![0-9])")
"""Google's number of an account has about 21 digits. No other number that is printed here is as long."""


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
        """The line without addresses and numbers of accounts."""
        return NUMBER.sub(lambda found: self._person(found[0]), ADDRESS.sub(self._stand_in, line))

    def _stand_in(self, found: re.Match[str]) -> str:
        return (found["lead"] or "") + self._person(f"{found['name']}@{found['host']}")

    def _person(self, name: str) -> str:
        return f"person-{hashlib.blake2b(name.lower().encode(), key=self._key, digest_size=4).hexdigest()}"

    def _write(self, line: str) -> None:
        if self.path.stat().st_size > LONGEST_LOG:
            self.path.replace(self.path.with_suffix(".log.1"))
        with self.path.open("a", encoding="utf-8") as log:
            log.write(line)
