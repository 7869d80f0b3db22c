"""Writes environment.yml, the door for conda and repo2docker, from requirements.lock; ``--check`` compares instead.

The lock stays the only list of versions: environment.yml hands it to pip with its hashes, and names its sha256, so
that one cannot change without the other.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "environment.yml"
LOCK = ROOT / "requirements.lock"

TEMPLATE = """\
# Written by scripts/environment_yml.py from requirements.lock: change pyproject.toml and run `make lock`.
# requirements.lock sha256: {digest} ({count} packages)
# After `conda env create`: conda activate {name}; make proxy PYTHON=python; python -m hub
name: {name}
channels:
  - conda-forge
dependencies:
  - python={python}
  - pip
  - pip:
      - --require-hashes
      - -r requirements.lock
"""


def render(lock: bytes, project: dict[str, str]) -> str:
    """The text of environment.yml for a lock and the project table of pyproject.toml."""
    return TEMPLATE.format(
        digest=hashlib.sha256(lock).hexdigest(),
        count=len(re.findall(rb"^[A-Za-z0-9]\S*==", lock, re.MULTILINE)),
        name=project["name"],
        python=project["requires-python"].removeprefix(">=").split(",")[0],
    )


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare. 1 where they differ, 2 where the lock is missing."""
    try:
        lock = LOCK.read_bytes()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except OSError as error:
        print(f"{error.filename} cannot be read ({error.strerror})", file=sys.stderr)
        return 2
    text = render(lock, project)
    if arguments == ["--check"]:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("environment.yml does not fit requirements.lock; run scripts/environment_yml.py", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
