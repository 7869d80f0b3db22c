"""``tng model``: checkpoints from elsewhere, checked and made a base or a release."""

from __future__ import annotations

from pathlib import Path

import click

from model.build_release import RELEASES_FOLDER
from model.commands.places import checkpoints_folder, releases_folder
from model.download import SIZES, SOURCE, download
from model.foreign import CheckpointFacts, import_base, import_release, read_facts
from tng.releases import find_release, verify

DEFAULT_RELEASE = RELEASES_FOLDER / "tng-small-2"


@click.group("model")
def checkpoints() -> None:
    """What the model starts from: GPT-2 checkpoints, checked and kept."""


@checkpoints.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="what it is called here; its folder's name where none is given")
@click.option("--release", "as_release", metavar="ID", help="make it a release of this name too, ready to write")
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    default=DEFAULT_RELEASE,
    help="the release by which it plans",
)
def import_checkpoint(path: Path, name: str | None, as_release: str | None, like: Path) -> None:
    """Check the checkpoint folder PATH, of gpt-2-simple or of OpenAI, and keep a copy of it as a base."""
    folder = checkpoints_folder() / (name or path.resolve().name)
    facts = import_base(path, folder)
    _say(folder, facts)
    if as_release:
        release = import_release(folder, verify(find_release(like)), releases_folder() / as_release)
        click.echo(f"It is the release {release.id} too, in {release.folder}. To write with it:")
        click.echo(f'tng release promote {release.id} --unproven --reason "…"')


@checkpoints.command("download")
@click.argument("size", type=click.Choice(SIZES))
@click.option("--from", "source", default=SOURCE, show_default=True, help="where the folders of the sizes stand")
def download_checkpoint(size: str, source: str) -> None:
    """Fetch OpenAI's checkpoint of SIZE and keep it as a base. Stopped, it goes on where it was."""
    folder = checkpoints_folder() / size
    with click.progressbar(length=0, label=size, show_eta=True) as bar:

        def show(name: str, done: int, total: int) -> None:
            bar.label, bar.length = f"{size} {name}", total or None
            bar.pos = done
            bar.render_progress()

        facts = download(size, folder, source=source, report=show)
    _say(folder, facts)


@checkpoints.command("list")
def list_checkpoints() -> None:
    """List the bases that are here."""
    folders = sorted(path for path in checkpoints_folder().glob("*") if read_facts(path))
    for folder in folders:
        facts = read_facts(folder)
        click.echo(f"{folder.name:<24}{facts['parameters'] / 1e6:>8,.1f} M parameters  {facts['weights_sha256'][:12]}")
    click.echo(f"{len(folders)} bases", err=True)


def _say(folder: Path, facts: CheckpointFacts) -> None:
    shape = facts.hparams
    click.echo(
        f"{folder.name}: {facts.parameters:,} parameters, {shape.n_layer} layers x {shape.n_embd}, a window of "
        f"{shape.n_ctx:,}, {shape.n_vocab:,} tokens; a page of English costs it {facts.nats:.2f} nats a token."
    )
    if facts.knows_less_than_chance:
        click.echo("It knows less than chance: its weights look as if they were never trained.", err=True)
    click.echo(f"Kept in {folder}. To train from it: tng train --base {folder.name}")
