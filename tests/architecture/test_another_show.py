"""Nothing in product, writer or house says which show it writes: a show is a folder of data, and only that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, named
from tests.shows import first_show

KINDS = {".py", ".html", ".j2", ".css", ".js", ".json"}
MORE_WORDS = ("Star Trek", "Next Generation", "Enterprise", "Starfleet", "Federation", "Paramount", "TNG")


def shipped() -> Iterator[Path]:
    """What a customer's page or a process of ours is made of; a release is of one show, and is data."""
    for package in ("tng", "hub", "model"):
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in KINDS and not {"node_modules", "__pycache__", "releases"} & set(path.parts):
                yield path


@cache
def words() -> re.Pattern[str]:
    """The show's own words, cast and all, as words of their own: ``TNG_HOME`` and ``tng-form`` are the product's."""
    show = first_show()
    cast = {word for who in show.cast for word in (who.cue, *who.names, who.formal)}
    return re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted({*cast, *MORE_WORDS, show.title})))


def without_docstrings(source: str) -> str:
    """A module's source without the texts that stand for themselves: an example there may be from any show."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return "\n".join(lines)


def said(path: Path) -> list[str]:
    """The lines of a file that speak of the show."""
    text = path.read_text(encoding="utf-8")
    text = without_docstrings(text) if path.suffix == ".py" else text
    return [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if words().search(line)]


@pytest.mark.parametrize("path", list(shipped()), ids=named)
def test_no_code_and_no_page_speaks_of_the_show(path: Path) -> None:
    assert not said(path)


@pytest.mark.parametrize(
    "line", ["NAME = 'TNG Script Generator'", "x = 1  # as Picard would", 'CUES = ["O\'BRIEN"]', "f('Star Trek')"]
)
def test_a_line_that_speaks_of_the_show_is_found(line: str, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(f'"""Picard turns."""\n\n{line}\n', encoding="utf-8")
    found = said(module)
    assert len(found) == 1
    assert found[0].startswith("3: ")


def test_the_walk_sees_pages_and_styles_too() -> None:
    kinds = {path.suffix for path in shipped()}
    assert kinds >= {".py", ".html", ".j2", ".css", ".js"}
