"""gpt-2-simple's own training, its traps cured: what ours is measured against. One a process.

Importing gpt-2-simple ends eager execution for the whole process, so that no training of ours can follow in it. What
is cured, and how:

- its sampler cuts windows of 1,024 tokens whatever the network holds: ours follows ``n_ctx`` and prefers windows
  that begin with a record;
- it knows one learning rate: a tensor stands in for it, read anew each step, so that Adam's memory is never lost;
- it only prints: its lines are read, and told as progress. A progress that says stop is an interrupt, upon which
  gpt-2-simple saves and ends;
- it names its checkpoint by an absolute path: made relative afterwards;
- it seeds nothing: ``random`` and TensorFlow are seeded;
- processors with bfloat16 and graphics cards with float16 are used; variables and checkpoints stay float32.

What no cure from outside gives: held-out losses, a checkpoint other than the last, and a training that is resumed.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import random
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Weights, make_relocatable, write_checkpoint
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.tokenizer import ENCODER_FILE, MERGES_FILE
from model.training.graph_muon import Muon
from model.training.machine import has_bfloat16
from model.training.progress import Progress, Report, write_losses
from model.training.schedule import learning_rate_at
from tng.errors import CorpusError

logger = logging.getLogger(__name__)

_BASE: Final = "base"
_LOSS = re.compile(r"\[(\d+) \| ([\d.]+)\] loss=([\d.]+|nan) avg=([\d.]+|nan)")


def finetune(
    config: FinetuneConfig, corpus: Corpus, weights: Weights, folder: Path, report: Report | None = None
) -> list[Progress]:
    """Train from ``weights`` on ``corpus`` into the checkpoint folder ``folder``; answers with every step.

    Raises CorpusError where the corpus is smaller than a window.
    """
    _check(config, corpus)
    base = folder.with_name(folder.name + ".base") / _BASE
    write_checkpoint(config.network, weights, base)
    for name in (ENCODER_FILE, MERGES_FILE):
        shutil.copyfile(corpus.folder / name, base / name)
    listener = _Listener(config.steps, report)
    try:
        _train(config, corpus, base, folder, listener)
    finally:
        shutil.rmtree(base.parent, ignore_errors=True)
    make_relocatable(folder)
    write_losses(folder, listener.heard)
    heard = listener.heard
    return [*heard[:-1], replace(heard[-1], ends_training=len(heard) >= config.steps)] if heard else []


def _train(config: FinetuneConfig, corpus: Corpus, base: Path, folder: Path, listener: _Listener) -> None:
    import gpt_2_simple
    import tensorflow as tf
    from gpt_2_simple import gpt_2

    random.seed(config.seed)
    tf.compat.v1.reset_default_graph()
    tf.compat.v1.set_random_seed(config.seed)
    shutil.rmtree(folder, ignore_errors=True)
    train = tf.compat.v1.train
    sampler, gpt_2.Sampler = gpt_2.Sampler, record_sampler(gpt_2.Sampler, config)
    adam = train.AdamOptimizer
    if config.optimizer == "muon":
        train.AdamOptimizer = partial(Muon, adam=adam)
    session = _session(tf)
    try:
        with contextlib.redirect_stdout(listener), contextlib.redirect_stderr(io.StringIO()):
            gpt_2_simple.finetune(
                session,
                dataset=str(corpus.training_file),
                steps=config.steps,
                model_name=_BASE,
                model_dir=str(base.parent),
                batch_size=config.batch_size,
                learning_rate=_scheduled_rate(tf, config),
                accumulate_gradients=config.accumulate,
                restore_from="fresh",
                run_name=folder.name,
                checkpoint_dir=str(folder.parent),
                sample_every=config.steps * 10,
                sample_length=1,
                save_every=config.save_every,
                print_every=1,
            )
    finally:
        gpt_2.Sampler, train.AdamOptimizer = sampler, adam
        session.close()
        tf.compat.v1.reset_default_graph()


def _scheduled_rate(tf: Any, config: FinetuneConfig) -> Any:
    """A scalar tensor whose value is the learning rate of the next step each time it is read: once a step."""
    steps = itertools.count()
    rate = tf.numpy_function(lambda: np.float32(learning_rate_at(next(steps), config)), [], tf.float32)
    rate.set_shape(())
    return rate


def record_sampler(base: type[Any], config: FinetuneConfig) -> type[Any]:
    """A sampler like gpt-2-simple's whose windows hold ``n_ctx`` tokens, most of them from a record's first token."""
    window, end_of_text = config.network.n_ctx, config.network.n_vocab - 1

    class RecordSampler(base):  # type: ignore[misc]
        """Cuts windows out of episodes; gpt-2-simple asks for 1,024 tokens, whatever the network holds."""

        def __init__(self, chunks: list[NDArray[np.int32]]) -> None:
            super().__init__(chunks)
            self._starts = [
                (chunk, int(start) + 1) for chunk in chunks for start in np.flatnonzero(chunk[:-window] == end_of_text)
            ]

        def sample(self, length: int) -> NDArray[np.int32]:
            """A window of at most ``n_ctx`` tokens."""
            length = min(length, window)
            if length == window and random.random() < config.whole_records:  # noqa: S311 - as gpt-2-simple
                chunk, start = random.choice(self._starts)  # noqa: S311
                return chunk[start : start + length]
            cut: NDArray[np.int32] = super().sample(length)
            return cut

    return RecordSampler


def _session(tf: Any) -> Any:
    """A session that computes in bfloat16 or float16 where the machine can, and takes only the GPU memory it needs."""
    from tensorflow.core.protobuf import rewriter_config_pb2

    switch = rewriter_config_pb2.RewriterConfig
    settings = tf.compat.v1.ConfigProto()
    settings.gpu_options.allow_growth = True
    options = settings.graph_options.rewrite_options
    options.layout_optimizer = switch.OFF
    if tf.config.list_physical_devices("GPU"):
        options.auto_mixed_precision = switch.ON
    elif has_bfloat16():
        options.auto_mixed_precision_onednn_bfloat16 = switch.ON
    return tf.compat.v1.Session(config=settings)


def _check(config: FinetuneConfig, corpus: Corpus) -> None:
    with np.load(corpus.training_file) as arrays:
        lengths = [len(arrays[name]) for name in arrays.files]
    if not lengths or min(lengths) <= config.network.n_ctx + 1:
        raise CorpusError(f"an episode of the corpus holds fewer than {config.network.n_ctx + 2} tokens")


class _Listener(io.TextIOBase):
    """Stands in for stdout while gpt-2-simple trains, and reads its lines."""

    def __init__(self, steps: int, report: Report | None) -> None:
        self._steps = steps
        self._report = report
        self._line = ""
        self.heard: list[Progress] = []

    def write(self, text: str) -> int:
        """Take what is printed, and hear each line of it that is whole."""
        self._line += text
        while "\n" in self._line:
            line, self._line = self._line.split("\n", 1)
            self._hear(line)
        return len(text)

    def _hear(self, line: str) -> None:
        match = _LOSS.match(line)
        if match is None:
            logger.info("gpt-2-simple: %s", line) if line.strip() else None
            return
        step, seconds, loss, mean = match.groups()
        progress = Progress(int(step), self._steps, float(seconds), float(loss), float(mean))
        self.heard.append(progress)
        if self._report is not None and self._report(progress) is False:
            raise KeyboardInterrupt


__all__ = ["finetune", "record_sampler"]
