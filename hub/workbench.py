"""What lies on a power user's workbench: our notebooks and a page about them, in a folder of the own home.

What a person has changed is never written over. Of each file the hidden ``.given.json`` remembers the sha256 of ours
when it was given, and so:

* untouched (just as it was given): a newer one of ours takes its place;
* changed: a newer one of ours is laid beside it, as ``03_prompt_the_writer.new.ipynb``, once;
* deleted or renamed: it stays away until there is a newer one of ours.

A notebook that was run and saved counts as changed: what it shows may be all that is left of an evening.

The home belongs to its person, the process may belong to root: so every file is named below a folder that is open, no
link is followed, and nothing is read that is not a file of a notebook's size.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

GIVEN_FILE: Final = ".given.json"
KINDS: Final = ("*.ipynb", "*.md")
MOST_BYTES: Final = 16 * 2**20
"""A larger file is none of ours any more, and is not read."""

_MISSING, _STRANGE = "missing", "strange"


def stock(source: Path, target: Path) -> None:
    """Lay what ``source`` holds into ``target``, which is made where it is missing; see above for what stays.

    Call it as the person whose home it is, where that is another user. What cannot be written is logged and left out: a
    full disk or a folder that is a link must not keep anybody from the server on which they could mend it.
    """
    try:
        with _opened(target) as folder:
            _lay(source, folder)
    except OSError as error:
        logger.warning("the workbench of somebody was not stocked: %s", error.strerror or type(error).__name__)


def _lay(source: Path, folder: int) -> None:
    before = _read_given(folder)
    given = dict(before)
    for path in sorted(path for kind in KINDS for path in source.glob(kind)):
        _lay_one(folder, path.name, path.read_bytes(), given)
    if given != before:
        _write(folder, GIVEN_FILE, json.dumps(given, indent=2, sort_keys=True).encode() + b"\n")


def _lay_one(folder: int, name: str, ours: bytes, given: dict[str, str]) -> None:
    """Give one file under its name; where theirs is changed and ours is newer, beside it."""
    theirs, newer = _digest(folder, name), _newer(name)
    if theirs in (_MISSING, _sha256(ours), given.get(name)):
        _give(folder, name, ours, given)
        _tidy(folder, newer, given)
    elif given.get(name) != _sha256(ours):
        _give(folder, newer, ours, given)


def _give(folder: int, name: str, ours: bytes, given: dict[str, str]) -> None:
    """Write ``name``, unless it is there already, or was given just so and is gone, or is theirs by now."""
    theirs, digest = _digest(folder, name), _sha256(ours)
    if theirs not in (_MISSING, digest, given.get(name)):
        return
    if digest not in (theirs, given.get(name)):
        _write(folder, name, ours)
    given[name] = digest


def _tidy(folder: int, newer: str, given: dict[str, str]) -> None:
    """Take away what was laid beside a file, once that is ours again; unless somebody worked on it."""
    if newer in given and _digest(folder, newer) == given.pop(newer):
        os.unlink(newer, dir_fd=folder)


def _newer(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    return f"{stem}.new.{kind}"


@contextmanager
def _opened(target: Path) -> Iterator[int]:
    """The folder as a file descriptor, made where it is missing. Raises OSError where it is a link or no folder."""
    target.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def _digest(folder: int, name: str) -> str:
    """The sha256 of a file; else that it is missing, or strange: a link, a device, a folder, or too large."""
    body = _read(folder, name)
    return body if isinstance(body, str) else _sha256(body)


def _read(folder: int, name: str) -> bytes | str:
    try:  # without O_NONBLOCK a named pipe would keep the hub waiting
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return _MISSING
    except OSError:
        return _STRANGE
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
        os.close(file)
        return _STRANGE
    with os.fdopen(file, "rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _write(folder: int, name: str, body: bytes) -> None:
    """Write a file whole or not at all. A link of that name is replaced, never followed."""
    partial = f".{secrets.token_hex(8)}.partial"
    file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(body)
        os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(partial, dir_fd=folder)
        raise


def _read_given(folder: int) -> dict[str, str]:
    """What was given before. The file is the person's, too: what is not as we write it counts as nothing."""
    body = _read(folder, GIVEN_FILE)
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(given, dict):
        return {}
    return {name: digest for name, digest in given.items() if isinstance(digest, str)}


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


__all__ = ["GIVEN_FILE", "stock"]
