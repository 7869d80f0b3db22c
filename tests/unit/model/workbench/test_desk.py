"""At the desk scenes come one by one, Stop stops, and whatever is written stays text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import pytest

from model.workbench.desk import FAILED, NOTHING, WritingDesk
from model.writing import Writer, write
from tests.unit.model.workbench.shown import texts
from tng.errors import ReleaseDamaged
from tng.script import SEED_LIMIT, Length, parse, render

WISH = {"title": "The Quiet Hours", "logline": "Ambassador Sorel comes aboard.", "length": "short", "seed": 3}
PATIENCE_SECONDS = 60.0
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def desk(writer: Writer) -> WritingDesk:
    return WritingDesk(writer, WISH)


def _headings(desk: WritingDesk) -> list[str]:
    blocks = [block for section in desk.script.reader.sections for block in section]
    return [block["text"] for block in blocks if block["kind"] == "heading"]


class Pausing:
    """A writer's report that waits after its first scene until it is told to go on: no test has to guess how fast."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.first, self.on = Event(), Event()
        monkeypatch.setattr("model.workbench.desk.write", self._write)

    def _write(self, premise: Any, writer: Writer, hear: Callable[[str, Mapping[str, Any]], None]) -> Any:
        def report(kind: str, body: Mapping[str, Any]) -> None:
            hear(kind, body)
            if kind == "scene":
                self.first.set()
                assert self.on.wait(PATIENCE_SECONDS)

        return write(premise, writer, report)


@pytest.fixture
def pausing(monkeypatch: pytest.MonkeyPatch) -> Pausing:
    return Pausing(monkeypatch)


def test_a_script_is_written_into_the_page(desk: WritingDesk, writer: Writer) -> None:
    desk.write()
    assert desk.written is not None
    script = desk.written.script
    assert _headings(desk) == [scene.heading for scene in script.scenes]
    assert render(script) == render(write(desk.form.premise(), writer).script)
    assert desk.bar.value == 100
    assert desk.script.reader.waiting == ""
    assert f"{len(script.scenes)} scenes" in desk.status.value


def test_scenes_come_one_by_one(desk: WritingDesk, pausing: Pausing) -> None:
    desk.write_button.click()
    assert pausing.first.wait(PATIENCE_SECONDS)
    assert len(_headings(desk)) == 1
    assert desk.script.reader.waiting
    assert (desk.write_button.disabled, desk.stop_button.disabled) == (True, False)
    pausing.on.set()
    assert desk.join(PATIENCE_SECONDS)
    assert len(_headings(desk)) > 1
    assert (desk.write_button.disabled, desk.stop_button.disabled) == (False, True)


def test_stop_stops_after_the_scene_in_hand(desk: WritingDesk, pausing: Pausing) -> None:
    desk.write_button.click()
    assert pausing.first.wait(PATIENCE_SECONDS)
    desk.stop_button.click()
    pausing.on.set()
    assert desk.join(PATIENCE_SECONDS)
    assert len(_headings(desk)) == 1
    assert desk.written is None
    assert desk.status.value == "Stopped after 1 scene."
    assert desk.script.reader.waiting == ""


def test_after_a_stop_the_same_script_can_be_written(desk: WritingDesk, writer: Writer, pausing: Pausing) -> None:
    first = render(write(desk.form.premise(), writer).script)
    desk.write_button.click()
    assert pausing.first.wait(PATIENCE_SECONDS)
    desk.stop_button.click()
    pausing.on.set()
    assert desk.join(PATIENCE_SECONDS)
    desk.write()
    assert desk.written is not None
    assert render(desk.written.script) == first


def test_the_kernels_interruption_stops_it_as_well(desk: WritingDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("model.workbench.desk.write", interrupted)
    desk.write()
    assert desk.status.value.startswith("Stopped")


def test_a_second_press_changes_nothing_while_it_writes(desk: WritingDesk, pausing: Pausing) -> None:
    desk.write_button.click()
    assert pausing.first.wait(PATIENCE_SECONDS)
    desk.form.title.value = "Another"
    desk.write_button.click()  # a browser may press what is disabled
    assert desk.script.reader.title == WISH["title"]
    pausing.on.set()
    assert desk.join(PATIENCE_SECONDS)
    assert desk.written is not None
    assert desk.written.script.title == WISH["title"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "", "The title is empty"),
        ("title", "x" * 81, "81 characters"),
        ("logline", "x\x07", "control character"),
        ("cast", (), "at least two people"),
    ],
)
def test_what_cannot_be_asked_for_is_said_and_not_written(desk: WritingDesk, field: str, value: Any, said: str) -> None:
    getattr(desk.form, field).value = value
    desk.write()
    assert said in desk.status.value
    assert desk.written is None
    assert not _headings(desk)


@pytest.mark.parametrize(
    ("error", "said"), [(ReleaseDamaged("x"), ReleaseDamaged.user_message), (MemoryError("x"), FAILED)]
)
def test_a_failure_is_said_and_the_desk_can_be_used_again(
    desk: WritingDesk, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def failing(*_: Any) -> Any:
        raise error

    monkeypatch.setattr("model.workbench.desk.write", failing)
    try:
        desk.write()
    except MemoryError:
        assert said == FAILED, "what nobody foresaw goes on to the cell, or to the kernel's log"
    assert desk.status.value == said
    assert (desk.write_button.disabled, desk.stop_button.disabled) == (False, True)


def test_markup_in_a_title_or_a_line_stays_text(desk: WritingDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def hostile(premise: Any, _writer: Writer, hear: Callable[[str, Mapping[str, Any]], None]) -> Any:
        hear("scene", {"act": EVIL, "number": 1, "text": f"# INT. {EVIL}\nDATA: {EVIL}\n{EVIL}"})
        raise KeyboardInterrupt

    monkeypatch.setattr("model.workbench.desk.write", hostile)
    desk.form.title.value = EVIL
    desk.write()
    assert desk.script.reader.title == EVIL
    sent = [block for section in desk.script.reader.sections for block in section]
    assert [block["text"] for block in sent if block["kind"] == "speech"] == [EVIL]
    assert EVIL not in desk.status.value


def test_the_text_can_be_taken_along(desk: WritingDesk, shown: list[dict[str, Any]]) -> None:
    desk.show_text()
    assert texts(shown) == NOTHING
    assert desk.provenance == {}
    desk.write()
    desk.show_text()
    assert parse(shown[-1]["text/plain"]).title == WISH["title"]
    assert desk.provenance["seed"] == 3


def test_the_form_begins_with_what_it_is_given(writer: Writer) -> None:
    empty = WritingDesk(writer)
    assert empty.form.cast.value == writer.show.leads
    assert empty.form.length.value == Length.TEASER
    odd = WritingDesk(writer, {"cast": ["NOBODY", "DATA", "WORF"]})
    assert odd.form.cast.value == ("DATA", "WORF")


def test_another_seed_is_one_that_can_be_asked_for(desk: WritingDesk) -> None:
    desk.form.another.click()
    assert 0 <= desk.form.premise().seed < SEED_LIMIT
