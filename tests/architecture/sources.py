"""What the architecture tests read: our modules as syntax trees, and our notebooks as cells."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tng", "hub", "model")


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the three packages."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path for path in found if not {"node_modules", "__pycache__"} & set(path.parts)))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def named(path: Path) -> str:
    """A module's path as it is written in the repository."""
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """A module's path as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def notebooks() -> tuple[Path, ...]:
    """Every notebook that a person or the worker runs."""
    return tuple(sorted(p for p in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts))


@cache
def cells(path: Path) -> tuple[Any, ...]:
    """The cells of a notebook."""
    return tuple(nbformat.read(path, as_version=4).cells)


def imported(module: ast.AST) -> set[str]:
    """The dotted names that a piece of code imports."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names
