"""Starts a module without the import that costs most: ``python -m hub.start MODULE ARGUMENT…``. It knows no module.

jsonschema loads ``rfc3987_syntax`` where it is installed, and that compiles a grammar for more than a second before
anything else happens: half of what a customer's server takes to start. It is asked about the format "iri" alone,
which no schema of Jupyter's uses. Marked as absent, it is not loaded, and jsonschema does without.
"""

from __future__ import annotations

import runpy
import sys

SLOW = "rfc3987_syntax"


def main(module: str) -> None:
    """Run ``module`` as if it had been named after ``python -m``."""
    sys.modules[SLOW] = None  # type: ignore[assignment]  # the import system's own mark for "not there"
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    main(sys.argv[0])
