"""What the bridge shows of an overview: tiles above, tables below. Every text is set as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from tng.dashboard.bridge_parts import ago, flag, span, table, words
from tng.dashboard.markup import Html, joined, tag
from tng.orders import OrderState
from tng.overview import Health, Overview

LONG_WAIT_SECONDS = 120.0
"""A paid order that waits for longer is worth a look."""

LITTLE_DISK_MEGABYTES = 2000

SIGNS = {Health.WELL: "✓", Health.UNWELL: "✗", Health.UNKNOWN: "?"}


def tiles(seen: Overview) -> Html:
    """The numbers that are looked at first."""
    queue, machine = seen.queue, seen.machine
    here = sum(worker.here(seen.at) for worker in seen.workers)
    late = queue.oldest_seconds > LONG_WAIT_SECONDS
    wait = f"the oldest for {span(queue.oldest_seconds)}" if queue.waiting else "nobody waits"
    estimate = queue.estimate_seconds
    until = f", about {span(estimate)} to write them" if queue.waiting and estimate is not None else ""
    shown = [
        _tile("Waiting", queue.waiting, wait + until, bad=late),
        _tile("Being written", len(seen.leases), "now" if seen.leases else "nothing now"),
        _tile("Workers", here, f"of {len(seen.workers)} that reported", bad=not here),
        _tile("Refunds owed", queue.refunds_waiting, "money to give back", bad=queue.refunds_waiting > 0),
    ]
    if machine is not None:
        gigabytes = sum(part.megabytes for part in machine.parts) / 1000
        disk = machine.free_disk_megabytes
        shown.append(_tile("Kernels", machine.kernels, "of pages and workbenches, warm ones too"))
        shown.append(_tile("Memory", f"{gigabytes:.1f} GB", "of all parts together"))
        if disk is not None:
            shown.append(_tile("Disk free", f"{disk / 1000:.0f} GB", "", bad=disk < LITTLE_DISK_MEGABYTES))
    at = tag("p", f"Seen at {seen.at:%H:%M:%S} UTC", class_="tng-hint")
    return joined([at, tag("ul", *shown, class_="tng-tiles")])


def health(seen: Overview) -> Html:
    """How each part of the house is, and how that is known."""
    rows = [
        (
            part.part,
            tag("span", f"{SIGNS[part.health]} {part.health}", class_=f"tng-{part.health}"),
            words(part.sentence),
        )
        for part in seen.health
    ]
    return table("Parts of the house", ("Part", "State", "How that is known"), rows, "Nothing is known.")


def orders(seen: Overview) -> Html:
    """Orders by state."""
    rows = [(state.value, str(seen.orders.get(state, 0))) for state in OrderState]
    return table("Orders", ("State", "Orders"), rows, "")


def leases(seen: Overview) -> Html:
    """Jobs that are being written, and by whom."""
    rows = [
        (
            f"{lease.job_id}",
            lease.order_id or "none",
            lease.worker,
            f"{lease.attempt}, {lease.failures} failed",
            ago(lease.heard_at, seen.at),
            _left(lease.lease_until, seen.at),
            lease.release_id or "–",
        )
        for lease in seen.leases
    ]
    names = ("Job", "Order", "Worker", "Attempt", "Last heartbeat", "Lease", "Release")
    return table("Being written", names, rows, "Nothing is being written.")


def workers(seen: Overview) -> Html:
    """Everybody who reported, and who is gone without a word."""
    rows = [
        (
            worker.name,
            flag("here" if worker.here(seen.at) else "gone without a word", good=worker.here(seen.at)),
            ago(worker.seen_at, seen.at),
            span((seen.at - worker.started_at).total_seconds()),
        )
        for worker in seen.workers
    ]
    return table("Workers", ("Worker", "State", "Last seen", "Runs for"), rows, "No worker has reported.")


def gpus(seen: Overview) -> Html:
    """Who holds which GPU."""
    rows = [
        (use.gpu, use.kind, use.holder, ago(use.since_at, seen.at), _left(use.until_at, seen.at)) for use in seen.gpus
    ]
    waits = f"{seen.gpus_waiting} wait for one." if seen.gpus_waiting else "Nobody waits for one."
    names = ("GPU", "For", "Held by", "Since", "Lease")
    return table("GPUs", names, rows, f"No GPU is held. {waits}", note=waits)


def memory(seen: Overview) -> Html:
    """What each part of the house holds."""
    parts = sorted(seen.machine.parts, key=lambda part: -part.megabytes) if seen.machine else []
    rows = [(part.part, str(part.processes), f"{part.megabytes} MB") for part in parts]
    return table("Memory", ("Part", "Processes", "Memory"), rows, "The processes of this machine cannot be seen.")


def faults(seen: Overview) -> Html:
    """What went wrong, the last first."""
    rows = [
        (fault.kind, fault.part, words(fault.sentence), str(fault.count), ago(fault.last_at, seen.at))
        for fault in seen.faults
    ]
    return table("What went wrong", ("Kind", "Part", "What it means", "Times", "Last"), rows, "Nothing, so far.")


SECTIONS: Sequence[tuple[str, Callable[[Overview], Html]]] = (
    ("tiles", tiles),
    ("leases", leases),
    ("health", health),
    ("workers", workers),
    ("faults", faults),
    ("orders", orders),
    ("memory", memory),
    ("gpus", gpus),
)
"""What stands on the page, from its top to its end; the style sheet counts on this order."""


def _tile(name: str, value: int | str, note: str, *, bad: bool = False) -> Html:
    alarm = "tng-tile tng-alarm" if bad else "tng-tile"
    return tag("li", tag("span", name), tag("b", str(value)), tag("small", note), class_=alarm)


def _left(until: datetime, now: datetime) -> Html:
    seconds = (until - now).total_seconds()
    return flag(f"{span(seconds)} left" if seconds > 0 else "over", good=seconds > 0)
