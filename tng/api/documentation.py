"""The page at /docs: every operation of the api, read from its own OpenAPI. No script, and no other server."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2430 }
h1 { margin-bottom: 0 } code { font-family: ui-monospace, monospace }
section { border-top: 1px solid #d5dbe3; padding: .75rem 0 } section p { margin: .25rem 0 }
.method { display: inline-block; min-width: 4rem; font-weight: 700; color: #8a4b08 } small { color: #5a6675 }
"""


def documentation_page(app: FastAPI, openapi_path: str) -> HTMLResponse:
    """The page, made anew from the application's routes."""
    described = app.openapi()
    operations = [
        _operation(path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    title = escape(described["info"]["title"])
    link = f'<a href="{escape(openapi_path)}">openapi.json</a>'
    body = f"<h1>{title}</h1><p>The same for machines: {link}</p>{''.join(operations)}"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return HTMLResponse(
        f'<!doctype html><html lang="en">{head}{body}</html>', headers={"Content-Security-Policy": POLICY}
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    responses = operation["responses"].items()
    answers = ", ".join(escape(f"{status} {answer['description']}") for status, answer in responses)
    takes = ", ".join(escape(parameter["name"]) for parameter in operation.get("parameters", ()))
    return (
        f'<section><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code>'
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<small>{f'takes: {takes} · ' if takes else ''}answers: {answers}</small></section>"
    )
