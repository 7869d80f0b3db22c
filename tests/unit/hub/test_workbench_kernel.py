"""JupyterLab offers the project's own kernel, and that alone; nothing in a home folder takes its place."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from hub.places import TEMPLATES

CONFIG = TEMPLATES / "jupyter_config"


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KernelSpecManager:
    """What a server with our settings finds, in the home of somebody who has kernels of their own."""
    for name in ("python3", "mine"):
        folder = tmp_path / ".local" / "share" / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps({"argv": ["theirs"], "display_name": name, "language": "x"}))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PATH", str(TEMPLATES / "jupyter"))
    monkeypatch.delenv("JUPYTER_DATA_DIR", raising=False)
    return KernelSpecManager(config=Config(json.loads((CONFIG / "jupyter_server_config.json").read_text())))


def test_one_kernel_is_offered_and_it_is_ours(specs: KernelSpecManager) -> None:
    (spec,) = specs.get_all_specs().values()
    assert spec["spec"]["display_name"] == "Script Generator"
    assert Path(spec["resource_dir"]).is_relative_to(TEMPLATES)
    assert (Path(spec["resource_dir"]) / "logo-svg.svg").is_file()


def test_without_the_settings_the_kernels_of_the_home_are_found(specs: KernelSpecManager) -> None:
    assert "mine" in KernelSpecManager().find_kernel_specs()


def test_it_runs_in_the_python_of_the_house(specs: KernelSpecManager) -> None:
    kernel = KernelManager(kernel_name="python3", kernel_spec_manager=specs, connection_file="/nowhere.json")
    assert kernel.format_kernel_cmd()[0] == sys.executable


def test_every_notebook_of_ours_asks_for_it() -> None:
    for path in (TEMPLATES.parents[1] / "notebooks" / "workbench").glob("*.ipynb"):
        assert json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"]["name"] == "python3"


def test_a_page_is_opened_as_a_page() -> None:
    overrides = json.loads((CONFIG / "labconfig" / "default_setting_overrides.json").read_text())
    assert overrides["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]["markdown"] == "Markdown Preview"
