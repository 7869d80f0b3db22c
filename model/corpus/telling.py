"""What the notebook build_corpus displays: one result for whoever runs it, the whole summary for whoever reads it."""

from __future__ import annotations

from typing import Any

from IPython.display import display

from model.corpus.training_text import Corpus
from model.events import RESULT_MIME
from model.quality.comparison import is_own_text


def result_of_corpus(corpus: Corpus) -> dict[str, Any]:
    """What a retraining is told of its corpus, as plain JSON values: numbers and a digest, no word of a text."""
    summary, config = corpus.summary, corpus.summary["config"]
    return {
        "fingerprint": corpus.fingerprint,
        "episodes": config["episodes"],
        "held_out_episodes": config["held_out_episodes"],
        "training_tokens": summary["training_tokens"],
        "is_ours": is_own_text(corpus),
        "delivered_scripts": summary["delivered_scripts"],
        "delivered_left_out": summary["delivered_left_out"],
    }


def show_corpus(corpus: Corpus) -> None:
    """Display the result of a building, with the summary as lines and as JSON beside it."""
    lines = "\n".join(f"{name}: {fact}" for name, fact in corpus.summary.items())
    bundle = {RESULT_MIME: result_of_corpus(corpus), "application/json": corpus.summary, "text/plain": lines}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


__all__ = ["result_of_corpus", "show_corpus"]
