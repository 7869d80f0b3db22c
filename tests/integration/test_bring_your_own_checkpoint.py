"""A checkpoint from elsewhere, by the command an operator types: a base, and a release that is ready to write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.build_release import RELEASES_FOLDER
from model.checkpoint import HParams
from model.writing import warm
from tests.checkpoint_server import serving
from tests.checkpoints import make_checkpoint
from tng.releases import find_release, verify

ROOT = Path(__file__).resolve().parents[2]


def tng(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as it is typed."""
    environment = {**os.environ, "TNG_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "tng", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    shape = HParams(n_vocab=300, n_ctx=512, n_embd=32, n_head=2, n_layer=2)
    return make_checkpoint(tmp_path / "run1", shape)


def test_a_checkpoint_becomes_a_base_and_a_release_that_writes(source: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    like = sorted(RELEASES_FOLDER.glob("*/"))[-1]
    answer = tng(home, "model", "import", str(source), "--release", "mine-1", "--like", str(like))
    assert answer.returncode == 0, answer.stderr
    assert "2 layers x 32" in answer.stdout
    assert "run1" in tng(home, "model", "list").stdout
    assert "mine-1" in tng(home, "release", "list").stdout
    assert "is not known here" in tng(home, "release", "show", "mine-1").stdout
    assert "mine-1 is whole" in tng(home, "release", "verify", "mine-1").stdout
    release = verify(find_release(home / "releases" / "mine-1"))
    writer = warm(release.folder)
    logits = writer.network.feed(writer.tokenizer.encode("PICARD: The signal"))
    assert logits.shape == (300,)
    assert np.isfinite(logits).all()


def test_a_refused_checkpoint_is_one_sentence_and_status_1(source: Path, tmp_path: Path) -> None:
    (source / "vocab.bpe").unlink()
    answer = tng(tmp_path / "home", "model", "import", str(source))
    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].startswith("tng: run1 lacks vocab.bpe")
    assert "Traceback" not in answer.stderr


def test_a_download_that_cannot_be_says_so_and_status_1(tmp_path: Path) -> None:
    with serving(tmp_path) as empty:
        answer = tng(tmp_path / "home", "model", "download", "124M", "--from", empty.url)
    assert answer.returncode == 1
    assert "answered 404" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_damaged_release_is_listed_as_damaged_and_hides_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "releases" / "spoilt-1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}", encoding="ascii")
    answer = tng(tmp_path / "home", "release", "list")
    assert answer.returncode == 0
    assert "damaged: meta.json cannot be read" in answer.stdout
    assert "tng-small" in answer.stdout
