"""Our reading, computing and encoding equal gpt-2-simple's own, on one random checkpoint."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.checkpoint import HParams, load_weights
from model.corpus.assembler import Assembler
from model.corpus.records import Record
from model.corpus.scenebank import read_bank
from model.corpus.training_text import records
from model.engine.decode import Request, generate
from model.engine.form import Kind
from model.sampling import Sampling
from model.serving import Gpt2, load_network, open_engine
from model.tokenizer import Tokenizer, train_tokenizer
from tests.architecture.sources import ROOT
from tests.shows import first_show
from tng.errors import ReleaseDamaged

pytestmark = pytest.mark.slow

RELEASE = ROOT / "model" / "releases" / "tng-small-2"
OTHERS = {
    "long-window": {"n_vocab": 300, "n_ctx": 1100, "n_embd": 16, "n_head": 2, "n_layer": 1},
    "narrow-heads": {"n_vocab": 301, "n_ctx": 90, "n_embd": 36, "n_head": 3, "n_layer": 2},
    "twelve-heads": {"n_vocab": 5001, "n_ctx": 128, "n_embd": 768, "n_head": 12, "n_layer": 2},
}
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
def scenes() -> list[Record]:
    assembler = Assembler(read_bank(first_show()), first_show(), seed=1)
    return [record for number in range(3) for record in records(assembler.episode(number), assembler, seed=1)]


@pytest.fixture(scope="module")
def texts(scenes: list[Record]) -> list[str]:
    return [record.text for record in scenes]


@pytest.fixture(scope="module")
def lab(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    train_tokenizer(texts, SHAPE["n_vocab"], folder / "models" / "lab")
    ids = np.random.default_rng(2).integers(0, SHAPE["n_vocab"], 90).tolist()
    question = {"shape": SHAPE, "others": OTHERS, "ids": ids, "texts": [*texts, *STRANGE]}
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


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where exports are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TNG_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.mark.parametrize("name", ["lab", *OTHERS])
def test_logits_equal_those_of_gpt_2_simple(lab: Path, answers: dict[str, Any], ids: list[int], name: str) -> None:
    network = load_network(lab / "models" / name, Kind.FLOAT32)
    theirs = answers[f"logits/{name}"]
    ours = network.score([number % theirs.shape[1] for number in ids][: network.window])
    assert theirs.std() > 0.05, "a network that says nothing would prove nothing"
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_logits_token_by_token_equal_those_of_gpt_2_simple(lab: Path, answers: dict[str, Any], ids: list[int]) -> None:
    network = load_network(lab / "models" / "lab", Kind.FLOAT32)
    ours = np.stack([network.feed([token]) for token in ids])
    np.testing.assert_allclose(ours, answers["logits/lab"], atol=1e-3)


def test_in_8_bits_the_logits_are_near_those_of_gpt_2_simple(
    lab: Path, answers: dict[str, Any], ids: list[int]
) -> None:
    ours = load_network(lab / "models" / "lab").score(ids)
    away, spread = ours - answers["logits/lab"], answers["logits/lab"].std()
    assert away.std() < 0.04 * spread
    assert np.abs(away).max() < 0.2 * spread, "the furthest of 63,000"


def test_other_weights_give_other_logits(lab: Path, answers: dict[str, Any], ids: list[int], tmp_path: Path) -> None:
    folder = shutil.copytree(lab / "models" / "lab", tmp_path / "other")
    data = next(folder.glob("*.data-*"))
    weights = np.fromfile(data, np.float32)
    (weights * np.float32(1.01)).tofile(data)
    assert np.abs(load_network(folder, Kind.FLOAT32).score(ids) - answers["logits/lab"]).max() > 1e-2


def test_in_8_bits_the_release_is_as_surprised_as_in_float(scenes: list[Record]) -> None:
    tokenizer = Tokenizer(RELEASE)
    losses = {
        kind: np.concatenate([loss(load_network(RELEASE, kind), tokenizer.encode(scene.text)) for scene in scenes])
        for kind in (Kind.FLOAT32, Kind.INT8)
    }
    perplexities = {kind: math.exp(each.mean()) for kind, each in losses.items()}
    assert len(losses[Kind.INT8]) > 5_000
    assert perplexities[Kind.FLOAT32] < 60, "it should be text that the network knows"
    assert perplexities[Kind.INT8] == pytest.approx(perplexities[Kind.FLOAT32], rel=0.01)


def loss(network: Gpt2, ids: list[int]) -> Any:
    """The nats of every token but the first; what exceeds the window is not read."""
    logits = network.score(ids[: network.window])[:-1].astype(np.float64)  # (T - 1, V)
    targets = ids[1 : network.window]
    total = np.log(np.exp(logits - logits.max()).sum(axis=-1)) + logits.max()
    return total - logits[np.arange(len(targets)), targets]


def test_the_release_writes_the_same_from_a_seed_alone_and_in_a_batch(scenes: list[Record]) -> None:
    tokenizer, sampling = Tokenizer(RELEASE), Sampling(temperature=1.0)
    requests = [
        Request(tokenizer.encode(scene.prompt + "\n"), 120, seed, sampling, frozenset({tokenizer.end_of_text}))
        for seed, scene in enumerate(scenes[:5])
    ]
    batch: dict[int, list[int | None]] = defaultdict(list)
    for event in generate(open_engine(RELEASE, slots=3, lanes=2), requests):
        batch[event.number].append(event.token)
    single = open_engine(RELEASE)
    for number, request in enumerate(requests):
        assert [event.token for event in generate(single, [request])] == batch[number]


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
