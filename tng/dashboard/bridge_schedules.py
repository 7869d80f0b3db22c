"""The part of the bridge that shows schedules and retrainings, with the buttons of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import ipywidgets as widgets
from pydantic import TypeAdapter

from tng.dashboard import bridge_schedule_tables as tables
from tng.dashboard.bridge_forms import Confirmation
from tng.dashboard.bridge_parts import hint
from tng.dashboard.client import ApiClient
from tng.dashboard.markup import joined, tag
from tng.training.retrainings import RetrainingState
from tng.training.view import RetrainingView, SchedulesView, ScheduleView

NO_SCHEDULE = "No schedule. On the machine: tng schedule add '0 3 * * SUN' retrain --preset small"
NO_RETRAINING = "Nothing was retrained yet."
TAKEN_UP = (RetrainingState.FAILED, RetrainingState.CANCELLED)


class SchedulesPart:
    """Draws what the api says of schedules and retrainings. ``changed`` is called after an operator's click."""

    def __init__(self, client: ApiClient, changed: Callable[[], None]) -> None:
        self._client, self._changed = client, changed
        self._read: Callable[[object], SchedulesView] = TypeAdapter(SchedulesView).validate_python
        self.schedules: dict[str, ScheduleRow] = {}
        self.retrainings: dict[str, RetrainingRow] = {}
        self._schedules = _section("Schedules")
        self._retrainings = _section("Retrainings")
        self.box = widgets.VBox([self._schedules, self._retrainings])
        for name in ("tng-bridge", "tng-stacked"):
            self.box.add_class(name)

    def refresh(self) -> None:
        """Ask, and draw. Raises ApiError."""
        seen = self._client.ask("operator/schedules", self._read)
        self.schedules = {one.name: self._schedule_row(one.name) for one in seen.schedules}
        for schedule in seen.schedules:
            self.schedules[schedule.name].show(schedule, seen.at)
        self.retrainings = {one.retraining.id: self._retraining_row(one.retraining.id) for one in seen.retrainings}
        for retraining in seen.retrainings:
            self.retrainings[retraining.retraining.id].show(retraining, seen.at)
        _fill(self._schedules, list(self.schedules.values()), NO_SCHEDULE)
        _fill(self._retrainings, list(self.retrainings.values()), NO_RETRAINING)

    def clear(self) -> None:
        """Show nothing any more."""
        self.schedules, self.retrainings = {}, {}
        self.box.children = []

    def _schedule_row(self, name: str) -> ScheduleRow:
        return self.schedules.get(name) or ScheduleRow(self._client, self._changed)

    def _retraining_row(self, name: str) -> RetrainingRow:
        return self.retrainings.get(name) or RetrainingRow(self._client, self._changed)


class ScheduleRow(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """One schedule: pause or resume it, or run now what it would begin."""

    def __init__(self, client: ApiClient, changed: Callable[[], None]) -> None:
        self._seen: ScheduleView | None = None
        self.about = widgets.HTML()
        self.pause = widgets.Button(description="Pause")
        self.run = widgets.Button(description="Run now")
        self.confirmation = Confirmation(client, changed)
        self.pause.on_click(lambda _button: self.pause_or_resume())
        self.run.on_click(lambda _button: self.run_now())
        super().__init__([self.about, _buttons(self.pause, self.run), self.confirmation])
        self.add_class("tng-entry")

    def show(self, seen: ScheduleView, now: datetime) -> None:
        """Show how it stands."""
        self._seen = seen
        self.about.value = tables.schedule(seen, now)
        self.pause.description = "Resume" if seen.is_paused else "Pause"
        self.pause.tooltip = f"{self.pause.description} {seen.name}"
        self.run.tooltip = f"Begin now what {seen.name} begins at its slots"

    def pause_or_resume(self) -> None:
        """Do what the button says."""
        if self._seen is not None:
            action, said = ("resume", "resumed") if self._seen.is_paused else ("pause", "paused")
            self.confirmation.do(f"operator/schedules/{self._seen.name}/{action}", {}, f"{self._seen.name} is {said}.")

    def run_now(self) -> None:
        """Begin a retraining. While it is under way the api begins no other."""
        if self._seen is not None:
            self.confirmation.do(f"operator/schedules/{self._seen.name}/run", {}, "A retraining has begun; see below.")


class RetrainingRow(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """One retraining: cancel it while it is under way, take it up again where it failed."""

    def __init__(self, client: ApiClient, changed: Callable[[], None]) -> None:
        self._seen: RetrainingView | None = None
        self.about = widgets.HTML()
        self.cancel = widgets.Button(description="Cancel…")
        self.retry = widgets.Button(description="Take it up again")
        self.confirmation = Confirmation(client, changed)
        self.cancel.on_click(lambda _button: self.ask_to_cancel())
        self.retry.on_click(lambda _button: self.take_up())
        self._buttons = _buttons()
        super().__init__([self.about, self._buttons, self.confirmation])
        self.add_class("tng-entry")

    def show(self, seen: RetrainingView, now: datetime) -> None:
        """Show how it stands, with the buttons that it has now."""
        self._seen = seen
        self.about.value = tables.retraining(seen, now)
        self.cancel.tooltip = f"Ask once more, then end retraining {seen.retraining.id}"
        self.retry.tooltip = f"Go on with retraining {seen.retraining.id} at the step that it ended with"
        if seen.retraining.is_open:
            offered = [self.cancel]
        else:
            offered = [self.retry] if seen.retraining.state in TAKEN_UP else []
            self.confirmation.drop()
        if list(self._buttons.children) != offered:
            self._buttons.children = offered

    def ask_to_cancel(self) -> None:
        """Ask once more."""
        if self._seen is None:
            return
        name = self._seen.retraining.id
        question = joined(
            [tag("b", f"Retraining {name} ends"), " at the step that it is at. It can be taken up again."]
        )
        path, said = f"operator/retrainings/{name}/cancel", f"Retraining {name} is cancelled."
        self.confirmation.ask(question, path, {}, yes="End it", said=said)

    def take_up(self) -> None:
        """Go on with the step that failed."""
        if self._seen is not None:
            name = self._seen.retraining.id
            self.confirmation.do(f"operator/retrainings/{name}/retry", {}, f"Retraining {name} goes on.")


def _section(title: str) -> widgets.VBox:
    section = widgets.VBox([widgets.HTML(tag("h2", title))])
    section.add_class("tng-list")
    return section


def _fill(section: widgets.VBox, rows: list[Any], empty: str) -> None:
    """Put these below the section's title, where they are not there already."""
    title, *shown = section.children
    if rows and shown != rows:
        section.children = [title, *rows]
    elif not rows and (not shown or not isinstance(shown[0], widgets.HTML)):
        section.children = [title, widgets.HTML(hint(empty))]


def _buttons(*buttons: widgets.Button) -> widgets.HBox:
    row = widgets.HBox(list(buttons))
    row.add_class("tng-buttons")
    return row
