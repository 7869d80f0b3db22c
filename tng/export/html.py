"""A script as a teleplay in HTML, and the sheet of pages that are made without a kernel. No script, every text escaped.

The tokens are those of the dashboard's own sheet, in both themes: a page follows the system, or ``data-theme``.
"""

from __future__ import annotations

from html import escape
from typing import Final

from tng.export.layout import Block, BlockKind, blocks_by_act, plain
from tng.script import Script

_LIGHT: Final = """color-scheme: light;
  --tng-page: #f4f2ec; --tng-card: #ffffff; --tng-ink: #1b2230; --tng-soft: #566072; --tng-line: #ddd8cc;
  --tng-field: #ffffff; --tng-edge: #8d94a1; --tng-hover: #f3efe4;
  --tng-good: #1d6b45; --tng-bad: #9c2f2f; --tng-accent: var(--tng-amber-dark);
  --tng-warn-back: #fdecc8; --tng-warn-ink: #5b3b00; --tng-good-back: #e4efe8; --tng-good-ink: #14492f;
  --tng-bad-back: #fbe4e1; --tng-bad-ink: #6d1d1d;
  --tng-paper: #fffefb; --tng-paper-ink: #14171c; --tng-shade: rgb(20 23 28 / 10%);"""
_DARK: Final = """color-scheme: dark;
  --tng-page: #12161d; --tng-card: #1b212b; --tng-ink: #e9e6de; --tng-soft: #a9b1bf; --tng-line: #343c49;
  --tng-field: #12161d; --tng-edge: #6f7a8a; --tng-hover: #262e3a;
  --tng-good: #79cfa1; --tng-bad: #f2988f; --tng-accent: color-mix(in srgb, var(--tng-amber) 72%, white);
  --tng-warn-back: #43330f; --tng-warn-ink: #fbe3b0; --tng-good-back: #173626; --tng-good-ink: #bfe9d1;
  --tng-bad-back: #47201e; --tng-bad-ink: #fad4cf;
  --tng-paper: #e4dfd1; --tng-paper-ink: #14171c; --tng-shade: rgb(0 0 0 / 45%);"""
_MEASURES: Final = """--tng-space-1: 4px; --tng-space-2: 8px; --tng-space-3: 12px; --tng-space-4: 16px;
  --tng-space-5: 24px; --tng-space-6: 40px; --tng-round: 10px;
  --tng-letters: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --tng-courier: "Courier Prime", "Courier New", Courier, monospace;"""

TOKENS: Final = f"""
:root {{ {_LIGHT}
  {_MEASURES} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {_DARK} }} }}
:root[data-theme=dark] {{ {_DARK} }}
"""
"""Colours and measures as CSS variables. The show's own colours (``--tng-night``, ``--tng-amber``, …) are not here."""

TELEPLAY: Final = """
.teleplay { box-sizing: border-box; padding: clamp(1.25rem, 5vw, 3.5rem) clamp(1rem, 6vw, 4.5rem); border-radius: 4px;
  background: var(--tng-paper); color: var(--tng-paper-ink);
  box-shadow: 0 1px 2px var(--tng-shade), 0 12px 32px var(--tng-shade);
  font: 15px/1.45 var(--tng-courier); overflow-wrap: anywhere; color-scheme: light }
.teleplay p, .teleplay h2, .teleplay h3, .teleplay h4 { margin: 0 0 1em; font: inherit }
.teleplay .act { margin-top: 2em; text-align: center; text-decoration: underline; font-weight: 700 }
.teleplay section:first-child .act { margin-top: 0 }
.teleplay .heading, .teleplay .shot { display: flex; gap: 1ch; margin-top: 1.6em }
.teleplay .heading { font-weight: 700 }
.teleplay .heading b, .teleplay .shot b { flex: 1; font-weight: inherit }
.teleplay .speech { width: min(36ch, 78%); margin-left: 16% }
.teleplay .cue { display: block; padding-left: 32% } .teleplay .aside { display: block; padding-left: 12% }
.teleplay .transition { text-align: right } .teleplay .ending { margin: 2em 0 0; text-align: center; font-weight: 700 }
@media print {
  .teleplay { padding: 0; border: 0; box-shadow: none; background: none; color: #000; font-size: 12pt; line-height: 1 }
  .teleplay section + section { break-before: page }
  .teleplay .heading, .teleplay .shot, .teleplay .act { break-after: avoid } .teleplay .speech { break-inside: avoid }
}
"""
"""How a teleplay looks on a page: Courier on paper, and plain black on what is printed."""


def teleplay_html(script: Script, *, level: int = 2) -> str:
    """The acts of a script, without its title. ``level``, 2 or 3, is the heading of an act; scenes are one below."""
    acts = ("".join(_block(block, level) for block in blocks) for blocks in blocks_by_act(script))
    return "".join(f"<section>{act}</section>\n" for act in acts)


def title_of(script: Script) -> str:
    """The title on one line, escaped."""
    return escape(plain(script.title))


def _block(block: Block, level: int) -> str:
    text, number = escape(block.text), escape(block.number)
    match block.kind:
        case BlockKind.ACT:
            return f'<h{level} class="act">{text}</h{level}>'
        case BlockKind.HEADING | BlockKind.SHOT:
            tag = f"h{level + 1}" if block.kind is BlockKind.HEADING else "p"
            numbered = f'<span>{number}</span><b>{text}</b><span aria-hidden="true">{number}</span>'
            return f'<{tag} class="{block.kind}">{numbered}</{tag}>'
        case BlockKind.SPEECH:
            aside = f'<span class="aside">({escape(block.parenthetical)})</span>' if block.parenthetical else ""
            return f'<p class="speech"><span class="cue">{escape(block.cue)}</span>{aside}{text}</p>'
        case _:
            return f'<p class="{block.kind}">{text}</p>'


__all__ = ["TELEPLAY", "TOKENS", "teleplay_html", "title_of"]
