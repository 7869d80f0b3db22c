"""How long an import of a whole series takes: ``python -m tests.benchmarks.teleplays``. 176 invented teleplays.

The bars: ten seconds on one core, and at most 0.05 % of the lines not understood. A real series has 395,000 lines.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from model.corpus.teleplays.importing import import_teleplays, summary_lines
from model.corpus.teleplays.shelf import Shelf
from tests.shows import first_show
from tests.teleplays import invented_script, studio_pages, zipped

NUMBERS = range(102, 278)


def main() -> None:
    """Import once, and once more; print both reports with the processor's seconds."""
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / "series.zip"
        archive.write_bytes(zipped({f"{n}.txt": studio_pages(invented_script(n), n).encode() for n in NUMBERS}))
        shelf = Shelf(Path(name) / "kept")
        for which in ("first", "again"):
            started = time.process_time()
            report = import_teleplays([archive], first_show(), shelf)
            print(f"{which}: {time.process_time() - started:.1f} s of one core; {'; '.join(summary_lines(report))}")


if __name__ == "__main__":
    main()
