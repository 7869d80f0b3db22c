"""``python -m tng`` is the command ``tng``."""

from tng.cli import main

if __name__ == "__main__":
    main()
