"""Our reading, computing and encoding equal gpt-2-simple's own, on one random checkpoint."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.arrays import NumpyArrays
from model.checkpoint import HParams, load_weights, read_hparams
from model.corpus.assembler import Assembler
from model.corpus.scenebank import read_bank
from model.corpus.training_text import records
from model.serving import Gpt2, load_network
from model.tokenizer import Tokenizer, train_tokenizer
from model.train import BANK_FOLDER
from tests.architecture.sources import ROOT
from tng.errors import ReleaseDamaged

pytestmark = pytest.mark.slow

SHAPE = {"n_vocab": 700, "n_ctx": 96, "n_embd": 48, "n_head": 3, "n_layer": 3}
STRANGE = [
    "",
    " ",
    "\n\n",
    "naïve — “quoted” 🖖",
    "don't WE'LL it'S 'twas",
    "a  b   c\td",
    "1234567 x9",
    "<|endoftext|>",
]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    assembler = Assembler(read_bank(BANK_FOLDER), seed=1)
    return [record.text for number in range(3) for record in records(assembler.episode(number), assembler, seed=1)]


@pytest.fixture(scope="module")
def lab(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    train_tokenizer(texts, SHAPE["n_vocab"], folder / "models" / "lab")
    ids = np.random.default_rng(2).integers(0, SHAPE["n_vocab"], 90).tolist()
    question = {"shape": SHAPE, "ids": ids, "texts": [*texts, *STRANGE]}
    (folder / "question.json").write_text(json.dumps(question), encoding="utf-8")
    command = [sys.executable, "-m", "tests.integration.writer_lab", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def answers(lab: Path) -> dict[str, Any]:
    with np.load(lab / "answers.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="module")
def ids(lab: Path) -> list[int]:
    return list(json.loads((lab / "question.json").read_text(encoding="utf-8"))["ids"])


def test_logits_equal_those_of_gpt_2_simple(lab: Path, answers: dict[str, Any], ids: list[int]) -> None:
    ours = load_network(lab / "models" / "lab", NumpyArrays()).score(ids)
    assert ours.std() > 0.5, "a network that says nothing would prove nothing"
    np.testing.assert_allclose(ours, answers["logits"], atol=1e-3)


def test_logits_token_by_token_equal_those_of_gpt_2_simple(lab: Path, answers: dict[str, Any], ids: list[int]) -> None:
    network = load_network(lab / "models" / "lab", NumpyArrays())
    ours = np.stack([network.feed([token]) for token in ids])
    np.testing.assert_allclose(ours, answers["logits"], atol=1e-3)


def test_other_weights_give_other_logits(lab: Path, answers: dict[str, Any], ids: list[int]) -> None:
    folder = lab / "models" / "lab"
    weights = {**load_weights(folder)}
    weights["h1/mlp/c_fc/w"] = weights["h1/mlp/c_fc/w"] + 0.05
    ours = Gpt2(read_hparams(folder), weights, NumpyArrays()).score(ids)
    assert np.abs(ours - answers["logits"]).max() > 1e-2


def test_the_same_network_runs_on_tensorflow(answers: dict[str, Any]) -> None:
    np.testing.assert_allclose(answers["tensorflow_logits"], answers["logits"], atol=1e-3)
    np.testing.assert_allclose(answers["tensorflow_last"], answers["logits"][-1], atol=1e-3)


def test_weights_are_read_as_tensorflow_reads_them(lab: Path, answers: dict[str, Any]) -> None:
    weights = load_weights(lab / "models" / "lab")
    assert {f"read/model/{name}" for name in weights} == {name for name in answers if name.startswith("read/")}
    for name, weight in weights.items():
        assert (weight == answers[f"read/model/{name}"]).all()
        assert (weight == answers[f"written/{name}"]).all()


def test_ids_equal_those_of_gpt_2_simple(lab: Path, texts: list[str]) -> None:
    theirs = json.loads((lab / "encoded.json").read_text(encoding="ascii"))
    tokenizer = Tokenizer(lab / "models" / "lab")
    assert [tokenizer.encode(text) for text in [*texts, *STRANGE]] == theirs
    assert sum(map(len, theirs)) > 20_000


def test_a_checkpoint_of_another_shape_is_refused(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(lab / "models" / "lab", folder)
    (folder / "hparams.json").write_text(json.dumps({**SHAPE, "n_embd": 60}), encoding="ascii")
    with pytest.raises(ReleaseDamaged, match=r"should be a float of shape"):
        load_weights(folder)


def test_a_checkpoint_that_is_cut_short_is_refused(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(lab / "models" / "lab", folder)
    weights = folder / "model-0.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ReleaseDamaged, match="cut short"):
        load_weights(folder)


def test_a_copied_folder_reads_its_own_weights(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(lab / "models" / "lab", folder)
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{lab}/models/lab/model-0"\n', encoding="utf-8")
    (folder / "model-0.index").unlink()
    with pytest.raises(ReleaseDamaged):
        load_weights(folder)


def test_the_optimizer_makes_matrices_nearly_orthogonal(answers: dict[str, Any]) -> None:
    singular = np.linalg.svd(answers["orthogonal"], compute_uv=False)
    assert answers["orthogonal"].shape == (24, 60)
    assert singular.min() > 0.5
    assert singular.max() < 1.5


def test_shapes_are_those_of_gpt_2() -> None:
    assert sum(int(np.prod(shape)) for shape in HParams(50257, 1024, 768, 12, 12).shapes().values()) == 124_439_808
