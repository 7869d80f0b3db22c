"""How the tests run: in several workers at once, each of which takes whole files."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.architecture.sources import ROOT
from tests.conftest import SLOW_FILES
from tests.open_house import free_block
from tests.processes import above, below, environment_of, is_kernel, words_of
from tests.shared import folder_of_the_run, made_once

WORKERS = 3


@pytest.fixture
def as_worker(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Be a worker, whoever runs this."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(WORKERS))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    return monkeypatch


class Factory:
    """What of pytest's factory is asked."""

    def __init__(self, base: Path) -> None:
        self.getbasetemp = lambda: base


def factory_of(worker: Path) -> pytest.TempPathFactory:
    worker.mkdir(exist_ok=True)
    return Factory(worker)  # type: ignore[return-value]


def test_the_slow_files_that_are_taken_first_are_there_and_named_once() -> None:
    named = SLOW_FILES.read_text("ascii").split()
    assert len(named) == len(set(named))
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_a_process_that_ends_while_a_test_looks_on_is_no_failure() -> None:
    with subprocess.Popen(["sleep", "0"]) as sleep:
        zombie = psutil.Process(sleep.pid)
        while zombie.status() != psutil.STATUS_ZOMBIE:
            pass
        with pytest.raises(psutil.NoSuchProcess):
            zombie.cmdline()
        assert words_of(zombie) == []
        assert not is_kernel(zombie)
    for asked in (words_of, environment_of, below, above):
        assert not asked(zombie)


def test_other_processes_are_asked_by_those_who_know_that_they_end() -> None:
    asking = re.compile(r"\.(?:cmdline|environ|parents)\(\)|\.children\(recursive")
    own = {"tests/processes.py", "tests/open_house.py", "tests/architecture/test_suite.py"}
    sources = [path for path in (ROOT / "tests").rglob("*.py") if str(path.relative_to(ROOT)) not in own]
    killer = "tests/unit/tng/test_surroundings.py"  # in the text of a program
    assert [str(path.relative_to(ROOT)) for path in sources if asking.search(path.read_text("utf-8"))] == [killer]


def test_what_is_made_once_is_made_by_the_first_who_asks_and_whole_for_all(
    as_worker: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def make(folder: Path) -> None:
        with (tmp_path / "log").open("a") as log:
            log.write("made\n")
        for number in range(100):
            (folder / str(number)).touch()

    def ask(number: int) -> int:
        return len(list(made_once(factory_of(tmp_path / f"gw{number}"), "it", make).iterdir()))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {100}
    assert (tmp_path / "log").read_text() == "made\n"


def test_what_could_not_be_made_is_tried_again(as_worker: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError

    factory = factory_of(tmp_path / "gw0")
    with pytest.raises(OSError):
        made_once(factory, "it", fail)
    again = made_once(factory, "it", lambda folder: (folder / "all").touch())
    assert [path.name for path in again.iterdir()] == ["all"]


def test_one_who_runs_alone_shares_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert folder_of_the_run(factory_of(tmp_path / "own")) == tmp_path / "own"


def test_no_two_workers_look_for_the_same_ports(as_worker: pytest.MonkeyPatch) -> None:
    found: list[set[int]] = []
    for number in range(WORKERS):
        as_worker.setenv("PYTEST_XDIST_WORKER", f"gw{number}")
        found.append({free_block() for _ in range(30)})
    assert not any(found[one] & found[other] for one in range(WORKERS) for other in range(one))
