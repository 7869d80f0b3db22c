"""A power user may run anything, and reaches nothing: a real house with a Unix user for each, attacked from a notebook.

Pia has JupyterLab; what she runs here she could type. Ada has a dashboard open. At the end a control: in a house whose
servers all run as its own user the same attempts succeed, so that the tests are known to see it when a wall is missing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

import httpx
import psutil
import pytest

from hub.places import PROXY
from hub.sandbox.people import by_address
from tests.hostile.attacks import answers
from tests.hostile.notebook import Cell, notebook_of
from tests.hostile.tab import xsrf
from tests.isolated_house import isolated, why_not
from tests.open_house import OpenHouse, arrive, open_door, opened, server_path, sign_in, visitor
from tests.processes import is_kernel, words_of
from tng.settings import ROOT

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

PIA, ADA = "pia@example.com", "ada@example.com"
PROCESSES, MEMORY_MB = 160, 1024

READ = "print(len(open({!r}, 'rb').read()))"
LIST = "import os; print(len(os.listdir({!r})))"
CONNECT = """
import http.client
c = http.client.HTTPConnection('127.0.0.1', {port}, timeout=10)
c.request('{method}', '{path}', body='{{"target": "http://127.0.0.1:1"}}')
print(c.getresponse().status)
"""


@dataclass
class Neighbours:
    """A house with Pia at a notebook and Ada at her dashboard."""

    house: OpenHouse
    pia: httpx.Client
    notebook: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Pia opens her workbench, and a notebook on it."""
        page = self.pia.get("/hub/spawn")
        if 'id="spawn_form"' in page.text:
            open_door(self.pia, page)
        arrive(self.pia, server_path(PIA))
        self.cell: Cell = self.notebook.enter_context(notebook_of(self.house, self.pia, server_path(PIA)))

    def stop(self) -> None:
        """Pia stops her server, as on the hub's page."""
        self.notebook.close()
        path = f"/hub/api/users/{by_address(PIA).id}/server"
        answer = self.pia.delete(path, headers=xsrf(self.pia, "/hub/") | {"referer": f"{self.house.url}/hub/home"})
        assert answer.status_code in (202, 204), answer.text
        until = time.monotonic() + 30
        while self.processes_of(PIA):
            assert time.monotonic() < until, self.processes_of(PIA)
            time.sleep(0.1)

    @property
    def home(self) -> Path:
        """The folder of the house."""
        return self.house.home

    def own_home(self, email: str) -> Path:
        """The home folder of somebody."""
        return self.home / "homes" / by_address(email).id

    def uid(self, email: str) -> int:
        """The Unix user of somebody."""
        return self.own_home(email).stat().st_uid

    def processes_of(self, email: str) -> list[psutil.Process]:
        """What runs as somebody."""
        uid = self.uid(email)
        alive = [p for p in psutil.process_iter(["uids", "status"]) if p.info["uids"] and p.info["uids"].real == uid]
        return [p for p in alive if p.info["status"] != psutil.STATUS_ZOMBIE]

    def victims(self) -> dict[str, psutil.Process]:
        """The processes of the house and of Ada, by what they are."""
        modules = {
            "the hub": "jupyterhub",
            "the api": "tng.api",
            "the worker": "tng.cli worker",
            "the stand-in for Google": "hub.sandbox.google",
            "the stand-in for Stripe": "hub.sandbox.stripe",
            "the culler": "jupyterhub_idle_culler",
            "the server of another": "hub.voila_server",
        }
        found = {name: self.house.service(module) for name, module in modules.items()}
        proxy = next(p for p in self.house.belongings() if str(PROXY) in words_of(p) and "-m" not in words_of(p))
        kernel = next(p for p in self.processes_of(ADA) if is_kernel(p))
        found |= {"the proxy": proxy}
        return found | {"the kernel of another": kernel, "the launcher": psutil.Process(self.house.process.pid)}

    def answers_in_time(self) -> bool:
        """Whether the house still serves its front page."""
        return httpx.get(f"{self.house.url}/hub/login", timeout=10).status_code == 200


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Neighbours]:
    """The house, its people inside."""
    limits = {"TNG_WORKBENCH_PROCESSES": str(PROCESSES), "TNG_WORKBENCH_MEMORY_MB": str(MEMORY_MB)}
    with isolated(TNG_POWER_USERS=PIA, **limits) as house, visitor(house) as pia, visitor(house) as ada:
        sign_in(ada, ADA)
        arrive(ada, server_path(ADA))
        sign_in(pia, PIA)
        both = Neighbours(house, pia)
        both.start()
        yield both
        both.notebook.close()


VICTIMS = (
    "the hub",
    "the launcher",
    "the proxy",
    "the api",
    "the worker",
    "the stand-in for Google",
    "the stand-in for Stripe",
    "the culler",
    "the server of another",
    "the kernel of another",
)

CLOSED = (
    "hub.sqlite",
    "shop/orders.sqlite",
    "shop/orders.sqlite-wal",
    "keys/hub-cookie",
    "keys/api-cookie",
    "keys/stripe-stand-in",
    "logs/hub.log",
    "rooms/stand-ins/stripe-stand-in.sqlite",
)


def test_the_notebook_runs_as_a_user_of_its_own(neighbours: Neighbours) -> None:
    told = neighbours.cell(
        "import os; print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.environ['HOME'])"
    )
    uid = neighbours.uid(PIA)
    assert told == f"{uid} {uid} {uid} [] {neighbours.own_home(PIA)}"
    assert uid != neighbours.uid(ADA)
    assert neighbours.cell("open('mine', 'w').write('x'); print(oct(os.stat('mine').st_mode & 0o777))") == "0o600"


@answers("reads and lists other people's homes", "a Unix user for each person, homes are closed", who="a power user")
def test_the_home_of_another_is_closed(neighbours: Neighbours) -> None:
    other = neighbours.own_home(ADA)
    assert neighbours.cell(LIST.format(str(other))) == "PermissionError"
    assert neighbours.cell(READ.format(str(other / ".ipython"))) == "PermissionError"
    assert neighbours.cell(LIST.format(str(neighbours.home / "homes"))) == "PermissionError"


@answers(
    "reads the hub's database, the orders, the keys, the logs",
    "a Unix user for each person, and the folders are closed",
    who="a power user",
)
@pytest.mark.parametrize("name", CLOSED)
def test_what_the_house_keeps_is_closed(neighbours: Neighbours, name: str) -> None:
    assert (neighbours.home / name).exists()
    assert neighbours.cell(READ.format(str(neighbours.home / name))) == "PermissionError"


def test_no_folder_of_the_house_can_be_listed(neighbours: Neighbours) -> None:
    for folder in (neighbours.home, *(path for path in neighbours.home.iterdir() if path.is_dir())):
        assert neighbours.cell(LIST.format(str(folder))) == "PermissionError", folder


@answers(
    "reads tokens and keys in the environment of other processes", "a Unix user for each person", who="a power user"
)
@pytest.mark.parametrize("name", VICTIMS)
def test_the_environment_of_another_process_is_closed(neighbours: Neighbours, name: str) -> None:
    pid = neighbours.victims()[name].pid
    assert neighbours.cell(READ.format(f"/proc/{pid}/environ")) == "PermissionError"
    assert neighbours.cell(READ.format(f"/proc/{pid}/mem")) == "PermissionError"
    assert neighbours.cell(LIST.format(f"/proc/{pid}/fd")) == "PermissionError"


@answers("kills, stops or traces other processes", "a Unix user for each person", who="a power user")
@pytest.mark.parametrize("name", VICTIMS)
def test_no_other_process_can_be_signalled_or_traced(neighbours: Neighbours, name: str) -> None:
    pid = neighbours.victims()[name].pid
    assert neighbours.cell(f"import os; os.kill({pid}, 0)") == "PermissionError"
    attach = "import ctypes; print(ctypes.CDLL(None, use_errno=True).ptrace(16, {}, 0, 0), ctypes.get_errno())"
    assert neighbours.cell(attach.format(pid)) == "-1 1"


@answers("speaks to other people's kernels over their sockets", "sockets lie in closed folders", who="a power user")
def test_the_sockets_of_other_kernels_are_closed(neighbours: Neighbours) -> None:
    sockets = [name for name in _sockets(neighbours, "unix") if "kernel-" in str(name)]
    assert sockets
    reach = "import socket; s = socket.socket(socket.AF_UNIX); s.connect({!r}); print('reached')"
    for name in sockets:
        assert neighbours.cell(reach.format(name)) == "PermissionError"


def test_no_channel_of_a_kernel_is_a_port(neighbours: Neighbours) -> None:
    # each kernel has one port all the same: for output of its own children, who must name a number that they inherit
    kernels = [p for p in neighbours.processes_of(ADA) if is_kernel(p)]
    assert len(_sockets(neighbours, "tcp")) == 1 + len(kernels)


@answers("calls the house's inner ports without a token", "each port asks for a token of its own", who="a power user")
@pytest.mark.parametrize(
    ("offset", "method", "path", "statuses"),
    [
        pytest.param(1, "GET", "/hub/api/users", {403}, id="the-hubs-api"),
        pytest.param(1, "POST", "/hub/api/users/pia/tokens", {403}, id="the-hubs-tokens"),
        pytest.param(2, "GET", "/api/routes", {403}, id="the-proxys-api"),
        pytest.param(2, "POST", "/api/routes/x", {403}, id="a-route-of-the-proxy"),
        pytest.param(3, "GET", "/services/api/orders", {401, 403}, id="the-api"),
        pytest.param(3, "POST", "/services/api/stripe/webhook", {400, 401, 403}, id="the-webhook"),
        pytest.param(5, "GET", "/services/stripe/v1/checkout/sessions/cs_1", {401}, id="the-stand-in-for-Stripe"),
    ],
)
def test_an_inner_port_answers_nobody_without_a_token(
    neighbours: Neighbours, offset: int, method: str, path: str, statuses: set[int]
) -> None:
    told = neighbours.cell(CONNECT.format(port=neighbours.house.port + offset, method=method, path=path))
    assert int(told) in statuses


TAKING = """
import socket, time
until, taken = time.monotonic() + 4, False
while time.monotonic() < until and not taken:
    with socket.socket() as taking:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            taking.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            taking.bind(('127.0.0.1', {port}))
            taken = True
        except OSError:
            pass
print(taken)
"""


@answers("takes the port of the api while that is down", "the port is held for the api's own user", who="a power user")
def test_nobody_takes_the_port_of_the_api_while_it_is_down(neighbours: Neighbours) -> None:
    Timer(1.0, neighbours.house.service("tng.api").kill).start()
    assert neighbours.cell(TAKING.format(port=neighbours.house.port + 3)) == "False"
    until = time.monotonic() + 30
    while httpx.get(f"{neighbours.house.url}/services/api/health").status_code >= 500:
        assert time.monotonic() < until


@answers("enters the server of another at its own port", "each server lets in its owner alone", who="a power user")
def test_the_server_of_another_asks_who_is_there(neighbours: Neighbours) -> None:
    server = neighbours.victims()["the server of another"]
    port = next(c.laddr.port for c in server.net_connections("tcp") if c.status == "LISTEN")
    for path in ("/", "/api/kernels", "/voila/files/x"):
        told = neighbours.cell(CONNECT.format(port=port, method="GET", path=server_path(ADA).rstrip("/") + path))
        assert int(told) in {302, 401, 403, 404}, path


@answers("changes the code of the house, its Python or its release", "they belong to root alone", who="a power user")
@pytest.mark.parametrize(
    "folder",
    [ROOT, ROOT / "hub", ROOT / "notebooks" / "pages", ROOT / "model" / "releases", ROOT / ".venv" / "bin"],
    ids=lambda path: path.name,
)
def test_nothing_of_the_house_can_be_written(neighbours: Neighbours, folder: Path) -> None:
    assert neighbours.cell(f"open({str(folder / 'mark')!r}, 'w')") == "PermissionError"
    file = next(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    assert neighbours.cell(f"open({str(file)!r}, 'r+b')") == "PermissionError"
    assert neighbours.cell(f"import os; os.rename({str(file)!r}, '/tmp/taken')") in ("PermissionError", "OSError")


@answers("gains rights by programs that lend them (su, sudo)", "no program may lend any", who="a power user")
def test_no_program_lends_rights(neighbours: Neighbours) -> None:
    assert "NoNewPrivs:\t1" in neighbours.cell("print(open('/proc/self/status').read())")
    assert neighbours.cell("import os; os.setuid(0)") == "PermissionError"


@answers("leaves the limits, or lets others end first", "the limits belong to root", who="a power user")
def test_the_limits_cannot_be_left(neighbours: Neighbours) -> None:
    assert (
        neighbours.cell("import os; os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-100')")
        == "PermissionError"
    )
    raising = "import resource as r; r.setrlimit(r.RLIMIT_NPROC, (10**5, 10**5))"
    assert neighbours.cell(raising) == "ValueError"
    assert neighbours.cell("import resource as r; print(r.getrlimit(r.RLIMIT_CORE))") == "(0, 0)"
    leaving = (
        "import glob, os\n"
        "tried = [p for p in glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True) if os.access(p, os.W_OK)]\n"
        "print(tried)"
    )
    assert neighbours.cell(leaving) == "[]"


TRAPS = """
import os, pathlib
os.rename('workbench', 'put-away')
os.symlink({victim!r}, 'workbench')
os.rename('.tmp', 'old-tmp')
os.symlink({victim!r}, '.tmp')
run = pathlib.Path(os.environ['JUPYTER_RUNTIME_DIR'])
(run / 'link').symlink_to({victim!r})
(run / 'deep').mkdir()
(run / 'deep' / 'file').symlink_to({victim!r} + '/precious')
for old in (run, pathlib.Path.home()):
    try:
        old.rename(old.with_name('taken'))
    except OSError as error:
        print(type(error).__name__, end=' ')
try:
    os.link({victim!r} + '/precious', 'second-name')
except OSError as error:
    print(type(error).__name__, end=' ')
"""


@answers("lays links where root will copy, give away or delete", "root does nothing in a home", who="a power user")
def test_links_in_the_own_folders_lead_root_nowhere(neighbours: Neighbours) -> None:
    with tempfile.TemporaryDirectory(prefix="tng-victim-") as folder:
        victim = Path(folder)
        (victim / "precious").write_text("kept")
        victim.chmod(0o755)
        told = neighbours.cell(TRAPS.format(victim=folder))
        assert told.split()[:2] == ["PermissionError", "PermissionError"]
        neighbours.stop()
        neighbours.start()
        assert [path.name for path in victim.iterdir()] == ["precious"]
        assert (victim / "precious").read_text() == "kept"
        assert {path.stat().st_uid for path in (victim, victim / "precious")} == {0}
        neighbours.cell("import os; os.remove('workbench'); os.rename('put-away', 'workbench'); os.remove('.tmp')")


TAMPERING = """
import pathlib, sys
code = "import sys; open('MARK', 'a').write(' '.join(sys.orig_argv) + chr(10))"
home = pathlib.Path.home()
site = home / '.local' / 'lib' / f'python{sys.version_info[0]}.{sys.version_info[1]}' / 'site-packages'
places = [home / name for name in ('sitecustomize.py', 'jupyterhub.py', 'hub.py', 'tornado.py', '.profile', '.bashrc')]
places += [site / name for name in ('sitecustomize.py', 'usercustomize.py', 'jupyterhub.py', 'hub.py')]
settings = ('jupyter_server_config.py', 'jupyter_config.py', 'jupyter_lab_config.py')
places += [home / '.jupyter' / name for name in settings]
places += [home / '.ipython' / 'profile_default' / 'startup' / '00.py', home / '.tmp' / 'sitecustomize.py']
for place in places:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(code)
(site / 'x.pth').write_text(code)
"""


@answers(
    "changes how the own server starts, by files in the home", "nothing in a home is read for it", who="a power user"
)
def test_no_file_of_the_home_changes_how_a_server_starts(neighbours: Neighbours) -> None:
    mark = neighbours.own_home(PIA) / "mark"
    assert neighbours.cell(TAMPERING.replace("MARK", str(mark))) == ""
    neighbours.stop()
    neighbours.start()
    ran = mark.read_text().splitlines() if mark.exists() else []
    assert ran, "the kernel reads the startup files of its own person: without that nothing is shown"
    assert not [line for line in ran if "ipykernel_launcher" not in line]
    assert httpx.get(f"{neighbours.house.url}{server_path(PIA)}lab").status_code == 302


@answers("takes all the memory", "a ceiling a server; the system ends what is over it", who="a power user")
def test_a_memory_hog_is_ended_and_the_house_goes_on(neighbours: Neighbours) -> None:
    hog = f"hoard = bytearray({4 * MEMORY_MB} * 2**20); print('had it')"
    run = f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {hog!r}]).returncode)"
    assert neighbours.cell(run) in ("-9", "1")
    assert neighbours.answers_in_time()
    assert neighbours.cell("print('alive')") == "alive"


@answers("a fork bomb", "the number of processes is bounded, and the processor shared fairly", who="a power user")
def test_a_fork_bomb_stays_in_its_bounds(neighbours: Neighbours) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {bomb!r}], start_new_session=True)"
    assert neighbours.cell(start) == ""
    most, until = 0, time.monotonic() + 6
    while time.monotonic() < until:
        most = max(most, sum(_threads(process) for process in neighbours.processes_of(PIA)))
        assert neighbours.answers_in_time()
    assert PROCESSES * 0.8 < most <= PROCESSES
    neighbours.stop()
    assert neighbours.answers_in_time()


def _sockets(neighbours: Neighbours, kind: str) -> list[str]:
    """Where Ada's processes listen."""
    found = [c for process in neighbours.processes_of(ADA) for c in process.net_connections(kind)]
    return [str(c.laddr) for c in found if c.laddr and (kind == "unix" or c.status == psutil.CONN_LISTEN)]


def _threads(process: psutil.Process) -> int:
    try:
        return process.num_threads()
    except psutil.Error:
        return 0


READINGS = ("/proc/{hub}/environ", "{home}/hub.sqlite", "{home}/shop/orders.sqlite", "{home}/keys/hub-cookie")


def test_control_in_a_house_of_one_user_the_same_is_read(tmp_path: Path) -> None:
    with opened(tmp_path / "var", TNG_ISOLATION="one", TNG_POWER_USERS=PIA) as house, visitor(house) as pia:
        assert any("not for strangers" in line for line in house.says)
        sign_in(pia, PIA)
        neighbours = Neighbours(house, pia)
        neighbours.start()
        hub = house.service("jupyterhub").pid
        for reading in READINGS:
            told = neighbours.cell(READ.format(reading.format(hub=hub, home=house.home)))
            assert int(told) > 0, reading
        assert neighbours.cell(f"import os; os.kill({hub}, 0)") == ""
        neighbours.notebook.close()
