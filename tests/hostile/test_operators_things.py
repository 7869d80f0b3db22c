"""What is an operator's: its numbers, its metrics and its log, tried by those for whom they are not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.hostile.attacks import answers
from tests.log_lines import logged
from tests.operations_support import OLD, WORSE, furnish, run_step
from tests.unit.tng.api_support import House, make_house, visiting
from tng.log import about, told

PATHS = (
    "/operator/overview",
    "/operator/releases",
    "/operator/evaluations/1",
    "/operator/schedules",
    "/operator/retrainings/r1/1.1/notebook.html",
    "/operator/retrainings/r1/1.1/notebook.ipynb",
    "/operator/",
    "/metrics",
)
DEEDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("/operator/releases/promote", {"release": WORSE, "reason": "mine", "expected": OLD, "unproven": True}),
    ("/operator/releases/rollback", {"reason": "mine", "expected": OLD}),
    ("/operator/schedules/weekly/run", {}),
    ("/operator/schedules/weekly/pause", {}),
    ("/operator/retrainings/r1/cancel", {}),
    ("/operator/retrainings/r1/retry", {}),
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The api over fakes, with an operator to compare with, and things of theirs to reach for."""
    house = make_house(folder=tmp_path)
    furnish(house.store, house.operations, tmp_path)
    house.operations.timetable.run_now("weekly", actor="shell:ola")
    run_step(house.operations, tmp_path)
    house.hub.admit("104", "ola-token", groups=("operators",))
    house.hub.admit("103", "pia-token", groups=("power-users",))
    return house


async def found(house: House, token: str | None) -> list[str]:
    """The operator's addresses at which a caller finds anything else than at an address that is none."""
    async with visiting(house, token) as caller:
        missing = await caller.get("/nothing")
        answered = {path: await caller.get(path) for path in PATHS}
    return [path for path, answer in answered.items() if (answer.status_code, answer.content) != (404, missing.content)]


@answers(
    "reads the operator's numbers: other people's orders, GPUs, failures",
    "404 outside the hub group `operators`, in the words of any address that is none",
    who="a customer's browser",
)
async def test_a_customers_token_finds_nothing_of_the_operators(house: House) -> None:
    assert await found(house, "ada-token") == []
    there = [path for path in PATHS if path != "/operator/"]
    assert await found(house, "ola-token") == there, "the control: they are there"


@answers("asks for the operator's numbers from a notebook", "JupyterLab makes nobody an operator", who="a power user")
async def test_a_power_users_token_finds_nothing_of_the_operators(house: House) -> None:
    assert await found(house, "pia-token") == []


async def deeds_done(house: House, token: str | None) -> list[str]:
    """The operator's deeds to which a caller gets another answer than at an address that is none."""
    async with visiting(house, token) as caller:
        missing = await caller.post("/nothing")
        answered = {path: await caller.post(path, json=body) for path, body in DEEDS}
    return [path for path, answer in answered.items() if (answer.status_code, answer.content) != (404, missing.content)]


def as_it_was(house: House) -> bool:
    with house.store.read() as work:
        return (
            [row.to_id for row in work.promotions.history()] == [OLD]
            and not work.schedules.get("weekly").is_paused
            and [one.id for one in work.retrainings.latest()] == ["r1"]
            and work.retrainings.get("r1").is_open
        )


@answers(
    "promotes a release, rolls one back, begins, cancels or takes up a retraining, pauses a schedule",
    "404 outside the hub group `operators`; the ledger, the schedules and the retrainings are as they were",
    who="a customer's browser",
)
async def test_a_customers_token_changes_no_release_and_no_schedule(house: House) -> None:
    assert await deeds_done(house, "ada-token") == []
    assert as_it_was(house)
    assert await deeds_done(house, "ola-token") == [path for path, _ in DEEDS], "the control: they are there"
    assert not as_it_was(house)


@answers(
    "promotes the release that they have trained, from a notebook",
    "404: training makes nobody an operator",
    who="a power user",
)
async def test_a_power_users_token_changes_no_release_and_no_schedule(house: House) -> None:
    assert await deeds_done(house, "pia-token") == []
    assert as_it_was(house)


@answers(
    "promotes a release with an operator's old token, or with none",
    "404, as for everybody whom the hub does not know",
    who="a stranger",
)
async def test_a_stale_token_changes_no_release_and_no_schedule(house: House) -> None:
    house.hub.users.pop("ola-token")
    for token in (None, "forged-token", "ola-token"):
        assert await deeds_done(house, token) == []
    assert as_it_was(house)


@answers(
    "lets an operator's browser promote a release by a form on another site",
    "a write by cookie needs the page's own header; without it there is nothing",
    who="a stranger",
)
async def test_another_site_promotes_nothing_in_an_operators_name(house: House) -> None:
    house.hub.admit("104", "ola-cookie", session="s1", groups=("operators",))
    cookies = {"tng-api-session": str(house.auth._signer.dumps("ola-cookie")), "jupyterhub-session-id": "s1"}
    async with visiting(house, None, cookies=cookies) as browser:
        assert (await browser.get("/operator/releases")).status_code == 200, "the control: the browser is signed in"
        for path, body in DEEDS:
            assert (await browser.post(path, json=body)).status_code == 404
            assert (await browser.post(path, data={"release": WORSE})).status_code == 404
    assert as_it_was(house)


@answers(
    "names a file of the machine where a retraining's notebook is asked for: `..`, a link, another job's number",
    "names are numbers of a job of that retraining; files are opened step by step, and no link is followed",
    who="stored text",
)
async def test_a_notebooks_address_leads_to_no_other_file(house: House, tmp_path: Path) -> None:
    notebooks = tmp_path / "retraining" / "r1" / "notebooks"
    (tmp_path / "secret").write_text("a key", encoding="utf-8")
    (notebooks / "build_corpus-1.1.html").unlink()
    (notebooks / "build_corpus-1.1.html").symlink_to(tmp_path / "secret")
    runs = ("1.1", "..", "1.1%2f..%2f..%2f..%2f..%2fsecret", "2.1", "1.2", "1")
    async with visiting(house, "ola-token") as ola:
        for run in runs:
            for retraining in ("r1", "..", "%2e%2e"):
                answer = await ola.get(f"/operator/retrainings/{retraining}/{run}/notebook.html")
                assert answer.status_code == 404
                assert "a key" not in answer.text


@answers(
    "puts a script into a notebook that an operator opens",
    "the page is sandboxed: it runs nothing, asks nobody for anything, and is nobody's origin",
    who="stored text",
)
async def test_a_notebooks_page_may_do_nothing(house: House) -> None:
    async with visiting(house, "ola-token") as ola:
        page = await ola.get("/operator/retrainings/r1/1.1/notebook.html")
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    assert page.status_code == 200
    assert policy["sandbox"] == ""
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"


@answers("reads the metrics without Prometheus's token", "404, and no sign-in to be sent to", who="a stranger")
async def test_a_stranger_finds_nothing_of_the_operators(house: House) -> None:
    assert await found(house, None) == []
    assert await found(house, "forged-token") == []


@answers(
    "writes a line into the log that looks like one of ours, or moves the operator's terminal",
    "an event is one line of a bounded length; whatever is not printable is written out",
    who="stored text",
)
def test_no_text_begins_a_line_of_the_log() -> None:
    forged = "x\n2026-01-01T00:00:00.000Z INFO tng.money.till: refund done order=ord_9\r\x1b]0;owned\x07\u2028"
    with logged() as lines, about(order=forged):
        logging.getLogger("tng").warning("said %s", forged, extra=told(session=forged))
    (line,) = lines.getvalue().splitlines()
    assert line.isprintable()
