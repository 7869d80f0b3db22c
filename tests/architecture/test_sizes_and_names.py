"""Budgets and words: small files, small functions, names that say what they hold."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

from tests.architecture.sources import modules, named, tree

MOST_LINES = 350
MOST_FUNCTION_LINES = 50
MOST_PARAMETERS = 8
FORBIDDEN = re.compile(r"Manager|Helper|Utils?\b|Data$|Info\b|Processor|Handler$|^do_|^process_|^tmp")
# tornado and logging name their own kinds so
ALLOWED = {"LoginHandler", "ErrorHandler"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: Path) -> list[Function]:
    return [n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _code_lines(function: Function) -> int:
    first = function.body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = first.end_lineno if docstring else function.lineno
    return (function.end_lineno or 0) - (start or 0)


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_file_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_function_fits_on_one_screen(path: Path) -> None:
    long = {f.name: _code_lines(f) for f in _functions(path) if _code_lines(f) > MOST_FUNCTION_LINES}
    assert not long


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_function_takes_few_parameters(path: Path) -> None:
    many = {}
    for function in _functions(path):
        positional = [a for a in function.args.args if a.arg not in ("self", "cls")]
        if len(positional) > 6 or len(positional) + len(function.args.kwonlyargs) > MOST_PARAMETERS:
            many[function.name] = len(positional) + len(function.args.kwonlyargs)
    assert not many


def test_the_usual_function_is_short() -> None:
    lines = [_code_lines(f) for path in modules() for f in _functions(path)]
    assert 1 <= statistics.median(lines) <= 11


@pytest.mark.parametrize("path", modules(), ids=named)
def test_names_say_what_they_hold(path: Path) -> None:
    nodes = [n for n in ast.walk(tree(path)) if isinstance(n, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
    names = [n.name for n in nodes] + [path.stem]
    assert not [name for name in names if FORBIDDEN.search(name) and name not in ALLOWED]


@pytest.mark.parametrize("path", modules(), ids=named)
def test_what_is_public_says_what_it_is(path: Path) -> None:
    silent = []
    if not ast.get_docstring(tree(path)):
        silent.append("the module")
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            silent += [] if ast.get_docstring(node) or _nested(path, node) else [node.name]
    assert not silent


def _nested(path: Path, node: ast.AST) -> bool:
    """A function inside a function is not public."""
    return any(node in ast.walk(f) and f is not node for f in _functions(path))
