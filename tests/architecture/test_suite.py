"""How the tests run: in several workers at once, each of which takes whole files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.conftest import SLOW_FILES
from tests.open_house import free_block
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
