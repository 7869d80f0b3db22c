"""A notebook is a page, not a program."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from tests.architecture.sources import ROOT, cells, imported, named, notebooks

MOST_CELLS = 12
MOST_LINES = 12
MOST_PARAMETERS = 16
MAY_IMPORT = {
    "pages": ("tng.dashboard", "os"),
    "runs": ("model", "tng.script", "tng.releases", "pathlib", "json", "typing", "IPython.display"),
    "workbench": ("model", "tng.script", "tng.releases", "tng.workbench", "pathlib", "typing"),
}

every_notebook = pytest.mark.parametrize("path", notebooks(), ids=named)


def _code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in cells(path) if cell.cell_type == "code"]


@every_notebook
def test_it_opens_with_what_it_is(path: Path) -> None:
    first = cells(path)[0]
    assert first.cell_type == "markdown"
    title, *rest = first.source.strip().splitlines()
    assert title.startswith("# ")
    assert len(" ".join(rest).split()) >= 20


@every_notebook
def test_it_is_stored_without_results(path: Path) -> None:
    assert not [cell for cell in _code(path) if cell.outputs or cell.execution_count]


@every_notebook
def test_it_is_short(path: Path) -> None:
    assert len(_code(path)) <= MOST_CELLS
    for cell in _code(path):
        most = MOST_PARAMETERS if "parameters" in cell.metadata.get("tags", []) else MOST_LINES
        assert len(cell.source.splitlines()) <= most


@every_notebook
def test_it_calls_and_does_not_define(path: Path) -> None:
    for cell in _code(path):
        walked = list(ast.walk(ast.parse(cell.source)))
        assert not [
            n for n in walked if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.Lambda)
        ]


@every_notebook
def test_each_code_cell_is_introduced_by_a_sentence(path: Path) -> None:
    for before, cell in pairwise(cells(path)):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown"


@every_notebook
def test_it_imports_what_its_side_may(path: Path) -> None:
    allowed = MAY_IMPORT[path.relative_to(ROOT / "notebooks").parts[0]]
    for cell in _code(path):
        wrong = {
            i for i in imported(ast.parse(cell.source)) if not any(i == a or i.startswith(a + ".") for a in allowed)
        }
        assert not wrong


@pytest.mark.parametrize("path", [p for p in notebooks() if "workbench" in p.parts], ids=named)
def test_a_page_of_the_workbench_says_first_what_it_costs_and_what_the_machine_has(path: Path) -> None:
    about = cells(path)[0].source
    assert "GPU" in about
    assert re.search(r"second|minute", about)
    assert _code(path)[0].source.splitlines()[-1] == "show_machine()"
    assert re.match(r"0[1-9]_", path.name)


@pytest.mark.parametrize("path", [p for p in notebooks() if "pages" not in p.parts], ids=named)
def test_its_parameters_are_a_contract(path: Path) -> None:
    papermill = pytest.importorskip("papermill")
    tagged = [cell for cell in _code(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    body = ast.parse(tagged[0].source).body
    names = []
    for node in body:
        assert isinstance(node, ast.AnnAssign | ast.ImportFrom), ast.unparse(node)
        if isinstance(node, ast.AnnAssign):
            assert node.value is not None
            ast.literal_eval(node.value)
            assert "|" not in ast.unparse(node.annotation)
            names.append(ast.unparse(node.target))
    assert sorted(papermill.inspect_notebook(str(path))) == sorted(names)
