"""The part of the bridge that shows the releases: which one writes, how candidates compare, promote, roll back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from pydantic import TypeAdapter

from tng.dashboard import bridge_release_tables as tables
from tng.dashboard.bridge_forms import PromoteForm, RollBackForm, choose
from tng.dashboard.bridge_parts import hint
from tng.dashboard.client import ApiClient
from tng.dashboard.markup import tag
from tng.errors import ApiError
from tng.promotion.promotions import Evaluation
from tng.promotion.view import ReleasesView

logger = logging.getLogger(__name__)

MOST_KEPT = 20
"""Evaluations that were looked at are kept: they never change."""


class ReleasesPart:
    """Draws what the api says of releases. ``changed`` is called after an operator has changed something."""

    def __init__(self, client: ApiClient, changed: Callable[[], None]) -> None:
        self._client = client
        self._read: Callable[[object], ReleasesView] = TypeAdapter(ReleasesView).validate_python
        self._read_evaluation: Callable[[object], Evaluation] = TypeAdapter(Evaluation).validate_python
        self._seen: ReleasesView | None = None
        self._kept: dict[int, Evaluation] = {}
        self.sections = {
            name: widgets.HTML() for name in ("current", "charts", "checks", "samples", "history", "shelf")
        }
        self.choice = widgets.Dropdown(description="Evaluation", options=[])
        self.choice.observe(lambda _change: self._compare(), "value")
        self.promote = PromoteForm(client, changed)
        self.roll_back = RollBackForm(client, changed)
        self.box = widgets.VBox(self._rows())
        for name in ("tng-bridge", "tng-stacked"):
            self.box.add_class(name)

    def refresh(self) -> None:
        """Ask, and draw. Raises ApiError."""
        seen = self._client.ask("operator/releases", self._read)
        self._seen = seen
        for name, draw in (
            ("current", tables.current),
            ("charts", tables.charts),
            ("history", tables.history),
            ("shelf", tables.shelf),
        ):
            self.sections[name].value = draw(seen)
        self.promote.show(seen)
        self.roll_back.show(seen)
        self._offer(seen)
        self._compare()

    def clear(self) -> None:
        """Show nothing any more."""
        for section in self.sections.values():
            section.value = ""
        self._seen = None
        self.box.children = []

    def _rows(self) -> list[widgets.Widget]:
        beside = widgets.VBox(
            [
                widgets.HTML(tag("h2", "Candidate beside champion")),
                self.choice,
                self.sections["checks"],
                self.sections["samples"],
            ]
        )
        for name in ("tng-form", "tng-compared"):
            beside.add_class(name)
        forms = widgets.Box([self.promote, self.roll_back])
        forms.add_class("tng-forms")
        parts = self.sections
        return [parts["current"], forms, beside, parts["charts"], parts["shelf"], parts["history"]]

    def _offer(self, seen: ReleasesView) -> None:
        """Offer the evaluations; who looked at the newest one goes on to the next newest."""
        offered = [value for _, value in self.choice.options]
        options = [(tables.in_a_line(one), one.id) for one in seen.evaluations]
        follows = bool(options) and (not offered or self.choice.value == offered[0])
        choose(self.choice, options)
        if follows and self.choice.value != options[0][1]:
            self.choice.value = options[0][1]

    def _compare(self) -> None:
        """Draw the evaluation that is chosen."""
        if self._seen is None or self.choice.value is None:
            self.sections["checks"].value = hint(tables.NO_EVALUATION)
            self.sections["samples"].value = ""
            return
        try:
            chosen = self._evaluation(self.choice.value)
        except ApiError as error:
            logger.info("the api: %s", error)
            self.sections["checks"].value = hint(error.user_message)
            self.sections["samples"].value = ""
            return
        self.sections["checks"].value = tables.checks(chosen, self._seen.at)
        self.sections["samples"].value = tables.samples(chosen)

    def _evaluation(self, evaluation_id: Any) -> Evaluation:
        number = int(evaluation_id)
        if number not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[number] = self._client.ask(f"operator/evaluations/{number}", self._read_evaluation)
        return self._kept[number]
