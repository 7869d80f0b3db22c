"""Releases and schedules on the bridge of a real house: seen, promoted with a reason, rolled back, run, read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser import PATIENCE_MS, PHONE, Visitor
from tests.open_house import OpenHouse, opened, server_path
from tests.operations_support import CHECKS, NEW, OLD, WORSE, a_refused_evaluation, an_evaluation
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore
from tng.jobs import RETRAINING, Job, JobKind, JobState
from tng.ports import Work
from tng.promotion.promotions import Sample
from tng.releases import writing_release
from tng.settings import ROOT
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState
from tng.training.schedules import Schedule

OLA = "ola@example.com"
NOW = datetime.now(UTC).replace(microsecond=0)
SCENE = (
    "# INT. READY ROOM\nPicard turns from the window.\nPICARD: (tired) The clock in engineering has stopped again.\n"
    "DATA: It has not stopped, Captain. It is waiting.\nPICARD: For what?\n* ANGLE ON THE CLOCK\n"
    "The second hand trembles, and goes on."
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house with a proven candidate and a refused one, a schedule, and a retraining that failed."""
    with opened(tmp_path_factory.mktemp("bridge") / "home") as running:
        _furnish(running)
        yield running


def store_of(house: OpenHouse) -> SqlStore:
    return SqlStore(connect(f"sqlite:///{house.home / 'shop' / 'orders.sqlite'}"))


def _furnish(house: OpenHouse) -> None:
    shelf = house.home / "shop" / "releases"
    for name in (NEW, WORSE):
        _copy_release(shelf, name)
    with store_of(house).begin() as work:
        for weeks, perplexity in ((5, 13.8), (4, 12.9), (3, 12.4), (2, 12.1)):
            metrics = {"candidate_perplexity": perplexity, "champion_perplexity": 12.2, "candidate_peak_bytes": 4.1e8}
            earlier = a_refused_evaluation(f"tng-small-r{weeks}", metrics=metrics)
            work.promotions.keep(replace(earlier, at=NOW - timedelta(weeks=weeks)))
        work.promotions.keep(a_refused_evaluation(at=NOW - timedelta(weeks=1)))
        scenes = tuple(Sample(f"Premise {n} of the house.", SCENE, SCENE.replace("clock", "door")) for n in (1, 2))
        work.promotions.keep(an_evaluation(at=NOW - timedelta(hours=2), samples=scenes, retraining_id="r7"))
        options = RetrainingOptions(preset="tiny").to_fields()
        work.schedules.put(Schedule("weekly", "0 3 * * SUN", "Europe/Berlin", options, NOW, NOW))
        failed = _failed(work, Retraining("r7", RetrainingOptions(preset="tiny"), "schedule:weekly", NOW))
        work.commit()
    notebooks = house.home / "shop" / "retraining" / "r7" / "notebooks"
    notebooks.mkdir(parents=True)
    stem = f"build_corpus-{failed.id}.{failed.attempt}"
    (notebooks / f"{stem}.html").write_text(
        "<!doctype html><title>Notebook</title><h1>What the corpus is</h1><script>document.title='ran'</script>",
        encoding="utf-8",
    )
    (notebooks / f"{stem}.ipynb").write_text('{"cells": []}', encoding="utf-8")


def _copy_release(shelf: Path, name: str) -> None:
    with writing_release(shelf / name) as folder:
        for file in (ROOT / "model" / "releases" / OLD).iterdir():
            if file.name != "manifest.json" and file.is_file():
                shutil.copyfile(file, folder / file.name)


def _failed(work: Work, retraining: Retraining) -> Job:
    """A retraining whose first step failed, in one unit of work: nobody takes it up meanwhile."""
    work.retrainings.add(retraining)
    work.jobs.add(Job(0, retraining.job_key, JobKind.BUILD_CORPUS, None, ready_at=NOW))
    job = work.jobs.claim("test", NOW, NOW + timedelta(minutes=1), RETRAINING)
    assert job is not None
    error = "RunFailed: a cell raised FileNotFoundError"
    work.jobs.update(job.token, state=JobState.DEAD, failures=3, lease_until=None, error=error)
    work.retrainings.save(
        replace(retraining, state=RetrainingState.FAILED, ended_at=NOW, sentence=f"build_corpus failed: {error}")
    )
    return job


@pytest.fixture
def ola(house: OpenHouse, launched: Browser) -> Iterator[Visitor]:
    visitor = Visitor(launched, house)
    visitor.sign_in(OLA)
    visitor.page.goto(house.url + server_path(OLA) + "bridge")
    visitor.page.wait_for_selector(".tng-tiles")
    yield visitor
    visitor.close()


def turn_to(visitor: Visitor, part: str) -> None:
    visitor.page.get_by_role("button", name=part, exact=True).click()
    expect(visitor.page.locator('[aria-current="page"]')).to_have_text(part)


def form(visitor: Visitor, title: str) -> Locator:
    return visitor.page.locator(".tng-forms .tng-form", has=visitor.page.get_by_role("heading", name=title, exact=True))


def current_in(house: OpenHouse) -> str:
    with store_of(house).read() as work:
        row = work.promotions.current()
    assert row is not None
    return row.to_id


def fits(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_an_operator_sees_how_candidates_compare(house: OpenHouse, ola: Visitor) -> None:
    turn_to(ola, "Releases")
    page = ola.page
    expect(page.locator(".tng-release")).to_have_text(OLD, timeout=PATIENCE_MS)
    checks = page.get_by_role("region", name="Checks")
    expect(checks.get_by_role("row")).to_have_count(len(CHECKS) + 1)
    expect(page.get_by_role("img", name=re.compile("^perplexity of 6 evaluations"))).to_be_visible()
    left, right = (page.get_by_role("region", name=f"Premise 1, {who}") for who in ("candidate", "champion"))
    expect(left).to_contain_text("It is waiting.")
    first, second = left.bounding_box(), right.bounding_box()
    assert first is not None
    assert second is not None
    assert first["y"] == pytest.approx(second["y"], abs=40), "side by side"
    assert first["x"] + first["width"] <= second["x"]
    ola.photograph("bridge-releases")
    page.set_viewport_size(PHONE)
    assert fits(ola)
    first, second = left.bounding_box(), right.bounding_box()
    assert first is not None
    assert second is not None
    assert first["y"] + first["height"] <= second["y"], "one below the other on a phone"
    ola.photograph("bridge-releases-phone")


def test_an_operator_promotes_with_a_reason_and_rolls_back(house: OpenHouse, ola: Visitor) -> None:
    turn_to(ola, "Releases")
    promote = form(ola, "Promote")
    promote.get_by_role("combobox").select_option(label=f"{WORSE}: not passed")
    promote.get_by_role("textbox", name="Reason").fill("I like it.")
    promote.get_by_role("button", name="Promote…").click()
    promote.get_by_role("button", name=f"Promote {WORSE}").click()
    expect(promote.get_by_role("alert")).to_contain_text("did not pass its evaluation")
    assert current_in(house) == OLD
    promote.get_by_role("combobox").select_option(label=f"{NEW}: passed, better than the current one")
    promote.get_by_role("textbox", name="Reason").fill("Better by the numbers.")
    promote.get_by_role("button", name="Promote…").click()
    expect(promote.locator(".tng-question")).to_contain_text(f"{OLD} → {NEW} from the next script on.")
    ola.photograph("bridge-promote")
    promote.get_by_role("button", name=f"Promote {NEW}").dblclick()
    expect(ola.page.locator(".tng-release")).to_have_text(NEW, timeout=PATIENCE_MS)
    expect(ola.page.get_by_text("0 of 20 scripts are through").first).to_be_visible()
    ola.photograph("bridge-promoted")
    back = form(ola, "Roll back")
    back.get_by_role("textbox", name="Reason").fill("It repeats itself.")
    back.get_by_role("button", name="Roll back…").click()
    back.get_by_role("button", name=f"Roll back to {OLD}").click()
    expect(ola.page.locator(".tng-release")).to_have_text(OLD, timeout=PATIENCE_MS)
    with store_of(house).read() as work:
        rows = work.promotions.history()
    assert [(row.to_id, row.kind.value, row.reason) for row in rows] == [
        (OLD, "rolled back", "It repeats itself."),
        (NEW, "promoted", "Better by the numbers."),
        (OLD, "first", rows[-1].reason),
    ]
    assert {row.actor for row in rows[:2]} == {f"hub:{server_path(OLA).split('/')[2]}"}


def test_a_notebook_opens_beside_the_page_and_runs_nothing(house: OpenHouse, ola: Visitor) -> None:
    turn_to(ola, "Schedules")
    entry = ola.page.locator(".tng-entry", has_text="Retraining r7")
    expect(entry).to_contain_text("a cell raised FileNotFoundError")
    with ola.context.expect_page() as opening:
        entry.get_by_role("link", name="Build the corpus, attempt 1: notebook as a page").click()
    notebook = opening.value
    expect(notebook.get_by_role("heading", name="What the corpus is")).to_be_visible(timeout=PATIENCE_MS)
    assert notebook.title() == "Notebook", "its script did not run"
    assert notebook.url.endswith("/notebook.html")
    link = entry.get_by_role("link", name="Build the corpus, attempt 1: notebook as a file")
    file = ola.context.request.get(house.url + str(link.get_attribute("href")))
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.json() == {"cells": []}


def test_a_schedule_is_paused_resumed_and_run_and_what_it_began_is_cancelled(house: OpenHouse, ola: Visitor) -> None:
    turn_to(ola, "Schedules")
    weekly = ola.page.locator(".tng-entry", has_text="0 3 * * SUN")
    expect(weekly).to_contain_text("next: Sun")
    weekly.get_by_role("button", name="Pause").click()
    expect(weekly).to_contain_text("Paused")
    weekly.get_by_role("button", name="Resume").click()
    expect(weekly).to_contain_text("next: Sun")
    weekly.get_by_role("button", name="Run now").click()
    expect(weekly.get_by_role("status")).to_contain_text("A retraining has begun")
    begun = ola.page.locator(".tng-entry", has_text="under way")
    expect(begun).to_have_count(1)
    ola.photograph("bridge-schedules")
    ola.page.set_viewport_size(PHONE)
    assert fits(ola)
    ola.photograph("bridge-schedules-phone")
    begun.get_by_role("button", name="Cancel…").click()
    begun.get_by_role("button", name="End it").click()
    expect(ola.page.locator(".tng-entry", has_text="– cancelled")).to_have_count(1)
    assert {host for host in ola.hosts if host != f"127.0.0.1:{house.port}"} <= {"(the page itself)"}


def test_every_button_and_field_has_a_name_and_is_reached_by_the_keyboard(house: OpenHouse, ola: Visitor) -> None:
    for part in ("Releases", "Schedules"):
        turn_to(ola, part)
        for control in ola.page.locator(".tng-dashboard :is(button, input, select, textarea)").all():
            if control.is_visible():
                assert control.evaluate("e => (e.labels?.[0]?.innerText || e.innerText || e.title).trim()"), control
                assert control.evaluate("e => e.tabIndex") >= 0
    turn_to(ola, "House")
    ola.page.get_by_role("button", name="House", exact=True).focus()
    ola.page.keyboard.press("Tab")
    ola.page.keyboard.press("Enter")
    expect(ola.page.locator('[aria-current="page"]')).to_have_text("Releases")
