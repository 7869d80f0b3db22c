"""An executed notebook as a page that anybody can open: one file of HTML, which asks nobody else for anything.

What a notebook displayed is shown as text or as a picture; its own HTML is cleaned of everything that could run. The
page forbids scripts and foreign addresses once more, by a policy of its own.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import bleach  # type: ignore[import-untyped]
import nbformat
from nbconvert.exporters import HTMLExporter

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
TEXT = "a b blockquote br code dd div dl dt em h1 h2 h3 h4 h5 h6 hr i li ol p pre small span strong sub sup u ul"
TABLES = "caption col colgroup figcaption figure table tbody td tfoot th thead tr"
ATTRIBUTES = {"*": ["class", "title"], "th": ["scope", "colspan", "rowspan"], "td": ["colspan", "rowspan"]}
LONGEST_BYTES = 50_000_000


def write_page(notebook: Path, page: Path) -> None:
    """Write the page of a notebook, whole or not at all. Raises OSError, ValueError where it is no notebook."""
    if notebook.stat().st_size > LONGEST_BYTES:
        raise ValueError(f"{notebook.name} is too long for a page")
    partial = page.with_name(page.name + ".partial")
    partial.write_text(page_of(notebook), encoding="utf-8")
    partial.replace(page)


def page_of(notebook: Path) -> str:
    """The page of a notebook. Raises OSError, ValueError where it is no notebook."""
    read = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    # "basic" is the body alone; the other templates load MathJax and require.js from elsewhere
    exporter = HTMLExporter(template_name="basic", sanitize_html=True)  # type: ignore[no-untyped-call]
    # nbconvert's own filter knows neither headings nor the head of a table
    exporter.register_filter("clean_html", _clean)  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(read)
    return PAGE.format(policy=POLICY, title=escape(notebook.stem), style=STYLE, body=body)


def _clean(element: object) -> str:
    text = element.decode() if isinstance(element, bytes) else str(element)
    return str(
        bleach.clean(
            text, tags=[*TEXT.split(), *TABLES.split()], attributes=ATTRIBUTES, strip=True, strip_comments=True
        )
    )


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; white-space: pre-wrap; }
table { border-collapse: collapse; } td, th { border: 1px solid #999; padding: .3rem .6rem; text-align: left; }
img, svg { max-width: 100%; height: auto; } .jp-OutputPrompt, .jp-InputPrompt, .prompt { color: #666; }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
