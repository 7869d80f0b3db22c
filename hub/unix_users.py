"""Whose Unix user each process of the house is, where the hub is root and can give everybody one of their own.

No account is needed: a number is enough. The house stays root; the api, the worker and the stand-ins are three users
that share nothing but the folder of the shop; each person is a user of their own, known by the number of their hub
account. What runs as somebody else's number can neither read, signal nor trace the others: the system sees to it.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.processes import become
from hub.watch import processes_of
from tng.errors import SettingsError
from tng.settings import ROOT, Carrier, Isolation, Settings

LOCKS: Final = Path("/run")
"""Where only root can make a file, and nothing outlives the machine."""

TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTENING: Final = "0A"

FIRST_PERSON: Final = 1000
END_SECONDS: Final = 5.0
SLOTS_GROUP: Final = 4
MOST_PEOPLE: Final = 100_000
"""How many numbers after ``uid_base`` must be nobody's account when the house is opened."""

PASS, READ = stat.S_IXOTH, stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True)
class UnixUser:
    """A user of the system by number: itself, its group, and what other groups it belongs to."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def become(self) -> None:
        """Turn this process into that user, for good. Only root may; safe between fork and exec."""
        become(self.uid, self.gid, self.groups)


def can_isolate(settings: Settings) -> str:
    """Nothing where each person can be given a Unix user; else one sentence that says why not."""
    if settings.carrier is not Carrier.LOCAL:
        return f"people's servers are kept apart by {settings.carrier.value}, and not by Unix users"
    if sys.platform != "linux":
        return f"Unix users by number are made for Linux, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "only root can start servers as another user, and this house is not opened by root"
    return _closed_to_others(settings) or _account_in_the_way(settings.uid_base) or refusal(settings.uid_base)


def isolates(settings: Settings) -> bool:
    """Whether each person's server runs as a Unix user of its own. Raises SettingsError where it must and cannot."""
    if settings.isolation is Isolation.ONE:
        return False
    why_not = can_isolate(settings)
    if why_not and settings.isolation is Isolation.USERS:
        raise SettingsError(f"TNG_ISOLATION=users cannot be: {why_not}")
    return not why_not


def describe(settings: Settings) -> str:
    """One line for whoever opens the house: whether people are kept apart. Raises SettingsError as ``isolates``."""
    if settings.carrier is not Carrier.LOCAL:
        return f"Everybody's server runs in a container of its own ({settings.carrier.value})."
    if isolates(settings):
        return "Everybody's server runs as a Unix user of its own."
    why = "TNG_ISOLATION=one" if settings.isolation is Isolation.ONE else can_isolate(settings)
    return (
        "Everybody's server runs as the user of this house: fit for a demonstration, not for strangers. "
        f"({why[0].upper()}{why[1:]}.)"
    )


@contextmanager
def sole_user_ids(settings: Settings, *, locks: Path = LOCKS) -> Iterator[None]:
    """The user ids of this house, its own until the end: what runs as one of them is ended before its person comes.

    Raises SettingsError where another house of this machine gives out the same. Nothing where people are not kept
    apart, or where the system has no place for such a lock.
    """
    if not isolates(settings) or not locks.is_dir():
        yield
        return
    path = locks / f"tng-users-{settings.uid_base}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SettingsError(
            f"another house of this machine gives out the user ids from {settings.uid_base}; "
            "set TNG_UID_BASE to another number"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def person(uid_base: int, hub_user_id: int, *, may_open_slots: bool) -> UnixUser:
    """The Unix user of a person; dashboards also belong to the group that may open the kernel slots."""
    uid = uid_base + FIRST_PERSON + hub_user_id
    return UnixUser(uid, uid, (uid_base + SLOTS_GROUP,) if may_open_slots else ())


def service(uid_base: int, name: str) -> UnixUser:
    """The Unix user of a service: the api and the worker share the shop's group; the others are one, and nobody.

    The proxy sees everybody's cookies, and is a user of its own.
    """
    shop, alone = {"api": 1, "worker": 2}, {"proxy": SLOTS_GROUP + 1}
    if name in shop:
        return UnixUser(uid_base + shop[name], uid_base)
    number = uid_base + alone.get(name, 3)
    return UnixUser(number, number)


def signal_all(user: UnixUser) -> None:
    """Kill every process of a user at once: none can fork away from it. Done as that user, it reaches no other."""
    kill_all = ["/bin/sh", "-c", "kill -KILL -1"]  # -1: all that this user may signal, save the one that asks
    subprocess.run(kill_all, user=user.uid, group=user.gid, extra_groups=[], env={}, stderr=subprocess.DEVNULL)


def end_all(user: UnixUser) -> bool:
    """Kill every process of a user, and wait; whether none is left."""
    until = time.monotonic() + END_SECONDS
    while left := bool(processes_of(user.uid)):
        if time.monotonic() > until:
            break
        signal_all(user)
        time.sleep(0.02)
    return not left


def listeners(port: int, *, tables: Iterable[Path] = TABLES) -> set[int]:
    """The users of the system who listen at a TCP port of this machine (proc(5): the tables of the kernel)."""
    found = set()
    for table in tables:
        with suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                _, local, _, state, _, _, _, uid, *_ = line.split()
                if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                    found.add(int(uid))
    return found


def _closed_to_others(settings: Settings) -> str:
    """The first thing on the way of a person or a service that other users cannot reach, as a sentence."""
    for path, need in _ways(settings):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # whoever needs it says what is missing, and better
        if mode & need != need:
            return (
                f"{path} is closed to other users, and their servers must get through it; "
                f"open it (chmod o+{'x' if need == PASS else 'rx'}), or move what lies below it"
            )
    return ""


def _ways(settings: Settings) -> Iterator[tuple[Path, int]]:
    """What must be passable, and what must be readable."""
    home, release, show = (path.resolve() for path in (settings.home, settings.release, settings.show))
    made_here = release.is_relative_to(home)  # the house shows it to the services itself
    for place in (*interpreter(), ROOT, show, *([] if made_here else [release])):
        yield from ((parent, PASS) for parent in reversed(place.parents))
        yield place, READ
    yield from ((parent, PASS) for parent in reversed(home.parents))
    yield from ((file, stat.S_IROTH) for file in (*_files(show), *([] if made_here else _files(release))))


def interpreter() -> list[Path]:
    """The Python that runs everything: the program by its name and by its place, what is installed, and its library."""
    program = Path(sys.executable)
    library = Path(os.__file__).parent
    return [program.absolute(), program.resolve(), Path(sys.prefix), Path(sys.base_prefix), library]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_file()]


def refusal(uid_base: int) -> str:
    """Nothing where root may become the first person; else why not. A root of some containers may not."""
    first = uid_base + FIRST_PERSON
    try:
        subprocess.run(["/bin/true"], user=first, group=first, extra_groups=[], env={}, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"the root of this system may not become user {first} ({type(error).__name__})"
    return ""


def _account_in_the_way(uid_base: int) -> str:
    for account in pwd.getpwall():
        if uid_base <= account.pw_uid < uid_base + MOST_PEOPLE:
            return f"the user id {account.pw_uid} is the account {account.pw_name}; set TNG_UID_BASE to another number"
    return ""
