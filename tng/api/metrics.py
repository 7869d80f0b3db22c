"""Numbers for Prometheus: what the store says at the moment of asking, and what this process counted itself.

Every label is bounded: a state, a kind, the template of a route, a release, a schedule. No order, no person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tng.api.metrics_releases import ReleaseNumbers
from tng.api.operator_door import the_operator
from tng.errors import ApiError, StoreBusy
from tng.gpus.rules import ClaimKind
from tng.lookout import Lookout
from tng.operations import Operations
from tng.orders import OrderState
from tng.overview import Overview
from tng.payments import EVENT_TYPES

READER = "prometheus"
"""The service of the hub that may read the metrics."""

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What is measured of one application. ``open_streams`` counts the streams of events that are open now."""

    def __init__(self, lookout: Lookout, operations: Operations, open_streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._webhooks = Counter(
            "tng_webhook_events", "Webhooks by type and outcome.", ["type", "outcome"], registry=self.registry
        )
        self._requests = Histogram(
            "tng_request_seconds",
            "Time until an answer begins, by the template of its route.",
            ["method", "route", "status"],
            registry=self.registry,
            buckets=BUCKETS_SECONDS,
        )
        self.registry.register(StoreNumbers(lookout, open_streams))
        self.registry.register(ReleaseNumbers(operations))

    def webhook(self, kind: str, outcome: str) -> None:
        """Count a webhook: handled, refused, or asked for again."""
        self._webhooks.labels(kind if kind in EVENT_TYPES else "other", outcome).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request by the time until its answer began."""
        known = method if method in KNOWN_METHODS else "other"
        self._requests.labels(known, route, str(status)).observe(seconds)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class StoreNumbers:
    """What the store says when it is asked. A store that is busy says only that."""

    def __init__(self, lookout: Lookout, open_streams: Callable[[], int]) -> None:
        self._lookout, self._open_streams = lookout, open_streams

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: nobody asks the store before there is somebody to tell."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The numbers of now."""
        yield _gauge("tng_event_streams", "Streams of events that are open.", self._open_streams())
        try:
            seen = self._lookout.look()
        except StoreBusy:
            yield _gauge("tng_store_up", "Whether the orders database answers.", 0)
            return
        yield _gauge("tng_store_up", "Whether the orders database answers.", 1)
        yield from _gauges(seen)


class Measured:
    """Wraps the application, and measures each request until its answer begins. Streams pass as they come."""

    def __init__(self, app: ASGIApp, metrics: Metrics, prefix: str) -> None:
        self.app, self._metrics, self._prefix = app, metrics, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measuring(message: Message) -> None:
            if message["type"] == "http.response.start":
                template = str(getattr(scope.get("route"), "path", "none")).removeprefix(self._prefix)
                self._metrics.answered(scope["method"], template, message["status"], time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, measuring)


def metrics_routes() -> APIRouter:
    """The page that Prometheus reads; to everybody but its service and an operator it does not exist."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/metrics", metrics, methods=["GET"])
    return router


async def metrics(request: Request) -> Response:
    """The numbers of now."""
    if not await _is_reader(request):
        await the_operator(request)
    measured: Metrics = request.app.state.metrics
    return Response(await run_in_threadpool(measured.page), media_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _is_reader(request: Request) -> bool:
    try:
        return bool(await request.app.state.auth.service(request) == READER)
    except ApiError as error:
        if error.status == 503:
            raise
        return False


def _gauges(seen: Overview) -> Iterator[Metric]:
    queue, here = seen.queue, sum(worker.here(seen.at) for worker in seen.workers)
    yield _family("tng_orders", "Orders by state.", "state", {s.value: seen.orders.get(s, 0) for s in OrderState})
    yield _gauge("tng_jobs_waiting", "Paid jobs that no worker has taken.", queue.waiting)
    yield _gauge("tng_jobs_oldest_wait_seconds", "How long ago the oldest of them was paid.", queue.oldest_seconds)
    yield _gauge("tng_leases", "Jobs that a worker owns.", len(seen.leases))
    yield _gauge("tng_refunds_waiting", "Refunds that are owed.", queue.refunds_waiting)
    yield _gauge("tng_reports_waiting", "Reports of Stripe's that were not acted on.", queue.reports_waiting)
    yield _gauge("tng_workers", "Workers that were seen lately.", here)
    held = {kind.value: sum(use.kind == kind for use in seen.gpus) for kind in ClaimKind}
    yield _family("tng_gpus_held", "GPUs that somebody holds, by what for.", "kind", held)
    yield _gauge("tng_gpus_waiting", "People who wait for a GPU.", seen.gpus_waiting)
    faults = GaugeMetricFamily("tng_faults", "Failures ever seen, by part and kind.", labels=("part", "kind"))
    for fault in seen.faults:
        faults.add_metric((fault.part, fault.kind), fault.count)
    yield faults


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _family(name: str, words: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
