"""What a NotebookRunner promises: for both sides first, then what only the real one can break. Real kernels."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from tests.fakes import FakeRunner
from tests.processes import is_kernel
from tng.adapters.kernel import PREFIX
from tng.adapters.notebook_runner import PapermillRunner
from tng.errors import KernelDied, RunFailed, RunTimedOut, UnknownParameter
from tng.jobs import EventKind
from tng.ports import NotebookRunner

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ASKED = {"order_id": "ord_1", "premise_json": "{}", "release_folder": "nowhere"}
SCENE = (EventKind.SCENE, {"text": "# INT. BRIDGE"})
EVENTS = [(EventKind.PLAN, {"acts": ["ACT ONE"]}), (EventKind.PROGRESS, {"share": 0.5}), SCENE]


class Guard:
    """Keeps what it is told, and may do something to the kernel when it starts, or when it first speaks."""

    def __init__(self) -> None:
        self.events: list[tuple[EventKind, dict[str, Any]]] = []
        self.pid = 0
        self.alive_file = Path()
        self.spoke = threading.Event()

    def started(self, kernel_pid: int, alive_file: Path) -> None:
        self.pid, self.alive_file = kernel_pid, alive_file
        alive_file.touch()

    def say(self, kind: EventKind, body: dict[str, Any]) -> None:
        self.events.append((kind, body))
        self.spoke.set()


def papermill_runner(
    preload: Mapping[str, str] | None = None,
    *,
    cell_seconds: int = 60,
    lease_seconds: float = 30,
    notebooks: Path = NOTEBOOKS,
    alike: Mapping[str, str] | None = None,
) -> PapermillRunner:
    return PapermillRunner(
        notebooks,
        preload={name: partial(str, code) for name, code in (preload or {}).items()},
        spare=1,
        cell_seconds=cell_seconds,
        lease_seconds=lease_seconds,
        environment=os.environ,
        alike=alike,
    )


@pytest.fixture
def runner() -> Iterator[PapermillRunner]:
    runner = papermill_runner()
    yield runner
    runner.close()


@pytest.fixture
def guard() -> Guard:
    return Guard()


def asked(**premise: Any) -> dict[str, Any]:
    return ASKED | {"premise_json": json.dumps(premise)}


def cell_states(run_folder: Path) -> list[str]:
    record = nbformat.read(run_folder / "notebook.ipynb", as_version=4)
    return [cell.metadata.papermill.status for cell in record.cells if cell.cell_type == "code"]


# --- both sides -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["fake", "papermill"])
def either(request: pytest.FixtureRequest) -> Iterator[NotebookRunner]:
    result = {"script_text": "Title: The Quiet Hours", "release_id": "tiny"}
    either: NotebookRunner = FakeRunner(result, events=EVENTS) if request.param == "fake" else papermill_runner()
    yield either
    either.close()


def test_gives_the_result_the_events_in_order_and_the_record(
    either: NotebookRunner, guard: Guard, tmp_path: Path
) -> None:
    result = either.run("ok", ASKED, run_folder=tmp_path / "1.1", guard=guard)
    assert result["release_id"] == "tiny"
    assert result["script_text"].startswith("Title: The Quiet Hours")
    assert guard.events == EVENTS
    assert (tmp_path / "1.1" / "notebook.ipynb").is_file()


@pytest.mark.parametrize("side", ["fake", "papermill"])
def test_a_failure_of_the_notebook_is_a_run_error(side: str, guard: Guard, tmp_path: Path) -> None:
    failing: NotebookRunner = FakeRunner(error=RunFailed("no")) if side == "fake" else papermill_runner()
    try:
        with pytest.raises(RunFailed):
            failing.run("raises", asked(error="ValueError", text="x"), run_folder=tmp_path, guard=guard)
    finally:
        failing.close()
    assert (tmp_path / "notebook.ipynb").is_file()


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notebook", "parameters"),
    [
        pytest.param("ok", ASKED | {"price_cents": 1}, id="a-name-that-is-not-there"),
        pytest.param("no_parameters", {"order_id": "ord_1"}, id="a-notebook-that-takes-none"),
        pytest.param("ok", {"order_id": "ord_1", "premise_json": "{}"}, id="a-needed-one-left-out"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    runner: PapermillRunner, guard: Guard, tmp_path: Path, notebook: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(UnknownParameter) as caught:
        runner.run(notebook, parameters, run_folder=tmp_path, guard=guard)
    assert not caught.value.retryable
    assert guard.pid == 0, "a kernel was started"


def test_the_name_of_a_parameter_is_never_run_as_code(runner: PapermillRunner, guard: Guard, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    name = f"__import__('pathlib').Path({str(planted)!r}).touch(); order_id"
    with pytest.raises(UnknownParameter):
        runner.run("ok", ASKED | {name: "x"}, run_folder=tmp_path, guard=guard)
    assert not planted.exists()


@pytest.mark.parametrize("missing", ASKED)
def test_a_script_is_not_written_where_a_parameter_is_missing(missing: str, tmp_path: Path) -> None:
    runner = papermill_runner(notebooks=NOTEBOOKS.parents[1] / "notebooks" / "runs")
    given = {name: value for name, value in ASKED.items() if name != missing}
    try:
        with pytest.raises(UnknownParameter, match=f"write_script needs the parameter {missing}"):
            runner.run("write_script", given, run_folder=tmp_path / "run", guard=Guard())
    finally:
        runner.close()
    assert not (tmp_path / "run").exists(), "no kernel was asked"


def test_papermill_alone_would_run_the_name_of_a_parameter(tmp_path: Path) -> None:
    """The control of the test above."""
    from papermill.execute import execute_notebook

    planted = tmp_path / "planted"
    name = f"__import__('pathlib').Path({str(planted)!r}).touch(); order_id"
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    execute_notebook(str(NOTEBOOKS / "no_parameters.ipynb"), None, parameters={name: "x"}, progress_bar=False)
    assert planted.exists()


@pytest.mark.parametrize("value", ['"""; raise SystemExit', "a\nb\u2028c", "{order_id}", "%reset -f", "../../etc"])
def test_a_value_arrives_as_it_was_given(runner: PapermillRunner, guard: Guard, tmp_path: Path, value: str) -> None:
    result = runner.run("ok", ASKED | {"premise_json": value}, run_folder=tmp_path / "1.1", guard=guard)
    assert result["premise_json"] == value
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1.1", "notebook.ipynb"]


@pytest.mark.parametrize("name", ["missing", "../notebooks/ok", "ok.ipynb", ""])
def test_only_notebooks_of_the_folder_are_run(runner: PapermillRunner, guard: Guard, tmp_path: Path, name: str) -> None:
    with pytest.raises(RunFailed) as caught:
        runner.run(name, ASKED, run_folder=tmp_path, guard=guard)
    assert not caught.value.retryable


# --- what a kernel gets ---------------------------------------------------------------------------------------------


def test_a_kernel_sees_no_secret_of_the_worker(monkeypatch: pytest.MonkeyPatch, guard: Guard, tmp_path: Path) -> None:
    secrets = ["STRIPE_SECRET_KEY", "TNG_DATABASE_URL", "JUPYTERHUB_API_TOKEN", "GOOGLE_CLIENT_SECRET", "TF_TOKEN_host"]
    for name in secrets:
        monkeypatch.setenv(name, "not for kernels")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # the control: what is passed on does arrive
    runner = papermill_runner()
    try:
        seen = runner.run("ok", ASKED, run_folder=tmp_path, guard=guard)["environment"]
    finally:
        runner.close()
    assert not [name for name, value in seen.items() if name in secrets or value == "not for kernels"]
    assert seen["OMP_NUM_THREADS"] == "2"


def test_every_run_has_a_kernel_and_a_folder_of_its_own_and_nothing_is_left(
    runner: PapermillRunner, tmp_path: Path
) -> None:
    guards = [Guard(), Guard()]
    folders = [
        Path(runner.run("ok", ASKED, run_folder=tmp_path / str(number), guard=guard)["folder"])
        for number, guard in enumerate(guards)
    ]
    assert len({guard.pid for guard in guards}) == 2
    assert not [folder for folder in folders if folder.exists()]
    assert not [guard for guard in guards if psutil.pid_exists(guard.pid)]


def test_nobody_else_on_the_machine_can_speak_to_a_kernel(runner: PapermillRunner, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    class Looking(Guard):
        def say(self, kind: EventKind, body: dict[str, Any]) -> None:
            folder = self.alive_file.parent
            transport = json.loads((folder / "kernel.json").read_text())["transport"]
            sockets = [path for path in folder.iterdir() if path.is_socket()]
            seen.append((transport, len(sockets), folder.stat().st_mode & 0o777))

    runner.run("ok", ASKED, run_folder=tmp_path, guard=Looking())
    assert set(seen) == {("ipc", 5, 0o700)}


# --- how a run can end ----------------------------------------------------------------------------------------------


def test_an_error_of_ours_keeps_its_sentence_and_is_not_repeated(
    runner: PapermillRunner, guard: Guard, tmp_path: Path
) -> None:
    damaged = asked(error="ReleaseDamaged", text="release tiny is damaged: vocab.bpe is missing")
    with pytest.raises(RunFailed, match=r"cell 4 raised ReleaseDamaged: .* vocab.bpe is missing") as caught:
        runner.run("raises", damaged, run_folder=tmp_path, guard=guard)
    assert (caught.value.cause, caught.value.retryable) == ("ReleaseDamaged", False)


def test_the_text_of_any_other_error_stays_in_the_record(
    runner: PapermillRunner, guard: Guard, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RunFailed) as caught:
        runner.run("raises", asked(error="ValueError", text="Picard's secret"), run_folder=tmp_path, guard=guard)
    assert (caught.value.cause, caught.value.retryable) == ("ValueError", True)
    assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text
    assert "secret" in (tmp_path / "notebook.ipynb").read_text()


def test_an_early_exit_is_no_success(runner: PapermillRunner, guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="without displaying a result"):
        runner.run("exits", ASKED, run_folder=tmp_path, guard=guard)


def test_a_kernel_that_dies_is_recorded_as_failed(runner: PapermillRunner, guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(KernelDied):
        runner.run("dies", ASKED, run_folder=tmp_path, guard=guard)
    assert cell_states(tmp_path) == ["completed", "completed", "failed"]


def test_a_cell_that_takes_too_long_is_recorded_as_failed(guard: Guard, tmp_path: Path) -> None:
    runner = papermill_runner(cell_seconds=1)
    try:
        with pytest.raises(RunTimedOut):
            runner.run("sleeps", asked(steps=100, seconds=0.1), run_folder=tmp_path, guard=guard)
    finally:
        runner.close()
    assert cell_states(tmp_path)[-2:] == ["failed", "pending"]
    assert not psutil.pid_exists(guard.pid)


def test_killing_the_pid_that_the_guard_was_told_ends_the_run(runner: PapermillRunner, tmp_path: Path) -> None:
    class Killing(Guard):
        def say(self, kind: EventKind, body: dict[str, Any]) -> None:
            os.kill(self.pid, signal.SIGKILL)

    with pytest.raises(KernelDied):
        runner.run("sleeps", asked(steps=600, seconds=0.1), run_folder=tmp_path, guard=Killing())


def test_a_kernel_whose_file_is_not_touched_ends_itself(guard: Guard, tmp_path: Path) -> None:
    runner = papermill_runner(lease_seconds=1)
    try:
        with pytest.raises(KernelDied):
            runner.run("sleeps", asked(steps=600, seconds=0.1), run_folder=tmp_path, guard=guard)
    finally:
        runner.close()
    assert len(guard.events) < 40


def test_a_kernel_whose_file_is_touched_goes_on(tmp_path: Path) -> None:
    """The control of the test above: the same lease, and a run three times as long."""

    class Touching(Guard):
        def say(self, kind: EventKind, body: dict[str, Any]) -> None:
            os.utime(self.alive_file)

    runner = papermill_runner(lease_seconds=1)
    try:
        result = runner.run("sleeps", asked(steps=30, seconds=0.1), run_folder=tmp_path, guard=Touching())
    finally:
        runner.close()
    assert result["release_id"] == "tiny"


def test_many_prints_are_one_output_in_the_record(runner: PapermillRunner, guard: Guard, tmp_path: Path) -> None:
    runner.run("ok", ASKED, run_folder=tmp_path, guard=guard)
    record = nbformat.read(tmp_path / "notebook.ipynb", as_version=4)
    streams = [out.text for cell in record.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
    assert streams == ["line\nline\n"]


def test_what_a_kernel_said_before_it_could_start_lies_beside_the_record(
    monkeypatch: pytest.MonkeyPatch, guard: Guard, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ipykernel_launcher.py").write_text("raise SystemExit('no ipykernel here')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    runner = papermill_runner()
    try:
        with pytest.raises(KernelDied, match="before the first cell"):
            runner.run("ok", ASKED, run_folder=tmp_path / "1.1", guard=guard)
    finally:
        runner.close()
    assert "no ipykernel here" in (tmp_path / "1.1" / "kernel.log").read_text()


# --- spare kernels --------------------------------------------------------------------------------------------------


def test_a_spare_kernel_has_run_the_preload_and_serves_once(tmp_path: Path) -> None:
    preload = {"ok": "import os; os.environ['WARMED'] = '1'"}
    runner = papermill_runner(preload)
    try:
        guards = [Guard(), Guard()]
        seen = [
            runner.run("ok", ASKED, run_folder=tmp_path / str(number), guard=guard)["environment"].get("WARMED")
            for number, guard in enumerate(guards)
        ]
    finally:
        runner.close()
    assert seen == ["1", "1"]
    assert guards[0].pid != guards[1].pid


def test_a_notebook_that_needs_the_same_takes_the_spare_kernels_of_another(tmp_path: Path) -> None:
    runner = papermill_runner({"another": "import os; os.environ['WARMED'] = '1'"}, alike={"ok": "another"})
    try:
        result = runner.run("ok", ASKED, run_folder=tmp_path / "run", guard=Guard())
    finally:
        runner.close()
    assert result["environment"].get("WARMED") == "1"


def test_a_preload_that_raises_is_logged_and_the_run_itself_reports(
    guard: Guard, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runner = papermill_runner({"raises": "raise ValueError('Picard')"})
    try:
        with pytest.raises(RunFailed, match="ReleaseDamaged"):
            runner.run("raises", asked(error="ReleaseDamaged", text="x"), run_folder=tmp_path, guard=guard)
    finally:
        runner.close()
    assert "should load beforehand raised ValueError" in caplog.text
    assert "Picard" not in caplog.text


def test_closing_leaves_no_kernel_and_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runner = papermill_runner({"ok": "pass"})
    assert list(tmp_path.glob(f"{PREFIX}*"))
    runner.close()
    assert not list(tmp_path.glob(f"{PREFIX}*"))
    assert not [child for child in psutil.Process().children() if is_kernel(child)]


def test_the_folders_of_a_killed_worker_are_removed_and_those_of_a_living_one_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / "lock").touch()
    living = papermill_runner()
    other = papermill_runner()
    other.close()
    assert not left.exists()
    assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 1
    living.close()
