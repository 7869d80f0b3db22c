"""Every notebook of the workbench runs from its first cell to its last, as a power user would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.architecture.sources import ROOT
from tng.releases import find_release, verify
from tng.script import parse

WORKBENCH = ROOT / "notebooks" / "workbench"
NO_GPU = "No GPU: everything here runs on the CPU"
NOBODY = "http://127.0.0.1:9/services/api"
"""The port of ``discard``: no shop is there."""


def run(name: str, home: Path, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run the notebook whose name begins so, in a home folder; the bundles that it displayed."""
    (notebook,) = WORKBENCH.glob(f"{name}_*.ipynb")
    executed = home / notebook.name
    given = [part for key, value in (parameters or {}).items() for part in ("-p", key, str(value))]
    papermill = [sys.executable, "-m", "hub.start", "papermill"]
    command = [*papermill, str(notebook), str(executed), *given, "--no-progress-bar"]
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "CUDA_VISIBLE_DEVICES": "",
        "JUPYTER_PATH": str(ROOT / "hub" / "templates" / "jupyter"), "TNG_API_URL": NOBODY,
    }  # fmt: skip
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [out for cell in nbformat.read(executed, as_version=4).cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "stream" and out.name == "stdout"]
    return [out.data for out in outputs if "data" in out]


def texts(shown: list[dict[str, Any]]) -> list[str]:
    return [bundle["text/plain"] for bundle in shown]


def pictures(shown: list[dict[str, Any]]) -> int:
    return sum("image/png" in bundle for bundle in shown)


def widgets(shown: list[dict[str, Any]]) -> int:
    return sum("application/vnd.jupyter.widget-view+json" in bundle for bundle in shown)


def test_the_corpus_is_explored(tmp_path: Path) -> None:
    shown = run("01", tmp_path)
    assert texts(shown)[0] == NO_GPU
    assert (pictures(shown), widgets(shown)) == (4, 1)


def test_one_release_is_compared_with_its_bolder_self(tmp_path: Path) -> None:
    shown = run("02", tmp_path)
    assert texts(shown)[0] == NO_GPU
    assert (pictures(shown), widgets(shown)) == (1, 1)
    assert "lines of a known type" in texts(shown)[-1]


def test_a_script_is_written_at_the_desk(tmp_path: Path) -> None:
    shown = run("03", tmp_path, {"title": "The Paper Sun", "seed": 4})
    assert texts(shown)[0] == NO_GPU
    assert widgets(shown) == 1
    (script,) = (parse(text) for text in texts(shown) if text.startswith("Title: "))
    assert script.title == "The Paper Sun"
    assert "seed: 4" in texts(shown)[-1]


def test_without_an_order_the_run_of_a_sample_is_read(tmp_path: Path) -> None:
    shown = run("05", tmp_path)
    assert texts(shown)[0] == NO_GPU
    assert "does not answer" in texts(shown)[1]
    assert "a sample, written just now" in texts(shown)[2]
    assert pictures(shown) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_release_of_ones_own_is_trained_and_can_be_compared_and_explored(tmp_path: Path) -> None:
    shown = run("04", tmp_path, {"steps": 30})
    assert texts(shown)[0] == NO_GPU
    assert re.fullmatch(r"TensorFlow [\d.]+ trains on the CPU", texts(shown)[1])
    assert "the loss fell from" in "\n".join(texts(shown))
    release = verify(find_release(tmp_path / "releases" / "mine-1"))
    assert release.meta["steps_done"] == 30
    compared = run("02", tmp_path, {"second_folder": "~/releases/mine-1"})
    assert "mine-1" in texts(compared)[1]
    explored = run("01", tmp_path, {"corpus_folder": "~/trainings/mine-1/corpus"})
    assert re.search(r"episodes +12$", texts(explored)[1], re.MULTILINE)
