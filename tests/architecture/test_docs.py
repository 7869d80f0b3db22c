"""Docs that fail when they are wrong."""

from __future__ import annotations

import re

from tests.architecture.sources import ROOT
from tng import errors
from tng.orders import MOVES
from tng.payments import EVENT_TYPES
from tng.settings import Settings

README = ROOT / "README.md"


def _drawn() -> dict[str, str]:
    """class → parent, as the tree in the docstring draws it."""
    parents: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for line in str(errors.__doc__).splitlines():
        match = re.match(r"^(\s*[│├└─ ]*)([A-Z]\w+)(?:\s|$)", line)
        if not match or not (line.strip() == "TngError" or "─" in line):
            continue
        depth = len(match[1])
        while stack and stack[-1][0] >= depth:
            stack.pop()
        parents[match[2]] = stack[-1][1] if stack else "Exception"
        stack.append((depth, match[2]))
    return parents


def test_the_drawn_error_tree_is_the_real_one() -> None:
    real = {
        name: kind.__mro__[1].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.TngError)
    }
    assert _drawn() == real


def test_every_error_has_a_sentence_for_the_person() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.TngError)]
    assert all(k.user_message.endswith(".") and len(k.user_message) > 10 for k in kinds)


def test_the_readme_names_every_setting() -> None:
    text = README.read_text(encoding="utf-8")
    names = [field.alias or f"TNG_{name.upper()}" for name, field in Settings.model_fields.items()]
    assert not [name for name in names if f"`{name}`" not in text]


def test_the_readme_draws_the_folders_that_are_there() -> None:
    text = README.read_text(encoding="utf-8")
    for folder in ("notebooks", "hub", "tng", "model", "tests"):
        assert f"{folder}/" in text
        assert (ROOT / folder).is_dir()
    for path in re.findall(r"`((?:notebooks|hub|tng|model|tests|docs)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    text = README.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z-]+)", text)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_page_about_orders_has_the_table_of_moves() -> None:
    text = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
    table = text.split("## ", 1)[0]
    written = re.findall(r"^\| (\w+) \| (\w+) \|", table, re.MULTILINE)[1:]
    assert sorted(written) == sorted((before.value, after.value) for before in MOVES for after in MOVES[before])


def test_the_page_about_orders_names_every_event_that_is_acted_on() -> None:
    text = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
    assert {name for name in re.findall(r"`([a-z_.]+)`", text) if name in EVENT_TYPES} == EVENT_TYPES


def test_whoever_sets_up_a_webhook_is_told_every_event_that_is_acted_on() -> None:
    for page in (README, ROOT / "docs" / "production.md"):
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"`([a-z_.]+)`", text)) >= EVENT_TYPES, page.name
