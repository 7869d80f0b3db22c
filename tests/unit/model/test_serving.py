"""One slot behind the small interface, from a folder, with an export that is derived, kept, and derived again."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import load_weights, read_hparams
from model.engine.export import EXPORT_FILE, export, export_for
from model.engine.form import Kind
from model.serving import Gpt2, load_network, open_engine
from tests.architecture.sources import ROOT
from tests.checkpoints import make_checkpoint
from tests.unit.model.engine.reference import reference_logits
from tng.errors import ReleaseDamaged

IDS = [5, 17, 99, 3, 3, 64, 0, 119]


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TNG_HOME", str(tmp_path / "home"))
    return make_checkpoint(tmp_path / "checkpoint")


def test_it_scores_as_the_checkpoint_does(checkpoint: Path) -> None:
    expected = reference_logits(read_hparams(checkpoint), load_weights(checkpoint), IDS)
    np.testing.assert_allclose(load_network(checkpoint, Kind.FLOAT32).score(IDS), expected, atol=1e-4)
    np.testing.assert_allclose(load_network(checkpoint).score(IDS), expected, atol=0.05)


def test_it_takes_tokens_and_goes_back(checkpoint: Path) -> None:
    network = load_network(checkpoint)
    whole = network.score(IDS)
    assert network.position == len(IDS)
    network.rewind(3)
    np.testing.assert_allclose(network.feed(IDS[3:]), whole[-1], atol=1e-4)
    assert network.window == 64


def test_two_slots_are_two_texts(checkpoint: Path) -> None:
    engine = open_engine(checkpoint, slots=2)
    first, second = Gpt2(engine, 0), Gpt2(engine, 1)
    first.feed(IDS)
    second.feed([1])
    assert (first.position, second.position) == (8, 1)
    np.testing.assert_allclose(first.feed([2]), load_network(checkpoint).score([*IDS, 2])[-1], atol=1e-4)


@pytest.mark.parametrize("inside", [False, True], ids=["kept", "in-the-release"])
def test_an_export_that_cannot_be_loaded_is_derived_anew(
    checkpoint: Path, caplog: pytest.LogCaptureFixture, inside: bool
) -> None:
    path = export(checkpoint, checkpoint) if inside else export_for(checkpoint)
    whole = load_network(checkpoint).score(IDS)
    content = path.read_bytes()
    spoilt = content.replace(b"GroupQueryAttention", b"GroupQueryAttentiom")
    path.write_bytes(spoilt)
    with caplog.at_level(logging.WARNING):
        assert (load_network(checkpoint).score(IDS) == whole).all()
    assert f"export {EXPORT_FILE} cannot be loaded" in caplog.text
    assert (path.read_bytes() == spoilt) == inside, "a release is never written to"


def test_a_damaged_checkpoint_is_refused(checkpoint: Path) -> None:
    weights = next(checkpoint.glob("*.data-*"))
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ReleaseDamaged, match="cut short"):
        load_network(checkpoint)


def test_no_tensorflow_is_loaded_to_serve(checkpoint: Path) -> None:
    load_network(checkpoint)
    program = (
        "import sys, pathlib; from model.serving import load_network; from model import writing;"
        "load_network(pathlib.Path(sys.argv[1])).feed([1]);"
        "print(sorted({'tensorflow', 'keras', 'torch', 'gpt_2_simple', 'onnx'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(checkpoint)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
