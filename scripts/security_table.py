"""Writes docs/security.md from the attacks that the tests in tests/hostile name; ``--check`` compares instead.

The tests are read as text, never imported. An attack whose words are not texts of its file stops the script: what
cannot be read cannot be promised.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "security.md"
TESTS = ROOT / "tests" / "hostile"

TEMPLATE = """\
<!-- Written by scripts/security_table.py from the tests in tests/hostile: change those, and run it again. -->
# Who attacks, and what answers

{count} attacks, each with the test that tries it. The tests run the real hub, proxy, api and pages; those that need a
Unix user for each person are run as root, and skipped elsewhere.

## What is promised
- A customer's browser can show something else to its own customer, and nothing more: it runs no code in the house, and
  sees and changes nothing of anybody else. Price, owner and what was paid are the api's, whatever a page says.
- Somebody who has not signed in sees the front door and whether the shop is up, and cannot make the house forget its
  work.
- What a customer or the model wrote is text wherever it is shown, printed or exported, and is never in a log.
- Where the hub runs as root, everybody's server runs as a Unix user of its own: the keys, the orders, the hub's files
  and other people's homes are closed to it. In production the house does not start otherwise, unless
  `TNG_TRUSTED_USERS` says that they may read everything.

## What is allowed at the hub
- A person may open their own server and the api, and neither mint a token nor change an account. An operator may also
  see who is here and stop a server: not enter it, not administer the hub.
- The api reads who there is and which servers run. The idle culler stops servers. `prometheus` reads figures.
- `forget` is no process but a token, `TNG_HOME/keys/forget` (0600): `python -m hub.forget` takes an account away with
  it while the house is open. It may delete accounts and nothing else: it lists nobody, reads nothing, starts nothing.
- Where customers get mails (`TNG_MAIL_CUSTOMERS`), the process of the schedules reads what the hub keeps of an account,
  for the address, when one is sent. It has no other right, and none where they get none.

## What is not promised
- One Unix user for all (`TNG_ISOLATION=one`, and everywhere where the hub is not root): whoever has JupyterLab can read
  what the hub can read. That is for the demo, and for people who trust each other.
- `CUDA_VISIBLE_DEVICES` tells a workbench its GPUs and does not hold it to them; containers, or the permissions of the
  devices, do.
- Without host names of their own (`TNG_SUBDOMAINS`) power users' pages share an origin with the hub: what one of them
  shows to others could act as those others. In production with power users, host names are on.
- Local servers have ceilings for memory and processes, and none for the network: the machine's firewall decides what
  they reach.
- The house bounds what one request may carry, and not how many come. Floods beyond what one machine bears are for what
  stands before it.
- Whoever knows the addresses of files of JupyterLab or Voilà can fetch those files: they are the same everywhere.

{tables}"""


@dataclass(frozen=True)
class Attack:
    """One line of the table."""

    attack: str
    answer: str
    who: str
    threat: str
    test: str


class Unreadable(Exception):
    """An attack whose words are not texts of its file."""


def attacks(folder: Path) -> list[Attack]:
    """Every attack that a test in ``folder`` names, file by file, in the order in which they stand there."""
    return [attack for path in sorted(folder.glob("test_*.py")) for attack in _of_file(path)]


def _of_file(path: Path) -> Iterator[Attack]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    words = _constants(module)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "answers":
                    yield _read(decorator, words, f"{path.name}::{node.name}")


def _constants(module: ast.Module) -> dict[str, str]:
    """The texts to which a module gives names."""
    words: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with suppress(ValueError):
                words[node.targets[0].id] = _text(node.value, words)
    return words


def _text(node: ast.expr, words: Mapping[str, str]) -> str:
    """A text that is written out, named, or put together of such. Raises ValueError for anything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in words:
            return words[name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, words) + _text(right, words)
    raise ValueError(ast.unparse(node))


def _read(call: ast.Call, words: Mapping[str, str], test: str) -> Attack:
    try:
        told = dict(zip(("attack", "answer"), [_text(value, words) for value in call.args], strict=False))
        told |= {str(keyword.arg): _text(keyword.value, words) for keyword in call.keywords}
        return Attack(**{"threat": "", "test": test} | told)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"{test}: answers(attack, answer, who=…, threat=…) takes texts of this file") from error


def render(found: list[Attack]) -> str:
    """The text of docs/security.md."""
    people = sorted({attack.who for attack in found})
    tables = "\n".join(_table(who, [attack for attack in found if attack.who == who]) for who in people)
    return TEMPLATE.format(count=len(found), tables=tables)


def _table(who: str, found: list[Attack]) -> str:
    lines = [f"## {who[0].upper()}{who[1:]}", "", "| attack | what answers it | test |", "| --- | --- | --- |"]
    lines += [f"| {_cell(a.attack)}{_threat(a)} | {_cell(a.answer)} | `{a.test}` |" for a in found]
    return "\n".join(lines) + "\n"


def _threat(attack: Attack) -> str:
    return f" ({_cell(attack.threat)})" if attack.threat else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare. 1 where they differ, 2 where an attack cannot be read."""
    try:
        text = render(attacks(TESTS))
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    if arguments == ["--check"]:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("docs/security.md does not fit tests/hostile; run scripts/security_table.py", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
