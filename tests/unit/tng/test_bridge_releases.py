"""The bridge's releases and schedules without a browser, over the real api: what they show, and what a click does."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.fakes import START
from tests.operations_support import (
    CHECKS,
    NEVER,
    NEW,
    OLD,
    SAMPLE,
    WORSE,
    an_evaluation,
    finish_steps,
    furnish,
    keep_evaluations,
    run_step,
)
from tests.unit.tng.api_support import House, make_house
from tng.dashboard import bridge_release_tables as release_tables
from tng.dashboard import bridge_schedule_tables as schedule_tables
from tng.dashboard.bridge import HOUSE, NOT_FOR_YOU, RELEASES, SCHEDULES, Bridge
from tng.dashboard.bridge_forms import NO_REASON
from tng.dashboard.chart import Dot, chart, in_words
from tng.dashboard.client import ApiClient
from tng.errors import RunFailed
from tng.jobs import JobKind
from tng.promotion.promotions import Check, Promotion, PromotionKind, Sample
from tng.promotion.view import CanaryView, ReleasesView, ShelfCard
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState
from tng.training.view import NotebookView, RetrainingView, ScheduleView, StepView

EVIL = "<img src=x onerror=alert(1)>"
REASON = "Better by the numbers."


def over(house: House, token: str = "ola-token") -> ApiClient:
    """A page's client, whose calls reach the real application."""

    def answer(request: httpx.Request) -> httpx.Response:
        return asyncio.run(_passed_on(house, request))

    return ApiClient("http://house.test/services/api", token, transport=httpx.MockTransport(answer))


async def _passed_on(house: House, request: httpx.Request) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app, raise_app_exceptions=False)) as client:
        got = await client.request(request.method, request.url, headers=request.headers, content=request.content)
    return httpx.Response(got.status_code, content=got.content, headers={"content-type": got.headers["content-type"]})


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(folder=tmp_path)
    house.hub.admit("104", "ola-token", groups=("operators",))
    furnish(house.store, house.operations, tmp_path)
    return house


@pytest.fixture
def bridge(house: House) -> Bridge:
    bridge = Bridge(over(house))
    bridge.show(RELEASES)
    return bridge


def words(markup: str) -> str:
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def read(bridge: Bridge) -> str:
    return " ".join(words(section.value) for section in bridge.releases.sections.values())


# --- the parts of the page -------------------------------------------------------------------------------------------


def test_one_part_is_open_at_a_time_and_the_page_says_which(house: House) -> None:
    bridge = Bridge(over(house))
    for name in (HOUSE, RELEASES, SCHEDULES):
        bridge.buttons[name].click()
        assert bridge.body.children == (bridge.parts[name].box,)
        assert f'<b aria-current="page">{name}</b>' in bridge.place.value
        marked = [other for other, button in bridge.buttons.items() if "tng-opened" in button._dom_classes]
        assert marked == [name]


def test_only_the_open_part_is_asked_for(house: House) -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.removeprefix("/services/api/operator/"))
        return asyncio.run(_passed_on(house, request))

    client = ApiClient("http://house.test/services/api", "ola-token", transport=httpx.MockTransport(answer))
    bridge = Bridge(client)
    bridge.show(SCHEDULES)
    bridge.refresh()
    assert paths == ["schedules", "schedules"]


@pytest.mark.parametrize(
    ("query", "opened"), [("part=releases", RELEASES), ("", HOUSE), ("part=%3Cb%3E", HOUSE), ("order=x", HOUSE)]
)
def test_the_address_may_name_a_part(house: House, query: str, opened: str) -> None:
    bridge = Bridge(over(house))
    bridge.open(query)
    bridge.close()
    assert bridge.opened == opened


@pytest.mark.parametrize("part", [RELEASES, SCHEDULES])
def test_who_is_no_operator_sees_no_part_and_no_button(house: House, part: str) -> None:
    bridge = Bridge(over(house, "ada-token"))
    bridge.show(part)
    assert NOT_FOR_YOU in bridge.connection.value
    assert bridge.navigation.children == ()
    assert bridge.parts[part].box.children == ()
    assert NEW not in read(bridge)


# --- releases ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        f"The release that writes {OLD} since",
        "first, by house: the house was opened with it",
        "There is no way back yet.",
        f"{WORSE} against {OLD}",
        "not passed: the champion stays",
        "perplexity 13.9 12.04 ratio at most 0.995 ✗ not passed worse on held-out episodes",
        "copying 12 14 at most 50 words – not judged the corpus is ours: measured, and not judged",
        "files whole whole every file by its digest ✓ passed",
        f"Premise 1: {SAMPLE.premise}",
        f"Candidate {WORSE} # INT. READY ROOM PICARD: It runs.",
        f"Champion {OLD} # INT. BRIDGE DATA: It stopped.",
        f"{NEVER} candidate never evaluated",
        f"{OLD} current",
        f"nothing → {OLD} first house the house was opened with it –",
    ],
)
def test_the_page_says(bridge: Bridge, sentence: str) -> None:
    assert sentence in read(bridge)


def test_another_evaluation_can_be_looked_at_and_stays(bridge: Bridge, house: House) -> None:
    bridge.releases.choice.value = 1
    assert f"{NEW} against {OLD}" in words(bridge.releases.sections["checks"].value)
    keep_evaluations(house.store, an_evaluation(NEVER))
    bridge.refresh()
    assert bridge.releases.choice.value == 1


def test_who_looked_at_the_newest_evaluation_goes_on_to_the_next(bridge: Bridge, house: House) -> None:
    keep_evaluations(house.store, an_evaluation(NEVER))
    bridge.refresh()
    assert bridge.releases.choice.value == 3
    assert f"{NEVER} against" in words(bridge.releases.sections["checks"].value)


def test_a_promotion_is_confirmed_and_done_once(bridge: Bridge, house: House) -> None:
    form = bridge.releases.promote
    assert [name for _, name in form.choice.options] == [NEW, WORSE, NEVER]
    form.reason.value = REASON
    form.button.click()
    assert words(form.confirmation.question.value) == f"{OLD} → {NEW} from the next script on. Reason: “{REASON}”"
    assert form.confirmation.yes.description == f"Promote {NEW}"
    assert house.operations.ledger.last().to_id == OLD, "nothing happens before it is confirmed"
    form.confirmation.yes.click()
    form.confirmation.yes.click()
    row = house.operations.ledger.last()
    assert (row.id, row.to_id, row.actor, row.reason) == (2, NEW, "hub:104", REASON)
    assert f"{NEW} writes from the next script on." in form.confirmation.answer.value
    assert form.reason.value == "", "a reason is for one promotion"
    assert f"The release that writes {NEW}" in read(bridge)
    assert "0 of 20 scripts are through" in read(bridge)
    assert "tng-chart-promoted" in bridge.releases.sections["charts"].value


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_asked(bridge: Bridge, reason: str) -> None:
    for form in (bridge.releases.promote, bridge.releases.roll_back):
        form.reason.value = reason
    bridge.releases.promote.button.click()
    assert NO_REASON in bridge.releases.promote.confirmation.answer.value
    assert bridge.releases.promote.confirmation.yes not in _all_children(bridge.releases.promote.confirmation)


def test_what_is_left_is_not_done(bridge: Bridge, house: House) -> None:
    form = bridge.releases.promote
    form.reason.value = REASON
    form.button.click()
    form.confirmation.no.click()
    form.confirmation.yes.click()
    assert house.operations.ledger.last().to_id == OLD


def test_an_unproven_release_is_refused_in_a_sentence_unless_that_is_asked_for(bridge: Bridge, house: House) -> None:
    form = bridge.releases.promote
    form.choice.value, form.reason.value = NEVER, REASON
    form.button.click()
    form.confirmation.yes.click()
    assert "was never evaluated" in form.confirmation.answer.value
    assert 'role="alert"' in form.confirmation.answer.value
    assert house.operations.ledger.last().to_id == OLD
    assert form.reason.value == REASON, "what was refused can be asked for again"
    form.unproven.value = True
    form.button.click()
    assert "No evaluation is asked for." in form.confirmation.question.value
    form.confirmation.yes.click()
    assert house.operations.ledger.last().to_id == NEVER


def test_what_was_decided_upon_is_what_was_seen(bridge: Bridge, house: House) -> None:
    form = bridge.releases.promote
    form.choice.value, form.reason.value, form.unproven.value = NEVER, REASON, True
    form.button.click()
    house.operations.ledger.promote(NEW, actor="schedule:weekly", reason="all checks passed")
    form.confirmation.yes.click()
    assert "is current by now" in form.confirmation.answer.value
    assert house.operations.ledger.last().to_id == NEW


def test_a_rollback_goes_to_the_one_before_unless_another_is_chosen(bridge: Bridge, house: House) -> None:
    form = bridge.releases.roll_back
    assert form.button.disabled
    house.operations.ledger.promote(NEW, actor="shell:ola", reason="proven")
    bridge.refresh()
    assert not form.button.disabled
    form.reason.value = "It repeats itself."
    form.button.click()
    assert f"{NEW} → {OLD} from the next script on." in words(form.confirmation.question.value)
    form.confirmation.yes.click()
    assert house.operations.ledger.last().kind is PromotionKind.ROLLED_BACK
    assert house.operations.ledger.last().to_id == OLD


def test_every_text_of_a_release_is_set_as_text() -> None:
    row = Promotion(1, START, PromotionKind.PROMOTED, EVIL, EVIL, "d", EVIL, EVIL, 1)
    check = Check(EVIL, EVIL, EVIL, EVIL, True, EVIL)
    evaluation = an_evaluation(
        EVIL,
        EVIL,
        id=1,
        reasons=(EVIL,),
        checks=(check,),
        samples=(Sample(EVIL, EVIL, EVIL),),
        metrics={EVIL: 1.0},
        retraining_id=EVIL,
    )
    card, canary = ShelfCard(EVIL), CanaryView(1, 2, (check,), EVIL)
    seen = ReleasesView(START, row, EVIL, EVIL, (card,), (row,), (evaluation,), canary)
    drawn = [draw(seen) for draw in (release_tables.current, release_tables.charts, release_tables.history)]
    drawn += [release_tables.shelf(seen), release_tables.checks(evaluation, START), release_tables.samples(evaluation)]
    for markup in drawn:
        assert "<img" not in markup
        assert "&lt;img" in markup


def test_a_long_sample_is_cut() -> None:
    long = replace(an_evaluation(), samples=(Sample("p", "x" * 50_000, "y"),))
    assert "x" * 20_001 not in release_tables.samples(long)


# --- charts -----------------------------------------------------------------------------------------------------------

DOTS = [
    Dot(START, 12.0, "a"),
    Dot(START + timedelta(days=2), 10.0, "b", True),
    Dot(START + timedelta(days=4), 11.0, "c"),
]


def test_a_chart_says_in_words_what_it_draws() -> None:
    said = in_words("perplexity", DOTS)
    assert "of 3 evaluations" in said
    assert "between 10 and 12; the last is 11, of c. Promoted: b." in said
    drawn = chart("perplexity", DOTS)
    assert f'aria-label="{said}"' in drawn
    assert f"<desc>{said}</desc>" in drawn
    assert drawn.count("<circle") == 3
    assert drawn.count("tng-chart-promoted") == 1
    assert "style=" not in drawn


def test_dots_stand_where_their_time_and_value_are() -> None:
    xs = [float(x) for x in re.findall(r'cx="([^"]+)"', chart("p", DOTS))]
    ys = [float(y) for y in re.findall(r'cy="([^"]+)"', chart("p", DOTS))]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[0] < ys[2] < ys[1], "a greater value stands higher"


@pytest.mark.parametrize("dots", [DOTS[:1], [DOTS[0], replace(DOTS[0], value=0.0)], [replace(DOTS[0], value=0.0)]])
def test_one_dot_or_dots_of_one_moment_are_drawn_inside_the_chart(dots: list[Dot]) -> None:
    drawn = chart("p", dots)
    assert all(0 < float(x) < 320 for x in re.findall(r'cx="([^"]+)"', drawn))
    assert all(0 < float(y) < 132 for y in re.findall(r'cy="([^"]+)"', drawn))


def test_what_a_candidate_was_held_against_is_drawn_beside_it() -> None:
    dots = [replace(DOTS[0], beside=13.0), DOTS[1], replace(DOTS[2], beside=9.0)]
    drawn = chart("perplexity", dots)
    (beside,) = re.findall(r'points="([^"]+)" class="tng-chart-beside"', drawn)
    assert len(beside.split()) == 2
    assert "the last is 11, of c, where the champion had 9." in in_words("perplexity", dots)


def test_a_metric_of_both_is_one_chart_in_units_that_people_read(bridge: Bridge) -> None:
    charts = words(bridge.releases.sections["charts"].value)
    assert "perplexity 11.31" in charts
    assert "peak megabytes 420" in charts
    assert "candidate" not in charts.replace("A dot is a candidate", "")
    assert bridge.releases.sections["charts"].value.count("<svg") == 2


def test_a_metric_that_was_never_measured_says_so() -> None:
    assert "not measured yet" in words(chart("p", []))


# --- schedules --------------------------------------------------------------------------------------------------------


@pytest.fixture
def board(house: House) -> Bridge:
    bridge = Bridge(over(house))
    bridge.show(SCHEDULES)
    return bridge


def test_a_schedule_says_when_it_is_due_in_its_own_zone(board: Bridge) -> None:
    said = words(board.schedules.schedules["weekly"].about.value)
    assert "weekly 0 3 * * SUN in Europe/Berlin; preset tiny" in said
    assert re.search(r"next: Sun \d+ \w+ \d{4}, 03:00 CES?T , in", said), said


def test_a_schedule_is_paused_and_resumed_by_its_button(board: Bridge, house: House) -> None:
    row = board.schedules.schedules["weekly"]
    row.pause.click()
    assert house.operations.timetable.get("weekly").is_paused
    assert row.pause.description == "Resume"
    assert "Paused: no slot is due" in words(row.about.value)
    assert "weekly is paused." in row.confirmation.answer.value
    row.pause.click()
    assert not house.operations.timetable.get("weekly").is_paused
    assert board.schedules.schedules["weekly"] is row, "what a person looks at stays where it is"


def test_run_now_begins_one_retraining_however_often_it_is_clicked(board: Bridge, house: House) -> None:
    row = board.schedules.schedules["weekly"]
    row.run.click()
    assert "A retraining has begun" in row.confirmation.answer.value
    row.run.click()
    assert "is under way" in row.confirmation.answer.value
    assert list(board.schedules.retrainings) == ["r1"]
    said = words(board.schedules.retrainings["r1"].about.value)
    assert "Retraining r1: under way begun by hub:104 for weekly" in said
    assert "Build the corpus waits Finetune not begun" in said


def test_a_step_says_how_far_it_is_and_leads_to_its_notebooks(board: Bridge, house: House, tmp_path: Path) -> None:
    house.operations.timetable.run_now("weekly", actor="shell:ola")
    finish_steps(house.operations, tmp_path, JobKind.BUILD_CORPUS)
    run_step(house.operations, tmp_path, percent=41)
    board.refresh()
    markup = board.schedules.retrainings["r1"].about.value
    assert "Build the corpus done notebook · .ipynb Finetune runs, 41 %" in words(markup)
    assert '<progress value="41" max="100" aria-label="Finetune: 41 %">' in markup
    assert markup.count('target="_blank" rel="noopener"') == 4
    assert re.search(r'href="/services/api/open\?to=/services/api/operator/retrainings/r1/1.1/notebook.html"', markup)


def test_a_retraining_is_cancelled_after_a_confirmation_and_taken_up_again(board: Bridge, house: House) -> None:
    house.operations.timetable.run_now("weekly", actor="shell:ola")
    board.refresh()
    row = board.schedules.retrainings["r1"]
    row.cancel.click()
    assert "Retraining r1 ends" in row.confirmation.question.value
    row.confirmation.yes.click()
    assert "– cancelled" in words(row.about.value)
    assert row._buttons.children == (row.retry,)
    row.retry.click()
    assert "under way" in words(row.about.value)
    assert row._buttons.children == (row.cancel,)


def test_a_failed_step_says_why(board: Bridge, house: House, tmp_path: Path) -> None:
    house.operations.timetable.run_now("weekly", actor="shell:ola")
    job = run_step(house.operations, tmp_path)
    house.operations.retrainings.fail(job, RunFailed("a cell raised KeyError", retryable=False))
    board.refresh()
    said = words(board.schedules.retrainings["r1"].about.value)
    assert "✗ failed" in said
    assert "a cell raised KeyError" in said


def test_where_there_is_nothing_the_page_says_how_to_begin(tmp_path: Path) -> None:
    house = make_house(folder=tmp_path)
    house.hub.admit("104", "ola-token", groups=("operators",))
    bridge = Bridge(over(house))
    bridge.show(SCHEDULES)
    said = words(" ".join(w.value for section in bridge.schedules.box.children for w in section.children))
    assert "No schedule. On the machine: tng schedule add" in said
    assert "Nothing was retrained yet." in said
    bridge.show(RELEASES)
    assert "No release has written here yet" in read(bridge)


def test_every_text_of_a_schedule_is_set_as_text() -> None:
    schedule = ScheduleView(EVIL, EVIL, EVIL, {"preset": EVIL, "steps": EVIL}, False, (START,))
    note = NotebookView("1.1", f"javascript:{EVIL}", f"/x{EVIL}")
    step = StepView(JobKind.FINETUNE, None, 2, 1, 3.0, EVIL, (note,))
    one = Retraining(
        EVIL,
        RetrainingOptions(preset=EVIL),
        EVIL,
        START,
        state=RetrainingState.FAILED,
        schedule=EVIL,
        candidate_id=EVIL,
        champion_id=EVIL,
        sentence=EVIL,
    )
    for markup in (
        schedule_tables.schedule(schedule, START),
        schedule_tables.retraining(RetrainingView(one, (step,)), START),
    ):
        assert "<img" not in markup
        assert "javascript:" not in markup
        assert "&lt;img" in markup


def test_the_eight_checks_of_the_samples_are_told_apart_by_more_than_colour(bridge: Bridge) -> None:
    markup = bridge.releases.sections["checks"].value
    signs = re.findall(r"[✓✗–] (?:passed|not passed|not judged)", markup)
    assert len(signs) == len(CHECKS)
    assert set(signs) == {"✓ passed", "✗ not passed", "– not judged"}


def _all_children(box: object) -> list[object]:
    found: list[object] = []
    for child in getattr(box, "children", ()):
        found += [child, *_all_children(child)]
    return found
