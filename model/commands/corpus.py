"""``tng corpus``: the operator's own text, imported, listed and made ready for training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from model.commands.places import home
from model.corpus.splits import sides
from model.corpus.teleplays.importing import FileReport, ImportReport, Outcome, import_teleplays, summary_lines
from model.corpus.teleplays.shelf import EpisodeFacts, Shelf
from tng.shows import Show, read_show

NOTHING_TAKEN: Final = 1
SOME_REFUSED: Final = 2
MOST_LINE_NUMBERS: Final = 12

_SHOW_FOLDER: Final = Path(__file__).parents[2] / "shows" / "tng"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _of_show(command: _Command) -> _Command:
    """The options that every command has: whose teleplays, and where they are kept."""
    show = click.option(
        "--show",
        "show_folder",
        envvar="TNG_SHOW",
        type=click.Path(path_type=Path),
        default=_SHOW_FOLDER,
        help="the folder of the show  [default: shows/tng]",
    )
    into = click.option(
        "--into",
        "shelf_folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="where the episodes are kept  [default: corpus/<show> in TNG_HOME]",
    )
    return show(into(command))


@click.group()
def corpus() -> None:
    """What the model learns from."""


@corpus.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--allow-short", is_flag=True, help="take pieces of fewer than ten scenes, too")
@_of_show
@click.pass_context
def import_(
    ctx: click.Context, paths: tuple[Path, ...], allow_short: bool, show_folder: Path, shelf_folder: Path | None
) -> None:
    """Import teleplays: a ZIP archive, a folder or a file. What was imported before stays as it is.

    The status is 0 where every file is an episode now, 2 where some were refused, 1 where all were.
    """
    os.umask(0o077)
    show = read_show(show_folder)
    shelf = _shelf(show, shelf_folder)
    before = shelf.facts()
    report = import_teleplays(paths, show, shelf, allow_short=allow_short)
    shelf.open_to_its_group()
    for file in report.files:
        click.echo(_file_line(file))
    for line in (*summary_lines(report), _news(before, shelf.facts(), show)):
        click.echo(line)
    ctx.exit(_status(report))


@corpus.command("list")
@_of_show
def list_(show_folder: Path, shelf_folder: Path | None) -> None:
    """List the episodes that were imported, and which of them are kept for measuring."""
    show = read_show(show_folder)
    kept = _shelf(show, shelf_folder).facts()
    divided = sides(kept.values(), show)
    for facts in kept.values():
        side = divided.side_of(facts.key)
        click.echo(f"{facts.key:<8}{_counts(facts)}  {facts.title}{f'  [{side}]' if side else ''}")
    click.echo(f"{len(kept)} episodes, {len(divided.held_out)} held out", err=True)


@corpus.command()
@click.option("--preset", "preset_name", default="small", show_default=True, help="the training it is for")
@click.option(
    "--tokenizer",
    "base",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="a checkpoint's folder: take its vocabulary  [default: learn one from the episodes]",
)
@click.option(
    "--corpus",
    "corpus_folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="where the corpus is to stand  [default: training/corpus in TNG_HOME]",
)
@_of_show
def build(
    preset_name: str, base: Path | None, corpus_folder: Path | None, show_folder: Path, shelf_folder: Path | None
) -> None:
    """Make a corpus of the episodes that were imported: what `tng train` trains on."""
    from model.presets import PRESETS  # loads numpy and more, which no other command needs
    from model.train import corpus_for

    if preset_name not in PRESETS:
        raise click.BadParameter(f"choose one of: {', '.join(PRESETS)}", param_hint="--preset")
    os.umask(0o077)
    show = read_show(show_folder)
    folder = corpus_folder or home() / "training" / "corpus"
    made = corpus_for(preset_name, folder, show, episodes=_shelf(show, shelf_folder).folder, base=base or "")
    for name, value in _summary(made.summary):
        click.echo(f"{name:<28}{value}")


def _summary(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is told of a corpus, as (name, value)."""
    config = summary["config"]
    yield "training", f"{config['episodes']:,} episodes, {summary['training_tokens']:,} tokens"
    yield "held out", f"{config['held_out_episodes']:,} episodes, {summary['held_out_tokens']:,} tokens"
    yield "held-out episodes", ", ".join(summary["held_out"]) or "-"
    yield "excluded episodes", ", ".join(summary["excluded"]) or "-"
    yield "vocabulary", f"{config['vocabulary_tokens']:,} tokens"
    yield "records", f"{summary['records']:,}, their headers {summary['header_tokens']:,} tokens"
    yield "longest record", f"{summary['longest_record_tokens']:,} tokens"
    yield f"longer than {summary['window_tokens']:,}", f"{summary['records_longer_than_window']:,} records"
    yield "fingerprint", summary["fingerprint"]


def _news(before: Mapping[str, EpisodeFacts], after: Mapping[str, EpisodeFacts], show: Show) -> str:
    """What a retraining will see that it would not have seen before this import; what is excluded, none ever sees."""
    divided = sides(after.values(), show)
    new = [key for key, facts in after.items() if _seen(facts) != _seen(before.get(key))]
    seen = [key for key in new if key not in divided.excluded]
    held_out = sum(key in divided.held_out for key in seen)
    if not seen:
        return "This import brings nothing new to the next retraining."
    return f"New to the next retraining: {len(seen)} episode{'s' * (len(seen) > 1)}, of them held out: {held_out}."


def _seen(facts: EpisodeFacts | None) -> tuple[str, ...]:
    """What a training sees of an episode; its file is named by the digest of its script."""
    return (facts.file, facts.title, facts.story) if facts else ()


def _shelf(show: Show, folder: Path | None) -> Shelf:
    return Shelf(folder or home() / "corpus" / show.id)


def _status(report: ImportReport) -> int:
    if not report.refused:
        return 0
    return SOME_REFUSED if report.accepted else NOTHING_TAKEN


def _file_line(file: FileReport) -> str:
    """A file in one line. Of the text there are numbers alone."""
    if file.outcome is Outcome.REFUSED or file.facts is None:
        return f"{file.outcome.value:<10}{file.name}: {file.reason}"
    notes = [f"{file.outcome.value:<10}{file.name}: episode {file.facts.key}, {file.facts.dialect}, {file.encoding}"]
    notes.append(_counts(file.facts))
    if file.repaired_acts:
        notes.append(f"{file.repaired_acts} acts found without their heading")
    if file.mended_cues:
        notes.append(f"{file.mended_cues} cues mended")
    if file.unknown_lines:
        notes.append(f"{len(file.unknown_lines)} lines not understood: {_numbers(file.unknown_lines)}")
    return ", ".join(notes)


def _counts(facts: EpisodeFacts) -> str:
    return f"{facts.acts} acts, {facts.scenes} scenes, {facts.speeches} speeches"


def _numbers(lines: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, lines[:MOST_LINE_NUMBERS]))
    return shown + (" …" if len(lines) > MOST_LINE_NUMBERS else "")


__all__ = ["NOTHING_TAKEN", "SOME_REFUSED", "corpus"]
