"""Scenes of the machine's own, for people who have not ordered yet: ``shows/<id>/sample.txt``, if there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tng.errors import ScriptError, ShowError
from tng.script import Script, parse

SAMPLE_FILE: Final = "sample.txt"


def read_sample(folder: Path) -> Script | None:
    """The sample of the show in ``folder``, in the compact form; None where it has no such file.

    Raises ShowError where it cannot be read.
    """
    path, where = folder / SAMPLE_FILE, f"{folder.name}/{SAMPLE_FILE}"
    if not path.is_file():
        return None
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShowError(f"{where} cannot be read ({type(error).__name__})") from error
    except ScriptError as error:
        raise ShowError(f"{where}: {error}") from error


__all__ = ["SAMPLE_FILE", "read_sample"]
