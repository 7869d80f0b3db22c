"""The tests. Whatever process of theirs imports one of them is spared the import that ``hub.start`` leaves out."""

import sys

from hub.start import SLOW

if SLOW not in sys.modules:
    sys.modules[SLOW] = None  # type: ignore[assignment]  # two seconds of each of some hundred processes
