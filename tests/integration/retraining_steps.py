"""Stand-ins for the four notebooks of a retraining: quick, and they wait where a test wants them to.

``write_notebooks`` leaves them in a folder, with the parameters of the real ones; each calls ``run`` in its kernel. A
step is held for as long as ``<step>.hold`` is in the folder of controls; ``<step>.log`` has a line for each attempt.

Every kernel imports this module, so that it imports little: nbformat alone would take it seconds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from IPython.display import display

from model.events import EVENT_MIME, RESULT_MIME
from tests.releases import a_release

SAVE_EVERY, STEPS = 10, 60


def write_notebooks(folder: Path, controls: Path) -> Path:
    """The four, in ``folder``."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from tests.architecture.sources import ROOT

    folder.mkdir()
    controls.mkdir()
    for name in ("build_corpus", "finetune", "evaluate", "decide"):
        real = nbformat.read(ROOT / "notebooks" / "runs" / f"{name}.ipynb", as_version=4)
        parameters = next(cell for cell in real.cells if "parameters" in cell.metadata.get("tags", []))
        names = ", ".join(f"{line.split(':')[0]}={line.split(':')[0]}" for line in parameters.source.splitlines())
        call = f"from tests.integration.retraining_steps import run\nrun({name!r}, {str(controls)!r}, dict({names}))"
        notebook = new_notebook(cells=[parameters, new_code_cell(call)], metadata=real.metadata)
        (folder / f"{name}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    return folder


def run(step: str, controls: str, given: Mapping[str, Any]) -> None:
    """Do a step, in its kernel."""
    told = Path(controls)
    with (told / f"{step}.log").open("a", encoding="utf-8") as log:
        log.write(f"{os.getpid()}\n")
    display({EVENT_MIME: {"kind": "progress", "percent": 0}, "text/plain": "0 %"}, raw=True)
    if (told / f"{step}.fail").exists():
        raise ValueError("it is to fail")
    if step == "finetune":
        result = _train(told, Path(given["checkpoint_folder"]))
    else:
        _wait(told / f"{step}.hold")
        result = {"build_corpus": _build, "evaluate": _evaluate, "decide": _decide}[step](given)
    display({RESULT_MIME: result, "text/plain": step}, raw=True)


def _build(given: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(given["corpus_folder"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus").write_text("corpus", encoding="utf-8")
    return {"fingerprint": "of-a-stand-in", "episodes": 3}


def _train(told: Path, folder: Path) -> dict[str, Any]:
    """Count to the number of steps, and save now and then; one that is held counts no further."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    done = int(state.read_text("ascii")) if state.exists() else 0
    try:
        while done < STEPS:
            done += 1
            time.sleep(0.01)
            if done % SAVE_EVERY == 0:
                _save(state, done)
            if done == STEPS // 2 + 3:
                (told / "finetune.half").touch()
                _wait(told / "finetune.hold")
    except KeyboardInterrupt:
        _save(state, done)
    else:
        _save(state, done)
    return {"steps": done, "of_steps": STEPS, "seconds": 1.0, "is_finished": done == STEPS}


def _save(state: Path, done: int) -> None:
    partial = state.with_suffix(".partial")
    partial.write_text(str(done), encoding="ascii")
    partial.replace(state)


def _evaluate(given: Mapping[str, Any]) -> dict[str, Any]:
    release = a_release(Path(given["release_folder"]).parent, Path(given["release_folder"]).name)
    report = Path(given["report_folder"])
    report.mkdir(parents=True, exist_ok=True)
    file = report / "evaluation.json"
    told = {"candidate": release.id, "champion": Path(given["champion_folder"]).name}
    file.write_text(json.dumps(told), encoding="utf-8")
    return {"release_id": release.id, "release_folder": str(release.folder), "evaluation_file": str(file)}


def _decide(given: Mapping[str, Any]) -> dict[str, Any]:
    evaluation = json.loads(Path(given["evaluation_file"]).read_text("utf-8"))
    checks = [{"name": "perplexity", "value": 3.1, "champion_value": 3.5, "limit": 3.4, "passed": True, "sentence": ""}]
    return evaluation | {"promote": True, "reasons": [], "checks": checks, "metrics": {}, "samples": [], "canary": {}}


def _wait(hold: Path) -> None:
    while hold.exists():
        time.sleep(0.02)
