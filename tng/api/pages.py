"""Pages of the api's that a person reads: a shared script, a link that leads nowhere, a receipt.

Each is whole: one sheet, known to the policy by its hash, no script, and nothing from anywhere else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import Final

from tng.export.colophon import Colophon
from tng.export.html import TELEPLAY, TOKENS, teleplay_html, title_of
from tng.look import whole_look
from tng.money.receipts import Receipt
from tng.script import Script

_STYLE: Final = f"""{TOKENS}
body {{ margin: 0; background: var(--tng-page); color: var(--tng-ink); font: 16px/1.55 var(--tng-letters) }}
header, footer {{ padding: 14px max(20px, calc(50vw - 400px)) }}
header {{ background: var(--tng-night); color: var(--tng-on-night); border-bottom: 4px solid var(--tng-amber) }}
header a {{ display: inline-block; padding: 8px 0; color: inherit; font-weight: 650; font-size: 19px;
  letter-spacing: .04em;
  text-decoration: none }}
main {{ box-sizing: border-box; max-width: 840px; margin: 0 auto; padding: 40px 20px }}
h1 {{ margin: 0 0 8px; font-size: clamp(1.6rem, 5vw, 2.2rem); line-height: 1.2; overflow-wrap: anywhere }}
.told {{ margin: 0 0 24px; color: var(--tng-soft) }}
footer {{ border-top: 1px solid var(--tng-line); color: var(--tng-soft); font-size: 14px }}
footer p {{ max-width: 75ch; margin: 8px 0 }} footer:empty {{ display: none }}
a {{ color: var(--tng-accent) }} a:focus-visible {{ outline: 3px solid var(--tng-accent); outline-offset: 3px }}
header a:focus-visible {{ outline-color: var(--tng-amber) }}
.go {{ display: inline-block; padding: 10px 22px; border-radius: 999px; background: var(--tng-amber);
  color: var(--tng-on-amber); font-weight: 700; text-decoration: none }}
.card {{ padding: 24px; border: 1px solid var(--tng-line); border-radius: var(--tng-round);
  background: var(--tng-card) }}
dl {{ display: grid; grid-template-columns: minmax(7em, max-content) 1fr; gap: 10px 24px; align-items: baseline;
  margin: 0 }}
dt {{ color: var(--tng-soft) }} dd {{ margin: 0; overflow-wrap: anywhere }} .sum {{ font-size: 1.25rem;
  font-weight: 700 }}
.play {{ padding: 8px 14px; border-radius: 8px; background: var(--tng-warn-back); color: var(--tng-warn-ink);
  font-weight: 600 }}
@media (max-width: 480px) {{ dl {{ grid-template-columns: 1fr; gap: 0 }} dd {{ margin-bottom: 12px }} }}
@media print {{
  body {{ background: none; color: #000 }} header, footer {{ padding: 0; border: 0; background: none; color: #000 }}
  main {{ max-width: none; padding: 12pt 0 }} .told, dt {{ color: #000 }} .card {{ padding: 0; border: 0;
  background: none }}
  .unprinted {{ display: none }}
}}
{TELEPLAY}"""

_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' "
    "rx='6' fill='%23{night}'/%3E%3Cpath d='M9 8h14M9 13h9M9 18h14M9 23h6' stroke='%23{amber}' stroke-width='2.5' "
    "stroke-linecap='round'/%3E%3C/svg%3E"
)
NO_INVOICE: Final = "This is a receipt for your records, and not a tax invoice."


@dataclass(frozen=True, slots=True)
class Sheet:
    """How the pages of a show look. ``policy`` lets this very sheet in, the page's own picture, and nothing else."""

    style: str
    policy: str
    icon: str


@lru_cache(maxsize=8)
def _sheet(look: tuple[tuple[str, str], ...]) -> Sheet:
    colours = whole_look(dict(look))
    style = f":root {{ {' '.join(f'--tng-{name}: {colour};' for name, colour in colours.items())} }}{_STYLE}"
    policy = (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Sheet(style, policy, _ICON.format(night=colours["night"][1:], amber=colours["amber"][1:]))


def sheet_of(look: Mapping[str, str]) -> Sheet:
    """The sheet in a show's own colours, each ``#rrggbb``."""
    return _sheet(tuple(sorted(look.items())))


def shared_page(script: Script, colophon: Colophon, *, sheet: Sheet, front_url: str) -> str:
    """A script, to be read by whoever has its link. It says nothing of its owner; ``front_url`` is the house's door."""
    told = f"A teleplay of {_count(len(script.scenes), 'scene')}, written by a machine."
    body = (
        f'<h1>{title_of(script)}</h1><p class="told">{told}</p>'
        f'<article class="teleplay" lang="en">{teleplay_html(script)}</article>'
    )
    made = f'Written by a machine, for fun. <a href="{escape(front_url)}">Have one written yourself</a>.'
    foot = (f'<span class="unprinted">{made}</span>', *(escape(note) for note in colophon.notes))
    return _page(script.title, colophon.product, body, foot, sheet=sheet, front_url=front_url)


def missing_page(product: str, *, sheet: Sheet, front_url: str) -> str:
    """A link that leads nowhere, whatever the reason."""
    body = (
        "<h1>There is nothing here</h1>"
        "<p>This link leads nowhere, or nowhere any more. Whoever gave it to you may have taken it back.</p>"
        f'<p><a class="go" href="{escape(front_url)}">Go to the front door</a></p>'
    )
    return _page("There is nothing here", product, body, (), sheet=sheet, front_url=front_url)


def receipt_page(receipt: Receipt, *, sheet: Sheet, front_url: str) -> str:
    """What was paid for an order, and what of it went back; made to be printed."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd{mark}>{value}</dd>" for name, value, mark in _lines(receipt))
    play = '<p class="play">A demonstration: no real money moved.</p>' if receipt.livemode_hint else ""
    body = f'<h1>Receipt</h1><p class="told">{escape(receipt.product)}</p>{play}<dl class="card">{lines}</dl>'
    return _page(f"Receipt {receipt.order_id}", receipt.product, body, (NO_INVOICE,), sheet=sheet, front_url=front_url)


def _lines(receipt: Receipt) -> Iterable[tuple[str, str, str]]:
    """Name, value as HTML, and the mark of the value."""
    yield "Script", escape(receipt.title), ""
    yield "Order", escape(receipt.order_id), ""
    yield "Ordered", _moment(receipt.placed_at), ""
    yield "Paid on", _moment(receipt.paid_at), ""
    if receipt.price != receipt.paid:
        yield "Price", escape(receipt.price), ""
    yield "Paid", escape(receipt.paid), ' class="sum"'
    if receipt.refund:
        day = f" on {_moment(receipt.refunded_at)}" if receipt.refunded_at else ""
        yield "Refund", escape(receipt.refund).capitalize() + day, ""
    if receipt.reference:
        yield "Payment", escape(receipt.reference), ""


def _moment(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}">{utc.day} {utc:%B %Y, %H:%M} UTC</time>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _page(title: str, product: str, body: str, foot: Iterable[str], *, sheet: Sheet, front_url: str) -> str:
    """A whole page. ``body`` and ``foot`` are HTML, ``title`` and ``product`` are texts."""
    notes = "".join(f"<p>{note}</p>" for note in foot)
    name = escape(product)
    own = "" if title == product else f"{escape(' '.join(title.split()))} · "
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f'<title>{own}{name}</title>\n<link rel="icon" href="{sheet.icon}">\n<style>{sheet.style}</style>\n'
        "</head>\n<body>\n"
        f'<header><a href="{escape(front_url)}">{name}</a></header>\n<main>{body}</main>\n'
        f"<footer>{notes}</footer>\n</body>\n</html>\n"
    )
