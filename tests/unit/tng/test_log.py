"""One line an event, with what it is about; nothing in it begins another line, or tells a customer's words."""

from __future__ import annotations

import json
import logging
import re
import threading
from contextvars import copy_context
from datetime import UTC, datetime

import pytest

from tests.log_lines import logged
from tng.errors import ReleaseDamaged, RunFailed, StoreBusy
from tng.faults import Fault
from tng.log import LONGEST_LINE, MOST_KINDS, FaultCounter, LogForm, about, configure, kind_of, told, write_as

logger = logging.getLogger("tng.test")
library = logging.getLogger("a.library")
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_a_line_says_when_how_bad_who_what_and_about_what() -> None:
    with logged() as lines:
        logger.info("PLACED→PAID", extra=told(order="ord_1", attempt=2, nothing=None))
    (line,) = lines
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO tng\.test: PLACED→PAID order=ord_1 attempt=2", line
    )


def test_everything_inside_is_about_it_that_of_libraries_too_and_nothing_after() -> None:
    with logged() as lines:
        with about(order="ord_1", session=None):
            library.warning("slow")
            with about(event="evt_1", order="ord_2"):
                logger.info("inner", extra=told(attempt=1))
            logger.info("outer")
        logger.info("after")
    assert [line.partition(": ")[2] for line in lines] == [
        "slow order=ord_1",
        "inner order=ord_2 event=evt_1 attempt=1",
        "outer order=ord_1",
        "after",
    ]


def test_a_thread_is_about_what_it_was_started_for_if_it_is_told() -> None:
    with logged() as lines, about(order="ord_1"):
        for run in (copy_context().run, lambda action: action()):
            thread = threading.Thread(target=run, args=(lambda: logger.info("beat"),))
            thread.start()
            thread.join()
    assert [line.endswith("beat order=ord_1") for line in lines] == [True, False]


@pytest.mark.parametrize("form", list(LogForm))
def test_nothing_in_a_line_begins_another_one(form: LogForm) -> None:
    forged = "x\n2026-01-01T00:00:00.000Z INFO tng: forged order=ord_9\r\u2028\x1b[2J"
    with logged(form=form) as lines:
        logger.info("said %s", forged, extra=told(order=forged))
    assert len(lines.getvalue().splitlines()) == 1
    assert "\x1b" not in lines.getvalue()


def test_a_value_of_several_words_stands_in_quotes() -> None:
    with logged() as lines:
        logger.info("said", extra=told(a="two words", b='a"b', c="", d="x=y"))
    assert lines.getvalue().strip().endswith(r'said a="two words" b="a\"b" c="" d="x=y"')


def test_a_line_has_an_end() -> None:
    with logged() as lines:
        logger.info("x" * 10 * LONGEST_LINE, extra=told(order="y" * 10 * LONGEST_LINE))
    assert len(lines.getvalue()) < 2 * LONGEST_LINE + 100


def test_as_json_a_line_is_an_object() -> None:
    with logged(form=LogForm.JSON) as lines, about(order="ord_1"):
        logger.warning("lost", extra=told(fault="StoreBusy", attempt=2, at="no", price=None))
    body = json.loads(lines.getvalue())
    assert body | {"at": ""} == {
        "at": "",
        "level": "WARNING",
        "from": "tng.test",
        "event": "lost",
        "order": "ord_1",
        "fault": "StoreBusy",
        "attempt": 2,
    }
    assert datetime.fromisoformat(body["at"]).tzinfo is not None


def test_of_an_exception_that_is_not_ours_the_place_is_kept_and_not_the_words() -> None:
    with logged() as lines:
        for error in (ValueError("a premise"), StoreBusy("locked")):
            try:
                raise error
            except Exception:
                logger.exception("failed")
    foreign, ours = lines
    assert "failed (ValueError)" in foreign
    assert "test_log.py" in foreign
    assert "a premise" not in foreign
    assert "failed (StoreBusy: locked)" in ours


def test_the_form_can_be_changed_while_a_process_runs(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure("INFO")
        logger.info("plain")
        write_as(LogForm.JSON)
        logger.info("object")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    plain, body = capsys.readouterr().err.splitlines()
    assert plain.endswith("INFO tng.test: plain")
    assert json.loads(body)["event"] == "object"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StoreBusy("x"), "StoreBusy"),
        (RunFailed("x"), "RunFailed"),
        (RunFailed("x", cause="ReleaseDamaged"), "ReleaseDamaged"),
        (ValueError("x"), "ValueError"),
    ],
)
def test_a_fault_is_called_by_its_cause_or_its_class(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_lines_with_a_fault_are_counted_and_no_others() -> None:
    counter, root = FaultCounter("api"), logging.getLogger()
    root.addHandler(counter)
    try:
        logger.warning("busy", extra=told(fault="StoreBusy"))
        logger.error("busy again", extra=told(fault="StoreBusy"))
        logger.error("no kind")
        logger.info("not worth a warning", extra=told(fault="StoreBusy"))
    finally:
        root.removeHandler(counter)
    (fault,) = counter.take()
    assert (fault.part, fault.kind, fault.count) == ("api", "StoreBusy", 2)
    assert counter.take() == ()


def test_counted_faults_can_be_put_back_and_have_a_bound() -> None:
    counter = FaultCounter("api")
    counter.add([Fault("api", f"Kind{number}", 1, AT) for number in range(MOST_KINDS + 5)])
    taken = counter.take()
    assert len(taken) == MOST_KINDS + 1
    counter.add(taken)
    counter.add([Fault("api", "Kind1", 2, AT)])
    counted = {fault.kind: fault.count for fault in counter.take()}
    assert (counted["Kind1"], counted["Other"]) == (3, 5)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("StoreBusy", "locked for longer"),
        (ReleaseDamaged.__name__, "not those of its manifest"),
        ("ValueError", "Not an error of ours"),
        ("TngError", "raises on purpose"),
        ("Any", "Not an error of ours"),
        ("WorkerDied", "given back"),
        ("RefundFailed", "another way"),
    ],
)
def test_every_kind_has_a_sentence_for_the_operator(kind: str, words: str) -> None:
    sentence = Fault("api", kind, 1, AT).sentence
    assert words in sentence
    assert "\n" not in sentence
