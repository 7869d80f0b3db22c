"""``tng train`` as an operator runs it: a kernel, a notebook, Ctrl-C, and once more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from model.checkpoint import load_weights
from model.presets import preset
from tests.architecture.sources import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def corpus(folder: Path) -> Path:
    """A corpus of numbers for the tiny preset."""
    folder.mkdir()
    network, rng = preset("tiny").network, np.random.default_rng(1)
    for name in ("training", "held_out"):
        tokens = rng.integers(0, 50, 4 * network.n_ctx).astype(np.int32)
        tokens[::40] = network.n_vocab - 1
        np.savez(folder / f"{name}.npz", episode_0=tokens)
    summary = {"config": {"vocabulary_tokens": network.n_vocab}, "fingerprint": "of numbers"}
    (folder / "corpus.json").write_text(json.dumps(summary), encoding="ascii")
    (folder / "encoder.json").write_text('{"<|endoftext|>": 799}', encoding="ascii")
    (folder / "vocab.bpe").write_text("#version: 0.2\n", encoding="ascii")
    return folder


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tng",
        "train",
        "--preset",
        "tiny",
        "--corpus",
        str(home.parent / "corpus"),
        *words,
    ]
    environment = {**os.environ, "TNG_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_ctrl_c_keeps_what_was_learnt_and_resume_goes_on(tmp_path: Path) -> None:
    corpus(tmp_path / "corpus")
    home = tmp_path / "home"
    with started(home, "--steps", "5000") as training:
        assert training.stdout is not None
        assert "step 1/5000" in training.stdout.readline()
        training.send_signal(signal.SIGINT)
        output, errors = training.communicate(timeout=300)
    assert training.returncode == 130, errors
    checkpoint = home / "training" / "checkpoint"
    before = json.loads((checkpoint / "losses.json").read_text(encoding="ascii"))
    assert f"{len(before)} steps in {checkpoint}" in output
    assert load_weights(checkpoint)

    with started(home, "--steps", str(len(before) + 2), "--resume") as training:
        output, errors = training.communicate(timeout=300)
    assert training.returncode == 0, errors
    after = json.loads((checkpoint / "losses.json").read_text(encoding="ascii"))
    assert after[: len(before)] == before
    assert len(after) == len(before) + 2
    assert "100 %" in output

    events = b"".join(path.read_bytes() for path in checkpoint.glob("events.out.tfevents.*"))
    assert b"avg_loss" in events
    assert b"held_out_loss" in events
    assert (home / "training" / "mlflow.sqlite").is_file()
    (first, second) = sorted((home / "shop" / "runs").glob("train-*/notebook.ipynb"))
    pictures = [
        output
        for cell in nbformat.read(second, as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 1
    assert first.stat().st_size < 500_000


def test_what_the_writer_refuses_is_one_sentence_and_a_status(tmp_path: Path) -> None:
    with started(tmp_path / "home") as training:
        _, errors = training.communicate(timeout=300)
    assert training.returncode == 1
    assert "CorpusError: no corpus in corpus" in errors
    assert "Traceback" not in errors
