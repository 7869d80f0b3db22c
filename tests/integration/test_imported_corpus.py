"""The whole way of an operator's own text: an archive, the import, the corpus by notebook, and who reads it there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.corpus.training_text import Corpus, open_corpus
from model.quality.texts import training_episodes
from tests.architecture.sources import ROOT
from tests.integration.test_run_notebooks import run
from tests.teleplays import MARKER, invented_script, studio_pages, zipped

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LENGTH = 256
LOADER = f"""
import json, sys
import numpy as np
from gpt_2_simple.src.load_dataset import Sampler, load_dataset
chunks = load_dataset(None, sys.argv[1], 50000)
sample = Sampler(chunks).sample({LENGTH})
told = {{"tokens": [len(chunk) for chunk in chunks], "dtype": str(sample.dtype), "sample": sample.tolist()}}
print("ANSWER " + json.dumps(told))
"""


@dataclass(frozen=True)
class Way:
    """What came of it: what the commands said, what the notebook displayed, and the corpus."""

    said: str
    shown: dict[str, Any]
    corpus: Corpus


def tng(*arguments: str, home: Path) -> str:
    """Run ``tng`` as an operator does; what it said."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TNG_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "tng", *arguments],
        cwd=home.parent, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Way:
    folder = tmp_path_factory.mktemp("way")
    members = {f"scripts/{number}.txt": studio_pages(invented_script(number), number).encode() for number in (103, 104)}
    (folder / "scripts.zip").write_bytes(zipped(members))
    home, made = folder / "home", folder / "corpus"
    said = tng("corpus", "import", str(folder / "scripts.zip"), home=home)
    said += tng("corpus", "list", home=home)
    parameters = {"preset_name": "tiny", "corpus_folder": made, "episodes_folder": home / "corpus" / "tng"}
    (facts,) = run("build_corpus", parameters, folder)
    return Way(said, facts["application/json"], open_corpus(made))


def test_the_notebook_shows_the_summary_and_nothing_of_the_text(way: Way) -> None:
    assert way.shown == way.corpus.summary
    assert way.shown["held_out"] == ["104"]
    assert MARKER not in way.said
    assert MARKER not in json.dumps(way.shown)
    assert "103     6 acts, 50 scenes, 400 speeches" in way.said


def test_gpt_2_simple_reads_and_samples_the_arrays(way: Way) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(way.corpus.training_file)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout.partition("ANSWER ")[2])
    with np.load(way.corpus.training_file) as arrays:
        (name,) = arrays.files
        episode = arrays[name].tolist()
    assert (told["tokens"], told["dtype"]) == ([len(episode)], "int32")
    assert any(episode[at : at + LENGTH] == told["sample"] for at in range(len(episode) - LENGTH))


def test_what_is_in_the_arrays_is_what_was_typed(way: Way) -> None:
    ((first, *_),) = training_episodes(way.corpus)
    assert MARKER in "".join(record.scene for record in training_episodes(way.corpus)[0])
    assert first.act == "TEASER"
