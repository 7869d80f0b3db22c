"""Where the commands keep things: below ``TNG_HOME``, as the house does. The environment is read here alone."""

from __future__ import annotations

import os
from pathlib import Path

from tng.home import make_home


def home() -> Path:
    """The folder that all state lives in; closed to everybody but its owner."""
    return make_home(Path(os.environ.get("TNG_HOME") or "var").resolve())


def checkpoints_folder() -> Path:
    """Where bases are kept, a folder each."""
    return home() / "checkpoints"


def releases_folder() -> Path:
    """Where the operator's own releases are kept, beside those that came along."""
    return home() / "releases"
