"""Runs a command as another user of the system: ``python -m hub.step_down UID:GID COMMAND…``. Only root may.

It becomes the command, and so keeps its process id: for what others start and stop by that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from hub.processes import become, gain_nothing


def main(words: Sequence[str]) -> None:
    """Give up the rights of root for good, then run the command in the place of this program."""
    uid, gid = words[0].split(":")
    become(int(uid), int(gid))
    gain_nothing()
    os.execv(words[1], list(words[1:]))  # noqa: S606 - no shell: the words are ours


if __name__ == "__main__":
    main(sys.argv[1:])
