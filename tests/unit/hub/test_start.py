"""A module is started whole, but for the import that costs most."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT


def _started(folder: Path, program: str, *starter: str) -> str:
    (folder / "program.py").write_text(program, encoding="utf-8")
    command = [sys.executable, *starter, "program", "--loud", "yes"]
    environment = {"PYTHONPATH": f"{ROOT}:{folder}"}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_module_runs_as_the_program_with_its_own_arguments(tmp_path: Path) -> None:
    program = "import sys\nprint(__name__, sys.argv[1:])\n"
    assert _started(tmp_path, program, "-m", "hub.start") == _started(tmp_path, program, "-m")


def test_the_slow_import_is_left_out_and_jsonschema_does_without(tmp_path: Path) -> None:
    program = "import sys, jsonschema\nprint(sys.modules.get('rfc3987_syntax') is None)\n"
    assert _started(tmp_path, program, "-m", "hub.start") == "True"
    assert _started(tmp_path, program, "-m") == "False", "the control: it would be loaded"
