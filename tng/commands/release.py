"""``tng release``: which releases there are, what each is, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tng.errors import ReleaseDamaged, ReleaseMissing
from tng.releases import MANIFEST, Release, find_release, verify
from tng.settings import ROOT, Settings

CARD = "MODEL_CARD.md"


@click.group()
def release() -> None:
    """Look after the releases that write. One is named by its id or its folder; the one in use where none is named."""


@release.command("list")
def list_releases() -> None:
    """List the releases; a star marks the one in use."""
    settings = Settings.read()
    found = list(releases_of(settings))
    for one in found:
        mark = "*" if one.folder == settings.release.resolve() else " "
        click.echo(f"{mark} {one.id:<28}{_summary(one)}")
    click.echo(f"{len(found)} releases", err=True)


@release.command("show")
@click.argument("name", required=False)
def show_release(name: str | None) -> None:
    """Show the model card of a release, and its folder."""
    one = chosen_release(Settings.read(), name)
    try:
        card = (one.folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ReleaseDamaged(f"release {one.id}: {CARD} cannot be read ({type(error).__name__})") from error
    click.echo(card)
    click.echo(f"Folder: {one.folder}")


@release.command("verify")
@click.argument("name", required=False)
def verify_release(name: str | None) -> None:
    """Hold every file of a release against its manifest."""
    checked = verify(chosen_release(Settings.read(), name))
    click.echo(f"Release {checked.id} is whole.")


def releases_of(settings: Settings) -> Iterator[Release]:
    """Every release that came along, that was made here, or that is in use; each folder once."""
    places = (ROOT / "model" / "releases", settings.home.resolve() / "releases")
    folders = {path.parent.resolve() for place in places for path in place.glob(f"*/{MANIFEST}")}
    if (settings.release / MANIFEST).is_file():
        folders.add(settings.release.resolve())
    yield from (Release(folder.name, folder) for folder in sorted(folders))


def chosen_release(settings: Settings, name: str | None) -> Release:
    """The release of that id or folder; the one in use where ``name`` is nothing. Raises ReleaseMissing."""
    if not name:
        return find_release(settings.release.resolve())
    if (Path(name) / MANIFEST).is_file():
        return find_release(Path(name).resolve())
    known = {one.id: one for one in releases_of(settings)}
    if name not in known:
        raise ReleaseMissing(f"there is no release {name!r}; there are: {', '.join(known) or 'none'}")
    return known[name]


def _summary(one: Release) -> str:
    """One line about a release; a damaged one says so and hides none of the others."""
    try:
        meta = one.meta
        network = meta["config"]["network"]
        shape = f"{network['n_layer']} x {network['n_embd']}, window {network['n_ctx']}"
    except (ReleaseDamaged, KeyError, TypeError):
        return "damaged: meta.json cannot be read"
    return f"{shape:<26}{_measured(meta):<26}{_size_mb(one.folder):>8,.1f} MB"


def _measured(meta: dict[str, Any]) -> str:
    perplexity = meta.get("evaluation", {}).get("recombined_perplexity")
    return f"perplexity {perplexity:.2f}" if isinstance(perplexity, int | float) else "not measured"


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6
