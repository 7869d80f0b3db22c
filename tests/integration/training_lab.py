"""Trainings in processes of their own: TensorFlow stays in a process, and gpt-2-simple ends eager execution in its.

``python -m tests.integration.training_lab WHAT FOLDER``: ``ours`` and ``theirs`` answer the same question (loss,
gradients and logits of one batch; the losses of some steps) into FOLDER/WHAT.npz; ``train`` and ``resume`` train on the
corpus of FOLDER into FOLDER/checkpoint, a line a step; ``ways`` trains in several ways and tells how it went;
``crashes`` lets trainings die in many places, and resumes them.
"""

from __future__ import annotations

import itertools
import json
import os
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.checkpoint import HParams, fresh_weights, latest, load_weights, write_checkpoint
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig, preset
from model.training.interruption import interruptions
from model.training.progress import Progress
from model.training.state import STATE_FILE
from tests.training_corpora import NETWORK, invented_corpus
from tng.errors import CheckpointError

SHAPE = HParams(n_vocab=211, n_ctx=160, n_embd=48, n_head=3, n_layer=2)
RATE, STEPS = 1e-3, 5
CONFIG = replace(
    preset("tiny"), network=NETWORK, steps=24, batch_size=2, warmup_steps=4, save_every=5, hold_out_every=4,
    held_out_windows=6, dropout=0.1,
)  # fmt: skip


def question() -> tuple[dict[str, Any], np.ndarray[Any, np.dtype[np.int32]]]:
    """The same weights and tokens for both sides; the texts are longer than a block of queries."""
    rng = np.random.default_rng(5)
    fresh = fresh_weights(SHAPE, 1)
    weights = {name: weight + rng.normal(0, 0.1, weight.shape).astype(np.float32) for name, weight in fresh.items()}
    return weights, rng.integers(0, SHAPE.n_vocab, (STEPS, 2, SHAPE.n_ctx)).astype(np.int32)


def ours(folder: Path) -> None:
    """Our trainer's answers, and its checkpoint for theirs to load."""
    import tensorflow as tf

    from model.training.optimizer import orthogonal

    weights, batches = question()
    write_checkpoint(SHAPE, weights, folder / "models" / "lab")
    config = replace(CONFIG, network=SHAPE, optimizer="adamw", most_norm=0.0, dropout=0.0)
    answers: dict[str, Any] = {}
    for name, products, changes in (
        ("plain", "float32", {}), ("recomputed", "float32", {"recompute": True}), ("narrow", "bfloat16", {}),
    ):  # fmt: skip
        answers |= {f"{name}/{key}": value for key, value in _first_batch(config, products, changes).items()}
    steps = _steps(config)
    answers["losses"] = [steps.take(batch, RATE, number) for number, batch in enumerate(batches)]
    answers |= {f"trained/{name}": weight for name, weight in steps.network.weights().items()}
    halves = _steps(replace(config, accumulate=2, batch_size=1))
    answers["accumulated_losses"] = [halves.take(batch, RATE, number) for number, batch in enumerate(batches)]
    compiled = _steps(config, xla=True)
    answers["compiled_losses"] = [compiled.take(batch, RATE, number) for number, batch in enumerate(batches)]
    matrices = np.random.default_rng(6).normal(size=(2, 60, 24)).astype(np.float32)
    answers["orthogonal"] = orthogonal(tf, tf.constant(matrices), tf.float32).numpy()
    np.savez(folder / "ours.npz", **answers)


def _steps(config: FinetuneConfig, **options: Any) -> Any:
    from model.training.steps import Steps

    return Steps(config, question()[0], **{"products": "float32", **options})


def _first_batch(config: FinetuneConfig, products: str, changes: dict[str, Any]) -> dict[str, Any]:
    import tensorflow as tf

    steps = _steps(replace(config, **changes), products=products)
    batch = tf.constant(question()[1][0])
    loss, gradients = tf.function(steps.gradients)(batch)
    found = {f"gradient/{name}": gradient.numpy() for name, gradient in gradients.items()}
    return found | {"loss": loss.numpy(), "logits": steps.network.logits(batch).numpy()}


def theirs(folder: Path) -> None:
    """gpt-2-simple's answers: its function loads our checkpoint, its graph computes, its Saver saves."""
    import gpt_2_simple
    import tensorflow as tf
    from gpt_2_simple.src import model

    v1 = tf.compat.v1
    _, batches = question()
    session = gpt_2_simple.start_tf_sess()
    gpt_2_simple.load_gpt2(session, model_name="lab", model_dir=str(folder / "models"))
    hparams = model.default_hparams()
    hparams.override_from_dict({name: getattr(SHAPE, name) for name in SHAPE.__dataclass_fields__})
    tokens = v1.placeholder(tf.int32, [2, SHAPE.n_ctx])
    logits = model.model(hparams=hparams, X=tokens, reuse=True)["logits"]
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tokens[:, 1:], logits=logits[:, :-1]))
    variables = [variable for variable in v1.trainable_variables() if "model" in variable.name]
    gradients = [tf.convert_to_tensor(gradient) for gradient in tf.gradients(loss, variables)]
    step = v1.train.AdamOptimizer(learning_rate=RATE).minimize(loss, var_list=variables)
    known = set(variables)
    session.run(v1.variables_initializer([v for v in v1.global_variables() if v not in known]))
    answers = {"loss": loss, "logits": logits}
    answers |= {
        f"gradient/{_name(variable)}": gradient for variable, gradient in zip(variables, gradients, strict=True)
    }
    found = session.run(answers, {tokens: batches[0]})
    found["losses"] = [session.run([loss, step], {tokens: batch})[0] for batch in batches]
    saved = folder / "saved"
    write_checkpoint(SHAPE, question()[0], saved)  # for its hparams.json alone
    v1.train.Saver(variables).save(session, str(saved / "model"), global_step=STEPS)
    found |= {f"trained/{_name(variable)}": session.run(variable) for variable in variables}
    np.savez(folder / "theirs.npz", **found)


def _name(variable: Any) -> str:
    return str(variable.op.name).removeprefix("model/")


def train(folder: Path, *, resume: bool = False) -> None:
    """Train, and print the number of each step that was told, so that somebody can kill this in the middle."""
    from model.training.loop import Training

    def tell(progress: Progress) -> None:
        print(progress.step, flush=True)  # noqa: T201 - it is read by the test

    Training(CONFIG, invented_corpus(folder), folder / "checkpoint", resume=resume).run(tell)


def ways(folder: Path) -> None:
    """Trainings that end early, go on, start from a base, fail; what is known of each goes into ways.json.

    Those that are compared with what other processes do are compiled, as a training is.
    """
    corpus = invented_corpus(folder)
    told: dict[str, Any] = {}
    whole = _run(CONFIG, corpus, folder / "whole")
    told["whole"] = [progress.loss for progress in whole]
    _run(CONFIG, corpus, folder / "parts", lambda progress: progress.step < 7)
    told["held_out_at_stop"] = json.loads((folder / "parts" / "held_out_losses.json").read_text())
    told["parts"] = [progress.loss for progress in _run(CONFIG, corpus, folder / "parts", resume=True)]
    _as_it_stands()
    told["resumed_when_over"] = len(_run(CONFIG, corpus, folder / "parts", resume=True))
    longer = replace(CONFIG, steps=26)
    told["longer"] = len(_run(longer, corpus, folder / "parts", resume=True))
    told["another_seed"] = _refusal(replace(CONFIG, seed=2), corpus, folder / "parts", resume=True)
    told["kept"] = {
        "best": min((p.held_out_loss, p.step) for p in whole if p.held_out_loss is not None)[1],
        "files": sorted(path.name for path in (folder / "whole").iterdir()),
    }
    rising = replace(CONFIG, learning_rate=0.5, warmup_steps=1, hold_out_every=1, patience=2, steps=40)
    told["impatient"] = [p.held_out_loss for p in _run(rising, corpus, folder / "impatient")]
    base = folder / "whole"
    from_base = replace(CONFIG, optimizer="adamw", learning_rate=1e-5, steps=1, dropout=0.0)
    told["from_base"] = _run(from_base, corpus, folder / "from_base", base=base)[0].loss
    other = replace(from_base, network=replace(NETWORK, n_layer=1))
    told["other_base"] = _refusal(other, corpus, folder / "other", base=base)
    told["no_number"] = _refusal(replace(CONFIG, learning_rate=float("nan")), corpus, folder / "no_number")
    told["interrupted"] = _interrupted_out_of_turn(corpus, folder)
    told["damaged"] = _damaged(corpus, folder)
    told["too_early"] = _interrupted_before_it_began(corpus, folder)
    told["without_held_out"] = _without_held_out(corpus, folder)
    told["bytes_equal"] = _same_twice(corpus, folder)
    (folder / "ways.json").write_text(json.dumps(told))


def _as_it_stands() -> None:
    """From here on steps are taken as they are written: of a training of a few, compiling takes nearly all the time."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)


def _run(
    config: FinetuneConfig, corpus: Corpus, folder: Path, report: Callable[[Progress], Any] | None = None, **how: Any
) -> list[Progress]:
    from model.finetune import finetune

    return finetune(config, corpus, folder, report, **how)


def _refusal(config: FinetuneConfig, corpus: Corpus, folder: Path, **how: Any) -> str:
    try:
        _run(config, corpus, folder, **how)
    except CheckpointError as error:
        return str(error)
    return ""


def _interrupted_out_of_turn(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """One that is stopped where it is better than it ever is when it is measured in turn, and goes on."""
    from model.training.loop import Training

    held_out_losses = {4: 3.0, 7: 2.0, 8: 3.5, 12: 3.6}

    def measure(training: Any, _: object) -> float:
        loss = held_out_losses[len(training._heard)]
        training._heard[-1] = replace(training._heard[-1], held_out_loss=loss)
        return loss

    really, Training._measure = Training._measure, measure  # type: ignore[method-assign]
    try:
        config = replace(CONFIG, steps=12)
        whole = _run(config, corpus, folder / "unbroken")
        stopped = _run(config, corpus, folder / "broken", lambda progress: progress.step < 7)
        kept_at_stop = latest(folder / "broken").name
        on = _run(config, corpus, folder / "broken", resume=True)
    finally:
        Training._measure = really  # type: ignore[method-assign]
    return {
        "over": [steps[-1].ends_training for steps in (whole, stopped, on)],
        "kept_at_stop": kept_at_stop,
        "kept": [latest(folder / name).name for name in ("unbroken", "broken")],
        "measured": [[p.step for p in steps if p.held_out_loss is not None] for steps in (whole, stopped, on)],
        "equal": _equal(folder / "unbroken", folder / "broken"),
    }


def _interrupted_before_it_began(corpus: Corpus, folder: Path) -> list[int]:
    """How many steps it took when it was interrupted while it was prepared, and when it was run again."""
    short, into = replace(CONFIG, steps=3), folder / "early"
    with interruptions() as interrupted:
        interrupted.set()
        first = len(_run(short, corpus, into))
    return [first, len(_run(short, corpus, into, resume=True))]


def _damaged(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """What cannot be resumed is refused, or begun afresh where that is said; what was half written is no state."""
    short, into = replace(CONFIG, steps=3), folder / "damaged"
    told: dict[str, Any] = {"nothing": len(_run(short, corpus, into, resume=True))}
    (into / f"{STATE_FILE}.partial").write_bytes(b"half of one")
    told["partial"] = _first_step(replace(short, steps=4), corpus, into)
    (into / STATE_FILE).write_bytes((into / STATE_FILE).read_bytes()[:500])
    told["refused"] = _refusal(short, corpus, into, resume=True)
    told["damaged"] = _first_step(short, corpus, into, restart=True)
    other = replace(short, seed=2)
    told["other"] = _first_step(other, corpus, into, restart=True)
    return told


def _first_step(config: FinetuneConfig, corpus: Corpus, into: Path, *, restart: bool = False) -> int:
    """With which step a training that is resumed goes on."""
    steps: list[int] = []
    _run(config, corpus, into, lambda progress: steps.append(progress.step), resume=True, restart=restart)
    return steps[0]


CRASHES = {
    "before the weights are written": ("model.training.kept.write_checkpoint", 0),
    "when the weights are written": ("model.training.kept.shutil.copyfile", 0),
    "when the vocabulary is half there": ("model.training.kept.shutil.copyfile", 1),
    "before older weights go": ("model.training.kept.KeptWeights._remove_all_but", 0),
    "while better weights are kept": ("model.training.kept.KeptWeights._remove_all_but", 1),
    "before the state": ("model.training.loop.TrainingState.save", 0),
    "before the second state": ("model.training.loop.TrainingState.save", 1),
    "in the state": ("model.training.state.os.fsync", 1),
    "before the losses": ("model.training.loop.write_losses", 0),
    "before the last losses": ("model.training.loop.write_losses", 3),
    "in the last losses": ("model.training.progress.json.dumps", 8),
}
"""Where a training dies: what is called then, and which time of it; the next call is never made."""


def crashes(folder: Path) -> None:
    """Trainings that die at a point and are resumed; what came of each goes into crashes.json."""
    _as_it_stands()
    corpus, config = invented_corpus(folder), replace(CONFIG, steps=12, network=replace(NETWORK, n_layer=1))
    whole = _run(config, corpus, folder / "whole")
    told: dict[str, Any] = {}
    for place, (point, times) in CRASHES.items():
        into, taken, again = folder / place.replace(" ", "_"), [], []  # type: ignore[var-annotated]
        died = _dies(point, times, config, corpus, into, taken)
        on = _run(config, corpus, into, lambda progress, again=again: again.append(progress.step), resume=True)  # type: ignore[misc]
        told[place] = {
            "died": died,
            "lost": len(taken) - (again[0] - 1 if again else len(on)),
            "losses": [p.loss for p in on] == [p.loss for p in whole],
            "written": (into / "losses.json").read_text() != "" and len(json.loads((into / "losses.json").read_text())),
            "equal": _equal(folder / "whole", into),
        }
    (folder / "crashes.json").write_text(json.dumps(told))


class _Killed(BaseException):
    """Nothing may catch it: as if the process were gone."""


def _dies(point: str, times: int, config: FinetuneConfig, corpus: Corpus, into: Path, taken: list[int]) -> bool:
    owner, _, name = point.rpartition(".")
    holder = pkgutil.resolve_name(owner)
    real, calls = getattr(holder, name), itertools.count()

    def call(*arguments: Any, **named: Any) -> Any:
        if next(calls) == times:
            raise _Killed
        return real(*arguments, **named)

    setattr(holder, name, call)
    try:
        _run(config, corpus, into, lambda progress: taken.append(progress.step))
    except _Killed:
        return True
    finally:
        setattr(holder, name, real)
    return False


def _equal(one: Path, other: Path) -> bool:
    """Whether two folders hold the same weights, to the last bit."""
    first, second = load_weights(one), load_weights(other)
    return all((first[name] == second[name]).all() for name in first)


def _without_held_out(corpus: Corpus, folder: Path) -> list[Any]:
    heard = _run(replace(CONFIG, hold_out_every=0, steps=3), corpus, folder / "unmeasured")
    return [heard[-1].held_out_loss, sorted(path.name for path in (folder / "unmeasured").glob("model-*.index"))]


def _same_twice(corpus: Corpus, folder: Path) -> bool:
    short = replace(CONFIG, steps=4)
    for name in ("once", "again"):
        _run(short, corpus, folder / name)
    return _equal(folder / "once", folder / "again")


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    what, folder = sys.argv[1], Path(sys.argv[2])
    {
        "ours": ours, "theirs": theirs, "train": train, "ways": ways, "crashes": crashes,
        "resume": lambda folder: train(folder, resume=True),
    }[what](folder)  # fmt: skip
