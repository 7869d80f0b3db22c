"""Importing does nothing, and the core is plain."""

from __future__ import annotations

import ast
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, dotted, imported, modules, named, tree

PLAIN = (
    "script",
    "orders",
    "payments",
    "jobs",
    "releases",
    "provenance",
    "gpus.rules",
    "faults",
    "overview",
    "promotion.promotions",
    "training.schedules",
    "training.retrainings",
    "house_ports",
    "customer_ports",
    "ports",
    "library.shelf",
    "library.editions",
    "errors",
)
STANDARD = sys.stdlib_module_names
ALLOWED_AT_MODULE_LEVEL = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)


def _does_something(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return False  # a docstring, or the docstring of a constant
    if isinstance(node, ast.If):  # `if TYPE_CHECKING:` and `if __name__ == "__main__":`
        return not any(word in ast.unparse(node.test) for word in ("TYPE_CHECKING", "__name__"))
    return not isinstance(node, ALLOWED_AT_MODULE_LEVEL)


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_module_body_holds_definitions_only(path: Path) -> None:
    busy = [f"line {node.lineno}: {ast.unparse(node)[:60]}" for node in tree(path).body if _does_something(node)]
    assert not busy


@pytest.mark.parametrize("server", ["hub.voila_server", "hub.lab_server"])
def test_a_persons_server_starts_without_the_settings(server: str) -> None:
    """Somebody waits for it: what it is told is in its environment, and pydantic costs a quarter of a second."""
    code = f"import sys, {server}; sys.exit('tng.settings' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_importing_every_module_writes_nothing_and_logs_nothing(tmp_path: Path) -> None:
    # migration scripts are run by Alembic, never imported by name
    names = [
        dotted(p) for p in modules() if p.name != "__main__.py" and "versions" not in p.parts and p.name != "env.py"
    ]
    code = (
        "import importlib, logging, os, sys\n"
        "before = set(os.environ)\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "assert not logging.getLogger().handlers, 'logging was configured'\n"
        "assert set(os.environ) <= before | {'KMP_INIT_AT_FORK', 'KMP_DUPLICATE_LIB_OK'}, set(os.environ) - before\n"
        "heavy = {'tensorflow', 'gpt_2_simple'} & set(sys.modules)\n"
        "assert not heavy, f'{heavy} was imported'\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == ""
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


READS_CRON = {"training.schedules": {"cronsim"}}
"""When clocks change is a matter for a library: it computes, and does nothing else."""


def source_of(name: str) -> Path:
    """The file of a module of the product."""
    return ROOT.joinpath("tng", *name.split(".")).with_suffix(".py")


@pytest.mark.parametrize("name", PLAIN)
def test_the_language_uses_the_standard_library_only(name: str) -> None:
    module = tree(source_of(name))
    foreign = {i for i in imported(module) if i.split(".")[0] not in STANDARD and not i.startswith("tng.")}
    reached = {i for i in imported(module) if i.startswith("tng.")}
    assert foreign <= READS_CRON.get(name, set())
    assert {i for i in reached if not any(i == f"tng.{p}" or i.startswith(f"tng.{p}.") for p in PLAIN)} == set()


@pytest.mark.parametrize("name", [n for n in PLAIN if n != "releases"])
def test_the_language_takes_time_and_ids_as_arguments(name: str) -> None:
    called = {ast.unparse(n.func) for n in ast.walk(tree(source_of(name))) if isinstance(n, ast.Call)}
    assert not {c for c in called if c.endswith((".now", "uuid4", "token_hex", "time.time")) or c == "open"}


def test_protocols_stand_in_the_ports_alone_and_at_the_desk_of_a_worker() -> None:
    """The seams to the outside are ports; a desk is where a worker and a use case meet, both of them ours."""
    places = {named(p) for p in modules() if named(p).startswith("tng/") and "typing.Protocol" in imported(tree(p))}
    assert places == {"tng/ports.py", "tng/house_ports.py", "tng/customer_ports.py", "tng/desk.py"}


@pytest.mark.parametrize("called", ["create_engine", "StripeClient", "KernelPool"])
def test_one_module_builds_each_thing_that_reaches_outside(called: str) -> None:
    places = {
        named(path)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] == called
        and named(path).startswith("tng/")
    }
    assert len(places) <= 1


def test_the_packages_are_those_of_this_repository() -> None:
    import hub
    import model
    import tng

    for package in (hub, model, tng):
        assert Path(str(package.__file__)).is_relative_to(ROOT)


def test_no_logger_is_configured_outside_the_edges() -> None:
    edges = {"tng/log.py", "tng/cli.py"}
    wrong = [
        named(path)
        for path in modules()
        if named(path) not in edges and path.name != "__main__.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logging.basicConfig", "logging.config.dictConfig")
    ]
    assert not wrong
    assert logging.getLogger("tng").handlers == []
