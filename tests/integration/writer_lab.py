"""Runs in a process of its own, because TensorFlow stays in one: gpt-2-simple's answers, for the tests to compare with.

``python -m tests.integration.writer_lab FOLDER`` reads FOLDER/question.json (texts, ids, shape of a network), makes a
random checkpoint in FOLDER/models/lab, lets gpt-2-simple load it, and writes answers.npz and encoded.json into FOLDER.
Where the question has other shapes, it answers with their logits too, from checkpoints in FOLDER/models/NAME.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from model.checkpoint import HParams, fresh_weights, write_checkpoint
from model.training.optimizer import orthogonal


def main(folder: Path) -> None:
    """Answer the question in ``folder``."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    question = json.loads((folder / "question.json").read_text(encoding="utf-8"))
    lab = folder / "models" / "lab"
    shape = HParams(**question["shape"])
    rng = np.random.default_rng(5)
    weights = {n: w + rng.normal(0, 0.1, w.shape).astype(np.float32) for n, w in fresh_weights(shape, 1).items()}
    write_checkpoint(shape, weights, lab)
    others = {name: HParams(**other) for name, other in question["others"].items()}
    for name, other in others.items():
        write_checkpoint(other, fresh_weights(other, 1), folder / "models" / name)
    answers = {f"written/{name}": weight for name, weight in weights.items()}
    answers |= values_of_tensorflow(lab)
    answers["orthogonal"] = orthogonal_matrix(rng.normal(size=(24, 60)).astype(np.float32))
    # The last one: with its import gpt-2-simple ends eager execution for the whole process.
    for name, each in {"lab": shape, **others}.items():
        ids = [number % each.n_vocab for number in question["ids"]][: each.n_ctx]
        answers[f"logits/{name}"] = logits_of_gpt_2_simple(each, folder / "models" / name, ids)
    np.savez(folder / "answers.npz", **answers)
    (folder / "encoded.json").write_text(json.dumps(encoded(lab, question["texts"])), encoding="ascii")


def logits_of_gpt_2_simple(shape: HParams, checkpoint: Path, ids: list[int]) -> Any:
    """The logits (T, V) of gpt-2-simple's own graph over the checkpoint that its own function loaded."""
    import gpt_2_simple
    import tensorflow as tf
    from gpt_2_simple.src import model

    session = gpt_2_simple.start_tf_sess()
    gpt_2_simple.load_gpt2(session, model_name=checkpoint.name, model_dir=str(checkpoint.parent))
    hparams = model.default_hparams()
    hparams.override_from_dict({name: getattr(shape, name) for name in shape.__dataclass_fields__})
    context = tf.compat.v1.placeholder(tf.int32, [1, None])
    output = model.model(hparams=hparams, X=context, reuse=True)
    logits = session.run(output["logits"], feed_dict={context: [ids]})[0]
    gpt_2_simple.reset_session(session)
    return logits


def values_of_tensorflow(lab: Path) -> dict[str, Any]:
    """What TensorFlow's own reader finds in the checkpoint."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(lab / "model-0"))
    return {f"read/{name}": reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def orthogonal_matrix(matrix: Any) -> Any:
    """What the optimizer makes of a random matrix."""
    import tensorflow as tf

    return orthogonal(tf, tf.constant(matrix[None]), tf.float32).numpy()[0]


def encoded(lab: Path, texts: list[str]) -> list[list[int]]:
    """The ids that gpt-2-simple's own encoder gives."""
    from gpt_2_simple.src import encoder

    own = encoder.get_encoder(str(lab))
    return [own.encode(text) for text in texts]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
