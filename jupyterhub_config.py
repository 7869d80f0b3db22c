"""What JupyterHub reads at start. Everything that it is told stands in ``hub.config``."""

from hub.config import configure
from tng.settings import Settings

configure(get_config(), Settings.read())  # type: ignore[name-defined]  # noqa: F821
