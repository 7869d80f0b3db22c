"""MLflow's registry says what the ledger says, whatever anybody did to it, and how many say so at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from model.cli import main
from model.training import mlflow_store, registry
from model.training.mlflow_store import open_store, unheard
from model.training.registry import MODEL, MirrorReport, mirror, read_ledger
from tests.architecture.sources import ROOT
from tng.errors import ReleaseError

FIRST = {"id": "tng-small-2", "folder": "/releases/tng-small-2", "promoted_at": None, "reason": "", "metrics": {}}
SECOND = {
    "id": "tng-small-3", "folder": "/releases/tng-small-3", "promoted_at": "2026-11-26T03:00:00+00:00",
    "reason": "better on held-out episodes", "metrics": {"perplexity": 2.5, "not_measured": None},
}  # fmt: skip
LEDGER: dict[str, Any] = {
    "champion": "tng-small-3", "challenger": "tng-small-2", "releases": [FIRST, SECOND], "ledger_id": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with MLflow's tables and nothing else: to make them takes seconds."""
    path = tmp_path_factory.mktemp("begun") / "mlflow.sqlite"
    with unheard():
        open_store(path).search_registered_models()
    return path.read_bytes()


@pytest.fixture
def database(begun: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "retraining" / "mlflow.sqlite"
    path.parent.mkdir()
    path.write_bytes(begun)
    return path


@pytest.fixture
def client(database: Path) -> Iterator[Any]:
    """MLflow as an operator has it."""
    with unheard():
        yield open_store(database)


def mirrored(database: Path, **changes: Any) -> MirrorReport:
    return mirror(database, read_ledger(json.dumps({**LEDGER, **changes})))


def said(client: Any) -> dict[str, Any]:
    """Everything that the registry says, but for the time."""
    model = client.get_registered_model(MODEL)
    versions = {v.tags.get("release_id"): v for v in client.search_model_versions(f"name = '{MODEL}'")}
    by_version = {str(version.version): name for name, version in versions.items()}
    return {
        "releases": {name: (version.source, dict(version.tags)) for name, version in versions.items()},
        "aliases": {alias: by_version[str(version)] for alias, version in model.aliases.items()},
        "ledger": model.tags["ledger_id"],
    }


RIGHT = {
    "releases": {
        "tng-small-2": ("/releases/tng-small-2", {"release_id": "tng-small-2"}),
        "tng-small-3": (
            "/releases/tng-small-3",
            {
                "release_id": "tng-small-3", "promoted_at": "2026-11-26T03:00:00+00:00",
                "reason": "better on held-out episodes", "metric.perplexity": "2.5",
            },
        ),
    },
    "aliases": {"champion": "tng-small-3", "challenger": "tng-small-2"},
    "ledger": "7",
}  # fmt: skip


def test_the_registry_says_what_the_ledger_says(database: Path, client: Any) -> None:
    assert mirrored(database).made == 2
    assert said(client) == RIGHT


def test_again_it_changes_nothing(database: Path) -> None:
    mirrored(database)
    before = database.read_bytes()
    assert mirrored(database) == MirrorReport()
    assert database.read_bytes() == before


def test_the_next_row_of_the_ledger_moves_the_aliases(database: Path, client: Any) -> None:
    mirrored(database)
    assert mirrored(database, champion="tng-small-2", challenger=None, ledger_id=8).made == 0
    now = said(client)
    assert (now["aliases"], now["ledger"]) == ({"champion": "tng-small-2"}, "8")


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda c: c.set_registered_model_alias(MODEL, "champion", "1"), id="another-champion"),
        pytest.param(lambda c: c.delete_registered_model_alias(MODEL, "challenger"), id="no-challenger"),
        pytest.param(lambda c: c.delete_model_version(MODEL, "2"), id="a-version-deleted"),
        pytest.param(lambda c: c.create_model_version(MODEL, "/elsewhere"), id="a-version-of-ones-own"),
        pytest.param(
            lambda c: c.create_model_version(MODEL, "/elsewhere", tags={"release_id": "tng-small-3"}), id="a-double"
        ),
        pytest.param(lambda c: c.set_model_version_tag(MODEL, "2", "metric.perplexity", "1.0"), id="a-better-metric"),
        pytest.param(lambda c: c.set_model_version_tag(MODEL, "1", "metric.perplexity", "1.0"), id="a-metric-more"),
        pytest.param(lambda c: c.set_model_version_tag(MODEL, "2", "release_id", "tng-small-2"), id="another-release"),
        pytest.param(lambda c: c.set_registered_model_tag(MODEL, "ledger_id", "of mine"), id="another-number"),
        pytest.param(lambda c: c.delete_registered_model(MODEL), id="all-of-it"),
    ],
)
def test_what_was_changed_by_hand_is_put_right(database: Path, client: Any, tamper: Any) -> None:
    mirrored(database)
    tamper(client)
    mirrored(database)
    assert said(client) == RIGHT


def test_what_an_operator_added_beside_it_stays(database: Path, client: Any) -> None:
    mirrored(database)
    client.set_model_version_tag(MODEL, "2", "seen_by", "an operator")
    client.set_registered_model_alias(MODEL, "favourite", "1")
    mirrored(database)
    assert client.get_model_version_by_alias(MODEL, "favourite").tags["release_id"] == "tng-small-2"
    assert client.get_model_version(MODEL, "2").tags["seen_by"] == "an operator"


def test_an_older_state_that_was_overtaken_changes_nothing(database: Path, client: Any) -> None:
    mirrored(database)
    assert mirrored(database, champion="tng-small-2", challenger=None, ledger_id=6).was_overtaken
    assert said(client) == RIGHT


@pytest.mark.parametrize("at", [0, time.time() + 3600], ids=["long-ago", "in-the-future"])
def test_a_ledger_that_was_set_back_is_followed(database: Path, client: Any, at: float) -> None:
    mirrored(database)
    client.set_registered_model_tag(MODEL, "mirrored_at", str(at))
    mirrored(database, ledger_id=6)
    assert said(client)["ledger"] == "6"


def test_several_at_once_make_one_registry(database: Path, client: Any) -> None:
    command = [sys.executable, "-m", "model", "tracking", "mirror", "--database", str(database)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(json.dumps(LEDGER))
        process.stdin.close()
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert ["".join(process.stderr or ()) for process in running] == ["", "", ""], "and nothing is said"
    assert said(client) == RIGHT
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 2


def test_a_new_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    opening = "import sys; from pathlib import Path; from model.training.mlflow_store import open_store; "
    command = [sys.executable, "-c", opening + "open_store(Path(sys.argv[1]))", str(tmp_path / "new.sqlite")]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[1] for process in running] == [""] * 2
    assert [process.returncode for process in running] == [0] * 2


def test_without_the_lock_two_at_once_would_make_doubles(
    database: Path, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the one above: another mirror comes in where this one has looked and not yet made."""
    make, came_in = registry._Registry._make, []

    def overtaken(ours: registry._Registry, release: registry.MirroredRelease) -> str:
        if not came_in:
            came_in.append(release)
            mirrored(database)
        return make(ours, release)

    monkeypatch.setattr(registry, "alone", lambda _: nullcontext())
    monkeypatch.setattr(registry._Registry, "_make", overtaken)
    mirrored(database)
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no ledger"),
        ("[]", "is no ledger"),
        (json.dumps({**LEDGER, "releases": [{"id": "a"}]}), "is no ledger"),
        (json.dumps({**LEDGER, "champion": "tng-small-9"}), "look at tng-small-9"),
        (json.dumps({**LEDGER, "releases": [FIRST, FIRST, SECOND]}), "list every release once"),
    ],
    ids=["nothing", "a-list", "no-folder", "unknown-champion", "twice"],
)
def test_what_is_no_ledger_is_refused(text: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        read_ledger(text)


# --- the commands --------------------------------------------------------------------------------------------


def run(command: str, database: Path, said: str = json.dumps(LEDGER)) -> Result:
    return CliRunner().invoke(main, ["tracking", command, "--database", str(database)], input=said)


def test_the_commands_say_what_they_did(database: Path) -> None:
    assert run("mirror", database).output == "2 made, 2 mended, 0 removed; ledger 7.\n"
    older = json.dumps({**LEDGER, "ledger_id": 6})
    assert run("mirror", database, older).output == "A newer state of the ledger is mirrored already.\n"
    assert run("reap", database).output == "0 records ended as killed.\n"


@pytest.mark.parametrize("command", ["mirror", "reap"])
def test_a_locked_database_is_a_sentence_and_a_status(
    command: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_store, "_WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        result = run(command, database)
    assert (result.exit_code, result.output) == (1, "tng: mlflow.sqlite is locked by somebody else; try again\n")


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database is locked"),
        OperationalError("select 1", None, sqlite3.OperationalError("database is locked")),
        MlflowException("(sqlite3.OperationalError) database is locked"),
    ],
    ids=["sqlite", "sqlalchemy", "mlflow"],
)
def test_one_that_is_locked_in_the_middle_is_a_sentence_too(
    database: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def locked(*_: object) -> None:
        raise error

    monkeypatch.setattr("model.training.registry._Registry.take_over", locked)
    result = run("mirror", database)
    assert (result.exit_code, result.output) == (1, "tng: MLflow's database is locked by somebody else; try again\n")


def test_what_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "odd.sqlite").write_text("no database, and long enough to be seen as none" * 20, encoding="ascii")
    result = run("mirror", tmp_path / "odd.sqlite")
    assert (result.exit_code, result.output) == (1, "Error: MLflow's database cannot be used (DatabaseError)\n")


def test_what_is_no_ledger_is_a_sentence(database: Path) -> None:
    result = run("mirror", database, "{}")
    assert (result.exit_code, result.output.startswith("tng: what was given is no ledger")) == (1, True)
