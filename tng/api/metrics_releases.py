"""Numbers of releases and retrainings for Prometheus, read from the store at the moment of asking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tng.errors import StoreBusy
from tng.operations import Operations
from tng.promotion.promotions import PromotionKind
from tng.training.retrainings import RetrainingState


class ReleaseNumbers:
    """What the ledger and the schedules say when they are asked. Of a store that is busy there is nothing to say."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: nobody asks the store before there is somebody to tell."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The numbers of now."""
        try:
            yield from list(self._numbers())
        except StoreBusy:
            return  # tng_store_up says so

    def _numbers(self) -> Iterator[Metric]:
        releases, runs = self._operations.releases, self._operations.runs
        info = GaugeMetricFamily("tng_release_info", "The release that writes now.", labels=("release",))
        if current := releases.current_id():
            info.add_metric((current,), 1)
        yield info
        changes = releases.changes()
        promotions = CounterMetricFamily("tng_promotions", "Changes of the current release, by why.", labels=("kind",))
        for kind in PromotionKind:
            promotions.add_metric((kind.value,), changes.get(kind, 0))
        yield promotions
        states = runs.states()
        retrainings = GaugeMetricFamily("tng_retrainings", "Retrainings by state.", labels=("state",))
        for state in RetrainingState:
            retrainings.add_metric((state.value,), states.get(state, 0))
        yield retrainings
        due = GaugeMetricFamily("tng_schedule_next_timestamp_seconds", "When a schedule is due.", labels=("schedule",))
        for name, slot in runs.next_slots().items():
            due.add_metric((name,), slot.timestamp())
        yield due
