"""The composition root: settings in, working parts out. The only place that constructs adapters.

Tests hand in fakes by name; a process at the edge hands in nothing but its settings.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
from collections import ChainMap
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from tng.adapters.clock import SystemClock
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.adapters.gate import ShopGate
from tng.adapters.in_use import show_in_use
from tng.adapters.mail_server import MailServer
from tng.adapters.messengers import MailMessenger, WebhookMessenger
from tng.adapters.nvidia import inventory
from tng.adapters.stripe_gateway import StripeGateway
from tng.adapters.surroundings import Surroundings
from tng.bell import Bell, Topic
from tng.erasing import Sweep
from tng.fulfilment import Fulfilment
from tng.gpus.keeper import GpuKeeper
from tng.gpus.ledger import GpuLedger
from tng.jobs import JobKind
from tng.log import FaultCounter
from tng.lookout import Attendance, Lookout
from tng.notices import Channel, Messenger, NoticePump
from tng.operations import Operations
from tng.overview import PartHealth
from tng.ports import Clock, NotebookRunner, PaymentGateway, Store
from tng.programme import first_release, price_of, shelf_of
from tng.promotion.canary import Canary
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.lookout import ReleaseLookout
from tng.promotion.shelf import ReleaseShelf
from tng.settings import ROOT, Settings
from tng.shop import Shop
from tng.shows import Show, read_show
from tng.training.lookout import RetrainingLookout
from tng.training.retraining import Retrainings
from tng.training.timetable import Timetable

if TYPE_CHECKING:
    from tng.worker import Worker

logger = logging.getLogger(__name__)

TRAINING_LEASE_SECONDS = 60.0
"""How long a training may go on after the command that began it was killed or frozen."""


def build_store(settings: Settings) -> SqlStore:
    """The orders database, its tables up to date. Raises SettingsError, StoreBusy."""
    settings.make_home()
    migrate(settings.orders_url)
    return SqlStore(connect(settings.orders_url))


def clock_of(store: Store) -> Clock:
    """The time that counts for what is stored there: the database's own, where several machines share one."""
    return store.clock if isinstance(store, SqlStore) else SystemClock()


def bell_of(store: Store, *topics: Topic) -> Bell:
    """What wakes who waits for something of these topics to be committed there."""
    return store.bell(*topics) if isinstance(store, SqlStore) else Bell()


def build_shelf(settings: Settings) -> ReleaseShelf:
    """Every place where this house has releases."""
    return shelf_of(settings)


def build_release_ledger(
    settings: Settings, *, store: Store | None = None, clock: Clock | None = None
) -> ReleaseLedger:
    """The ledger of releases; it begins with the one of TNG_RELEASE. Raises ShowError, StoreBusy."""
    show_id, first = read_show(settings.show).id, first_release(settings)
    book = store or build_store(settings)
    return ReleaseLedger(book, clock or clock_of(book), build_shelf(settings), first, show_id=show_id)


def build_gpu_ledger(orders_url: str, *, host: str, order_gpus: int) -> GpuLedger:
    """The book of a host's GPUs, in the orders database. Raises StoreBusy.

    The hub asks it from its own loop where a server has ended: so it waits for a lock but for a moment.
    """
    migrate(orders_url)
    store = SqlStore(connect(orders_url, busy_seconds=3.0))
    return GpuLedger(store, store.clock, host=host, order_gpus=order_gpus)


def build_gateway(settings: Settings, show: Show) -> StripeGateway:
    """Stripe, or the stand-in that STRIPE_API_BASE names. Raises SettingsError where keys are missing."""
    return StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        settings.stripe_webhook_secret.get_secret_value(),
        product=show.product,
        statement=show.statement,
        promotion_codes=settings.promotion_codes,
        api_base=settings.stripe_api_base,
    )


def build_shop(
    settings: Settings,
    *,
    show: Show | None = None,
    store: Store | None = None,
    gateway: PaymentGateway | None = None,
    clock: Clock | None = None,
) -> Shop:
    """The customer's side: for the api, the only process that holds Stripe's keys. ``show`` is the one of TNG_SHOW."""
    show = show or show_in_use(settings)
    store = store or build_store(settings)
    gate = ShopGate(
        store,
        ledger=build_release_ledger(settings, store=store, clock=clock),
        home=settings.make_home(),
        free_disk_mb=settings.free_disk_mb,
        queue_limit=settings.queue_limit,
    )
    return Shop(
        store,
        gateway or build_gateway(settings, show),
        clock or clock_of(store),
        price=price_of(settings, show),
        public_url=settings.public,
        gate=gate,
        checkout_minutes=settings.checkout_minutes,
    )


def build_lookout(
    settings: Settings, *, store: Store, hub_api_url: str = "", more: Sequence[Callable[[], PartHealth]] = ()
) -> Lookout:
    """What an operator sees. ``hub_api_url`` is asked whether the hub is well; without one nobody looks around."""
    scheme = "https" if settings.tls_certificate else "http"
    around = Surroundings(
        hub_url=f"{hub_api_url.removesuffix('/api')}/health",
        proxy_url=f"{scheme}://127.0.0.1:{settings.port}/services/api/health",
        folder=settings.shop_folder,
        more=more,
    )
    looks = around.look if hub_api_url else None
    return Lookout(store, clock_of(store), lease_seconds=settings.lease_seconds, around=looks)


def build_attendance(settings: Settings, name: str, faults: FaultCounter, *, store: Store | None = None) -> Attendance:
    """What says that the worker of this name is there, and what went wrong in it."""
    return Attendance(build_lookout(settings, store=store or build_store(settings)), name, faults)


def build_fulfilment(settings: Settings, *, store: Store | None = None, clock: Clock | None = None) -> Fulfilment:
    """The worker's side: it needs the database, and no key."""
    store = store or build_store(settings)
    return Fulfilment(
        store,
        clock or clock_of(store),
        lease_seconds=settings.lease_seconds,
        spread=_spread,
        mails=settings.mail_customers,
    )


def build_gpu_keeper(settings: Settings, *, store: Store | None = None) -> GpuKeeper:
    """What claims a worker's GPUs, on a machine that has some. Raises StoreBusy."""
    gpus = [gpu.uuid for gpu in inventory(os.environ.get("CUDA_VISIBLE_DEVICES"))]
    book = store or build_store(settings)
    ledger = GpuLedger(book, clock_of(book), host=socket.gethostname(), order_gpus=settings.order_gpus)
    return GpuKeeper(ledger, _worker_name(), gpus, settings.order_gpus)


def build_worker(settings: Settings, gpus: dict[str, str] | None = None, *, store: Store | None = None) -> Worker:
    """The process that writes. It needs the database and the release, and no key.

    ``gpus`` is what its kernels are told of GPUs; it is read whenever one is started.

    Raises SettingsError where the release writes another show than the one that is sold, ReleaseMissing where there is
    none to begin with. What it imports is heavy (papermill, Jupyter), and the api imports this module: so it is
    imported here.
    """
    from tng.adapters.notebook_runner import PapermillRunner
    from tng.desk import WritingDesk
    from tng.worker import Worker

    show_in_use(settings)
    book = store or build_store(settings)
    ledger = build_release_ledger(settings, store=book)
    _begin(ledger, settings)
    runner = PapermillRunner(
        ROOT / "notebooks" / "runs",
        preload={JobKind.WRITE_SCRIPT: partial(_warming, ledger)},
        alike={JobKind.WRITE_SCENE: JobKind.WRITE_SCRIPT},
        spare=settings.spare_kernels,
        cell_seconds=settings.cell_seconds,
        lease_seconds=settings.lease_seconds,
        # a spare kernel must not take the whole GPU from the one that writes
        environment=ChainMap({}, gpus or {}, {"TF_FORCE_GPU_ALLOW_GROWTH": "true", **os.environ}),
    )
    canary = Canary(book, ledger, scripts=settings.canary_scripts)
    return Worker(
        WritingDesk(build_fulfilment(settings, store=book), ledger, canary),
        runner,
        name=_worker_name(),
        runs_folder=settings.runs_folder,
        lease_seconds=settings.lease_seconds,
        bell=bell_of(book, Topic.JOBS),
    )


def _begin(ledger: ReleaseLedger, settings: Settings) -> None:
    """Begin the ledger where there is none, and say so where TNG_RELEASE names another release than it does."""
    row = ledger.last()
    named = first_release(settings)
    if settings.release != Settings.model_fields["release"].default and named.id != row.to_id:
        logger.info(
            "release %s writes, as the ledger says; TNG_RELEASE names %s, with which only a new house begins. "
            "To write with it: tng release promote %s --unproven --reason …",
            row.to_id,
            named.id,
            named.id,
        )


def _warming(ledger: ReleaseLedger) -> str:
    """What a spare kernel runs ahead: it loads the release that writes now. Raises ReleaseError, StoreBusy."""
    return f"from model.writing import warm; warm({str(ledger.current().release.folder)!r})"


def build_sweep(settings: Settings, *, store: Store, clock: Clock | None = None) -> Sweep:
    """What removes what is old: orders' words, what runs said, and the runs of this machine."""
    return Sweep(
        store,
        clock or clock_of(store),
        settings.runs_folder,
        days=settings.retention_days,
        expired_days=settings.expired_days,
        run_days=settings.run_days,
    )


def build_notice_pump(settings: Settings, *, store: Store | None = None, clock: Clock | None = None) -> NoticePump:
    """What tells operators: for the scheduler, the only process that is given the channels."""
    store = store or build_store(settings)
    return NoticePump(store, clock or clock_of(store), messengers_of(settings))


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """The channels that are set, beside the log."""
    return tuple(messengers_of(settings))


def messengers_of(settings: Settings) -> dict[Channel, Messenger]:
    """What sends a notice, for each channel that is set."""
    messengers: dict[Channel, Messenger] = {}
    if webhook := settings.notice_webhook.get_secret_value():
        messengers[Channel.WEBHOOK] = WebhookMessenger(webhook).send
    if settings.notice_mail_to:
        messengers[Channel.MAIL] = MailMessenger(mail_server_of(settings), settings.notice_mail_to).send
    return messengers


def mail_server_of(settings: Settings) -> MailServer:
    """The mail server that is set."""
    password = settings.smtp_password.get_secret_value()
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        security=settings.smtp_security,
        sender=settings.notice_mail_from,
        login=(settings.smtp_user, password) if settings.smtp_user else None,
    )


def build_retrainings(
    settings: Settings, *, store: Store, ledger: ReleaseLedger, clock: Clock | None = None
) -> Retrainings:
    """The retrainings of the house: for whoever begins them, and for the scheduler, which runs their steps."""
    return Retrainings(
        store,
        clock or clock_of(store),
        ledger,
        lease_seconds=settings.lease_seconds,
        new_id=_new_retraining_id,
        spread=_spread,
    )


def build_operations(settings: Settings, *, store: Store | None = None, clock: Clock | None = None) -> Operations:
    """What an operator sees of releases and retrainings, and does about them. It needs the database, and no key."""
    store = store or build_store(settings)
    clock = clock or clock_of(store)
    ledger = build_release_ledger(settings, store=store, clock=clock)
    retrainings = build_retrainings(settings, store=store, ledger=ledger, clock=clock)
    timetable = Timetable(store, clock, retrainings)
    releases = ReleaseLookout(store, clock, build_shelf(settings), canary_scripts=settings.canary_scripts)
    runs = RetrainingLookout(store, clock, timetable, settings.shop_folder / "retraining")
    return Operations(releases, runs, ledger, timetable, retrainings)


def build_training_runner(settings: Settings) -> NotebookRunner:
    """What runs the training notebook: once, for as long as it takes. It needs no release, and no key."""
    from tng.adapters.notebook_runner import PapermillRunner

    return PapermillRunner(
        ROOT / "notebooks" / "runs",
        preload={},
        spare=0,
        cell_seconds=0,
        lease_seconds=TRAINING_LEASE_SECONDS,
        environment=os.environ,
    )


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _new_retraining_id(now: datetime) -> str:
    """Short enough for the name of a release; two of the same second differ."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _spread() -> float:
    return random.uniform(-1.0, 1.0)  # noqa: S311 - it keeps retries apart, and guards nothing
