"""``make dashboard-figures``: what a customer's page costs and how soon it is there, against what was promised.

All of it is measured in real houses with the settings of the demo, in one run and on one machine, which is shared by
the house, the writer and whoever measures: a Chromium, and twenty customers without one. Its own line comes first. A
figure is a quantile of its rounds, and the share says how much of what was promised was used.

* **The front door**: the bytes of all that a browser loads for it, and the time of its HTML.
* **A warm dashboard**: from the navigation to a form with its price and a button that can be pressed, by the page's own
  clock. Each time there was a warm kernel, or the round does not count.
* **Stream to screen**: from the time that the worker wrote on a scene's event to the scene being on the page, while the
  rest is being written.
* **A kernel's memory**: its PSS with a whole script on the page. What kernels share is divided among them: twenty times
  this is what twenty kernels take.
* **Twenty at once**: see ``tests.benchmarks.dashboard_crowd``. Their widgets are there, and nobody has drawn them yet.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Response

from tests.benchmarks.dashboard_crowd import DEMO, all_at_once, crowded_house
from tests.benchmarks.way import machine
from tests.browser import WHY_SKIPPED, Visitor, browser, chromium
from tests.open_house import OpenHouse, opened, visitor
from tests.processes import environment_of, words_of
from tng.settings import Settings

LANDINGS = 100
OPENINGS = 5
CROWD = 20
SPARE_SECONDS = 60.0
AGAIN_MS = 3000
WRITTEN_MS = 300_000
KERNEL = "ipykernel_launcher"
GIVEN, WARM = "Using pre-heated kernel", "is filled with 1 kernel"


@dataclass(frozen=True)
class Promise:
    """The most that a share of the values of a figure may be."""

    most: float
    unit: str
    share: float = 0.95


PROMISED = {
    "front door, all that it loads": Promise(150.0, "KB"),
    "front door, its HTML": Promise(0.1, "s"),
    "warm dashboard, usable": Promise(1.5, "s", share=0.5),
    "a scene, from its event to the screen": Promise(0.5, "s", share=0.5),
    "a dashboard's kernel, PSS": Promise(80.0, "MB"),
    "twenty at once, widgets there": Promise(4.0, "s"),
}
"""Medians where a person meets it once in a while, the 95th percentile where many meet it."""

WATCH = """() => {
  window.tngSeen = []; window.tngUsableMs = 0;
  const look = () => {
    const button = document.querySelector(".tng-compose .tng-primary");
    if (!window.tngUsableMs && document.querySelector(".tng-price") && button && !button.disabled)
      window.tngUsableMs = performance.now();
    const there = document.querySelectorAll(".tng-scene .tng-heading").length;
    while (window.tngSeen.length < there) window.tngSeen.push(Date.now());
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
}"""
"""When the form could be used, in ms after the navigation; and when each scene was there, in ms since 1970."""


@dataclass
class Figures:
    """What was measured, by name; ``spent`` are the processor's seconds for each visit of the crowd."""

    values: dict[str, list[float]] = field(default_factory=dict)
    spent: float = 0.0

    def add(self, name: str, *values: float) -> None:
        """More of a figure."""
        self.values.setdefault(name, []).extend(values)

    def quantile(self, name: str, share: float) -> float:
        """What this share of the values do not exceed; not a number where there are none."""
        ordered = sorted(self.values.get(name, [])) or [float("nan")]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# --- one customer -------------------------------------------------------------------------------------------------


def measure_front_door(launched: Browser, house: OpenHouse, figures: Figures) -> None:
    """As somebody meets it who was never here."""
    page = launched.new_context().new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(house.url, wait_until="networkidle")
    figures.add("front door, all that it loads", sum(len(answer.body()) for answer in answers if answer.ok) / 1000)
    page.context.close()
    with visitor(house) as somebody:
        for _ in range(LANDINGS):
            began = time.perf_counter()
            somebody.get("/hub/login").raise_for_status()
            figures.add("front door, its HTML", time.perf_counter() - began)


def measure_openings(ada: Visitor, figures: Figures) -> None:
    """Her page again and again, each time with a kernel that was made warm meanwhile."""
    for _ in range(OPENINGS):
        until(lambda: count(ada.house, WARM) > count(ada.house, GIVEN), "a warm kernel")
        given = count(ada.house, GIVEN)
        ada.page.reload()
        ada.page.wait_for_function("window.tngUsableMs > 0")
        usable_ms = ada.page.evaluate("window.tngUsableMs")
        if count(ada.house, GIVEN) == given + 1:
            figures.add("warm dashboard, usable", usable_ms / 1000)
        ada.page.wait_for_timeout(AGAIN_MS)


def measure_stream(ada: Visitor, figures: Figures) -> None:
    """An episode is written on her page: the event of each scene, and when the scene was seen."""
    ada.compose("The Long Measure", cast=("Picard", "Data", "Worf", "Troi"), length="Full episode")
    ada.order()
    ada.pay()
    order_id = ada.come_back()
    opened_at = time.time()
    ada.expect_sentence("ready", patience_ms=WRITTEN_MS)
    seen = ada.page.evaluate("window.tngSeen")
    figures.add("a scene, from its event to the screen", *delays(said_at(ada.house.home, order_id), seen, opened_at))


def delays(said: Sequence[float], seen_ms: Sequence[float], after: float) -> list[float]:
    """How long each scene took that was said after the page was open. Times in seconds since 1970, or in ms."""
    pairs = zip(said, seen_ms, strict=False)  # the last scenes may come with the whole script
    return [shown / 1000 - at for at, shown in pairs if at > after]


def said_at(home: Path, order_id: str) -> list[float]:
    """When the worker said each scene of an order, in seconds since 1970, by the database."""
    question = (
        "SELECT e.said_at FROM job_events e JOIN jobs j ON j.id = e.job_id "
        "WHERE j.order_id = ? AND e.kind = 'scene' ORDER BY e.id"
    )
    with closing(sqlite3.connect(Settings(home=home).orders_url.removeprefix("sqlite:///"))) as database:
        rows = database.execute(question, (order_id,)).fetchall()
    return [datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp() for (said,) in rows]


def measure_memory(house: OpenHouse, figures: Figures) -> None:
    """The largest kernel of a dashboard: the one with the script on its page."""
    kernels = [one for one in house.belongings() if KERNEL in words_of(one) and "VOILA_PREHEAT" in environment_of(one)]
    figures.add("a dashboard's kernel, PSS", max(megabytes(kernel) for kernel in kernels))


def megabytes(process: psutil.Process) -> float:
    """A process's memory in MB, what it shares with others divided among them (PSS)."""
    return float(process.memory_full_info().pss) / 1e6


def measure_one(launched: Browser, house: OpenHouse, figures: Figures) -> None:
    """Everything that one customer meets."""
    measure_front_door(launched, house, figures)
    ada = Visitor(launched, house)
    ada.page.add_init_script(f"({WATCH})()")
    ada.sign_in("ada@example.com")
    measure_openings(ada, figures)
    measure_stream(ada, figures)
    measure_memory(house, figures)
    ada.close()


# --- many ---------------------------------------------------------------------------------------------------------


def measure_crowd(home: Path, customers: int, figures: Figures) -> None:
    """Everybody at once, and what that took of the processor: the same whatever else the machine does."""
    with crowded_house(home, customers) as (house, people):
        before = processor_seconds(house)
        figures.add("twenty at once, widgets there", *all_at_once(house, people))
        figures.spent = (processor_seconds(house) - before) / customers


def processor_seconds(house: OpenHouse) -> float:
    """What all living processes of a house have had of the processor."""
    return sum(sum(process.cpu_times()[:2]) for process in house.belongings())


def count(house: OpenHouse, words: str) -> int:
    """How often people's servers have said this."""
    return house.log.count(words)


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in another process and has no event of its own."""
    end = time.monotonic() + SPARE_SECONDS
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


# --- what is said -------------------------------------------------------------------------------------------------


def missed(figures: Figures) -> list[str]:
    """The promises that were not kept, or not measured."""
    found = {name: figures.quantile(name, promise.share) for name, promise in PROMISED.items()}
    return [name for name, value in found.items() if not value <= PROMISED[name].most]


def told(figures: Figures) -> Iterator[str]:
    """The figures, a line each."""
    for name, promise in PROMISED.items():
        measured = figures.quantile(name, promise.share)
        kind = "median" if promise.share == 0.5 else f"p{promise.share * 100:.0f}"
        times = len(figures.values.get(name, []))
        yield (
            f"{name:38} {kind:6} {measured:8.3f} {promise.unit:2} ({times} times), promised {promise.most:g}"
            f" {promise.unit}, share {measured / promise.most:.2f}"
        )
    if figures.spent:
        yield f"{'each of the twenty':38} took {figures.spent:.2f} s of the processor, all its processes together"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. The exit status: 1 where a promise is not kept, 2 where there is no browser."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.dashboard", description="A customer's page.")
    options.add_argument("--crowd", type=int, default=CROWD, help="customers at once, 0: none (default: %(default)s)")
    given = options.parse_args(arguments)
    if chromium() is None:
        print(WHY_SKIPPED, file=sys.stderr)
        return 2
    figures = Figures()
    print(f"machine: {machine()}")
    with tempfile.TemporaryDirectory(prefix="tng-dashboard-") as folder:
        with browser() as launched, opened(Path(folder) / "one", **DEMO) as house:
            measure_one(launched, house, figures)
        if given.crowd:
            measure_crowd(Path(folder) / "many", given.crowd, figures)
    print("\n".join(told(figures)))
    return int(bool(missed(figures)))


if __name__ == "__main__":
    sys.exit(main())
