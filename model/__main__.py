"""``python -m model``: what the writer offers to an operator. ``tng corpus`` and ``tng model`` hand over to it."""

import logging

from model.cli import main

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    main(prog_name="tng")
