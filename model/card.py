"""The model card: a release for people, made from its ``meta.json`` alone. What was not measured is said to be so.

After Mitchell and others, "Model Cards for Model Reporting", 2019: what it is, what it is for and not for, how it was
made and how it measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

NOT_MEASURED: Final = "not measured"

_USES: Final = """\
## What it is for
Drafts of scenes for entertainment, one scene at a time, under a plan made by code. Every line passes a gate that
checks its form and its speaker, and every scene a second one.

## What it is not for
It knows nothing of the world. It does not reason, and it must not be taken for any writer or studio: this is an
independent work of fans.
"""


def model_card(meta: Mapping[str, Any]) -> str:
    """The card as Markdown. ``meta`` is that of a release, its ``id`` and ``config.network`` at least."""
    parts = [f"# {meta['id']}\n", _origin(meta), _table(_rows(meta)), _USES, _comparison(meta), _made_with(meta)]
    return "\n".join(part for part in parts if part)


def _origin(meta: Mapping[str, Any]) -> str:
    if "imported" in meta:
        return (
            "A GPT-2 that was brought along as a checkpoint: how it was trained, and on what, is not known here. It "
            f"plans its episodes, and knows the words, like the release {meta.get('plans_like', '(unknown)')}.\n"
        )
    corpus = meta.get("corpus", {})
    config = corpus.get("config", {})
    if corpus.get("is_ours", "episodes" in config):
        episodes = f"{config['episodes']:,} episodes, " if "episodes" in config else ""
        text = (
            f"a demonstration corpus: {episodes}assembled by code from scenes written for this project. No text of a "
            "broadcast episode was used"
        )
    else:
        text = "a corpus that its operator brought along"
    start = f"from the checkpoint {meta['base']}" if meta.get("base") else "from nothing"
    return f"A GPT-2 that writes scenes of teleplays from a header, trained {start} on {text}.\n"


def _rows(meta: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    config, network = meta.get("config", {}), meta["config"]["network"]
    yield (
        "network",
        f"{network['n_layer']} layers, {network['n_embd']} wide, {network['n_head']} heads, a window of "
        f"{network['n_ctx']:,} tokens, {network['n_vocab']:,} tokens known",
    )
    if imported := meta.get("imported"):
        yield "parameters", f"{imported['parameters']:,}"
        yield "weights, sha256", f"`{imported['weights_sha256']}`"
        yield "loss on a page of plain English, nats a token", f"{imported['nats']:.3f}"
        return
    if "steps" in config:
        seconds = meta.get("training_seconds")
        time = f", {seconds / 60:,.0f} minutes" if seconds else ""
        yield (
            "training",
            (
                f"{meta.get('steps_done', config['steps']):,} steps of {config['batch_size']} windows, learning rate "
                f"{config['learning_rate']}, seed {config['seed']}{time}"
            ),
        )
    if parts := meta.get("parts"):
        yield "its parts", "; ".join(parts)
    corpus = meta.get("corpus", {})
    yield "corpus", f"{corpus.get('training_tokens', 0):,} tokens, fingerprint `{corpus.get('fingerprint', '')}`"
    yield "loss at the end of training, nats a token", _figure(meta.get("training_loss"))
    yield from _measures(meta.get("evaluation", {}))


def _measures(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield (
        "perplexity a token, scenes that training held with other names",
        _figure(evaluation.get("recombined_perplexity")),
    )
    yield "perplexity a token, scenes never trained on", _figure(evaluation.get("unseen_perplexity"))
    if "quantised_perplexity_change" in evaluation:
        yield "what 8 bits change in the perplexity", f"{evaluation['quantised_perplexity_change']:+.2%}"
    if "bits_per_byte" in evaluation:
        yield "bits a byte, held-out episodes", _figure(evaluation["bits_per_byte"])


def _comparison(meta: Mapping[str, Any]) -> str:
    """The configurations that were tried before this one was chosen, where they were written down."""
    tried = meta.get("tried", [])
    if not tried:
        return ""
    rows = [
        "| configuration | steps | held-out loss, nats a token | read |",
        "| --- | --- | --- | --- |",
        *(f"| {t['name']} | {t['steps']:,} | {_figure(t.get('held_out_loss'))} | {t.get('read', '')} |" for t in tried),
    ]
    return "## What was compared\n" + "\n".join(rows) + "\n"


def _made_with(meta: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in meta.get("made_with", {}).items())
    return f"## Made with\n{packages}\n" if packages else ""


def _table(rows: Iterator[tuple[str, str]]) -> str:
    return "| | |\n| --- | --- |\n" + "\n".join(f"| {name} | {value} |" for name, value in rows) + "\n"


def _figure(value: Any) -> str:
    return NOT_MEASURED if value is None else f"{value:,}"


__all__ = ["NOT_MEASURED", "model_card"]
