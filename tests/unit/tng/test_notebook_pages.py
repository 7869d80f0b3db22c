"""A notebook as a page: everything of it can be read, and nothing of it runs or asks anybody for anything."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tng.adapters.notebook_pages import POLICY, page_of, write_page

HOSTILE = "<script>alert(1)</script><img src=https://evil.example onerror=alert(1)><iframe src=//evil.example></iframe>"


def saved(folder: Path, *outputs: object, source: str = "x", text: str = "# Title") -> Path:
    cells = [new_markdown_cell(text), new_code_cell(source, outputs=list(outputs))]
    path = folder / "finetune-2.1.ipynb"
    path.write_text(nbformat.writes(new_notebook(cells=cells)), encoding="utf-8")
    return path


def tags(page: str) -> set[str]:
    return set(re.findall(r"<([a-z0-9]+)", page.partition("<body>")[2]))


def test_tables_lines_and_pictures_can_be_read(tmp_path: Path) -> None:
    table = "<table><thead><tr><th scope='row'>check</th></tr></thead><tbody><tr><td>format</td></tr></tbody></table>"
    page = page_of(
        saved(
            tmp_path,
            new_output("stream", text="step 60 of 60\n"),
            new_output("display_data", data={"text/html": table}),
            new_output("display_data", data={"image/png": "iVBORw0KGgo="}),
            new_output("error", ename="ValueError", evalue="no", traceback=["\x1b[31mValueError\x1b[0m: no"]),
        )
    )
    assert {"h1", "table", "thead", "th", "tbody", "td", "img", "pre"} <= tags(page)
    for text in ("step 60 of 60", "format", "data:image/png;base64,iVBORw0KGgo=", "ValueError"):
        assert text in page


@pytest.mark.parametrize(
    "kind", ["text/html", "text/markdown", "image/svg+xml", "application/javascript", "text/latex"]
)
def test_nothing_that_a_notebook_displays_runs(tmp_path: Path, kind: str) -> None:
    page = page_of(saved(tmp_path, new_output("display_data", data={kind: HOSTILE})))
    assert not tags(page) & {"script", "iframe", "object", "embed", "link", "style", "form"}
    assert not re.search(r"<[^>]*\b(onerror|onload)\b", page)


def test_nor_what_stands_in_its_cells_its_streams_and_its_errors(tmp_path: Path) -> None:
    failed = new_output("error", ename=HOSTILE, evalue=HOSTILE, traceback=[HOSTILE])
    page = page_of(saved(tmp_path, new_output("stream", text=HOSTILE), failed, source=HOSTILE, text=HOSTILE))
    assert not tags(page) & {"script", "iframe"}
    assert not re.search(r"<[^>]*\bonerror\b", page)


def test_it_asks_nobody_for_anything(tmp_path: Path) -> None:
    page = page_of(saved(tmp_path, new_output("display_data", data={"text/html": HOSTILE})))
    assert POLICY in page
    assert not re.findall(r"<[^>]*\b(?:src|href)\s*=\s*[\"']?(?!data:|#)[^>]*>", page)


def test_a_page_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError):
        write_page(broken, page)
    assert not page.exists()
    write_page(saved(tmp_path), page)
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert not list(tmp_path.glob("*.partial"))
