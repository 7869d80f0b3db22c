"""Every notebook of the workbench runs from its first cell to its last, as a power user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.architecture.sources import ROOT, named
from tng.script import parse


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks" / "workbench").glob("*.ipynb")), ids=named)
def test_it_runs_to_its_last_cell_and_shows_a_script(notebook: Path, tmp_path: Path) -> None:
    executed = tmp_path / notebook.name
    command = [sys.executable, "-m", "papermill", str(notebook), str(executed), "-k", "python3", "--no-progress-bar"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    shown = [out for cell in nbformat.read(executed, as_version=4).cells for out in cell.get("outputs", [])]
    texts = [out.text for out in shown if out.output_type == "stream" and out.text.startswith("Title: ")]
    assert [parse(text).title for text in texts]
