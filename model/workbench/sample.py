"""The run of a script that is written here and now, told as the run of an order is; and the picture of either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.workbench.comparing import release_in
from model.workbench.showing import bars, show_lines, show_picture
from model.writing import warm, write
from tng.provenance import Provenance
from tng.script import Premise
from tng.workbench.account import RunAccount


def told_of_sample(wish: Mapping[str, Any], release_folder: Path | str = "") -> RunAccount:
    """Write a script and keep what its run told. Raises PremiseError, ReleaseMissing or ReleaseDamaged."""
    writer = warm(release_in(release_folder))
    premise = Premise.checked({"cast": list(writer.show.leads), **wish}, writer.show.cues)
    account = RunAccount(premise.title, "a sample, written just now")
    written = write(premise, writer, account.hear)
    return replace(account, provenance=Provenance.read(written.provenance))


def show_account(account: RunAccount) -> None:
    """Say what is known of a run."""
    show_lines(account.title, *account.sentences)


def show_timings(account: RunAccount) -> None:
    """Display how long each scene took; nothing but a sentence where the run did not tell."""
    if account.scenes:
        picture = bars(account.seconds, "How long each scene took", "seconds")
        show_picture(picture, f"{len(account.scenes)} scenes")
    else:
        show_lines("There is no scene to draw: the run did not say how long its scenes took.")


__all__ = ["show_account", "show_timings", "told_of_sample"]
