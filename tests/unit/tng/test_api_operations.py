"""The operator's routes to releases, schedules and retrainings: what they show, what they change, and for whom."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from tests.operations_support import (
    NEVER,
    NEW,
    OLD,
    SAMPLE,
    WORSE,
    a_refused_evaluation,
    an_evaluation,
    finish_steps,
    furnish,
    keep_evaluations,
    run_step,
)
from tests.unit.tng.api_support import PREFIX, House, make_house, visiting
from tng.errors import RunFailed
from tng.jobs import JobKind
from tng.promotion.promotions import PromotionKind
from tng.promotion.view import ReleasesView
from tng.training.retrainings import RetrainingState
from tng.training.view import SchedulesView

REASON = "Better by the numbers."
PROMOTE = {"release": NEW, "reason": REASON, "expected": OLD}
READS = ("/operator/releases", "/operator/evaluations/1", "/operator/schedules")
WRITES: tuple[tuple[str, Any], ...] = (
    ("/operator/releases/promote", PROMOTE),
    ("/operator/releases/rollback", {"reason": REASON, "expected": OLD}),
    ("/operator/schedules/weekly/pause", None),
    ("/operator/schedules/weekly/resume", None),
    ("/operator/schedules/weekly/run", None),
    ("/operator/retrainings/r1/cancel", None),
    ("/operator/retrainings/r1/retry", None),
)
NOBODY = [None, "forged-token", "ada-token", "pia-token", "elsewhere-token", "prometheus-token"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(folder=tmp_path)
    house.hub.admit("104", "ola-token", groups=("operators",))
    house.hub.admit("103", "pia-token", groups=("power-users",))
    house.hub.admit("104", "elsewhere-token", groups=("operators",), scopes=("access:servers!server",))
    house.hub.admit_service("prometheus", "prometheus-token")
    furnish(house.store, house.operations, tmp_path)
    return house


async def get(house: House, path: str, token: str | None = "ola-token") -> httpx.Response:
    async with visiting(house, token) as caller:
        return await caller.get(path)


async def post(house: House, path: str, body: Any = None, token: str | None = "ola-token") -> httpx.Response:
    async with visiting(house, token) as caller:
        return await caller.post(path, json=body)


async def releases(house: House) -> ReleasesView:
    answer = await get(house, "/operator/releases")
    assert answer.status_code == 200, answer.text
    return TypeAdapter(ReleasesView).validate_json(answer.content)


async def schedules(house: House) -> SchedulesView:
    answer = await get(house, "/operator/schedules")
    assert answer.status_code == 200, answer.text
    return TypeAdapter(SchedulesView).validate_json(answer.content)


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", NOBODY)
async def test_to_everybody_but_an_operator_there_is_nothing_and_nothing_happens(
    house: House, token: str | None, tmp_path: Path
) -> None:
    house.operations.timetable.run_now("weekly", actor="shell:ola")
    job = run_step(house.operations, tmp_path)
    notebook = f"/operator/retrainings/r1/{job.id}.{job.attempt}/notebook.html"
    missing = await get(house, "/nothing", token)
    for path in (*READS, notebook):
        answer = await get(house, path, token)
        assert (answer.status_code, answer.content) == (404, missing.content), path
    async with visiting(house, token) as caller:
        for path, body in WRITES:
            for content in (json.dumps(body).encode(), b"{", b"[]", b""):
                answer = await caller.post(path, content=content)
                assert (answer.status_code, answer.content) == (404, missing.content), (path, content)
    assert house.operations.ledger.last().to_id == OLD
    assert not house.operations.timetable.get("weekly").is_paused
    assert house.operations.retrainings.of(job).is_open


async def test_the_control_an_operator_finds_each_of_them(house: House, tmp_path: Path) -> None:
    for path in READS:
        assert (await get(house, path)).status_code == 200
    for path, body in WRITES:
        assert (await post(house, path, body)).status_code in (200, 409, 422), path


async def test_a_browsers_write_without_the_pages_own_header_is_not_there(house: House) -> None:
    house.hub.admit("104", "ola-cookie", session="s1", groups=("operators",))
    sealed = str(house.auth._signer.dumps("ola-cookie"))
    cookies = {"tng-api-session": sealed, "jupyterhub-session-id": "s1"}
    async with visiting(house, None, cookies=cookies) as browser:
        assert (await browser.get("/operator/releases")).status_code == 200
        assert (await browser.post("/operator/releases/promote", json=PROMOTE)).status_code == 404
    assert house.operations.ledger.last().to_id == OLD


@pytest.mark.parametrize("path", [path for path, _ in WRITES])
async def test_nothing_is_changed_by_a_get(house: House, path: str) -> None:
    assert (await get(house, path)).status_code == 404


# --- releases ---------------------------------------------------------------------------------------------------------


async def test_releases_are_shown_with_what_is_known_of_them(house: House) -> None:
    seen = await releases(house)
    assert seen.current is not None
    assert (seen.current.to_id, seen.current.kind, seen.trouble, seen.way_back) == (OLD, PromotionKind.FIRST, "", None)
    cards = {card.id: card for card in seen.releases}
    assert [card.id for card in seen.releases] == sorted((OLD, NEW, WORSE, NEVER))
    assert (cards[OLD].is_current, cards[OLD].was_current, cards[OLD].verdict) == (True, True, None)
    assert (cards[NEW].is_proven, cards[NEW].metrics["candidate_perplexity"]) == (True, 11.31)
    assert (cards[WORSE].verdict, cards[WORSE].is_proven) == (False, False)
    assert (cards[NEVER].evaluation_id, cards[NEVER].verdict) == (None, None)
    assert [one.candidate_id for one in seen.evaluations] == [WORSE, NEW]
    assert len(seen.evaluations[0].checks) == 8
    assert not any(one.samples for one in seen.evaluations), "samples are long: they come with one evaluation"


async def test_a_house_whose_ledger_is_not_begun_shows_its_shelf(tmp_path: Path) -> None:
    house = make_house(folder=tmp_path)
    house.hub.admit("104", "ola-token", groups=("operators",))
    seen = await releases(house)
    assert (seen.current, seen.history, seen.releases, seen.canary) == (None, (), (), None)


async def test_an_evaluation_comes_with_what_both_wrote(house: House) -> None:
    answer = await get(house, "/operator/evaluations/1")
    assert answer.json()["samples"] == [
        {"premise": SAMPLE.premise, "candidate": SAMPLE.candidate, "champion": SAMPLE.champion}
    ]


@pytest.mark.parametrize("name", ["9", "0", "-1", "x", "1e3", "99999999999999999999", "1%20", "%00"])
async def test_an_evaluation_that_is_none_is_not_there(house: House, name: str) -> None:
    assert (await get(house, f"/operator/evaluations/{name}")).status_code == 404


async def test_numbers_that_are_none_are_left_out(house: House) -> None:
    bad = an_evaluation(metrics={"perplexity": float("nan"), "distinct_3": 0.5}, canary={"x_most": float("inf")})
    keep_evaluations(house.store, bad)
    assert (await releases(house)).evaluations[0].metrics == {"distinct_3": 0.5}
    assert (await get(house, "/operator/evaluations/3")).json()["canary"] == {}


async def test_a_proven_release_is_promoted_in_the_operators_name_with_a_reason(house: House) -> None:
    answer = await post(house, "/operator/releases/promote", PROMOTE)
    assert answer.status_code == 200, answer.text
    row = house.operations.ledger.last()
    assert (row.from_id, row.to_id, row.actor, row.reason) == (OLD, NEW, "hub:104", REASON)
    assert row.evaluation_id == 1
    seen = await releases(house)
    assert seen.current is not None
    assert (seen.current.to_id, seen.way_back) == (NEW, OLD)
    assert seen.canary is not None
    assert (seen.canary.scripts, seen.canary.of_scripts) == (0, 20)


async def test_a_reason_is_one_line_of_words(house: House) -> None:
    await post(house, "/operator/releases/promote", PROMOTE | {"reason": "Better\x1b[31m\nby\x00 far. \u202e"})
    assert house.operations.ledger.last().reason == "Better [31m by far."


async def test_a_second_click_promotes_nothing_more(house: House) -> None:
    answers = [await post(house, "/operator/releases/promote", PROMOTE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert len(house.operations.ledger.history()) == 2


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"release": WORSE}, 422, "did not pass its evaluation"),
        ({"release": NEVER}, 422, "was never evaluated"),
        ({"release": OLD}, 422, "is current already"),
        ({"release": "nobody"}, 422, "There is no release"),
        ({"release": "../tng-small-r7"}, 422, "release"),
        ({"release": "/etc"}, 422, "release"),
        ({"release": ""}, 422, "release"),
        ({"release": 7}, 422, "release"),
        ({"reason": ""}, 422, "reason"),
        ({"reason": "  \n"}, 422, "reason"),
        ({"reason": None}, 422, "reason"),
        ({"reason": "\x00\x1b"}, 422, "reason"),
        ({"expected": None}, 422, "expected"),
        ({"expected": NEVER}, 409, "is current by now"),
        ({"unproven": "yes"}, 422, "unproven"),
    ],
)
async def test_what_cannot_be_promoted_is_a_sentence(
    house: House, changes: dict[str, Any], status: int, words: str
) -> None:
    answer = await post(house, "/operator/releases/promote", PROMOTE | changes)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["message"]
    assert house.operations.ledger.last().to_id == OLD


async def test_a_folder_that_is_no_release_of_the_shelf_is_none_wherever_it_stands(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell may name a folder; from outside a name is a name."""
    monkeypatch.chdir(tmp_path / "releases")
    (tmp_path / "releases" / NEVER).rename(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    wish = PROMOTE | {"release": "elsewhere", "unproven": True}
    assert (await post(house, "/operator/releases/promote", wish)).status_code == 422


async def test_a_damaged_release_is_refused_and_no_fault_of_the_api(house: House, tmp_path: Path) -> None:
    (tmp_path / "releases" / NEW / "meta.json").write_text("{}", encoding="utf-8")
    answer = await post(house, "/operator/releases/promote", PROMOTE)
    assert (answer.status_code, answer.json()["error"]) == (422, "PromotionRefused")
    assert "damaged" in answer.json()["message"]


async def test_an_unproven_release_is_promoted_where_the_operator_says_so(house: House) -> None:
    wish = PROMOTE | {"release": NEVER, "unproven": True}
    assert (await post(house, "/operator/releases/promote", wish)).status_code == 200
    assert house.operations.ledger.last().to_id == NEVER


async def test_an_evaluation_against_another_champion_proves_nothing(house: House) -> None:
    keep_evaluations(house.store, an_evaluation(NEVER, champion=WORSE))
    answer = await post(house, "/operator/releases/promote", PROMOTE | {"release": NEVER})
    assert answer.status_code == 409
    assert {card.id for card in (await releases(house)).releases if card.is_proven} == {NEW}


async def test_a_rollback_goes_to_the_release_before(house: House) -> None:
    await post(house, "/operator/releases/promote", PROMOTE)
    answer = await post(house, "/operator/releases/rollback", {"reason": "It repeats itself.", "expected": NEW})
    assert answer.status_code == 200, answer.text
    row = house.operations.ledger.last()
    assert (row.kind, row.to_id, row.actor) == (PromotionKind.ROLLED_BACK, OLD, "hub:104")
    again = await post(house, "/operator/releases/rollback", {"reason": "Again.", "expected": NEW})
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, 422, "no way back"),
        ({"to": NEVER}, 422, "has never been current"),
        ({"to": "../x"}, 422, "to"),
        ({"reason": " "}, 422, "reason"),
        ({"expected": NEW}, 409, "is current by now"),
    ],
)
async def test_what_cannot_be_rolled_back_is_a_sentence(
    house: House, changes: dict[str, Any], status: int, words: str
) -> None:
    answer = await post(house, "/operator/releases/rollback", {"reason": REASON, "expected": OLD} | changes)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text


async def test_a_release_that_is_gone_is_said(house: House, tmp_path: Path) -> None:
    (tmp_path / "releases" / OLD).rename(tmp_path / "gone")
    assert "there is no release" in (await releases(house)).trouble


# --- schedules and retrainings ----------------------------------------------------------------------------------------


async def test_a_schedule_is_shown_with_its_next_slots(house: House) -> None:
    (weekly,) = (await schedules(house)).schedules
    assert (weekly.name, weekly.cron, weekly.zone, weekly.is_paused) == (
        "weekly",
        "0 3 * * SUN",
        "Europe/Berlin",
        False,
    )
    assert len(weekly.next_at) == 3
    assert all(slot.weekday() == 6 for slot in weekly.next_at)


async def test_a_schedule_is_paused_and_resumed(house: House) -> None:
    assert (await post(house, "/operator/schedules/weekly/pause")).status_code == 200
    (paused,) = (await schedules(house)).schedules
    assert (paused.is_paused, paused.next_at) == (True, ())
    assert (await post(house, "/operator/schedules/weekly/resume")).status_code == 200
    assert not (await schedules(house)).schedules[0].is_paused


@pytest.mark.parametrize("name", ["nobody", "%00", "x" * 300, "%F0%9F%96%96"])
@pytest.mark.parametrize("action", ["pause", "resume", "run"])
async def test_a_schedule_that_is_none_is_a_sentence(house: House, name: str, action: str) -> None:
    answer = await post(house, f"/operator/schedules/{name}/{action}")
    assert (answer.status_code, answer.json()["error"]) == (422, "ScheduleError")
    assert "There is no schedule" in answer.json()["message"]


async def test_run_now_begins_one_in_the_operators_name_and_never_two(house: House) -> None:
    answers = [await post(house, "/operator/schedules/weekly/run") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert "is under way" in answers[1].json()["message"]
    (card,) = (await schedules(house)).retrainings
    assert (card.retraining.actor, card.retraining.schedule, card.retraining.state) == ("hub:104", "weekly", "running")
    assert [(step.step, step.state) for step in card.steps] == [
        (JobKind.BUILD_CORPUS, "queued"),
        (JobKind.FINETUNE, None),
        (JobKind.EVALUATE, None),
        (JobKind.DECIDE, None),
    ]


async def test_a_running_step_says_how_far_it_is(house: House, tmp_path: Path) -> None:
    await post(house, "/operator/schedules/weekly/run")
    finish_steps(house.operations, tmp_path, JobKind.BUILD_CORPUS)
    run_step(house.operations, tmp_path, percent=41)
    for _ in range(2):  # events are read once
        corpus, finetune, *_rest = (await schedules(house)).retrainings[0].steps
        assert (corpus.state, corpus.percent, finetune.state, finetune.percent) == ("done", None, "running", 41)


async def test_a_retraining_is_cancelled_and_taken_up_again(house: House, tmp_path: Path) -> None:
    await post(house, "/operator/schedules/weekly/run")
    finish_steps(house.operations, tmp_path, JobKind.BUILD_CORPUS)
    assert (await post(house, "/operator/retrainings/r1/cancel")).status_code == 200
    cancelled = (await schedules(house)).retrainings[0]
    assert cancelled.retraining.state is RetrainingState.CANCELLED
    assert cancelled.steps[1].state == "cancelled"
    assert (await post(house, "/operator/retrainings/r1/cancel")).status_code == 409
    assert (await post(house, "/operator/retrainings/r1/retry")).status_code == 200
    again = (await schedules(house)).retrainings[0]
    assert (again.retraining.state, again.retraining.step) == (RetrainingState.RUNNING, JobKind.FINETUNE)
    assert len(again.steps[0].notebooks) == 1, "notebooks of the round before are still there"


async def test_what_failed_says_why(house: House, tmp_path: Path) -> None:
    await post(house, "/operator/schedules/weekly/run")
    job = run_step(house.operations, tmp_path)
    house.operations.retrainings.fail(job, RunFailed("a cell raised KeyError", retryable=False))
    card = (await schedules(house)).retrainings[0]
    assert card.retraining.state is RetrainingState.FAILED
    assert "a cell raised KeyError" in card.retraining.sentence
    assert (card.steps[0].state, card.steps[0].failures) == ("dead", 1)
    assert "a cell raised KeyError" in card.steps[0].error


@pytest.mark.parametrize("action", ["cancel", "retry"])
@pytest.mark.parametrize("name", ["nobody", "%00", "x" * 300])
async def test_a_retraining_that_is_none_is_a_sentence(house: House, name: str, action: str) -> None:
    answer = await post(house, f"/operator/retrainings/{name}/{action}")
    assert (answer.status_code, answer.json()["error"]) == (409, "RetrainingError")


async def test_what_a_notebook_told_is_not_sent(house: House, tmp_path: Path) -> None:
    await post(house, "/operator/schedules/weekly/run")
    job = run_step(house.operations, tmp_path)
    house.operations.retrainings.done(job, {"loss": float("nan"), "long": "x" * 1000})
    answer = await get(house, "/operator/schedules")
    assert answer.status_code == 200
    assert "xxx" not in answer.text


# --- notebooks --------------------------------------------------------------------------------------------------------


async def one_notebook(house: House, tmp_path: Path, html: str = "<h1>finetune</h1>") -> str:
    await post(house, "/operator/schedules/weekly/run")
    job = run_step(house.operations, tmp_path, html=html)
    return f"/operator/retrainings/r1/{job.id}.{job.attempt}/notebook"


async def test_a_notebook_is_read_as_a_page_that_can_do_nothing(house: House, tmp_path: Path) -> None:
    path = await one_notebook(house, tmp_path, "<h1>finetune</h1><script>alert(1)</script>")
    page = await get(house, path + ".html")
    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert "<h1>finetune</h1>" in page.text
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "script" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    file = await get(house, path + ".ipynb")
    assert file.headers["content-disposition"].startswith("attachment; ")
    assert file.headers["content-type"] == "application/x-ipynb+json"
    assert file.headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_page_leads_to_notebooks_by_the_way_of_the_sign_in(house: House, tmp_path: Path) -> None:
    path = await one_notebook(house, tmp_path)
    (note,) = (await schedules(house)).retrainings[0].steps[0].notebooks
    assert note.page == f"{PREFIX}/open?to={PREFIX}{path}.html"
    assert note.file == f"{PREFIX}/open?to={PREFIX}{path}.ipynb"
    async with visiting(house, "ola-token") as ola:
        led = await ola.get(note.page.removeprefix(PREFIX))
    assert (led.status_code, led.headers["location"]) == (302, f"{PREFIX}{path}.html")


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/hub/home", "\\\\evil.example", ""])
async def test_the_way_of_the_sign_in_leads_nowhere_else(house: House, to: str) -> None:
    async with visiting(house) as ada:
        led = await ada.get("/open", params={"to": to})
    assert (led.status_code, led.headers["location"]) == (302, PREFIX + "/")


@pytest.mark.parametrize(
    "path",
    [
        "r1/1.2/notebook.html",
        "r1/9.1/notebook.html",
        "r2/1.1/notebook.html",
        "r1/1.1/notebook.py",
        "r1/1.1/notebook.ipynb.html",
        "r1/01.1/notebook.html",
        "r1/1.0/notebook.html",
        "r1/1/notebook.html",
        "r1/..%2f1.1/notebook.html",
        "..%2f/1.1/notebook.html",
        "r1/99999999999999.1/notebook.html",
    ],
)
async def test_a_notebook_that_is_none_of_this_retraining_is_not_there(house: House, tmp_path: Path, path: str) -> None:
    await one_notebook(house, tmp_path)
    assert (await get(house, f"/operator/retrainings/{path}")).status_code == 404


async def test_an_orders_notebook_is_never_shown(house: House, tmp_path: Path) -> None:
    await one_notebook(house, tmp_path)
    house.pay(house.order())
    job = house.claim()
    stem = f"{job.kind.value}-{job.id}.{job.attempt}.html"
    (tmp_path / "retraining" / "r1" / "notebooks" / stem).write_text("a premise", encoding="utf-8")
    assert (await get(house, f"/operator/retrainings/r1/{job.id}.{job.attempt}/notebook.html")).status_code == 404


@pytest.mark.parametrize("linked", ["file", "folder"])
async def test_a_link_in_a_retrainings_folder_leads_nowhere(house: House, tmp_path: Path, linked: str) -> None:
    path = await one_notebook(house, tmp_path)
    folder = tmp_path / "retraining" / "r1" / "notebooks"
    secret = tmp_path / "elsewhere"
    folder.rename(secret)
    if linked == "folder":
        folder.symlink_to(secret)
    else:
        folder.mkdir()
        for file in secret.iterdir():
            (folder / file.name).symlink_to(file)
    assert (await get(house, path + ".html")).status_code == 404


# --- numbers ----------------------------------------------------------------------------------------------------------


async def test_prometheus_reads_which_release_writes_and_how_retrainings_went(house: House) -> None:
    await post(house, "/operator/releases/promote", PROMOTE)
    await post(house, "/operator/schedules/weekly/run")
    text = (await get(house, "/metrics", "prometheus-token")).text
    for line in (
        f'tng_release_info{{release="{NEW}"}} 1.0',
        'tng_retrainings{state="running"} 1.0',
        'tng_retrainings{state="failed"} 0.0',
        'tng_promotions_total{kind="first"} 1.0',
        'tng_promotions_total{kind="promoted"} 1.0',
        'tng_promotions_total{kind="canary"} 0.0',
    ):
        assert line in text
    assert 'tng_schedule_next_timestamp_seconds{schedule="weekly"}' in text
    await post(house, "/operator/schedules/weekly/pause")
    assert "weekly" not in (await get(house, "/metrics", "prometheus-token")).text


async def test_a_refused_candidate_stays_refused_after_a_better_one(house: House) -> None:
    keep_evaluations(house.store, replace(a_refused_evaluation(NEW), reasons=("format: 0.9",)))
    answer = await post(house, "/operator/releases/promote", PROMOTE)
    assert answer.status_code == 422
    assert "format: 0.9" in answer.json()["message"]
